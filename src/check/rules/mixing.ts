import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import type { PciFunction } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { describeWho, groupOf, groupText, type Subject, uses } from '../subject.ts';

/**
 * The functions of one allow are used together, in one container: it holds either groups with an IOMMU or groups
 * without, never both. Two statements may give a principal both kinds, for two containers.
 */
export function* mixing(subject: Subject): Iterable<Finding> {
  const seen = new Map<Allow, { real?: PciFunction; fake?: PciFunction }>();
  for (const { allow, fn } of uses(subject)) {
    const both = seen.get(allow) ?? {};
    seen.set(allow, both);
    const group = groupOf(subject, fn);
    if (group === null) both.fake ??= fn;
    else if (typeof group === 'number') both.real ??= fn;
  }
  for (const [allow, { real, fake }] of seen) {
    if (!real || !fake) continue;
    const who = describeWho(allow.who);
    yield found(
      report(
        'VP4105',
        allow.place,
        { who, real: real.address, fake: fake.address },
        {
          causes: [
            `${real.address} is in ${groupText(Number(groupOf(subject, real)))}`,
            `${fake.address} has no IOMMU group`,
          ],
          cures: ['declare the two kinds apart and allow each by its own statement, for two containers'],
          fixes: [removal(allow.place, 'the allow')],
          kernel: {
            step: 'VFIO_GROUP_SET_CONTAINER on the second group',
            guard: 'the container holds groups of the other kind',
            errno: 'EPERM',
            citation: 'drivers/vfio/container.c vfio_container_attach_group (6.12)',
          },
        },
      ),
      allow.functions,
    );
  }
}
