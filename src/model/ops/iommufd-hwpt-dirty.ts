import { u64 } from '../argument.ts';
import { placeOfIommufd } from '../files.ts';
import { type Done, type Guard, type Rule, since612, zero } from '../guard.ts';
import { alignmentOf, highest, pageOf, piecesAt } from '../ioas.ts';
import { ioasOf, objectOf, withContext, withObject } from '../iommufd.ts';
import type { Hwpt, Iommufd } from '../iommufd-state.ts';
import type { Op } from '../op.ts';
import type { State } from '../state.ts';
import { framed, reservedField } from '../user-structure.ts';

/**
 * Which pages devices wrote to, by page table. No process of the model makes a device write: marks come by `written`, which
 * is no operation.
 */

type SetTracking = Extract<Op, { op: 'iommufd.hwpt_set_dirty_tracking' }>;
type GetBitmap = Extract<Op, { op: 'iommufd.hwpt_get_dirty_bitmap' }>;

const setTracking = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_set_dirty_tracking';
const getBitmap = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_get_dirty_bitmap';
const checkRange = 'drivers/iommu/iommufd/io_pagetable.c:iommufd_check_iova_range';

function tableAt(context: Iommufd, id: number): Hwpt | null {
  const object = objectOf(context, id);
  return object?.kind === 'hwpt' ? object : null;
}

const enable = 1;
const noClear = 1;

/** A page table as it is now. */
function changed(
  state: State,
  { pid, fd, hwpt }: SetTracking | GetBitmap,
  context: Iommufd,
  table: Hwpt,
  out?: Done['out'],
): Done {
  const now = withContext(state, placeOfIommufd(state, { pid, fd }), withObject(context, hwpt, table));
  return { state: now, value: 0, ...(out === undefined ? {} : { out }) };
}

/** A device writes at an address of a page table: its page is marked, where one is mapped and that is tracked. */
export function written(context: Iommufd, hwpt: number, iova: bigint): Iommufd {
  const table = tableAt(context, hwpt);
  if (table === null || !table.tracking) return context;
  const ioas = ioasOf(context, table.ioas);
  const page = iova - (iova % pageOf(table));
  if (ioas === null || table.dirty.includes(page) || piecesAt(ioas, { start: page, end: page }) === null)
    return context;
  const dirty = [...table.dirty, page].sort((a, b) => (a < b ? -1 : 1));
  return withObject(context, hwpt, { ...table, dirty });
}

/** Marks of a range, up to the first address in it that is not mapped (iopt_for_each_contig_area). */
function walked(context: Iommufd, { ioas: id, dirty }: Hwpt, op: GetBitmap): readonly bigint[] {
  const ioas = ioasOf(context, id);
  const [start, end] = [u64(op.iova), u64(op.iova) + u64(op.length)];
  const reached = (iova: bigint) => ioas !== null && piecesAt(ioas, { start, end: iova }) !== null;
  return dirty.filter((iova) => iova >= start && iova < end && reached(iova));
}

/** Bits of a page, as the kernel counts them: by the lowest bit of the size that each stands for (iova_bitmap_set). */
function bitsOf(op: GetBitmap, iova: bigint, page: bigint): bigint {
  const unit = u64(op.pageSize) & -u64(op.pageSize);
  const from = (iova - u64(op.iova)) / unit;
  const count = (iova + page - 1n - u64(op.iova)) / unit - from + 1n;
  return ((1n << count) - 1n) << from;
}

/** The page table that is to be there. */
function missing<O extends SetTracking | GetBitmap>(op: O['op']): Guard<O> {
  return {
    id: `${op}.missing`,
    words: 'the iommufd has no page table of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, _state, asked, context) => tableAt(context as Iommufd, asked.hwpt) === null,
  };
}

/** It was not made for that (domain->dirty_ops). */
function untracked<O extends SetTracking | GetBitmap>(op: O['op'], citation: string): Guard<O> {
  return {
    id: `${op}.untracked`,
    words: 'the page table was made without dirty tracking',
    errno: 'EOPNOTSUPP',
    citation,
    applies: (_world, _state, asked, context) =>
      tableAt(context as Iommufd, asked.hwpt)?.tracksDirty !== true,
  };
}

