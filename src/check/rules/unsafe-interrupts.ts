import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** `forbid unsafe interrupts` on a machine where the module parameter already permits them. */
export function* unsafeInterrupts({ policy, snapshot }: Subject): Iterable<Finding> {
  const forbid = policy.forbids.find(({ what }) => what === 'unsafe-interrupts');
  if (!forbid) return;
  const { modules } = snapshot;
  const value = isUnknown(modules)
    ? modules
    : (modules['vfio_iommu_type1']?.parameters['allow_unsafe_interrupts'] ?? 'N');
  if (isUnknown(value)) {
    const fact = '/modules/vfio_iommu_type1/parameters/allow_unsafe_interrupts';
    const sentence = 'unsafe interrupts are not allowed';
    yield needed({ fact, sentence, unknown: value.unknown, expects: ['N', null], place: forbid.place });
    return;
  }
  if (value === 'N') return;
  yield found(
    report(
      'VP3121',
      forbid.place,
      { host: policy.host, value },
      {
        causes: ['/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts says so'],
        cures: ['write N to it, and remove the option from /etc/modprobe.d'],
      },
    ),
  );
}
