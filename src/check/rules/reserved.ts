import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import type { Subject, Wanted } from '../subject.ts';

/** A group for which the firmware wants fixed mappings (RMRR, IVMD: `direct`) cannot be handed to userspace. */
export function* reserved(subject: Subject): Iterable<Finding> {
  const { groups } = subject.snapshot.iommu;
  const byGroup = new Map<number, Wanted>();
  for (const wanted of subject.taken) {
    const { physicalFunction } = wanted.fn;
    // What the firmware keeps for a physical function it keeps for the virtual ones.
    const owner = subject.arriving.has(wanted.fn.address) ? physicalFunction : wanted.fn.address;
    const group = subject.world.devices.get(String(owner))?.group ?? null;
    if (group !== null && !byGroup.has(group)) byGroup.set(group, wanted);
  }
  const known = new Map(isUnknown(groups) ? [] : groups.map((group) => [group.id, group]));
  for (const [group, { fn, bind }] of byGroup) {
    const regions =
      known.get(group)?.reserved ?? (isUnknown(groups) ? groups : { unknown: 'the group is not listed' });
    if (isUnknown(regions)) {
      const fact = `/iommu/groups/${group}/reserved`;
      const sentence = `the firmware keeps no memory for group ${group}`;
      yield needed({ fact, sentence, unknown: regions.unknown, place: bind.place });
      continue;
    }
    const direct = regions.filter(({ type }) => type === 'direct');
    if (direct.length === 0) continue;
    const late = subject.world.profile.reservedAt === 'set-iommu';
    yield found(
      report(
        'VP4110',
        bind.place,
        { address: fn.address, group },
        {
          causes: direct.map(({ start, end }) => `${start} to ${end} must stay mapped one to one`),
          cures: [
            'look for a firmware setting that ends the use (shared memory, RAID or management functions), or take another device',
          ],
          fixes: [leaving(subject, bind)],
          kernel: {
            step: late ? 'VFIO_SET_IOMMU' : `VFIO_GROUP_SET_CONTAINER on /dev/vfio/${group}`,
            guard: 'the firmware requires a 1:1 mapping for a device of the group',
            errno: late ? 'EPERM' : 'EINVAL',
            citation: late
              ? 'drivers/iommu/intel/iommu.c domain_context_mapping, device_is_rmrr_locked (6.1)'
              : 'drivers/iommu/iommu.c __iommu_device_set_domain (6.12)',
          },
        },
      ),
      bind.functions,
    );
  }
}
