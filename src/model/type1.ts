import { containerOf } from './files.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';

/** The two answers that every DMA call has before the type1 driver sees it. */
export function withoutType1<O extends Op & { readonly fd: number }>(
  op: O['op'],
): readonly [Guard<O>, Guard<O>] {
  const citation = {
    seed: 'drivers/vfio/vfio.c:vfio_fops_unl_ioctl',
    '6.1': 'drivers/vfio/container.c:vfio_fops_unl_ioctl',
    '6.12': 'drivers/vfio/container.c:vfio_fops_unl_ioctl',
  } as const;
  return [
    {
      id: `${op}.no-iommu`,
      words: 'the container has no IOMMU driver yet',
      errno: 'EINVAL',
      citation,
      applies: (_world, state, asked) => (containerOf(state, asked)?.iommu ?? null) === null,
    },
    {
      id: `${op}.noiommu`,
      words: 'without an IOMMU there is nothing to map',
      errno: 'ENOTTY',
      citation: {
        seed: 'drivers/vfio/vfio.c:vfio_noiommu_ioctl',
        '6.1': 'drivers/vfio/container.c:vfio_noiommu_ioctl',
        '6.12': 'drivers/vfio/container.c:vfio_noiommu_ioctl',
      },
      applies: (_world, state, asked) => containerOf(state, asked)?.iommu?.driver === 'noiommu',
    },
  ];
}
