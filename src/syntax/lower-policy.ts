import type {
  ConditionNode,
  LimitNode,
  PolicyNode,
  PolicyStatementNode,
  PrincipalNode,
  RequireNode,
  TargetNode,
  UseNode,
} from '../../grammar/tree.ts';
import { isMissing, type Token } from '../../grammar/tree.ts';
import type {
  Declaration,
  DeviceReference,
  Holding,
  LabelCondition,
  LimitStatement,
  Path,
  PolicyStatement,
  Principal,
  Requirement,
  Word,
} from './ast.ts';
import type { Lowering } from './lowering.ts';
import { lowerSize, lowerTime, oneOf, whole } from './measures.ts';
import { reportTwice } from './twice.ts';
import { capabilities, numaLimit, resetMethods, virtualLimit } from './values.ts';

export function lowerPolicy(at: Lowering, node: PolicyNode): Declaration {
  const name = at.name(node.name, "a policy's name");
  const on = node.on && at.hostName(node.on);
  if (name === undefined || (node.on !== undefined && on === undefined)) return at.hole(node);
  reportTwice(at, node.statements, ({ kind }) =>
    kind === 'persist' || kind === 'confirm' ? kind : undefined,
  );
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
      const requirement = lowerRequirement(at, node);
      if (device === undefined || requirement === undefined) return at.hole(node);
      return { kind: 'require', device, requirement, span };
    }
    case 'create': {
      const count = at.number(node.count, virtualLimit + 1, 1);
      const device = at.name(node.device, aDevice);
      if (count === undefined || device === undefined) return at.hole(node);
      return { kind: 'create', count, countAt: { span: at.spanOf(node.count) }, device, span };
    }
    case 'limit':
      return lowerLimit(at, node);
    case 'persist':
      return { kind: 'persist', until: node.until, span };
    case 'confirm': {
      const seconds = lowerTime(at, node.amount, node.unit);
      return seconds === undefined ? at.hole(node) : { kind: 'confirm', seconds, span };
    }
    default:
      return at.hole(node);
  }
}

function lowerLimit(at: Lowering, node: LimitNode): PolicyStatement {
  if (isMissing(node.who)) return at.hole(node);
  const who = node.who.image as LimitStatement['who'];
  const name = at.foreignName(node.name, `the name of a ${who}`);
  const bytes = lowerSize(at, node.amount, node.unit);
  if (name === undefined || bytes === undefined) return at.hole(node);
  return { kind: 'limit', who, name, bytes, span: at.span(node) };
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
    ...(node.via === undefined || node.kind === 'forbid' ? {} : { viaAt: { span: at.spanOf(node.via) } }),
    ...(unless === undefined ? {} : { unless }),
    span: at.span(node),
  };
}

function pathOf(token: Token): Path | undefined {
  return isMissing(token) ? undefined : (token.image as Path);
}

export function lowerPrincipal(at: Lowering, node: PrincipalNode): Principal | undefined {
  if (isMissing(node.kind)) return undefined;
  const kind = node.kind.image as Principal['kind'];
  const name = node.name && at.foreignName(node.name, `the name of a ${kind}`);
  const capabilities = whole(node.capabilities.map((token) => capability(at, token)));
  if ((node.name !== undefined && name === undefined) || capabilities === undefined) return undefined;
  return { kind, ...(name === undefined ? {} : { name }), capabilities, span: at.span(node) };
}

function capability(at: Lowering, token: Token): Word | undefined {
  return oneOf(
    at,
    token,
    'VP1023',
    capabilities,
    'write it like `CAP_SYS_RAWIO`; `man 7 capabilities` lists them',
  );
}

function lowerRequirement(at: Lowering, { what, values }: RequireNode): Requirement | undefined {
  switch (what) {
    case 'isolated':
      return { what };
    case 'resets': {
      const cure = `write one of ${resetMethods.map((word) => `\`${word}\``).join(', ')}, as \`reset_method\` shows them`;
      const methods = whole(values.map((token) => oneOf(at, token, 'VP1025', resetMethods, cure)));
      return methods && { what, methods };
    }
    case 'numa': {
      const nodes = whole(values.map((token) => at.number(token, numaLimit)));
      return nodes && { what, nodes };
    }
    case 'never': {
      const [driver] = values.map((token) => at.name(token, "a driver's name"));
      return driver && { what, driver };
    }
  }
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
