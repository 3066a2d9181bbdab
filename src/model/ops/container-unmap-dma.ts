import { structure, u64 } from '../argument.ts';
import { bitmapPlace, bitmapStructure, countsOtherPages, unwritable } from '../dirty-bitmap.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import { aligned, bisects, firstAfter, firstFrom, uncharge, wraps } from '../mappings.ts';
import type { Op } from '../op.ts';
import type { Container, Mapping, State } from '../state.ts';
import { isFirstVersion, onType1, type Type1, type1Of, withMappings, withoutType1 } from '../type1.ts';

type Unmap = Extract<Op, { op: 'container.unmap_dma' }>;

const dirtyBitmap = 1;
const everything = 2;
const vaddrOnly = 4;

const doUnmap = 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_unmap';
const unmapDma = 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_unmap_dma';
const citation = { seed: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_ioctl', '6.1': unmapDma };

const asksBitmap = (op: Unmap) => has(op, dirtyBitmap);

const always: readonly Guard<Unmap>[] = [
  ...withoutType1<Unmap>('container.unmap_dma'),
  ...structure<Unmap>('container.unmap_dma', 24, citation),
  {
    id: 'container.unmap_dma.flags',
    words: 'the kernel does not know the flags, or not together',
    errno: 'EINVAL',
    citation,
    applies: (world, _state, op) =>
      ((op.flags >>> 0) & ~world.profile.unmapFlags) !== 0 ||
      (has(op, dirtyBitmap) && (has(op, everything) || has(op, vaddrOnly))),
  },
];

const bitmap: readonly Guard<Unmap>[] = [
  ...bitmapStructure<Unmap>('container.unmap_dma', 48, unmapDma, asksBitmap),
  ...bitmapPlace<Unmap>('container.unmap_dma', unmapDma, asksBitmap),
];

const alignment: Guard<Unmap> = {
  id: 'container.unmap_dma.alignment',
  words: 'iova and size must be whole pages, and the size of a range not zero',
  errno: 'EINVAL',
  citation: doUnmap,
  applies: (_world, _state, op) =>
    !aligned(op.iova) || (!has(op, everything) && (!aligned(op.size) || u64(op.size) === 0n)),
};

const later: readonly Guard<Unmap>[] = [
  {
    id: 'container.unmap_dma.all-range',
    words: 'unmapping everything takes no range',
    errno: 'EINVAL',
    citation: doUnmap,
    applies: (_world, _state, op) => has(op, everything) && (u64(op.iova) !== 0n || u64(op.size) !== 0n),
  },
  {
    id: 'container.unmap_dma.wrap',
    words: 'the range does not fit the address space',
    errno: 'EINVAL',
    citation: doUnmap,
    applies: (_world, _state, op) => !has(op, everything) && wraps(u64(op.iova), u64(op.size)),
  },
  onType1({
    id: 'container.unmap_dma.not-tracked',
    words: 'dirty pages are not tracked, or not by pages of this size',
    errno: 'EINVAL',
    citation: doUnmap,
    refuses: (op, iommu) => asksBitmap(op) && (!iommu.dirtyTracking || countsOtherPages(op)),
  }),
];

const bisecting: Guard<Unmap> = onType1({
  id: 'container.unmap_dma.bisects',
  words: 'the range would cut a mapping in two',
  errno: 'EINVAL',
  citation: doUnmap,
  refuses: (op, iommu) =>
    !isFirstVersion(iommu) && !has(op, everything) && bisects(iommu.mappings, u64(op.iova), u64(op.size)),
});

const walk: readonly Guard<Unmap>[] = [
  onType1({
    id: 'container.unmap_dma.invalidated',
    words: "a mapping's address was invalidated before",
    errno: 'EINVAL',
    citation: doUnmap,
    refuses: (op, iommu) => {
      if (!has(op, vaddrOnly)) return false;
      const { from, to } = reached(op, iommu);
      for (let place = from; place < to; place += 1) if (iommu.mappings[place]?.invalid) return true;
      return false;
    },
  }),
  onType1({
    id: 'container.unmap_dma.bitmap-write',
    words: 'the bitmap cannot be written',
    errno: 'EFAULT',
    citation: 'drivers/vfio/vfio_iommu_type1.c:update_user_bitmap',
    refuses: (op, iommu) => {
      if (!asksBitmap(op) || !unwritable(op)) return false;
      const { from, to } = reached(op, iommu);
      return from < to;
    },
  }),
];

export const containerUnmapDma: Rule<Unmap> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap)',
    arguments: {
      flags: 'GET_DIRTY_BITMAP 1, ALL 2, VADDR 4',
      iova: 'where the range begins',
      size: 'in bytes',
      pgsize: 'of GET_DIRTY_BITMAP: how many bytes a bit stands for',
      bitmapSize: 'bytes of the bitmap',
      bitmap: 'what stands behind its address',
    },
    effect:
      'Every mapping that begins in the range is gone and its pages are no longer charged; answers how many bytes that were. With VADDR mappings stay and their addresses become invalid. A range that ends at 2^64 reaches nothing.',
    undo: 'none: the memory behind a mapping is not known any more',
  },
  ioctl: { on: 'container', request: 0x3b72 },
  guards: {
    // No flags, and nothing against a range that wraps.
    seed: [...always, alignment, bisecting],
    '6.1': [...always, ...bitmap, alignment, ...later, bisecting, ...walk],
  },
  effect: (_world, state, op, container) => {
    const iommu = type1Of(container);
    if (iommu === null) return zero;
    const { from, to } = reached(op, iommu);
    let size = 0n;
    for (let place = from; place < to; place += 1) size += iommu.mappings[place]?.size ?? 0n;
    const out = { size };
    if (from === to) return { value: 0, out };
    const after = has(op, vaddrOnly)
      ? invalidated(state, { container, iommu, from, to })
      : removed(state, { container, iommu, from, to });
    return { state: after, value: 0, out };
  },
  undo: () => ({ none: 'the memory behind a mapping is not known any more' }),
};

