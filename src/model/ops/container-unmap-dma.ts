import { structure, u64 } from '../argument.ts';
import { containerOf, fileOf } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import { aligned, charge, firstAfter, overlapping, wraps } from '../mappings.ts';
import type { Op } from '../op.ts';
import { put } from '../places.ts';
import type { Iommu, Mapping, State } from '../state.ts';
import { withoutType1 } from '../type1.ts';

type Unmap = Extract<Op, { op: 'container.unmap_dma' }>;
type Type1 = Extract<Iommu, { driver: 'type1' }>;

const dirtyBitmap = 1;
const everything = 2;
const vaddrOnly = 4;

const doUnmap = 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_unmap';
const unmapDma = 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_unmap_dma';

export const containerUnmapDma: Rule<Unmap> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap)',
    arguments: {
      flags: 'GET_DIRTY_BITMAP 1, ALL 2, VADDR 4',
      iova: 'where the range begins',
      size: 'in bytes',
    },
    effect:
      'Every mapping that begins in the range is gone and its pages are no longer charged; answers how many bytes that were. With VADDR mappings stay and their addresses become invalid. A range that ends at 2^64 reaches nothing.',
    undo: 'none: the memory behind a mapping is not known any more',
  },
  ioctl: { on: 'container', request: 0x3b72 },
  guards: perKernel([
    ...withoutType1<Unmap>('container.unmap_dma'),
    ...structure<Unmap>('container.unmap_dma', 24, unmapDma),
    {
      id: 'container.unmap_dma.flags',
      words: 'the kernel does not know the flags, or not together',
      errno: 'EINVAL',
      citation: unmapDma,
      applies: (world, _state, op) =>
        ((op.flags >>> 0) & ~world.profile.unmapFlags) !== 0 ||
        (has(op, dirtyBitmap) && (has(op, everything) || has(op, vaddrOnly))),
    },
    {
      id: 'container.unmap_dma.bitmap',
      words: 'dirty pages are not tracked, and there is no bitmap for them',
      errno: 'EINVAL',
      citation: unmapDma,
      applies: (_world, _state, op) => has(op, dirtyBitmap),
    },
    {
      id: 'container.unmap_dma.alignment',
      words: 'iova and size must be whole pages',
      errno: 'EINVAL',
      citation: doUnmap,
      applies: (_world, _state, op) => !aligned(op.iova) || (!has(op, everything) && !aligned(op.size)),
    },
    {
      id: 'container.unmap_dma.all-range',
      words: 'unmapping everything takes no range',
      errno: 'EINVAL',
      citation: doUnmap,
      applies: (_world, _state, op) => has(op, everything) && (u64(op.iova) !== 0n || u64(op.size) !== 0n),
    },
    {
      id: 'container.unmap_dma.range',
      words: 'the range is empty or does not fit the address space',
      errno: 'EINVAL',
      citation: doUnmap,
      applies: (_world, _state, op) => !has(op, everything) && wraps(u64(op.iova), u64(op.size)),
    },
    {
      id: 'container.unmap_dma.bisects',
      words: 'the range would cut a mapping in two',
      errno: 'EINVAL',
      citation: doUnmap,
      applies: (_world, state, op) => {
        const iommu = type1(state, op);
        return iommu !== null && iommu.type !== 1 && !has(op, everything) && bisects(op, iommu);
      },
    },
    {
      id: 'container.unmap_dma.invalidated',
      words: "a mapping's address was invalidated before",
      errno: 'EINVAL',
      citation: doUnmap,
      applies: (_world, state, op) => {
        const iommu = has(op, vaddrOnly) ? type1(state, op) : null;
        return iommu?.mappings.slice(...reached(op, iommu)).some(({ invalid }) => invalid) === true;
      },
    },
  ]),
  effect: (_world, state, op) => {
    const opened = fileOf(state, op);
    const container = containerOf(state, op);
    if (opened?.kind !== 'container' || container?.iommu?.driver !== 'type1') return { state, value: 0 };
    const [from, to] = reached(op, container.iommu);
    const mappings = container.iommu.mappings;
    const gone = mappings.slice(from, to);
    const size = gone.reduce((sum, mapping) => sum + mapping.size, 0n);
    if (gone.length === 0) return { state, value: 0, out: { size } };
    const invalidated = gone.map((mapping): Mapping => ({ ...mapping, invalid: true }));
    const only = has(op, vaddrOnly);
    const iommu: Iommu = {
      ...container.iommu,
      mappings: [...mappings.slice(0, from), ...(only ? invalidated : []), ...mappings.slice(to)],
      available: container.iommu.available + (only ? 0 : gone.length),
    };
    const locked = only
      ? state.locked
      : charge(
          state.locked,
          gone.map(({ pid, pages }) => ({ pid, pages: -pages })),
        );
    const containers = put(state.containers, opened.container, { ...container, iommu });
    return { state: { ...state, containers, locked }, value: 0, out: { size } };
  },
  undo: () => ({ none: 'the memory behind a mapping is not known any more' }),
};

/** The seed's kernel knows no flags. */
function perKernel(guards: readonly Guard<Unmap>[]): Rule<Unmap>['guards'] {
  const later = ['bitmap', 'all-range', 'invalidated'].map((name) => `container.unmap_dma.${name}`);
  return { seed: guards.filter(({ id }) => !later.includes(id)), '6.1': guards, '6.12': guards };
}

function has(op: Unmap, flag: number): boolean {
  return (op.flags & flag) !== 0;
}

function type1(state: State, op: Unmap): Type1 | null {
  const iommu = containerOf(state, op)?.iommu;
  return iommu?.driver === 'type1' ? iommu : null;
}

function bisects(op: Unmap, { mappings }: Type1): boolean {
  const iova = u64(op.iova);
  const end = iova + u64(op.size);
  const first = overlapping(mappings, iova, 1n);
  const last = overlapping(mappings, end - 1n, 1n);
  return (first !== null && first.iova !== iova) || (last !== null && last.iova + last.size !== end);
}

/**
 * The mappings that the kernel's walk reaches, as places from and to. It begins at the first that overlaps and ends at
 * the first that starts at or after the end, which is 0 for a range up to 2^64; the old type stops at once when the first
 * begins before the range.
 */
function reached(op: Unmap, { type, mappings }: Type1): readonly [number, number] {
  if (has(op, everything)) return [0, mappings.length];
  const iova = u64(op.iova);
  const end = u64(iova + u64(op.size));
  const from = firstAfter(mappings, iova);
  let to = from;
  while (to < mappings.length && starts(mappings[to]) < end && !(type === 1 && iova > starts(mappings[to])))
    to += 1;
  return [from, to];
}

function starts(mapping: Mapping | undefined): bigint {
  return mapping?.iova ?? 0n;
}
