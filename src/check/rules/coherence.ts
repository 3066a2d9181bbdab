import { report } from '../../diagnostics/report.ts';
import { coherenceOf } from '../../machine/coherence.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { groupOf, type Subject } from '../subject.ts';

/**
 * VFIO gives users no way to flush caches, so it takes no device whose IOMMU leaves that to them. Kernels before 5.19,
 * which judged a group at each use, did not ask.
 */
export function* coherence(subject: Subject): Iterable<Finding> {
  const { snapshot, world, policy, taken } = subject;
  const coherent = coherenceOf(snapshot);
  if (coherent === true || world.profile.viability === 'walk') return;
  for (const { fn, bind, driver } of taken) {
    if (driver === null || fn.driver === driver || typeof groupOf(subject, fn) !== 'number') continue;
    if (isUnknown(coherent)) {
      const fact = '/iommu/coherent';
      const sentence = 'DMA through the IOMMU is coherent with the caches';
      yield needed({ fact, sentence, unknown: coherent.unknown, expects: [true], place: bind.place });
      continue;
    }
    const { address } = fn;
    yield found(
      report(
        'VP4114',
        bind.place,
        { address, driver, host: policy.host },
        {
          cures: [
            'leave the device with a driver of the host: nothing in software changes what the IOMMU can do',
          ],
          fixes: [leaving(subject, bind)],
          kernel: {
            step: `bind ${address} to ${driver}`,
            guard: "the device's IOMMU does not keep DMA coherent with the caches",
            errno: 'EINVAL',
            citation: 'drivers/vfio/vfio_main.c __vfio_register_dev (6.12)',
          },
        },
      ),
      [address],
    );
  }
}