/** Mappings of a container, from one place up to another. */
interface Part {
  readonly container: Container;
  readonly iommu: Type1;
  readonly from: number;
  readonly to: number;
}

function invalidated(state: State, { container, iommu, from, to }: Part): State {
  const mappings = iommu.mappings.map(
    (mapping, place): Mapping => (place < from || place >= to ? mapping : { ...mapping, invalid: true }),
  );
  return withMappings(state, container, iommu, mappings);
}

function removed(state: State, { container, iommu, from, to }: Part): State {
  const mappings = iommu.mappings.slice(0, from);
  for (let place = to; place < iommu.mappings.length; place += 1) {
    const mapping = iommu.mappings[place];
    if (mapping !== undefined) mappings.push(mapping);
  }
  const locked = uncharge(state.locked, iommu.mappings, from, to);
  return withMappings(state, container, iommu, mappings, { more: to - from, locked });
}

function has(op: Unmap, flag: number): boolean {
  return (op.flags & flag) !== 0;
}

/**
 * The mappings that the kernel's walk reaches, as places from and to. It begins at the first that overlaps and ends at
 * the first that starts at or after the end, which is 0 for a range up to 2^64; the first version stops at once when the
 * first begins before the range.
 */
function reached(op: Unmap, iommu: Type1): { readonly from: number; readonly to: number } {
  const { mappings } = iommu;
  if (has(op, everything)) return { from: 0, to: mappings.length };
  const iova = u64(op.iova);
  const from = firstAfter(mappings, iova);
  const first = mappings[from];
  const end = u64(iova + u64(op.size));
  if (first === undefined || first.iova >= end) return { from, to: from };
  if (isFirstVersion(iommu) && iova > first.iova) return { from, to: from };
  return { from, to: firstFrom(mappings, from, end) };
}
