import type { HostNode, HostStatementNode, NoIommuNode } from '../../grammar/tree.ts';
import { isMissing, type Token } from '../../grammar/tree.ts';
import { versionPattern } from '../../grammar/values.ts';
import type { Declaration, HostStatement, Word } from './ast.ts';
import type { Lowering } from './lowering.ts';
import { dateMeant, rewriting, versionMeant } from './meant.ts';
import { reportTwice } from './twice.ts';
import { isDate } from './values.ts';

export function lowerHost(at: Lowering, node: HostNode): Declaration {
  const name = at.hostName(node.name);
  if (name === undefined) return at.hole(node);
  const once = node.statements.filter(
    ({ kind }) => kind === 'snapshot' || kind === 'iommu' || kind === 'noiommu',
  );
  reportTwice(at, once, ({ kind }) => kind);
  const statements = node.statements.map((statement) => lowerStatement(at, statement));
  return { kind: 'host', name, statements, span: at.span(node) };
}

function lowerStatement(at: Lowering, node: HostStatementNode): HostStatement {
  const span = at.span(node);
  switch (node.kind) {
    case 'snapshot': {
      const path = at.text(node.path);
      return path === undefined ? at.hole(node) : { kind: 'snapshot', path, span };
    }
    case 'iommu': {
      if (isMissing(node.state)) return at.hole(node);
      return { kind: 'iommu', state: node.state.image as 'required' | 'absent' | 'any', span };
    }
    case 'kernel': {
      const version = at.shaped(node.version, versionPattern, (text) =>
        at.report(
          'VP1010',
          node.version,
          { text },
          {
            cures: ['write it like `6.1` or `6.12.4`'],
            fixes: rewriting(at.place(node.version), versionMeant(text)),
          },
        ),
      );
      if (version === undefined || isMissing(node.relation)) return at.hole(node);
      return {
        kind: 'kernel',
        relation: node.relation.image as '>=' | '<=' | '>' | '<' | '=',
        version,
        span,
      };
    }
    case 'label': {
      const name = at.name(node.name, "a label's name");
      const value = at.text(node.value);
      if (name === undefined || value === undefined) return at.hole(node);
      return { kind: 'label', name, value, span };
    }
    case 'noiommu':
      return lowerNoIommu(at, node);
    default:
      return at.hole(node);
  }
}

/** A permission with a broken part is a hole: it may not be read as one that holds for ever, or for everybody. */
function lowerNoIommu(at: Lowering, node: NoIommuNode): HostStatement {
  if (isMissing(node.mode)) return at.hole(node);
  const parts: { owner?: Word; reason?: Word; until?: Word } = {};
  let broken = false;
  reportTwice(at, node.items, (item) => (item.kind === 'permission' ? item.key.image : undefined));
  for (const item of node.items) {
    const value = item.kind === 'permission' ? lowerPart(at, item.key, item.value) : undefined;
    if (item.kind !== 'permission' || value === undefined) broken = true;
    else parts[item.key.image as 'owner' | 'reason' | 'until'] = value;
  }
  if (broken) return at.hole(node);
  return { kind: 'noiommu', allowed: node.mode.image === 'allowed', ...parts, span: at.span(node) };
}

function lowerPart(at: Lowering, key: Token, value: Token): Word | undefined {
  if (key.image !== 'until') return at.telling(value, `\`${key.image}\``);
  return at.shaped(value, { test: isDate }, (text) =>
    at.report(
      'VP1009',
      value,
      { text },
      {
        cures: ['write the year, the month and the day, like `2027-03-01`'],
        fixes: rewriting(at.place(value), dateMeant(text)),
      },
    ),
  );
}
