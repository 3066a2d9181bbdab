import { originOf } from './origin.ts';
import { byId } from './places.ts';
import type { IovaRange, Mapping, State, World } from './state.ts';

/** The mappings of a type1 container: sorted by iova, pairwise disjoint. Addresses are unsigned 64-bit. */

export const pageSize = 4096n;

const highest = 1n << 64n;

export function aligned(value: bigint): boolean {
  return (value & (pageSize - 1n)) === 0n;
}

/** Whether `start + size - 1` does not fit an address. */
export function wraps(start: bigint, size: bigint): boolean {
  return start + size > highest;
}

/** Place of the first mapping that ends after `iova`; the list's length if there is none. */
export function firstAfter(mappings: readonly Mapping[], iova: bigint): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const mapping = mappings[middle];
    if (mapping !== undefined && mapping.iova + mapping.size <= iova) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Place of the first mapping, from a place on, that begins at `iova` or after it. */
export function firstFrom(mappings: readonly Mapping[], from: number, iova: bigint): number {
  let low = from;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const mapping = mappings[middle];
    if (mapping !== undefined && mapping.iova < iova) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first mapping that overlaps a range. */
export function overlapping(mappings: readonly Mapping[], iova: bigint, size: bigint): Mapping | null {
  const mapping = mappings[firstAfter(mappings, iova)];
  return mapping !== undefined && mapping.iova < iova + size ? mapping : null;
}

/** Whether a range begins or ends within a mapping. */
export function bisects(mappings: readonly Mapping[], iova: bigint, size: bigint): boolean {
  const end = iova + size;
  const first = overlapping(mappings, iova, 1n);
  const last = overlapping(mappings, end - 1n, 1n);
  return (first !== null && first.iova !== iova) || (last !== null && last.iova + last.size !== end);
}

/** Whether a range may be mapped for these groups: below the aperture and outside what is reserved. */
export function translatable(
  world: World,
  state: State,
  minors: readonly number[],
  iova: bigint,
  size: bigint,
): boolean {
  const last = iova + size - 1n;
  if (last > world.aperture) return false;
  return minors.every((minor) =>
    reservedFor(world, state, minor).every(({ start, end }) => last < start || iova > end),
  );
}

/** What is reserved for a group, whatever its id is now. */
function reservedFor(world: World, state: State, minor: number): readonly IovaRange[] {
  const id = state.groups[minor]?.iommuGroup ?? -1;
  const group = byId(state.iommuGroups, id);
  const origin = group === undefined ? id : originOf(world, group);
  return world.reserved.get(origin ?? id) ?? [];
}

/** The ranges in which these groups may be mapped, ascending (vfio_iommu_aper_resize, vfio_iommu_resv_exclude). */
export function translatedRanges(
  world: World,
  state: State,
  minors: readonly number[],
): readonly IovaRange[] {
  let ranges: readonly IovaRange[] = [{ start: 0n, end: world.aperture }];
  for (const minor of minors) {
    for (const reserved of reservedFor(world, state, minor)) {
      ranges = ranges.flatMap((range) => excluding(range, reserved));
    }
  }
  return ranges;
}

function excluding(range: IovaRange, reserved: IovaRange): readonly IovaRange[] {
  if (reserved.start > range.end || reserved.end < range.start) return [range];
  const parts: IovaRange[] = [];
  if (reserved.start > range.start) parts.push({ start: range.start, end: reserved.start - 1n });
  if (reserved.end < range.end) parts.push({ start: reserved.end + 1n, end: range.end });
  return parts;
}

/** Whether a process may not pin so many pages more: RLIMIT_MEMLOCK, which CAP_IPC_LOCK lifts. */
export function exceedsLimit(world: World, state: State, pid: number, pages: number): boolean {
  const process = world.processes.get(pid);
  if (pages === 0 || process === undefined || process.memlock === null) return false;
  if (process.capabilities.has('CAP_IPC_LOCK')) return false;
  return pagesOf(state, pid) + pages > Math.floor(process.memlock / Number(pageSize));
}

export function pagesOf(state: Pick<State, 'locked'>, pid: number): number {
  for (const entry of state.locked) if (entry.pid === pid) return entry.pages;
  return 0;
}

/** Charges pages to a process, or with a negative number gives them back. */
export function charge(locked: State['locked'], pid: number, pages: number): State['locked'] {
  if (pages === 0) return locked;
  const now: { pid: number; pages: number }[] = [];
  let charged = false;
  for (const entry of locked) {
    if (entry.pid !== pid) {
      now.push(entry);
      continue;
    }
    charged = true;
    if (entry.pages + pages > 0) now.push({ pid, pages: entry.pages + pages });
  }
  if (!charged && pages > 0) now.push({ pid, pages });
  return now;
}

/** Gives back what the mappings from one place up to another were charged for. */
export function uncharge(
  locked: State['locked'],
  mappings: readonly Mapping[],
  from: number,
  to: number,
): State['locked'] {
  let now = locked;
  let pages = 0;
  for (let place = from; place < to; place += 1) {
    const mapping = mappings[place];
    if (mapping === undefined) break;
    pages += mapping.pages;
    // Neighbours are mostly the same process's: one change for them all.
    if (place + 1 < to && mappings[place + 1]?.pid === mapping.pid) continue;
    now = charge(now, mapping.pid, -pages);
    pages = 0;
  }
  return now;
}
