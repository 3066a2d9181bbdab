import type { Fix } from '../../diagnostics/diagnostic.ts';
import { insertionAfter, replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { byBind, groupOf, listed, type Subject } from '../subject.ts';

/**
 * A function without an IOMMU group can be bound in no-IOMMU mode only, which gives its user all of memory: nobody
 * gets it unless the host's statement allows it, and not after the day that the statement names.
 */
export function* noiommuPermission(subject: Subject): Iterable<Finding> {
  const { host, noiommu } = subject.policy;
  if (noiommu.allowed) return;
  const { units } = subject.snapshot.iommu;
  // The host's own statement says that an IOMMU has to be there: that it is not is the one thing wrong.
  if (subject.policy.iommu.state === 'required' && !isUnknown(units) && units.length === 0) return;
  for (const { bind, addresses } of byBind(subject.taken.filter(({ fn }) => groupOf(subject, fn) === null))) {
    const address = listed(addresses);
    if (noiommu.expired && noiommu.until !== undefined) {
      yield found(
        report(
          'VP3114',
          bind.place,
          { address, host, until: noiommu.until },
          {
            related: noiommu.place
              ? [{ place: noiommu.place, message: 'the permission that has ended' }]
              : [],
            causes: noiommu.reason ? [`it was given because: ${noiommu.reason}`] : [],
            cures: [
              `ask ${noiommu.owner ?? 'its owner'} to renew the permission, with a new date`,
              'or remove the bind, so that the function stays with its driver',
            ],
            fixes: [leaving(subject, bind)],
          },
        ),
        addresses,
      );
      continue;
    }
    yield found(
      report(
        'VP3113',
        bind.place,
        { address, host },
        {
          related: noiommu.place ? [{ place: noiommu.place, message: 'the host forbids it here' }] : [],
          causes: noiommu.place ? [] : ['nothing allows no-IOMMU mode, so it is forbidden'],
          cures: [
            'switch the IOMMU on, so that the function gets a group',
            'or allow it in the host: `noiommu allowed { owner "…" reason "…" until YYYY-MM-DD }`',
          ],
          fixes: [leaving(subject, bind), ...permission(subject)],
        },
      ),
      addresses,
    );
  }
}

/** Who answers for it, why and until when only a person can say: as it is written here it permits nothing yet. */
function permission({ policy: { noiommu, iommu } }: Subject): readonly Fix[] {
  const words = 'noiommu allowed { owner "…" reason "…" until YYYY-MM-DD }';
  if (noiommu.place !== undefined) return [replacement(noiommu.place, words)];
  return iommu.place === undefined ? [] : [insertionAfter(iommu.place, words)];
}
