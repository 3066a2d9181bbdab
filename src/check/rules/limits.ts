import { nameMeant, oneOfTwo, removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { sizeText } from '../../policy/describe.ts';
import { applies, isPattern } from '../../policy/pattern.ts';
import type { Allow, Limit, WhoMay } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { describeWho, pathOf, type Subject, uses } from '../subject.ts';

const capability = 'CAP_IPC_LOCK';

/**
 * `limit … locked memory`: one limit for one principal, of whom it is true, and who maps memory at all.
 */
export function* limits(subject: Subject): Iterable<Finding> {
  const all = subject.policy.limits;
  if (all.length === 0) return;
  const exact = new Map<string, Limit[]>();
  for (const limit of all) {
    const key = keyOf(limit.who);
    if (!isPattern(limit.who.name)) exact.set(key, [...(exact.get(key) ?? []), limit]);
  }
  const patterns = all.filter(({ who }) => isPattern(who.name));
  const used = new Set<Limit>();
  for (const allow of mapping(subject)) {
    const { kind, name } = allow.who;
    const covering = [
      ...(exact.get(keyOf(allow.who)) ?? []),
      ...patterns.filter(({ who }) => who.kind === kind && applies(who.name, name)),
    ];
    const [first, ...others] = covering;
    if (first === undefined) continue;
    const other = others.find(({ bytes }) => bytes !== first.bytes);
    const fresh = covering.some((limit) => !used.has(limit));
    for (const limit of covering) used.add(limit);
    if (other !== undefined && fresh) yield conflict(allow, first, other);
    else yield* lifted(subject, allow, first);
  }
  for (const limit of all) if (!used.has(limit)) yield idle(subject, limit);
}

function keyOf({ kind, name }: Pick<WhoMay, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** Those who map memory for DMA, each once: without an IOMMU nothing is mapped, and nothing locked. */
function mapping(subject: Subject): Iterable<Allow> {
  const seen = new Map<string, Allow>();
  for (const { allow, fn } of uses(subject)) {
    if (pathOf(subject, allow, fn) === 'noiommu') continue;
    const key = `${keyOf(allow.who)} ${allow.who.capabilities.includes(capability)}`;
    if (!seen.has(key)) seen.set(key, allow);
  }
  return seen.values();
}

function conflict({ who }: Allow, first: Limit, second: Limit): Finding {
  const what = `the locked memory of ${describeWho(who)}`;
  return found(
    report(
      'VP3132',
      second.place,
      { what, first: sizeText(first.bytes), second: sizeText(second.bytes) },
      {
        related: [{ place: first.place, message: `policy ${first.policy} says ${sizeText(first.bytes)}` }],
        cures: ['keep one of the two statements, or narrow the pattern of the other'],
        fixes: oneOfTwo(second.place, first.place),
      },
    ),
  );
}

/** Who has CAP_IPC_LOCK is held by no limit. */
function* lifted({ snapshot }: Subject, { who, place: allowed }: Allow, { place }: Limit): Iterable<Finding> {
  const because = holder(snapshot, who);
  if (because === null) return;
  if (typeof because === 'object') {
    const sentence = `processes of ${describeWho(who)} do not have ${capability}`;
    yield needed({ ...because, sentence, place });
    return;
  }
  yield found(
    report(
      'VP3131',
      place,
      { who: describeWho(who) },
      {
        related: [{ place: allowed, message: `${describeWho(who)} is allowed here` }],
        causes: [
          because,
          'the kernel asks the limit only of others (drivers/vfio/vfio_iommu_type1.c vfio_lock_acct)',
        ],
        cures: ['remove the limit, or take the capability away'],
        fixes: [removal(place, 'the limit')],
      },
    ),
  );
}

/** Why the principal has the capability; null: as far as anybody tells, it has not. */
function holder(
  snapshot: Subject['snapshot'],
  who: WhoMay,
): string | null | { fact: string; unknown: string } {
  if (who.capabilities.includes(capability)) return `the policy says that it has ${capability}`;
  const { users } = snapshot;
  const user =
    who.kind === 'user' && !isUnknown(users) ? users.find(({ name }) => name === who.name) : undefined;
  if (user === undefined) return null;
  if (user.uid === 0) return 'it is root, with every capability';
  if (isUnknown(user.capabilities))
    return { fact: `/users/${user.name}/capabilities`, unknown: user.capabilities.unknown };
  return user.capabilities.includes(capability) ? `it has ${capability} when it logs in` : null;
}

function idle({ policy }: Subject, { place, who, whoPlace }: Limit): Finding {
  const reason = 'nobody whom it names is allowed a device that maps memory';
  const names = policy.allows.filter((allow) => allow.who.kind === who.kind).map((allow) => allow.who.name);
  const others = new Set(names.filter((name) => name !== who.name));
  const meant = nameMeant(whoPlace, who.name, others);
  const cures = [...meant.cures, 'remove the limit, or correct the name'];
  const fixes = [...meant.fixes, removal(place, 'the limit')];
  return found(report('VP3126', place, { reason }, { cures, fixes }));
}
