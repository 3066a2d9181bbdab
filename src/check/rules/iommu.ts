import { replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { listed, type Subject } from '../subject.ts';

/** `iommu required` and `iommu absent` of the host, against the IOMMUs that are active. */
export function* iommu({ policy, snapshot }: Subject): Iterable<Finding> {
  const { state, place } = policy.iommu;
  if (state === 'any' || !place) return;
  const { units } = snapshot.iommu;
  const host = policy.host;
  if (isUnknown(units)) {
    const sentence = `an IOMMU is ${state === 'required' ? 'active' : 'not active'}`;
    yield needed({ fact: '/iommu/units', sentence, unknown: units.unknown, place });
  } else if (state === 'required' && units.length === 0) {
    yield found(
      report(
        'VP3110',
        place,
        { host },
        {
          causes: ['there is nothing under /sys/class/iommu'],
          cures: [
            'switch VT-d, AMD-Vi or SMMU on in the firmware, and boot with `intel_iommu=on` where it is not the default',
            'if the machine has none, write `iommu absent` and decide about no-IOMMU mode',
          ],
          fixes: [replacement(place, 'iommu absent')],
        },
      ),
      snapshot.functions.filter(({ iommuGroup }) => iommuGroup === null).map(({ address }) => address),
    );
  } else if (state === 'absent' && units.length > 0) {
    yield found(
      report(
        'VP3111',
        place,
        { host, units: listed(units) },
        {
          causes: [`${listed(units)} is listed under /sys/class/iommu`],
          cures: ['write `iommu required`, and use the groups that the IOMMU gives'],
          fixes: [replacement(place, 'iommu required')],
        },
      ),
    );
  }
}
