import { iommufdOf } from './files.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';

/** VFIO's own requests on an iommufd (drivers/iommu/iommufd/vfio_compat.c). */

/** Nearly all of them work on one address space, which the first group makes or VFIO_IOAS sets. */
export function noCompat<O extends Op & { readonly pid: number; readonly fd: number }>(
  op: O['op'],
  asks: (asked: O) => boolean = () => true,
): Guard<O> {
  return {
    id: `${op}.no-ioas`,
    words: "no address space is behind VFIO's own requests",
    errno: 'ENODEV',
    citation: 'drivers/iommu/iommufd/vfio_compat.c:get_compat_ioas',
    applies: (_world, state, asked) => asks(asked) && (iommufdOf(state, asked)?.compat ?? null) === null,
  };
}