export const iommufdHwptSetDirtyTracking: Rule<SetTracking> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &set)',
    arguments: {
      hwpt: 'id of a page table',
      flags: 'ENABLE 1; without it tracking ends',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'From now on pages that are written to are marked, or no more. What was marked before it begins is forgotten; what was when it ends stays, and is not told.',
    undo: 'none: what was marked is gone',
  },
  ioctl: { on: 'iommufd', request: 0x3b8b },
  guards: since612<SetTracking>(
    ...framed<SetTracking>('iommufd.hwpt_set_dirty_tracking', 16),
    reservedField<SetTracking>('iommufd.hwpt_set_dirty_tracking', setTracking, 1),
    missing<SetTracking>('iommufd.hwpt_set_dirty_tracking'),
    untracked<SetTracking>(
      'iommufd.hwpt_set_dirty_tracking',
      'drivers/iommu/iommufd/io_pagetable.c:iopt_set_dirty_tracking',
    ),
  ),
  effect: (_world, state, op, context) => {
    const table = tableAt(context, op.hwpt);
    if (table === null) return zero;
    const tracking = (op.flags & enable) !== 0;
    const dirty = tracking ? [] : table.dirty;
    return changed(state, op, context, { ...table, tracking, dirty });
  },
  undo: () => ({ none: 'what was marked is gone' }),
};

const range: readonly Guard<GetBitmap>[] = [
  {
    id: 'iommufd.hwpt_get_dirty_bitmap.length',
    words: 'the length is 0',
    errno: 'EINVAL',
    citation: checkRange,
    applies: (_world, _state, op) => u64(op.length) === 0n,
  },
  {
    id: 'iommufd.hwpt_get_dirty_bitmap.overflow',
    words: 'the range ends beyond the highest address',
    errno: 'EOVERFLOW',
    citation: checkRange,
    applies: (_world, _state, op) => u64(op.iova) + u64(op.length) - 1n > highest,
  },
  {
    id: 'iommufd.hwpt_get_dirty_bitmap.alignment',
    words: 'the range is not made of whole pages of the IOMMU',
    errno: 'EINVAL',
    citation: checkRange,
    applies: (_world, _state, op, context) => {
      const table = tableAt(context, op.hwpt);
      return table !== null && splits(op, alignmentOf(context, table.ioas));
    },
  },
  {
    id: 'iommufd.hwpt_get_dirty_bitmap.page-size',
    words: 'a bit stands for no bytes',
    errno: 'EINVAL',
    citation: checkRange,
    applies: (_world, _state, op) => u64(op.pageSize) === 0n,
  },
  {
    id: 'iommufd.hwpt_get_dirty_bitmap.bits',
    words: 'the range is not made of whole bits',
    errno: 'EINVAL',
    citation: checkRange,
    applies: (_world, _state, op) => splits(op, u64(op.pageSize)),
  },
];

/** Whether a range begins or ends within a unit, as the kernel asks it: with a mask, whatever the unit is. */
function splits(op: GetBitmap, unit: bigint): boolean {
  const mask = u64(unit - 1n);
  return (u64(op.iova) & mask) !== 0n || (u64(op.iova + op.length) & mask) !== 0n;
}

export const iommufdHwptGetDirtyBitmap: Rule<GetBitmap> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get)',
    arguments: {
      hwpt: 'id of a page table',
      flags: 'NO_CLEAR 1: marks stay',
      iova: 'the first address',
      length: 'bytes from there on',
      pageSize: 'bytes that a bit stands for',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'Sets a bit for each page that a device wrote to while that was tracked, up to the first address that is not mapped, and takes the marks away. No process makes a device write here, so that none is set. Where tracking has ended or nothing is mapped it finds nothing, and memory that cannot be written keeps it from nothing else: 6.12 asks for no answer of the walk.',
    undo: 'none: marks that are taken away come back with the next write alone',
  },
  ioctl: { on: 'iommufd', request: 0x3b8c },
  guards: since612<GetBitmap>(
    ...framed<GetBitmap>('iommufd.hwpt_get_dirty_bitmap', 48),
    reservedField<GetBitmap>('iommufd.hwpt_get_dirty_bitmap', getBitmap, 1),
    missing<GetBitmap>('iommufd.hwpt_get_dirty_bitmap'),
    ...range,
    untracked<GetBitmap>(
      'iommufd.hwpt_get_dirty_bitmap',
      'drivers/iommu/iommufd/io_pagetable.c:iommu_read_and_clear_dirty',
    ),
  ),
  effect: (_world, state, op, context) => {
    const table = tableAt(context, op.hwpt);
    if (table === null || !table.tracking) return zero;
    const told = walked(context, table, op);
    if (told.length === 0) return zero;
    const page = pageOf(table);
    const bits = told.reduce((all, iova) => all | bitsOf(op, iova, page), 0n);
    const dirty =
      (op.flags & noClear) !== 0 ? table.dirty : table.dirty.filter((iova) => !told.includes(iova));
    return changed(state, op, context, { ...table, dirty }, { bitmap: bits });
  },
  undo: () => ({ none: 'marks that are taken away come back with the next write alone' }),
};
