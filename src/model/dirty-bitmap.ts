import { u64 } from './argument.ts';
import type { Guard } from './guard.ts';
import { pageSize } from './mappings.ts';
import type { Op } from './op.ts';

/** The bitmap of dirty pages that UNMAP_DMA and DIRTY_PAGES write: what the kernel asks of it before it looks at mappings. */

type Asking = Extract<Op, { op: 'container.unmap_dma' | 'container.dirty_pages' }>;

/** DIRTY_BITMAP_PAGES_MAX and DIRTY_BITMAP_SIZE_MAX: as many pages as an int counts. */
const mostPages = 0x7fff_ffffn;
export const mostBitmapBytes = 0x1000_0000n;

/** Where addresses of processes end (TASK_SIZE_MAX with four levels of page tables). */
const userEnd = 0x7fff_ffff_f000n;

/** The tests of the structure behind the first one, as far as they come before all others. */
export function bitmapStructure<O extends Asking>(
  op: O['op'],
  size: number,
  citation: string,
  asks: (op: O) => boolean,
): readonly [Guard<O>, Guard<O>] {
  return [
    {
      id: `${op}.bitmap-argsz`,
      words: `argsz is less than the ${size} bytes of a structure that tells of a bitmap`,
      errno: 'EINVAL',
      citation,
      applies: (_world, _state, asked) =>
        asks(asked) && typeof asked.argsz === 'number' && !(asked.argsz >= size),
    },
    {
      id: `${op}.bitmap-fault`,
      words: 'what tells of the bitmap cannot be read from memory',
      errno: 'EFAULT',
      citation,
      applies: (_world, _state, asked) => asks(asked) && asked.bitmap === 'unreadable',
    },
  ];
}

/** The tests of the bitmap itself. */
export function bitmapPlace<O extends Asking>(
  op: O['op'],
  citation: string,
  asks: (op: O) => boolean,
): readonly [Guard<O>, Guard<O>] {
  return [
    {
      id: `${op}.bitmap-address`,
      words: 'the bitmap does not lie where processes have memory',
      errno: 'EINVAL',
      citation: `${citation} (access_ok)`,
      applies: (_world, _state, asked) =>
        asks(asked) && (asked.bitmap === 'kernel' || u64(asked.bitmapSize ?? 0n) > userEnd),
    },
    {
      id: `${op}.bitmap-size`,
      words: 'the bitmap is too small for the range, or larger than any may be',
      errno: 'EINVAL',
      citation: 'drivers/vfio/vfio_iommu_type1.c:verify_bitmap_size',
      applies: (_world, _state, asked) => asks(asked) && wrongSize(asked),
    },
  ];
}

/** Only the smallest page of the IOMMU is counted, and that is 4 KiB. */
export function countsOtherPages(op: Asking): boolean {
  return u64(op.pgsize ?? 0n) !== pageSize;
}

/** Whether the kernel cannot keep a bitmap for a mapping of this size (vfio_dma_bitmap_alloc). */
export function untrackable(size: bigint): boolean {
  return size / pageSize > mostPages;
}

/** Whether what was found dirty could not be written. */
export function unwritable(op: Asking): boolean {
  return op.bitmap !== 'writable';
}

function wrongSize(op: Asking): boolean {
  const pages = u64(op.size) >> shiftOf(u64(op.pgsize ?? 0n));
  const size = u64(op.bitmapSize ?? 0n);
  return pages === 0n || size === 0n || size > mostBitmapBytes || size < ((pages + 63n) / 64n) * 8n;
}

/**
 * The lowest bit that is set. Of zero the kernel's __ffs() is undefined: the answer is EINVAL whatever it gives, since no
 * IOMMU has such pages.
 */
function shiftOf(pgsize: bigint): bigint {
  let shift = 0n;
  while (shift < 63n && ((pgsize >> shift) & 1n) === 0n) shift += 1n;
  return shift;
}
