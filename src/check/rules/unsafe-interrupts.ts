import { report } from '../../diagnostics/report.ts';
import { isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import type { Forbid } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** `forbid unsafe interrupts` on a machine where a module parameter already permits them. */
export function* unsafeInterrupts({ policy, snapshot }: Subject): Iterable<Finding> {
  const forbid = policy.forbids.find(({ what }) => what === 'unsafe-interrupts');
  if (!forbid) return;
  for (const module of ['vfio_iommu_type1', 'iommufd']) yield* of(module, forbid, policy.host, snapshot);
}

function* of(module: string, { place }: Forbid, host: string, { modules }: Snapshot): Iterable<Finding> {
  const value = isUnknown(modules)
    ? modules
    : (modules[module]?.parameters['allow_unsafe_interrupts'] ?? 'N');
  if (isUnknown(value)) {
    const fact = `/modules/${module}/parameters/allow_unsafe_interrupts`;
    const sentence = 'unsafe interrupts are not allowed';
    yield needed({ fact, sentence, unknown: value.unknown, expects: ['N', null], place });
    return;
  }
  if (value === 'N') return;
  yield found(
    report(
      'VP3121',
      place,
      { host, value },
      {
        causes: [`/sys/module/${module}/parameters/allow_unsafe_interrupts says so`],
        cures: ['write N to it, and remove the option from /etc/modprobe.d'],
      },
    ),
  );
}
