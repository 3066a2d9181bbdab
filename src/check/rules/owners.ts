import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { describeWho, groupOf, type Subject, uses } from '../subject.ts';

/**
 * A node has one owning user and one owning group, and a VFIO group one node for all its functions: two users (or two
 * groups) that are to have it cannot both be given it.
 */
export function* owners(subject: Subject): Iterable<Finding> {
  const first = new Map<string, Allow>();
  const told = new Set<Allow>();
  for (const { allow, fn } of uses(subject)) {
    const { kind } = allow.who;
    if (kind !== 'user' && kind !== 'group') continue;
    const group = groupOf(subject, fn);
    if (isUnknown(group)) continue;
    const what = group === null ? fn.address : `IOMMU group ${group}`;
    const key = `${what} ${kind}`;
    const earlier = first.get(key);
    if (!earlier) first.set(key, allow);
    if (!earlier || earlier.who.name === allow.who.name || told.has(allow)) continue;
    told.add(allow);
    yield found(
      report(
        'VP3116',
        allow.place,
        { first: describeWho(earlier.who), second: describeWho(allow.who), what },
        {
          related: [{ place: earlier.place, message: `${describeWho(earlier.who)} is allowed here` }],
          cures: [
            kind === 'user'
              ? 'put both users in one group, and allow the group'
              : 'make one group that has the members of both, and allow that',
          ],
        },
      ),
      allow.functions,
    );
  }
}
