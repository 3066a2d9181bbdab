import type { Place } from '../../diagnostics/diagnostic.ts';
import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import type { Forbid, HostPolicy, Protect, Require } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import type { Subject } from '../subject.ts';

const cures = ['remove the statement, or correct what it names'];

/** Statements that could be removed without a change: most often the writer meant something else. */
export function* effect({ policy }: Subject): Iterable<Finding> {
  const kept = keptBy(policy);
  yield* needless(
    policy.binds,
    ({ functions, driver }) => functions.map((address) => `${address} ${driver(address)}`),
    'another statement binds the same functions to the same driver',
    kept,
  );
  yield* needless(
    policy.creates,
    ({ functions, count }) => functions.map((address) => `${address} ${count}`),
    'another statement creates the same virtual functions',
    kept,
  );
  for (const { who, place } of policy.forbids) {
    if (who === undefined || who.capabilities.length === 0) continue;
    const reason = 'who is forbidden a device is forbidden it with every capability';
    yield found(report('VP3126', place, { reason }, { cures: ['leave `with …` out'] }));
  }
  for (const allow of policy.allows) {
    // A set that is empty on this host was counted so.
    if (allow.functions.length > 0 || policy.devices.has(allow.device)) continue;
    const reason = 'no policy of this host binds a device to a VFIO driver';
    yield found(report('VP3126', allow.place, { reason }, { cures }));
  }
  yield* needless(
    policy.allows.filter(({ functions }) => functions.length > 0),
    ({ who, via, functions }) => [`${who.kind} ${who.name} ${via} ${functions.join(' ')}`],
    'the same is allowed elsewhere',
    kept,
  );
  yield* needless(
    [...policy.forbids, ...policy.protects, ...policy.requires],
    lawsOf,
    'another statement of the policy says the same',
    kept,
  );
}

interface Stated {
  readonly policy: string;
  readonly place: Place;
}

/**
 * Statements of which every part is said by another one, too. What counts is said by the one whose policy keeps it longest,
 * else by the one that says most, whatever their order.
 */
function* needless<S extends Stated>(
  statements: readonly S[],
  partsOf: (statement: S) => readonly string[],
  reason: string,
  kept: (policy: string) => number,
): Iterable<Finding> {
  const all = statements.map((statement) => ({
    statement,
    parts: partsOf(statement),
    kept: kept(statement.policy),
  }));
  const first = new Map<string, S>();
  for (const { statement, parts } of [...all].sort(
    (a, b) => b.kept - a.kept || b.parts.length - a.parts.length,
  ))
    for (const part of parts) if (!first.has(part)) first.set(part, statement);
  for (const { statement, parts } of all) {
    const [other] = parts.map((part) => first.get(part));
    if (other === undefined || parts.some((part) => first.get(part) === statement)) continue;
    const related = [{ place: other.place, message: 'the other statement' }];
    const fixes = [removal(statement.place, 'the statement')];
    yield found(report('VP3126', statement.place, { reason }, { related, cures, fixes }));
  }
}

/** How much of a policy outlasts the next boot: what is needless for today may be what `persist` keeps. */
function keptBy({ persists }: HostPolicy): (policy: string) => number {
  const ranks = { nothing: 0, boots: 1, drivers: 2 } as const;
  const kept = new Map(persists.map(({ policy, until }) => [policy, ranks[until]]));
  return (policy) => kept.get(policy) ?? 0;
}

/**
 * Laws of other policies stand for themselves, as a test applies one policy without the others; so do those of another
 * device, which may be the same functions here and others elsewhere.
 */
function lawsOf(law: Forbid | Protect | Require): readonly string[] {
  const { policy, device = '' } = law;
  if ('holding' in law)
    return (device === '' ? law.holding : ['']).map((kind) => `${policy} protect ${device} ${kind}`);
  return [`${policy} ${law.what} ${device} ${detailOf(law)}`];
}

function detailOf(law: Forbid | Require): string {
  switch (law.what) {
    case 'use':
      return `${law.who?.kind} ${law.who?.name} ${law.via}`;
    case 'resets':
      return [...law.methods].sort().join(' ');
    case 'numa':
      return [...law.nodes].sort().join(' ');
    case 'never':
      return law.to;
    default:
      return '';
  }
}
