import { originOf } from './origin.ts';
import type { Mapping, State, World } from './state.ts';

/** The mappings of a type1 container: sorted by iova, pairwise disjoint. Addresses are unsigned 64-bit. */

export const pageSize = 4096n;

const highest = 1n << 64n;

export function aligned(value: bigint): boolean {
  return (value & (pageSize - 1n)) === 0n;
}

/** Whether `start + size - 1` does not fit an address; a size of 0 counts as such. */
export function wraps(start: bigint, size: bigint): boolean {
  return size === 0n || start + size > highest;
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

/** The first mapping that overlaps a range. */
export function overlapping(mappings: readonly Mapping[], iova: bigint, size: bigint): Mapping | null {
  const mapping = mappings[firstAfter(mappings, iova)];
  return mapping !== undefined && mapping.iova < iova + size ? mapping : null;
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
  return minors.every((minor) => {
    const id = state.groups[minor]?.iommuGroup ?? -1;
    const group = state.iommuGroups.find((its) => its.id === id);
    const origin = group === undefined ? id : originOf(world, group);
    return (world.reserved.get(origin ?? id) ?? []).every(({ start, end }) => last < start || iova > end);
  });
}

export function pagesOf(state: State, pid: number): number {
  return state.locked.find((entry) => entry.pid === pid)?.pages ?? 0;
}

/** Charges pages to processes, or with negative numbers gives them back. */
export function charge(
  locked: State['locked'],
  charges: readonly { readonly pid: number; readonly pages: number }[],
): State['locked'] {
  const pages = new Map(locked.map((entry) => [entry.pid, entry.pages]));
  for (const { pid, pages: more } of charges) pages.set(pid, (pages.get(pid) ?? 0) + more);
  return [...pages].filter(([, left]) => left > 0).map(([pid, left]) => ({ pid, pages: left }));
}
