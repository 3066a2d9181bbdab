import { report } from '../../diagnostics/report.ts';
import { isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { byAllow, groupOf, listed, pathOf, type Subject, uses } from '../subject.ts';

/**
 * Without interrupt remapping a device can write any interrupt message, so type1 refuses the group unless
 * allow_unsafe_interrupts is set (drivers/vfio/vfio_iommu_type1.c vfio_iommu_type1_attach_group). vfioplan never sets it.
 */
export function* interrupts(subject: Subject): Iterable<Finding> {
  const { snapshot, policy } = subject;
  const remapping = snapshot.iommu.interruptRemapping;
  if (remapping === true || parameter(snapshot) === 'Y') return;
  const used = [...uses(subject)].filter(
    ({ allow, fn }) => pathOf(subject, allow, fn) !== 'noiommu' && typeof groupOf(subject, fn) === 'number',
  );
  for (const { allow, addresses } of byAllow(used)) {
    if (isUnknown(remapping)) {
      const fact = '/iommu/interruptRemapping';
      const sentence = 'the IOMMU remaps interrupts';
      yield needed({ fact, sentence, unknown: remapping.unknown, expects: [true], place: allow.place });
      continue;
    }
    const group = subject.world.devices.get(addresses[0] ?? '')?.group;
    yield found(
      report(
        'VP4109',
        allow.place,
        { address: listed(addresses), host: policy.host },
        {
          causes: ['the IOMMU does not remap interrupts, and allow_unsafe_interrupts is off'],
          cures: [
            'switch interrupt remapping on in the firmware (x2APIC, "interrupt remapping")',
            'a user who is trusted with the whole machine can be let in with `allow_unsafe_interrupts=1` for vfio_iommu_type1',
          ],
          kernel: {
            step: `VFIO_SET_IOMMU on a container with /dev/vfio/${group}`,
            guard: 'interrupts are not isolated and unsafe ones are not allowed',
            errno: 'EPERM',
            citation: 'drivers/vfio/vfio_iommu_type1.c vfio_iommu_type1_attach_group (6.12)',
          },
        },
      ),
      addresses,
    );
  }
}

function parameter({ modules }: Snapshot): string {
  if (isUnknown(modules)) return 'N';
  const value = modules['vfio_iommu_type1']?.parameters['allow_unsafe_interrupts'] ?? 'N';
  return isUnknown(value) ? 'N' : value;
}
