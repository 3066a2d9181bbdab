import { merged, type Piece, pageSize } from './ioas.ts';
import { translated } from './iommufd.ts';
import type { Iommufd, Pages } from './iommufd-state.ts';
import { pagesOf } from './mappings.ts';
import type { IovaRange, State, World } from './state.ts';

/** Memory that an IOMMU reaches is pinned, each page once however often it is mapped (drivers/iommu/iommufd/pages.c). */

/** Why memory cannot be given to an IOMMU; null when it can. */
export type FillRefusal = 'memory' | 'access' | 'memlock';

/** iopt_area_fill_domain for each area in turn; `fresh` are those that are not in any page table yet. */
export function fillRefusal(
  world: World,
  state: State,
  fresh: readonly (Piece & { readonly access: number })[],
): FillRefusal | null {
  const pinned = pinnedIn(state);
  for (const { pages, start, length, access } of fresh) {
    if (pages.memory === 'none' || (pages.writable && pages.memory === 'read-only')) return 'memory';
    if (access === 0) return 'access';
    const before = count(pinned.get(pages) ?? []);
    const ranges = merged([...(pinned.get(pages) ?? []), indexes(start, length)]);
    pinned.set(pages, ranges);
    if (count(ranges) > before && overLimit(world, state, pages, pinned)) return 'memlock';
  }
  return null;
}

type Pinned = Map<Pages, readonly IovaRange[]>;

/** Indexes of pages that page tables hold, by the memory that they belong to. */
function pinnedIn({ iommufds }: Pick<State, 'iommufds'>): Pinned {
  const pinned: Pinned = new Map();
  for (const context of iommufds) if (context !== null) pinnedBy(context, pinned);
  return pinned;
}

function pinnedBy(context: Iommufd, pinned: Pinned): void {
  context.objects.forEach((object, place) => {
    if (object?.kind !== 'ioas' || !translated(context, place + 1)) return;
    for (const { pages, start, length } of object.areas) {
      pinned.set(pages, merged([...(pinned.get(pages) ?? []), indexes(start, length)]));
    }
  });
}

function indexes(start: bigint, length: bigint): IovaRange {
  return { start: start / pageSize, end: (start + length - 1n) / pageSize };
}

function count(ranges: readonly IovaRange[]): number {
  return Number(ranges.reduce((sum, { start, end }) => sum + end - start + 1n, 0n));
}

/** Charged to the user who mapped, all processes together, or to the process, beside what type1 pinned for it. */
function overLimit(world: World, state: State, { charged, pid, uid }: Pages, pinned: Pinned): boolean {
  const limit = world.processes.get(pid)?.memlock ?? null;
  if (charged === 'nobody' || limit === null) return false;
  let total = charged === 'process' ? pagesOf(state, pid) : 0;
  for (const [pages, ranges] of pinned) {
    const same = charged === 'user' ? pages.uid === uid : pages.pid === pid;
    if (pages.charged === charged && same) total += count(ranges);
  }
  return total > Math.floor(limit / Number(pageSize));
}
