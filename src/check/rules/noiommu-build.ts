import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { byBind, groupOf, listed, type Subject } from '../subject.ts';

/** No-IOMMU mode is a build option that most distributions leave out (CONFIG_VFIO_NOIOMMU). */
export function* noiommuBuild(subject: Subject): Iterable<Finding> {
  const { policy, snapshot, world } = subject;
  const option = snapshot.kernel.options.VFIO_NOIOMMU;
  // Without the permission the mode is not used, whatever the kernel can do.
  if (!policy.noiommu.allowed || (!isUnknown(option) && option !== 'n')) return;
  for (const { bind, addresses } of byBind(subject.taken.filter(({ fn }) => groupOf(subject, fn) === null))) {
    if (isUnknown(option)) {
      const sentence = 'the kernel was built with CONFIG_VFIO_NOIOMMU';
      const fact = '/kernel/options/VFIO_NOIOMMU';
      yield needed({ fact, sentence, unknown: option.unknown, expects: ['y'], place: bind.place });
      continue;
    }
    yield found(
      report(
        'VP4102',
        bind.place,
        { address: listed(addresses), host: policy.host },
        {
          causes: ['the kernel does not have the option VFIO_NOIOMMU'],
          cures: ['boot a kernel that was built with `CONFIG_VFIO_NOIOMMU=y`', 'or switch the IOMMU on'],
          fixes: [leaving(subject, bind)],
          kernel: {
            step: `write Y to /sys/module/vfio/parameters/${world.profile.noiommuParameter}`,
            guard: 'the parameter does not exist: it is compiled only with CONFIG_VFIO_NOIOMMU',
            errno: 'ENOENT',
            citation: 'drivers/vfio/vfio_main.c vfio_noiommu (6.12); drivers/vfio/container.c (6.1)',
          },
        },
      ),
      addresses,
    );
  }
}
