import { structure, u64 } from '../argument.ts';
import { bitmapPlace, bitmapStructure, countsOtherPages, untrackable, unwritable } from '../dirty-bitmap.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import { aligned, bisects, firstFrom } from '../mappings.ts';
import type { Op } from '../op.ts';
import { isFirstVersion, onType1, type1Of, withoutType1, withType1 } from '../type1.ts';

type Dirty = Extract<Op, { op: 'container.dirty_pages' }>;

const start = 1;
const stop = 2;
const getBitmap = 4;

const dirtyPages = 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages';

const noSuchCall: Guard<Dirty> = {
  id: 'container.dirty_pages.unknown',
  words: 'the kernel does not track dirty pages yet',
  errno: 'ENOTTY',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_ioctl',
  applies: (_world, _state, _op, container) => type1Of(container) !== null,
};

const flags: readonly Guard<Dirty>[] = [
  onType1({
    id: 'container.dirty_pages.first-version',
    words: 'the first version of type1 does not track dirty pages',
    errno: 'EACCES',
    citation: dirtyPages,
    refuses: (_op, iommu) => isFirstVersion(iommu),
  }),
  ...structure<Dirty>('container.dirty_pages', 8, dirtyPages),
  {
    id: 'container.dirty_pages.flags',
    words: 'not exactly one of the flags is set that the kernel knows',
    errno: 'EINVAL',
    citation: dirtyPages,
    applies: (_world, _state, op) => !has(op, start) && !has(op, stop) && !has(op, getBitmap),
  },
  onType1({
    id: 'container.dirty_pages.too-large',
    words: 'a mapping has more pages than a bitmap can have',
    errno: 'EINVAL',
    citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_bitmap_alloc',
    refuses: (op, { dirtyTracking, mappings }) =>
      has(op, start) && !dirtyTracking && mappings.some(({ size }) => untrackable(size)),
  }),
];

const asksBitmap = (op: Dirty) => has(op, getBitmap);

const bitmap: readonly Guard<Dirty>[] = [
  ...bitmapStructure<Dirty>('container.dirty_pages', 48, dirtyPages, asksBitmap),
  {
    id: 'container.dirty_pages.wrap',
    words: 'the range ends at or beyond the end of the address space',
    errno: 'EINVAL',
    citation: dirtyPages,
    applies: (_world, _state, op) => asksBitmap(op) && u64(op.iova + op.size) < u64(op.iova),
  },
  ...bitmapPlace<Dirty>('container.dirty_pages', dirtyPages, asksBitmap),
  {
    id: 'container.dirty_pages.page-size',
    words: 'only the smallest page of the IOMMU is counted',
    errno: 'EINVAL',
    citation: dirtyPages,
    applies: (_world, _state, op) => asksBitmap(op) && countsOtherPages(op),
  },
  {
    id: 'container.dirty_pages.alignment',
    words: 'iova and size must be whole pages',
    errno: 'EINVAL',
    citation: dirtyPages,
    applies: (_world, _state, op) => asksBitmap(op) && !aligned(op.iova | op.size),
  },
  onType1({
    id: 'container.dirty_pages.off',
    words: 'dirty pages are not tracked',
    errno: 'EINVAL',
    citation: dirtyPages,
    refuses: (op, iommu) => asksBitmap(op) && !iommu.dirtyTracking,
  }),
  onType1({
    id: 'container.dirty_pages.bisects',
    words: 'the range would cut a mapping in two',
    errno: 'EINVAL',
    citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iova_dirty_bitmap',
    refuses: (op, { mappings }) => asksBitmap(op) && bisects(mappings, u64(op.iova), u64(op.size)),
  }),
  onType1({
    id: 'container.dirty_pages.bitmap-write',
    words: 'the bitmap cannot be written',
    errno: 'EFAULT',
    citation: 'drivers/vfio/vfio_iommu_type1.c:update_user_bitmap',
    refuses: (op, { mappings }) => {
      if (!asksBitmap(op) || !unwritable(op)) return false;
      const iova = u64(op.iova);
      const first = mappings[firstFrom(mappings, 0, iova)];
      return first !== undefined && first.iova < iova + u64(op.size);
    },
  }),
];

export const containerDirtyPages: Rule<Dirty> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_IOMMU_DIRTY_PAGES, &dirty)',
    arguments: {
      flags: 'one of START 1, STOP 2, GET_BITMAP 4',
      iova: 'of GET_BITMAP: where the range begins',
      size: 'in bytes',
      pgsize: 'how many bytes a bit stands for',
      bitmapSize: 'bytes of the bitmap',
      bitmap: 'what stands behind its address',
    },
    effect:
      'Tracking begins, or ends, or the bitmap of a range is written. Devices may write to all that is mapped without the IOMMU noticing, so every page of a mapping counts as dirty.',
    undo: '`container.dirty_pages`, STOP after START and START after STOP',
  },
  ioctl: { on: 'container', request: 0x3b75 },
  guards: {
    seed: [...withoutType1<Dirty>('container.dirty_pages'), noSuchCall],
    '6.1': [...withoutType1<Dirty>('container.dirty_pages'), ...flags, ...bitmap],
  },
  effect: (_world, state, op, container) => {
    const iommu = type1Of(container);
    const tracks = has(op, start);
    if (iommu === null || has(op, getBitmap) || iommu.dirtyTracking === tracks) return zero;
    return { state: withType1(state, container, { ...iommu, dirtyTracking: tracks }), value: 0 };
  },
  undo: (_world, _before, op) => {
    if (has(op, getBitmap)) return { none: 'it only asks' };
    const { pid, fd } = op;
    const flag = has(op, start) ? stop : start;
    return { op: 'container.dirty_pages', pid, fd, flags: flag, iova: 0n, size: 0n };
  },
};

/** Whether this is the one flag that is set. */
function has(op: Dirty, flag: number): boolean {
  return op.flags >>> 0 === flag;
}
