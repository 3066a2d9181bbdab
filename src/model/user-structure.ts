import { shorter, unreadable } from './argument.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';

/** How iommufd reads its structures: they begin with their size, and may be longer than the kernel knows if all that is 0. */

type Structure = { readonly argsz?: number | null; readonly tail?: boolean };

const fops = 'drivers/iommu/iommufd/main.c:iommufd_fops_ioctl';

/** Of a structure of `size` bytes, of which a caller has to have the first `least` (struct iommufd_ioctl_op's min_size). */
export function framed<O extends Op & Structure>(
  op: O['op'],
  size: number,
  least = size,
): readonly Guard<O>[] {
  return [
    unreadable<O>(op, fops),
    {
      id: `${op}.argsz`,
      words:
        least === size
          ? `the size is less than the ${size} bytes of the structure`
          : `the size is less than the first ${least} bytes of the structure`,
      errno: 'EINVAL',
      citation: fops,
      applies: (_world, _state, asked) => shorter(asked, least),
    },
    tail<O>(op, size),
  ];
}

/** Of a structure of `size` bytes: what follows it must be 0. */
export function tail<O extends Op & Structure>(op: O['op'], size: number): Guard<O> {
  return {
    id: `${op}.tail`,
    words: 'bytes that are not 0 stand behind the structure that the kernel knows',
    errno: 'E2BIG',
    citation: 'lib/usercopy.c:check_zeroed_user (include/linux/uaccess.h:copy_struct_from_user)',
    applies: (_world, _state, { argsz, tail: more }) =>
      more === true && (argsz === undefined || argsz === null || argsz > size),
  };
}

/** The test of flags and reserved fields that must be 0. */
export function reservedField<O extends Op & { readonly reserved?: number }>(
  op: O['op'],
  citation: string,
  known = 0,
): Guard<O> {
  return {
    id: `${op}.unsupported`,
    words: 'a flag that the kernel does not know, or a reserved field that is not 0',
    errno: 'EOPNOTSUPP',
    citation,
    applies: (_world, _state, asked) => {
      const flags = 'flags' in asked ? Number(asked.flags) >>> 0 : 0;
      return (flags & ~known) !== 0 || (asked.reserved ?? 0) >>> 0 !== 0;
    },
  };
}
