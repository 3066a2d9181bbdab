import { nearest } from '../../grammar/nearest.ts';
import type {
  ConditionNode,
  PolicyNode,
  PolicyStatementNode,
  PrincipalNode,
  TargetNode,
  UseNode,
} from '../../grammar/tree.ts';
import { isMissing, type Token } from '../../grammar/tree.ts';
import type {
  Declaration,
  DeviceReference,
  Holding,
  LabelCondition,
  Path,
  PolicyStatement,
  Principal,
  Word,
} from './ast.ts';
import type { Lowering } from './lowering.ts';
import { capabilities } from './values.ts';

export function lowerPolicy(at: Lowering, node: PolicyNode): Declaration {
  const name = at.name(node.name, "a policy's name");
  const on = node.on && at.hostName(node.on);
  if (name === undefined || (node.on !== undefined && on === undefined)) return at.hole(node);
  const statements = node.statements.map((statement) => lowerStatement(at, statement));
  return { kind: 'policy', name, ...(on === undefined ? {} : { on }), statements, span: at.span(node) };
}

const aDevice = "a device's name";

function lowerStatement(at: Lowering, node: PolicyStatementNode): PolicyStatement {
  const span = at.span(node);
  switch (node.kind) {
    case 'bind': {
      const device = at.name(node.device, aDevice);
      const driver = at.name(node.driver, "a driver's name");
      if (device === undefined || driver === undefined) return at.hole(node);
      return { kind: 'bind', device, wholeGroup: node.wholeGroup, driver, span };
    }
    case 'allow':
    case 'forbid':
      return lowerUse(at, node);
    case 'interrupts':
      return { kind: 'forbid-unsafe-interrupts', span };
    case 'protect': {
      if (node.holding.some(isMissing)) return at.hole(node);
      const holding = node.holding.map((token) => token.image as Holding);
      if (node.device === undefined) return { kind: 'protect', holding, span };
      const device = at.name(node.device, aDevice);
      return device === undefined ? at.hole(node) : { kind: 'protect', holding, device, span };
    }
    case 'require': {
      const device = at.name(node.device, aDevice);
      if (device === undefined || node.later !== undefined) return at.hole(node);
      return { kind: 'require', device, what: 'isolated', span };
    }
    default:
      return at.hole(node);
  }
}

function lowerUse(at: Lowering, node: UseNode): PolicyStatement {
  const principal = lowerPrincipal(at, node.principal);
  const device = lowerTarget(at, node.target);
  const unless = node.unless && lowerCondition(at, node.unless);
  const via = node.via === undefined ? 'any' : pathOf(node.via);
  // An exception that cannot be read may not be taken for none, nor a broken statement for a wider one.
  const broken = node.unless !== undefined && unless === undefined;
  if (principal === undefined || device === undefined || via === undefined || broken) return at.hole(node);
  return {
    kind: node.kind,
    principal,
    device,
    via,
    ...(unless === undefined ? {} : { unless }),
    span: at.span(node),
  };
}

function pathOf(token: Token): Path | undefined {
  return isMissing(token) ? undefined : (token.image as Path);
}

function lowerPrincipal(at: Lowering, node: PrincipalNode): Principal | undefined {
  if (isMissing(node.kind)) return undefined;
  const kind = node.kind.image as Principal['kind'];
  const name = node.name && at.foreignName(node.name, `the name of a ${kind}`);
  const found = node.capabilities.map((token) => capability(at, token));
  const known = found.filter((word) => word !== undefined);
  if ((node.name !== undefined && name === undefined) || known.length < found.length) return undefined;
  return { kind, ...(name === undefined ? {} : { name }), capabilities: known, span: at.span(node) };
}

function capability(at: Lowering, token: Token): Word | undefined {
  return at.shaped(token, { test: (text) => capabilities.includes(text) }, (text) => {
    const meant = nearest(text, capabilities);
    const cure =
      meant === undefined
        ? 'write it like `CAP_SYS_RAWIO`; `man 7 capabilities` lists them'
        : `did you mean \`${meant}\`?`;
    const fixes =
      meant === undefined
        ? []
        : [{ title: `replace it by \`${meant}\``, edits: [{ ...at.place(token), text: meant }] }];
    at.report('VP1023', token, { text }, { cures: [cure], fixes });
  });
}

function lowerTarget(at: Lowering, node: TargetNode): DeviceReference | undefined {
  if (node.name === undefined) return { kind: 'any', span: at.span(node) };
  const name = at.name(node.name, aDevice);
  return name && { kind: 'name', name, span: at.span(node) };
}

function lowerCondition(at: Lowering, node: ConditionNode): LabelCondition | undefined {
  const label = at.name(node.label, "a label's name");
  const value = at.text(node.value);
  return label && value && { label, value, span: at.span(node) };
}
