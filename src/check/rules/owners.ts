import { oneOfTwo } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import type { Allow, WhoMay } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { describeWho, groupOf, groupText, pathOf, type Subject, uses } from '../subject.ts';
import { givenAlong } from './siblings.ts';

/**
 * A node has one owning user and one owning group, and a VFIO group one node for all its functions: two users (or two
 * groups) that are to have it cannot both be given it. What starts a virtual machine or a container gives it the node,
 * and so takes it from the user; two virtual machines may take turns.
 */
export function* owners(subject: Subject): Iterable<Finding> {
  const first = new Map<string, Allow>();
  const told = new Set<Allow>();
  let along: ReturnType<typeof givenAlong> | undefined;
  for (const { allow, fn } of uses(subject)) {
    const { kind } = allow.who;
    const slot = slots[kind];
    if (slot === undefined) continue;
    const group = groupOf(subject, fn);
    if (isUnknown(group)) continue;
    const way = pathOf(subject, allow, fn);
    // A function's own node is another one than that of its group.
    const own = way === 'iommufd' || group === null || group < 0;
    const what = own ? fn.address : groupText(group);
    const key = `${what} ${slot} ${own ? way : 'group'}`;
    const earlier = first.get(key);
    if (!earlier) first.set(key, allow);
    if (!earlier || sameOwner(earlier.who, allow.who) || told.has(allow)) continue;
    // Both are refused for what the node gives along: a way to each function alone mends this, too.
    along ??= givenAlong(subject);
    if (along.has(earlier) && along.has(allow)) continue;
    told.add(allow);
    yield found(
      report(
        'VP3116',
        allow.place,
        { first: describeWho(earlier.who), second: describeWho(allow.who), what },
        {
          related: [{ place: earlier.place, message: `${describeWho(earlier.who)} is allowed here` }],
          cures: [cureFor(earlier.who.kind, kind)],
          fixes: oneOfTwo(allow.place, earlier.place),
        },
      ),
      allow.functions,
    );
  }
}

/** Which of a node's two owners a principal is. A service's user is not known here. */
const slots: Partial<Record<WhoMay['kind'], 'user' | 'group'>> = {
  user: 'user',
  vm: 'user',
  container: 'user',
  group: 'group',
};

function sameOwner(one: WhoMay, other: WhoMay): boolean {
  return one.kind === other.kind && (one.name === other.name || one.kind === 'vm');
}

function cureFor(one: WhoMay['kind'], other: WhoMay['kind']): string {
  if (one !== other) return 'give the function to one of them: what starts the other takes the node away';
  return one === 'group'
    ? 'make one group that has the members of both, and allow that'
    : 'put both users in one group, and allow the group';
}
