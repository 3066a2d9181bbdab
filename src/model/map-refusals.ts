import type { Errno } from './errno.ts';
import type { Guard } from './guard.ts';
import { alignmentOf, allocated, highest, hits, type Piece, pageSize, reservedOf, spanOf } from './ioas.ts';
import { ioasOf, translated } from './iommufd.ts';
import type { Iommufd, Pages } from './iommufd-state.ts';
import { once } from './once.ts';
import type { Op } from './op.ts';
import { fillRefusal } from './pinning.ts';
import type { State, World } from './state.ts';

/** What every way to map memory into an address space asks (drivers/iommu/iommufd/io_pagetable.c:iopt_map_pages). */

/** What is to be mapped, where. `iova` null: wherever there is room. */
export interface Mapping {
  readonly context: Iommufd;
  readonly ioas: number;
  readonly iova: bigint | null;
  readonly length: bigint;
  readonly access: number;
  readonly pieces: readonly Piece[];
}

export const writeable = 2;
export const readable = 4;

/** Memory of the process that asks, as iopt_alloc_pages takes it. */
export function pagesOfCaller(
  world: World,
  context: Iommufd,
  op: { readonly pid: number; readonly memory: Pages['memory'] },
  vaddr: bigint,
  access: number,
): Pages {
  const process = world.processes.get(op.pid);
  const free = process?.capabilities.has('CAP_IPC_LOCK') === true;
  return {
    vaddr: vaddr - (vaddr % pageSize),
    memory: op.memory,
    writable: (access & writeable) !== 0,
    pid: op.pid,
    uid: process?.uid ?? 0,
    charged: free ? 'nobody' : context.perProcess ? 'process' : 'user',
  };
}

/** Where a mapping that nothing refuses goes. */
export function placeOf(world: World, state: State, mapping: Mapping): bigint {
  const place = mapping.iova ?? roomFor(world, state, mapping);
  return typeof place === 'bigint' ? place : 0n;
}

function roomFor(world: World, state: State, mapping: Mapping): ReturnType<typeof allocated> {
  const { context, ioas: id, length, pieces } = mapping;
  const ioas = ioasOf(context, id);
  const [first] = pieces;
  if (ioas === null || first === undefined) return 'room';
  const reserved = reservedOf(world, state, context, id);
  return allocated(world, ioas, reserved, alignmentOf(context, id), first, length);
}

type Refusal =
  | 'alignment'
  | 'size'
  | 'offset'
  | 'room'
  | 'iova'
  | 'wrap'
  | 'reserved'
  | 'overlap'
  | 'read-only'
  | 'within-page'
  | 'memory'
  | 'access'
  | 'memlock';

/** The first of iopt_map_pages's tests that refuses, or null. */
function refusalOf(world: World, state: State, mapping: Mapping): Refusal | null {
  const { context, ioas: id, length } = mapping;
  const mask = alignmentOf(context, id) - 1n;
  if (length === 0n || (length & mask) !== 0n) return 'alignment';
  const placing = mapping.iova === null ? unplaced(world, state, mapping) : misplaced(world, state, mapping);
  return placing ?? unfit(mapping, mask) ?? filling(world, state, mapping);
}

/** iopt_alloc_iova. */
function unplaced(world: World, state: State, mapping: Mapping): Refusal | null {
  const place = roomFor(world, state, mapping);
  if (typeof place === 'bigint') return null;
  return place === 'alignment' ? 'offset' : place;
}

/** iopt_check_iova. */
function misplaced(world: World, state: State, { context, ioas: id, iova, length }: Mapping): Refusal | null {
  const ioas = ioasOf(context, id);
  if (iova === null || ioas === null) return null;
  if ((iova & (alignmentOf(context, id) - 1n)) !== 0n) return 'iova';
  if (iova + length - 1n > highest) return 'wrap';
  const range = { start: iova, end: iova + length - 1n };
  if (hits(reservedOf(world, state, context, id), range)) return 'reserved';
  return hits(ioas.areas.map(spanOf), range) ? 'overlap' : null;
}

/** iopt_insert_area, piece by piece. */
function unfit({ access, pieces }: Mapping, mask: bigint): Refusal | null {
  for (const { pages, start } of pieces) {
    if ((access & writeable) !== 0 && !pages.writable) return 'read-only';
    if (((start % pageSize) & mask) !== 0n) return 'within-page';
  }
  return null;
}

/** iopt_fill_domains_pages: only where an IOMMU translates the address space already. */
function filling(world: World, state: State, { context, ioas, access, pieces }: Mapping): Refusal | null {
  if (!translated(context, ioas)) return null;
  return fillRefusal(
    world,
    state,
    pieces.map((piece) => ({ ...piece, access })),
  );
}

const table: readonly (readonly [Refusal, Errno, string, string])[] = [
  [
    'alignment',
    'EINVAL',
    'the length is not a multiple of what the address space asks for',
    'iopt_alloc_area_pages',
  ],
  ['size', 'EOVERFLOW', 'nothing as long has room in an address space', 'iopt_alloc_iova'],
  ['offset', 'EINVAL', 'the user address is less aligned than the address space asks for', 'iopt_alloc_iova'],
  ['room', 'ENOSPC', 'the address space has no room of that length', 'iopt_alloc_iova'],
  ['iova', 'EINVAL', 'the address is not a multiple of what the address space asks for', 'iopt_check_iova'],
  ['wrap', 'EOVERFLOW', 'the range does not fit 64 bits', 'iopt_check_iova'],
  ['reserved', 'EINVAL', 'an attached device allows nothing in the range', 'iopt_check_iova'],
  ['overlap', 'EEXIST', 'part of the range is mapped already', 'iopt_check_iova'],
  ['read-only', 'EPERM', 'the memory was mapped for reading alone', 'iopt_insert_area'],
  ['within-page', 'EINVAL', 'the user address begins within a page', 'iopt_insert_area'],
];

const filled: readonly (readonly [Refusal, Errno, string])[] = [
  ['memory', 'EFAULT', 'the process has no such memory, or may not write what is to be written'],
  ['access', 'EINVAL', 'an IOMMU maps nothing that may be neither read nor written'],
  ['memlock', 'ENOMEM', 'the process may not pin that much: RLIMIT_MEMLOCK'],
];

/** The tests of iopt_map_pages, without those that a caller's arguments cannot meet. */
export function mapGuards<O extends Op>(
  op: O['op'],
  mappingOf: (world: World, state: State, op: O) => Mapping | null,
  never: readonly Refusal[],
): readonly Guard<O>[] {
  const refusal = once<O, Refusal | null>((world, state, asked) => {
    const mapping = mappingOf(world, state, asked);
    return mapping === null ? null : refusalOf(world, state, mapping);
  });
  const guard = (id: Refusal, errno: Errno, words: string, citation: string): Guard<O> => ({
    id: `${op}.${id}`,
    words,
    errno,
    citation,
    applies: (world, state, asked) => refusal(world, state, asked) === id,
  });
  const pages = 'drivers/iommu/iommufd/pages.c:iopt_area_fill_domains';
  return [
    ...table.map(([id, errno, words, where]) =>
      guard(id, errno, words, `drivers/iommu/iommufd/io_pagetable.c:${where}`),
    ),
    ...filled.map(([id, errno, words]) => guard(id, errno, words, pages)),
  ].filter(({ id }) => !never.some((refusal) => id === `${op}.${refusal}`));
}
