import { endOf } from '../../grammar/lexer.ts';
import type {
  DeviceItemNode,
  DeviceNode,
  SelectorNode,
  Token,
  VirtualFunctionsNode,
} from '../../grammar/tree.ts';
import { isMissing } from '../../grammar/tree.ts';
import { addressPattern, identityPattern, macPattern } from '../../grammar/values.ts';
import { removal, replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { Count, Declaration, DmaNone, Holding, Selector, Word } from './ast.ts';
import type { Lowering } from './lowering.ts';
import { addressMeant, identityMeant, macMeant, rewriting } from './meant.ts';
import { reportTwice } from './twice.ts';
import { numaLimit, virtualLimit } from './values.ts';

type Property = Extract<Selector, { value: unknown }>['kind'];

/** No machine has more functions than a domain has addresses: 256 buses of 32 devices of 8 functions. */
const countLimit = 65536;

export function lowerDevice(at: Lowering, node: DeviceNode): Declaration {
  const name = at.name(node.name, "a device's name");
  const on = node.on && at.hostName(node.on);
  if (name === undefined) return at.hole(node);
  if (node.on !== undefined && on === undefined) return { ...at.hole(node), declares: name };
  const selectors: Selector[] = [];
  const except: Selector[] = [];
  let count: Count | undefined;
  let dmaNone: DmaNone | undefined;
  const plural = node.word.image === 'devices';
  reportTwice(at, node.items, ({ kind }) => (kind === 'count' || kind === 'dma' ? kind : undefined));
  for (const item of node.items) {
    if (item.kind === 'except') except.push(lowerSelector(at, item.operand));
    else if (item.kind === 'count') {
      const lowered = lowerCount(at, item);
      if (lowered === undefined) selectors.push(at.hole(item));
      else if (plural) count ??= lowered;
      else countOfOne(at, node.word, item, lowered);
    } else if (item.kind === 'dma') {
      // A claim only loosens: one that cannot be read is none.
      const reason = at.telling(item.reason, 'the reason of the claim');
      if (reason !== undefined) dmaNone ??= { reason, span: at.span(item) };
    } else selectors.push(lowerSelector(at, item));
  }
  const span = at.span(node);
  return {
    kind: 'device',
    plural,
    name,
    ...(on === undefined ? {} : { on }),
    selectors,
    except,
    ...(count === undefined ? {} : { count }),
    ...(dmaNone === undefined ? {} : { dmaNone }),
    span,
  };
}

/** A `device` has its count: another one contradicts it, and nobody knows which of the two was meant. */
function countOfOne(at: Lowering, word: Token, node: DeviceItemNode, { min, max }: Count): void {
  const place = at.placeOf(node);
  const [set, out] = [
    replacement(at.place(word), 'devices'),
    removal(place, 'the count', min === 1 && max === 1),
  ];
  const fixes = min === 1 && max === 1 ? [out] : [set, out];
  at.diagnostics.push(
    report(
      'VP1034',
      place,
      {},
      { cures: ['a set is declared with `devices`; otherwise leave the count out'], fixes },
    ),
  );
}

function lowerCount(at: Lowering, node: DeviceItemNode & { kind: 'count' }): Count | undefined {
  const range = lowerRange(at, node.min, node.max, countLimit);
  return range && { ...range, span: at.span(node) };
}

/** `2..4`, or one number alone; both ends included, at most `limit`. */
function lowerRange(
  at: Lowering,
  first: Token,
  last: Token | undefined,
  limit: number,
): Pick<Count, 'min' | 'max'> | undefined {
  const min = at.number(first, limit);
  const max = last === undefined ? min : at.number(last, limit);
  if (min === undefined || max === undefined) return undefined;
  if (min <= max) return { min, max };
  const swapped = `${max}..${min}`;
  const place = at.placeOf({ start: first.startOffset, end: endOf(last ?? first) });
  at.report(
    'VP1024',
    first,
    { min, max },
    {
      cures: [`write \`${swapped}\``],
      fixes: [replacement(place, swapped)],
    },
  );
  return undefined;
}

function lowerSelector(at: Lowering, node: SelectorNode): Selector {
  const span = at.span(node);
  switch (node.kind) {
    case 'property':
      return lowerProperty(at, node);
    case 'holding':
      if (node.what.some(isMissing)) return at.hole(node);
      return { kind: 'holding', what: node.what.map((token) => token.image as Holding), span };
    case 'named': {
      const name = at.name(node.name, "a device's name");
      return name === undefined ? at.hole(node) : { kind: 'device', name, span };
    }
    case 'virtual':
      return lowerVirtual(at, node);
    case 'in-group': {
      const name = at.name(node.name, "a device's name");
      return name === undefined ? at.hole(node) : { kind: 'in-group', name, span };
    }
    case 'not':
      return { kind: 'not', operand: lowerSelector(at, node.operand), span };
    case 'or':
    case 'and':
      return { kind: node.kind, operands: node.operands.map((operand) => lowerSelector(at, operand)), span };
    default:
      return at.hole(node);
  }
}

function lowerVirtual(at: Lowering, node: VirtualFunctionsNode): Selector {
  const name = at.name(node.of, "a device's name");
  const range = node.first && lowerRange(at, node.first, node.last, virtualLimit);
  if (name === undefined || (node.first !== undefined && range === undefined)) return at.hole(node);
  return { kind: 'virtual', name, ...(range === undefined ? {} : { range }), span: at.span(node) };
}

function lowerProperty(at: Lowering, node: SelectorNode & { kind: 'property' }): Selector {
  const kind = node.key.image as Property;
  const value = lowerValue(at, kind, node.value);
  return value === undefined ? at.hole(node) : { kind, value, span: at.span(node) };
}

function lowerValue(at: Lowering, kind: Property, token: Token): Word | undefined {
  switch (kind) {
    case 'at':
      return at.shaped(token, addressPattern, (text) =>
        at.report(
          'VP1007',
          token,
          { text },
          {
            cures: ['write domain, bus, device and function, like `0000:03:00.0`; `lspci -D` shows them'],
            fixes: rewriting(at.place(token), addressMeant(text)),
          },
        ),
      );
    case 'id':
    case 'subsystem':
      return at.shaped(token, identityPattern, (text) =>
        at.report(
          'VP1008',
          token,
          { text },
          {
            cures: [
              'write vendor and device, four hexadecimal digits each, like `8086:1572`; `lspci -nn` shows them',
            ],
            fixes: rewriting(at.place(token), identityMeant(text)),
          },
        ),
      );
    case 'mac':
      return at.shaped(token, macPattern, (text) =>
        at.report(
          'VP1022',
          token,
          { text },
          {
            cures: ['write six pairs of digits, like `b4:96:91:a1:02:33`'],
            fixes: rewriting(at.place(token), macMeant(text)),
          },
        ),
      );
    case 'numa':
      return at.number(token, numaLimit) === undefined ? undefined : at.word(token);
    default:
      return at.foreignName(token, `a value of \`${kind}\``);
  }
}
