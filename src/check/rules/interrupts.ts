import type { Fix, KernelAnswer } from '../../diagnostics/diagnostic.ts';
import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { isAt, leaving } from '../leaving.ts';
import { byAllow, groupOf, groupText, listed, pathOf, type Subject, uses } from '../subject.ts';

/**
 * Without interrupt remapping a device can write any interrupt message, so type1 and iommufd refuse the group unless their
 * parameter allow_unsafe_interrupts is set. vfioplan never sets it.
 */
export function* interrupts(subject: Subject): Iterable<Finding> {
  const { snapshot, policy } = subject;
  const remapping = snapshot.iommu.interruptRemapping;
  if (remapping === true) return;
  for (const [module, kernel] of Object.entries(refusals)) {
    if (parameter(snapshot, module) === 'Y') continue;
    const used = [...uses(subject)].filter(({ allow, fn }) => {
      const way = pathOf(subject, allow, fn);
      const its = way === 'iommufd' ? 'iommufd' : 'vfio_iommu_type1';
      return its === module && way !== 'noiommu' && typeof groupOf(subject, fn) === 'number';
    });
    for (const { allow, addresses } of byAllow(used)) {
      if (isUnknown(remapping)) {
        const fact = '/iommu/interruptRemapping';
        const sentence = 'the IOMMU remaps interrupts';
        yield needed({ fact, sentence, unknown: remapping.unknown, expects: [true], place: allow.place });
        continue;
      }
      const group = subject.world.devices.get(addresses[0] ?? '')?.group ?? 0;
      yield found(
        report(
          'VP4109',
          allow.place,
          { address: listed(addresses), host: policy.host },
          {
            causes: ['the IOMMU does not remap interrupts, and allow_unsafe_interrupts is off'],
            cures: [
              'switch interrupt remapping on in the firmware (x2APIC, "interrupt remapping")',
              `a user who is trusted with the whole machine can be let in with \`allow_unsafe_interrupts=1\` for ${module}`,
            ],
            fixes: givenUp(subject, allow, addresses),
            kernel: kernel(groupText(group)),
          },
        ),
        addresses,
      );
    }
  }
}

/** The device is left with its driver where nothing but this statement rests on its bind, or it is allowed to nobody. */
function givenUp(subject: Subject, allow: Allow, addresses: readonly string[]): readonly Fix[] {
  const binds = new Set(addresses.map((address) => subject.wanted.get(address)?.bind));
  const [bind] = binds;
  const left = binds.size === 1 && bind !== undefined ? [leaving(subject, bind)] : [];
  const whole = left.filter(({ edits }) => edits.some((edit) => isAt(edit, allow.place)));
  return [...whole, removal(allow.place, 'the allow')];
}

/** What is refused, by the module whose parameter would let it through. */
const refusals: Readonly<Record<string, (group: string) => KernelAnswer>> = {
  vfio_iommu_type1: (group) => ({
    step: `VFIO_SET_IOMMU on a container with ${group}`,
    guard: 'interrupts are not isolated and unsafe ones are not allowed',
    errno: 'EPERM',
    citation: 'drivers/vfio/vfio_iommu_type1.c vfio_iommu_type1_attach_group (6.12)',
  }),
  iommufd: (group) => ({
    step: `VFIO_DEVICE_BIND_IOMMUFD on a device of ${group}`,
    guard: 'interrupts are not isolated and unsafe ones are not allowed',
    errno: 'EPERM',
    citation: 'drivers/iommu/iommufd/device.c iommufd_device_bind (6.12)',
  }),
};

function parameter({ modules }: Snapshot, module: string): string {
  if (isUnknown(modules)) return 'N';
  const value = modules[module]?.parameters['allow_unsafe_interrupts'] ?? 'N';
  return isUnknown(value) ? 'N' : value;
}
