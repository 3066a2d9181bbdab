import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { type Finding, found } from '../finding.ts';
import { byAllow, listed, pathOf, type Subject, uses } from '../subject.ts';
import { forbids } from './forbidden.ts';

/**
 * A guest programs the device with guest addresses, which only an IOMMU can translate: in no-IOMMU mode the device
 * would write to the host's memory at those numbers. QEMU cannot even map (MAP_DMA answers ENOTTY). Where the policy
 * forbids it in words, that is said instead.
 */
export function* virtualMachines(subject: Subject): Iterable<Finding> {
  const used = [...uses(subject)].filter(
    ({ allow, fn }) =>
      allow.who.kind === 'vm' &&
      pathOf(subject, allow, fn) === 'noiommu' &&
      !subject.policy.forbids.some((forbid) => forbids(subject, forbid, allow, fn.address)),
  );
  for (const { allow, addresses } of byAllow(used)) {
    yield found(
      report(
        'VP3115',
        allow.place,
        { vm: allow.who.name, address: listed(addresses) },
        {
          cures: [
            'switch the IOMMU on and allow it via group',
            'or give the guest a paravirtual device instead',
          ],
          fixes: [removal(allow.place, 'the allow')],
          kernel: {
            step: 'VFIO_IOMMU_MAP_DMA',
            guard: 'a container without an IOMMU maps nothing',
            errno: 'ENOTTY',
            citation: 'drivers/vfio/container.c vfio_noiommu_ioctl (6.12)',
          },
        },
      ),
      addresses,
    );
  }
}
