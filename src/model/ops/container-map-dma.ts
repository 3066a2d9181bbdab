import { structure, u64 } from '../argument.ts';
import { untrackable } from '../dirty-bitmap.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import {
  aligned,
  charge,
  exceedsLimit,
  firstAfter,
  overlapping,
  pageSize,
  translatable,
  wraps,
} from '../mappings.ts';
import type { Op } from '../op.ts';
import { inserted, replace } from '../places.ts';
import type { Container, Mapping, State, World } from '../state.ts';
import { onType1, type Type1, type1Of, withMappings, withoutType1 } from '../type1.ts';

type Map = Extract<Op, { op: 'container.map_dma' }>;

const read = 1;
const write = 2;
/** Only the user address of a mapping changes. */
const vaddrOnly = 4;

const doMap = 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map';

const always: readonly Guard<Map>[] = [
  ...withoutType1<Map>('container.map_dma'),
  ...structure<Map>('container.map_dma', 32, {
    seed: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_ioctl',
    '6.1': 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma',
  }),
  {
    id: 'container.map_dma.flags',
    words: 'the flags are not those of a mapping: reading, writing, or the address alone',
    errno: 'EINVAL',
    citation: {
      seed: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_ioctl, vfio_dma_do_map',
      '6.1': 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma, vfio_dma_do_map',
    },
    applies: (world, _state, op) => badFlags(world, op.flags >>> 0),
  },
  {
    id: 'container.map_dma.alignment',
    words: 'size, iova and address must be whole pages, and the size not zero',
    errno: 'EINVAL',
    citation: doMap,
    applies: (_world, _state, op) => u64(op.size) === 0n || !aligned(op.size | op.iova | op.vaddr),
  },
  {
    id: 'container.map_dma.wrap',
    words: 'the range does not fit the address space',
    errno: 'EINVAL',
    citation: doMap,
    applies: (_world, _state, op) => wraps(u64(op.iova), u64(op.size)) || wraps(u64(op.vaddr), u64(op.size)),
  },
];

/** What changes of a mapping's address ask. */
const update: readonly Guard<Map>[] = [
  onType1({
    id: 'container.map_dma.no-mapping',
    words: 'there is no mapping whose address could change',
    errno: 'ENOENT',
    citation: doMap,
    refuses: (op, iommu) => updates(op) && found(op, iommu) === null,
  }),
  onType1({
    id: 'container.map_dma.still-valid',
    words: 'the mapping is another one, or its address was not invalidated',
    errno: 'EINVAL',
    citation: doMap,
    refuses: (op, iommu) => {
      const mapping = updates(op) ? found(op, iommu) : null;
      return (
        mapping !== null &&
        !(mapping.invalid && mapping.iova === u64(op.iova) && mapping.size === u64(op.size))
      );
    },
  }),
  {
    id: 'container.map_dma.new-owner',
    words: 'the process that takes the mapping over may not pin that much: RLIMIT_MEMLOCK',
    errno: 'ENOMEM',
    citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_change_dma_owner, mm_lock_acct',
    applies: (world, state, op, container) => {
      const iommu = updates(op) ? type1Of(container) : null;
      const mapping = iommu === null ? null : found(op, iommu);
      return mapping !== null && mapping.pid !== op.pid && exceedsLimit(world, state, op.pid, mapping.pages);
    },
  },
];

const overlap: Guard<Map> = onType1({
  id: 'container.map_dma.overlap',
  words: 'part of the range is mapped already',
  errno: 'EEXIST',
  citation: doMap,
  refuses: (op, iommu) => !updates(op) && found(op, iommu) !== null,
});

const entries: Guard<Map> = onType1({
  id: 'container.map_dma.entries',
  words: 'the container has as many mappings as dma_entry_limit allows',
  errno: 'ENOSPC',
  citation: doMap,
  refuses: (op, iommu) => !updates(op) && iommu.available === 0,
});

const range: Guard<Map> = {
  id: 'container.map_dma.range',
  words: 'the IOMMU does not translate the whole range',
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_iova_dma_valid',
  applies: (world, state, op, { groups }) =>
    !updates(op) && !translatable(world, state, groups, u64(op.iova), u64(op.size)),
};

const pinning: readonly Guard<Map>[] = [
  {
    id: 'container.map_dma.memory',
    words: 'the process has no such memory, or may not write what is to be written',
    errno: 'EFAULT',
    citation: {
      seed: 'drivers/vfio/vfio_iommu_type1.c:vaddr_get_pfn',
      '6.1': 'drivers/vfio/vfio_iommu_type1.c:vaddr_get_pfns',
    },
    applies: (_world, _state, op) =>
      !updates(op) && (op.memory === 'none' || (op.memory === 'read-only' && (op.flags & write) !== 0)),
  },
  {
    id: 'container.map_dma.memlock',
    words: 'the process may not pin that much: RLIMIT_MEMLOCK',
    errno: 'ENOMEM',
    citation: {
      seed: 'drivers/vfio/vfio_iommu_type1.c:vfio_pin_pages',
      '6.1': 'drivers/vfio/vfio_iommu_type1.c:vfio_pin_pages_remote, vfio_lock_acct',
    },
    applies: (world, state, op) => !updates(op) && exceedsLimit(world, state, op.pid, charged(world, op)),
  },
];

