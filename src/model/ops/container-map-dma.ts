import { structure, u64 } from '../argument.ts';
import { containerOf, fileOf } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import {
  aligned,
  charge,
  firstAfter,
  overlapping,
  pageSize,
  pagesOf,
  translatable,
  wraps,
} from '../mappings.ts';
import type { Op } from '../op.ts';
import { put } from '../places.ts';
import type { Iommu, Mapping, State, World } from '../state.ts';
import { withoutType1 } from '../type1.ts';

type Map = Extract<Op, { op: 'container.map_dma' }>;

const read = 1;
const write = 2;
/** Only the user address of a mapping changes. */
const vaddrOnly = 4;

const doMap = 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map';
const [fault, argsz] = structure<Map>(
  'container.map_dma',
  32,
  'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma',
);

export const containerMapDma: Rule<Map> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_IOMMU_MAP_DMA, &map)',
    arguments: {
      flags: 'READ 1, WRITE 2, VADDR 4',
      vaddr: 'where the memory is in the process',
      iova: 'where the device shall see it',
      size: 'in bytes',
      memory: 'what stands behind `vaddr`: `writable`, `read-only`, or `none`',
    },
    effect:
      'The range is mapped and its pages are pinned and charged to the process. With VADDR the mapping that is there gets the new address instead.',
    undo: '`container.unmap_dma` of the same range',
  },
  ioctl: { on: 'container', request: 0x3b71 },
  guards: perKernel([
    ...withoutType1<Map>('container.map_dma'),
    fault,
    argsz,
    {
      id: 'container.map_dma.flags',
      words: 'the flags are not those of a mapping: reading, writing, or the address alone',
      errno: 'EINVAL',
      citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma, vfio_dma_do_map',
      applies: (world, _state, op) => badFlags(world, op.flags >>> 0),
    },
    {
      id: 'container.map_dma.alignment',
      words: 'size, iova and address must be whole pages, and the size not zero',
      errno: 'EINVAL',
      citation: doMap,
      applies: (_world, _state, op) => op.size === 0n || !aligned(op.size | op.iova | op.vaddr),
    },
    {
      id: 'container.map_dma.wrap',
      words: 'the range does not fit the address space',
      errno: 'EINVAL',
      citation: doMap,
      applies: (_world, _state, op) =>
        wraps(u64(op.iova), u64(op.size)) || wraps(u64(op.vaddr), u64(op.size)),
    },
    on({
      id: 'container.map_dma.no-mapping',
      words: 'there is no mapping whose address could change',
      errno: 'ENOENT',
      citation: doMap,
      refuses: (op, iommu) => updates(op) && found(op, iommu) === null,
    }),
    on({
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
    on({
      id: 'container.map_dma.overlap',
      words: 'part of the range is mapped already',
      errno: 'EEXIST',
      citation: doMap,
      refuses: (op, iommu) => !updates(op) && found(op, iommu) !== null,
    }),
    on({
      id: 'container.map_dma.entries',
      words: 'the container has as many mappings as dma_entry_limit allows',
      errno: 'ENOSPC',
      citation: doMap,
      refuses: (op, iommu) => !updates(op) && iommu.available === 0,
    }),
    {
      id: 'container.map_dma.range',
      words: 'the IOMMU does not translate the whole range',
      errno: 'EINVAL',
      citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_iova_dma_valid',
      applies: (world, state, op) =>
        !updates(op) &&
        !translatable(world, state, containerOf(state, op)?.groups ?? [], u64(op.iova), u64(op.size)),
    },
    {
      id: 'container.map_dma.memory',
      words: 'the process has no such memory, or may not write what is to be written',
      errno: 'EFAULT',
      citation: 'drivers/vfio/vfio_iommu_type1.c:vaddr_get_pfns',
      applies: (_world, _state, op) =>
        !updates(op) && (op.memory === 'none' || (op.memory === 'read-only' && (op.flags & write) !== 0)),
    },
    {
      id: 'container.map_dma.memlock',
      words: 'the process may not pin that much: RLIMIT_MEMLOCK',
      errno: 'ENOMEM',
      citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_pin_pages_remote, vfio_lock_acct',
      applies: (world, state, op) => !updates(op) && overLimit(world, state, op),
    },
  ]),
  effect: (_world, state, op) => {
    const opened = fileOf(state, op);
    const container = containerOf(state, op);
    if (opened?.kind !== 'container' || container?.iommu?.driver !== 'type1') return { state, value: 0 };
    const iommu = updates(op) ? updated(op, container.iommu) : added(op, container.iommu);
    const now = { ...state, containers: put(state.containers, opened.container, { ...container, iommu }) };
    if (updates(op)) return { state: now, value: 0 };
    return { state: { ...now, locked: charge(state.locked, [{ pid: op.pid, pages: pages(op) }]) }, value: 0 };
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

type Type1 = Extract<Iommu, { driver: 'type1' }>;

/** The seed's kernel knows neither address updates nor a limit on entries. */
function perKernel(guards: readonly Guard<Map>[]): Rule<Map>['guards'] {
  const later = ['no-mapping', 'still-valid', 'entries'].map((name) => `container.map_dma.${name}`);
  return { seed: guards.filter(({ id }) => !later.includes(id)), '6.1': guards, '6.12': guards };
}

/** A test that looks at the container's mappings. */
function on(
  guard: Pick<Guard<Map>, 'id' | 'words' | 'errno' | 'citation'> & {
    refuses(op: Map, iommu: Type1): boolean;
  },
): Guard<Map> {
  const { refuses, ...declared } = guard;
  return {
    ...declared,
    applies: (_world, state, op) => {
      const iommu = containerOf(state, op)?.iommu;
      return iommu?.driver === 'type1' && refuses(op, iommu);
    },
  };
}

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

function pages(op: Map): number {
  return Number(u64(op.size) / pageSize);
}

function overLimit(world: World, state: State, op: Map): boolean {
  const process = world.processes.get(op.pid);
  if (process === undefined || process.memlock === null || process.capabilities.has('CAP_IPC_LOCK'))
    return false;
  return pagesOf(state, op.pid) + pages(op) > Math.floor(process.memlock / Number(pageSize));
}

function added(op: Map, iommu: Type1): Type1 {
  const iova = u64(op.iova);
  const mapping: Mapping = {
    iova,
    size: u64(op.size),
    vaddr: u64(op.vaddr),
    flags: op.flags >>> 0,
    invalid: false,
    pid: op.pid,
    pages: pages(op),
  };
  const mappings = iommu.mappings.slice();
  mappings.splice(firstAfter(mappings, iova), 0, mapping);
  return { ...iommu, mappings, available: iommu.available - 1 };
}

function updated(op: Map, iommu: Type1): Type1 {
  const place = firstAfter(iommu.mappings, u64(op.iova));
  const mappings = iommu.mappings.map((mapping, index) =>
    index === place ? { ...mapping, vaddr: u64(op.vaddr), invalid: false } : mapping,
  );
  return { ...iommu, mappings };
}
