import { structure, u64 } from '../argument.ts';
import { noCompat } from '../compat.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612 } from '../guard.ts';
import { cutAt, highest, unmapped } from '../ioas.ts';
import { ioasOf, withAreas, withContext } from '../iommufd.ts';
import type { Ioas, Iommufd } from '../iommufd-state.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import type { State, World } from '../state.ts';

type Unmap = Extract<Op, { op: 'iommufd.unmap_dma' }>;

const everything = 2;

const unmapDma = 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_unmap_dma';
const unmapIova = 'drivers/iommu/iommufd/io_pagetable.c:iopt_unmap_iova';

/** How far the call comes: the cuts of type 1 first, then the unmapping. */
interface Course {
  readonly end: 'misaligned' | 'empty' | 'wrap' | 'partial' | 'done';
  readonly context: Iommufd;
  readonly bytes: bigint;
}

const course = once<Unmap, Course | null>((_world, state, op) => {
  const context = iommufdOf(state, op);
  const id = context?.compat ?? 0;
  const ioas = ioasOf(context, id);
  if (context === null || ioas === null) return null;
  if ((op.flags & everything) !== 0) return cleared(context, id, ioas, 0n, highest);
  const [iova, size] = [u64(op.iova), u64(op.size)];
  let now = context;
  for (const last of ioas.largePages ? [] : edges(iova, size)) {
    const next = cutAt(now, id, last);
    if (next === null) return { end: 'misaligned', context: now, bytes: 0n };
    now = next;
  }
  if (size === 0n) return { end: 'empty', context: now, bytes: 0n };
  if (iova + size - 1n > highest) return { end: 'wrap', context: now, bytes: 0n };
  return cleared(now, id, ioasOf(now, id) ?? ioas, iova, iova + size - 1n);
});

/** Addresses that shall be the last of a mapping: the range's own last, and the one before it. */
function edges(iova: bigint, size: bigint): readonly bigint[] {
  const last = u64(iova + size - 1n);
  return iova === 0n ? [last] : [last, iova - 1n];
}

function cleared(context: Iommufd, id: number, before: Ioas, start: bigint, end: bigint): Course {
  const { ioas, bytes, whole } = unmapped(before, { start, end });
  const left = ioas === before ? context : withAreas(context, id, ioas);
  return { end: whole ? 'done' : 'partial', context: left, bytes };
}

function left(world: World, state: State, op: Unmap): State {
  const now = course(world, state, op)?.context ?? null;
  return now === null || now === iommufdOf(state, op)
    ? state
    : withContext(state, placeOfIommufd(state, op), now);
}

/** A way to end early; what was cut or unmapped by then stays so. */
function ends(
  end: Course['end'],
  guard: Pick<Guard<Unmap>, 'id' | 'words' | 'errno' | 'citation'>,
): Guard<Unmap> {
  return { ...guard, applies: (world, state, op) => course(world, state, op)?.end === end, leaves: left };
}

const guards: readonly Guard<Unmap>[] = [
  ...structure<Unmap>('iommufd.unmap_dma', 24, unmapDma),
  {
    id: 'iommufd.unmap_dma.flags',
    words: 'only everything may be asked for by a flag',
    errno: 'EINVAL',
    citation: unmapDma,
    applies: (_world, _state, op) => ((op.flags >>> 0) & ~everything) !== 0,
  },
  noCompat<Unmap>('iommufd.unmap_dma'),
  {
    id: 'iommufd.unmap_dma.all-range',
    words: 'unmapping everything takes no range',
    errno: 'EINVAL',
    citation: unmapDma,
    applies: (_world, _state, op) =>
      (op.flags & everything) !== 0 && (u64(op.iova) !== 0n || u64(op.size) !== 0n),
  },
  ends('misaligned', {
    id: 'iommufd.unmap_dma.misaligned',
    words: 'a mapping can only be cut between pages',
    errno: 'EINVAL',
    citation: 'drivers/iommu/iommufd/io_pagetable.c:iopt_area_split',
  }),
  ends('empty', {
    id: 'iommufd.unmap_dma.length',
    words: 'the length is 0',
    errno: 'EINVAL',
    citation: unmapIova,
  }),
  ends('wrap', {
    id: 'iommufd.unmap_dma.wrap',
    words: 'the range does not fit 64 bits',
    errno: 'EOVERFLOW',
    citation: unmapIova,
  }),
  ends('partial', {
    id: 'iommufd.unmap_dma.partial',
    words: 'a mapping lies only partly in the range; those before it are gone',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/io_pagetable.c:iopt_unmap_iova_range',
  }),
];

export const iommufdUnmapDma: Rule<Unmap> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap)',
    arguments: { flags: 'ALL 2', iova: 'where it begins', size: 'bytes' },
    effect:
      'All mappings in the range are gone, and of type 1 the parts of them that lie there. Answers their bytes.',
    undo: 'none: the memory behind a mapping is not known any more',
  },
  ioctl: { on: 'iommufd', request: 0x3b72 },
  guards: since612<Unmap>(...guards),
  effect: (world, state, op) => ({
    state: left(world, state, op),
    value: 0,
    out: { size: course(world, state, op)?.bytes ?? 0n },
  }),
  undo: () => ({ none: 'the memory behind a mapping is not known any more' }),
};