const width: Guard<Map> = {
  id: 'container.map_dma.width',
  words: 'the IOMMU does not translate addresses as high as that',
  errno: 'EFAULT',
  citation: 'drivers/iommu/intel-iommu.c:intel_iommu_map',
  applies: (world, _state, op) => u64(op.iova) + u64(op.size) - 1n > world.aperture,
};

const tracked: Guard<Map> = onType1({
  id: 'container.map_dma.too-large',
  words: 'dirty pages are tracked, and the mapping has more pages than a bitmap can have',
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_bitmap_alloc',
  refuses: (op, iommu) => !updates(op) && iommu.dirtyTracking && untrackable(u64(op.size)),
});

export const containerMapDma: Rule<Map> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_IOMMU_MAP_DMA, &map)',
    arguments: {
      flags: 'READ 1, WRITE 2, VADDR 4',
      vaddr: 'where the memory is in the process',
      iova: 'where the device shall see it',
      size: 'in bytes',
      memory:
        'what stands behind `vaddr`: `writable`, `untouched` (writable, but nobody wrote to it yet), `read-only`, or `none`',
    },
    effect:
      'The range is mapped and its pages are pinned and charged to the process; 6.1 and earlier charge nothing for reading memory that nobody wrote to. With VADDR the mapping that is there gets the new address instead, and its pages are charged to the process that gave it.',
    undo: '`container.unmap_dma` of the same range',
  },
  ioctl: { on: 'container', request: 0x3b71 },
  guards: {
    // Neither address updates, nor a limit on entries, nor ranges: what the IOMMU lacks shows when it is asked to map.
    seed: [...always, overlap, ...pinning, width],
    '6.1': [...always, ...update, overlap, entries, range, ...pinning, tracked],
  },
  effect: (world, state, op, container) => {
    const iommu = type1Of(container);
    if (iommu === null) return zero;
    const its = { container, iommu };
    return { state: updates(op) ? updated(state, op, its) : added(world, state, op, its), value: 0 };
  },
  undo: (_world, _before, { pid, fd, iova, size }) => ({
    op: 'container.unmap_dma',
    pid,
    fd,
    flags: 0,
    iova,
    size,
  }),
};

function badFlags(world: World, flags: number): boolean {
  const access = (flags & (read | write)) !== 0;
  const address = (flags & vaddrOnly) !== 0;
  return (flags & ~world.profile.mapFlags) !== 0 || access === address;
}

function updates(op: Map): boolean {
  return (op.flags & vaddrOnly) !== 0;
}

function found(op: Map, iommu: Type1): Mapping | null {
  return overlapping(iommu.mappings, u64(op.iova), u64(op.size));
}

/** Pages that a new mapping is charged for; the shared zero page is nobody's. */
function charged(world: World, op: Map): number {
  const zeroPage = (op.flags & write) === 0 && (op.memory === 'untouched' || op.memory === 'read-only');
  return zeroPage && world.profile.pinsZeroPage ? 0 : Number(u64(op.size) / pageSize);
}

interface Instance {
  readonly container: Container;
  readonly iommu: Type1;
}

function added(world: World, state: State, op: Map, { container, iommu }: Instance): State {
  const iova = u64(op.iova);
  const mapping: Mapping = {
    iova,
    size: u64(op.size),
    vaddr: u64(op.vaddr),
    flags: op.flags >>> 0,
    invalid: false,
    pid: op.pid,
    pages: charged(world, op),
  };
  const mappings = inserted(iommu.mappings, firstAfter(iommu.mappings, iova), mapping);
  const locked = charge(state.locked, op.pid, mapping.pages);
  return withMappings(state, container, iommu, mappings, { more: -1, locked });
}

/** vfio_change_dma_owner: the pages are charged to who gave the address. */
function updated(state: State, op: Map, { container, iommu }: Instance): State {
  const place = firstAfter(iommu.mappings, u64(op.iova));
  const mapping = iommu.mappings[place];
  if (mapping === undefined) return state;
  const { pid, pages } = mapping;
  const now = { ...mapping, vaddr: u64(op.vaddr), invalid: false, pid: op.pid };
  const locked = pid === op.pid ? state.locked : charge(charge(state.locked, pid, -pages), op.pid, pages);
  return withMappings(state, container, iommu, replace(iommu.mappings, place, now), { locked });
}
