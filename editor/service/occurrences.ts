/** Every place where something is named: what definition, references, rename and the colours of names are made from. */
import type { Span } from '../../grammar/span.ts';
import type { Place } from '../../src/diagnostics/diagnostic.ts';
import type {
  Declaration,
  DeviceReference,
  LabelCondition,
  PolicyStatement,
  Principal,
  Selector,
  TestStatement,
  Word,
} from '../../src/syntax/ast.ts';
import { placeOf } from '../../src/syntax/places.ts';
import type { Workspace } from './workspace.ts';

type NameKind =
  | 'host'
  | 'device'
  | 'policy'
  | 'label'
  | 'capability'
  | 'file'
  | Exclude<Principal['kind'], 'anyone'>;

export interface Occurrence {
  readonly kind: NameKind;
  readonly text: string;
  /** In the declaration's block, quotes included. */
  readonly span: Span;
  /** It is what the others are names of. */
  readonly declares: boolean;
  /** The host name or pattern that its declaration is about. */
  readonly on: string;
}

/** An occurrence in its file. */
export interface Sighting extends Omit<Occurrence, 'span'> {
  readonly place: Place;
}

const known = new WeakMap<Declaration, readonly Occurrence[]>();

/** In the order of the text, mostly. A declaration stays the same object while it does not change. */
export function occurrencesIn(declaration: Declaration): readonly Occurrence[] {
  let found = known.get(declaration);
  if (found === undefined) {
    found = collect(declaration);
    known.set(declaration, found);
  }
  return found;
}

/** All of a workspace's files. */
export function* sightings({ readings }: Pick<Workspace, 'readings'>): Generator<Sighting> {
  for (const [file, { document }] of readings) {
    for (const { base, node } of document.declarations) {
      for (const { span, ...occurrence } of occurrencesIn(node)) {
        yield { ...occurrence, place: placeOf({ file, base }, { span }) };
      }
    }
  }
}

function collect(declaration: Declaration): readonly Occurrence[] {
  const found: Occurrence[] = [];
  const on = 'on' in declaration && declaration.on !== undefined ? declaration.on.text : '*';
  const add = (kind: NameKind, { text, span }: Word, declares = false) =>
    found.push({ kind, text, span, declares, on });
  switch (declaration.kind) {
    case 'import':
      add('file', declaration.path);
      break;
    case 'host':
      add('host', declaration.name, true);
      for (const statement of declaration.statements) {
        if (statement.kind === 'snapshot') add('file', statement.path);
        if (statement.kind === 'label') add('label', statement.name, true);
      }
      break;
    case 'device':
      add('device', declaration.name, true);
      if (declaration.on !== undefined) add('host', declaration.on);
      for (const selector of [...declaration.selectors, ...declaration.except]) inSelector(selector, add);
      break;
    case 'policy':
      add('policy', declaration.name, true);
      if (declaration.on !== undefined) add('host', declaration.on);
      for (const statement of declaration.statements) inStatement(statement, add);
      break;
    case 'test':
      if (declaration.on !== undefined) add('host', declaration.on);
      if (declaration.snapshot !== undefined) add('file', declaration.snapshot);
      for (const statement of declaration.statements) inTest(statement, add);
      break;
    case 'hole':
      break;
  }
  return found;
}

type Add = (kind: NameKind, word: Word) => void;

function inSelector(selector: Selector, add: Add): void {
  if (selector.kind === 'or' || selector.kind === 'and')
    for (const operand of selector.operands) inSelector(operand, add);
  else if (selector.kind === 'not') inSelector(selector.operand, add);
  else if ('name' in selector) add('device', selector.name);
}

function inStatement(statement: PolicyStatement, add: Add): void {
  switch (statement.kind) {
    case 'bind':
    case 'require':
    case 'create':
      add('device', statement.device);
      return;
    case 'allow':
    case 'forbid':
      inPrincipal(statement.principal, add);
      inReference(statement.device, add);
      inCondition(statement.unless, add);
      return;
    case 'protect':
      if (statement.device !== undefined) add('device', statement.device);
      return;
    case 'limit':
      add(statement.who, statement.name);
      return;
    default:
      return;
  }
}

function inTest(statement: TestStatement, add: Add): void {
  switch (statement.kind) {
    case 'apply':
      for (const policy of statement.policies) add('policy', policy);
      return;
    case 'act':
      inPrincipal(statement.principal, add);
      for (const call of statement.calls) if ('device' in call) add('device', call.device);
      return;
    case 'refused':
      add('policy', statement.policy);
      return;
    case 'bound':
      add('device', statement.device);
      return;
    default:
      return;
  }
}

function inPrincipal({ kind, name, capabilities }: Principal, add: Add): void {
  if (kind !== 'anyone' && name !== undefined) add(kind, name);
  for (const capability of capabilities) add('capability', capability);
}

function inReference(reference: DeviceReference, add: Add): void {
  if (reference.kind === 'name') add('device', reference.name);
}

function inCondition(condition: LabelCondition | undefined, add: Add): void {
  if (condition !== undefined) add('label', condition.label);
}
