import { iommuDrivers } from './iommu-drivers.ts';
import { ioasOf, tablesOf, translating, withObject, withoutIommu } from './iommufd.ts';
import type { Area, Hwpt, Ioas, Iommufd, Pages } from './iommufd-state.ts';
import { originOf } from './origin.ts';
import { byId } from './places.ts';
import type { IommuHardware, IovaRange, State, World } from './state.ts';

/** Address spaces of iommufd (drivers/iommu/iommufd/io_pagetable.c). Addresses are unsigned 64-bit. */

export const pageSize = 4096n;
export const highest = (1n << 64n) - 1n;

/** A stretch of somebody's memory that is to be mapped. */
export interface Piece {
  readonly pages: Pages;
  readonly start: bigint;
  readonly length: bigint;
}

/** What addresses and lengths must be a multiple of: anything, until an IOMMU or small pages are wanted. */
export function alignmentOf(context: Iommufd, id: number): bigint {
  const first = ioasOf(context, id)?.largePages === false ? pageSize : 1n;
  return tablesOf(context, id).reduce((all, table) => most(all, pageOf(table)), first);
}

/** The smallest page of a page table. */
export function pageOf({ driver }: Pick<Hwpt, 'driver'>): bigint {
  return driver === null ? pageSize : iommuDrivers[driver].pageSize;
}

/** Ranges that may not be mapped: those that attached devices reserve, and what an IOMMU with a table does not translate. */
export function reservedOf(world: World, state: State, context: Iommufd, id: number): readonly IovaRange[] {
  const ranges = tablesOf(context, id).flatMap((table) => beyondAperture(world, table));
  if (ranges.length === 0) return [];
  const tables = ioasOf(context, id)?.tables ?? [];
  for (const object of context.objects) {
    if (object?.kind === 'device' && tables.includes(translating(context, object.hwpt) ?? 0)) {
      ranges.push(...reservedBy(world, state, object.device));
    }
  }
  return merged(ranges);
}

/** Whether the IOMMU of a device makes all its DMA coherent with the caches. */
export function snooped(world: World, state: State, device: number): boolean {
  return world.snooped.has(originAt(world, state, device));
}

/** What IOMMU a device is behind, as far as the model asks; undefined: behind none. */
export function iommuOf(world: World, state: State, device: number): IommuHardware | undefined {
  return world.iommus.get(originAt(world, state, device));
}

/** The driver of the IOMMU that a device is behind; null: VFIO has it without one. */
export function driverOf(world: World, state: State, device: number): Hwpt['driver'] {
  return withoutIommu(state, device) ? null : (iommuOf(world, state, device)?.driver ?? 'other');
}

/** What a page table does not translate. The one that no IOMMU reads has room for every address. */
export function beyondAperture({ aperture }: World, { driver }: Pick<Hwpt, 'driver'>): readonly IovaRange[] {
  if (driver === null) return [];
  const { start, end } = iommuDrivers[driver].aperture ?? { start: 0n, end: aperture };
  const behind = { start: end + 1n, end: highest };
  return start === 0n ? [behind] : [{ start: 0n, end: start - 1n }, behind];
}

export function reservedBy(world: World, state: State, device: number): readonly IovaRange[] {
  return world.reserved.get(originAt(world, state, device)) ?? [];
}

/** Which of the world's groups a device is in, whatever the group's id is now; -1: in none. */
function originAt(world: World, state: State, device: number): number {
  const group = byId(state.iommuGroups, state.devices[device]?.group ?? null);
  return (group === undefined ? null : originOf(world, group)) ?? -1;
}

/** Sorted, and without two that touch. */
export function merged(ranges: readonly IovaRange[]): readonly IovaRange[] {
  const sorted = [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1));
  const whole: IovaRange[] = [];
  for (const range of sorted) {
    const last = whole.at(-1);
    if (last === undefined || range.start > last.end + 1n) whole.push(range);
    else if (range.end > last.end) whole[whole.length - 1] = { start: last.start, end: range.end };
  }
  return whole;
}

/** What is left of a range without others, which are sorted and do not touch. */
export function holes(within: IovaRange, used: readonly IovaRange[]): readonly IovaRange[] {
  const left: IovaRange[] = [];
  let from = within.start;
  for (const { start, end } of used) {
    if (end < from) continue;
    if (start > within.end) break;
    if (start > from) left.push({ start: from, end: start - 1n });
    from = end + 1n;
  }
  if (from <= within.end) left.push({ start: from, end: within.end });
  return left;
}

export function hits(ranges: readonly IovaRange[], { start, end }: IovaRange): boolean {
  return ranges.some((range) => range.start <= end && range.end >= start);
}

export function spanOf({ iova, length }: Pick<Area, 'iova' | 'length'>): IovaRange {
  return { start: iova, end: iova + length - 1n };
}

/** Whether an address space has something at a range: an area or, for what would be reserved, a promise. */
export function inUse({ areas, allowed }: Ioas, range: IovaRange): boolean {
  return hits(areas.map(spanOf), range) || hits(allowed, range);
}

/**
 * iopt_alloc_iova: the lowest place that fits. It never answers 0, and is as aligned as the user address is, up to a
 * huge page.
 */
export function allocated(
  world: World,
  { areas, allowed }: Ioas,
  reserved: readonly IovaRange[],
  alignment: bigint,
  { pages, start }: Piece,
  length: bigint,
): bigint | 'size' | 'alignment' | 'room' {
  if (length === 0n || length >= highest / 2n) return 'size';
  const address = pages.vaddr + start;
  const rounded = roundedUp(length);
  const wanted = address === 0n ? rounded : least(rounded, address & -address);
  const align = least(wanted, world.hugePages ? 0x200000n : pageSize);
  if (align < alignment) return 'alignment';
  const offset = address % pageSize;
  const whole = { start: pageSize, end: highest - pageSize };
  const used = merged([...reserved, ...areas.map(spanOf)]);
  const spans = allowed.length === 0 ? [whole] : within(merged(allowed), whole);
  for (const span of spans) {
    const start = placed(span, length, align, offset);
    if (start === null) continue;
    for (const hole of holes({ start, end: span.end }, used)) {
      const iova = placed(hole, length, align, offset);
      if (iova !== null) return iova;
    }
  }
  return 'room';
}

/** __alloc_iova_check_range. */
function placed({ start, end }: IovaRange, length: bigint, align: bigint, offset: bigint): bigint | null {
  if (start + align - 1n > highest) return null;
  const at = ((start + align - 1n) & ~(align - 1n)) | offset;
  return at >= end || end - at < length - 1n ? null : at;
}

function within(ranges: readonly IovaRange[], { start, end }: IovaRange): readonly IovaRange[] {
  return ranges
    .map((range) => ({ start: most(range.start, start), end: least(range.end, end) }))
    .filter((range) => range.start <= range.end);
}

function roundedUp(length: bigint): bigint {
  let power = 1n;
  while (power < length) power <<= 1n;
  return power;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** With further areas, one after another from `iova` on. */
export function withPieces(ioas: Ioas, iova: bigint, access: number, pieces: readonly Piece[]): Ioas {
  const added: Area[] = [];
  let at = iova;
  for (const { pages, start, length } of pieces) {
    added.push({ iova: at, length, access, start, pages });
    at += length;
  }
  const areas = [...ioas.areas, ...added].sort((a, b) => (a.iova < b.iova ? -1 : 1));
  return { ...ioas, areas };
}

/** The memory behind a range that is mapped without a gap, or null (iopt_for_each_contig_area). */
export function piecesAt({ areas }: Ioas, { start, end }: IovaRange): readonly Piece[] | null {
  const pieces: Piece[] = [];
  let at = start;
  for (const area of areas) {
    const span = spanOf(area);
    if (span.end < at) continue;
    if (span.start > at) return null;
    const last = least(span.end, end);
    pieces.push({ pages: area.pages, start: area.start + (at - area.iova), length: last - at + 1n });
    at = last + 1n;
    if (at > end) return pieces;
  }
  return null;
}

/**
 * iopt_unmap_iova_range: areas go one after another until all in the range are gone or one is only partly in it;
 * `whole` tells which.
 */
export function unmapped(
  ioas: Ioas,
  { start, end }: IovaRange,
): { readonly ioas: Ioas; readonly bytes: bigint; readonly whole: boolean } {
  const kept: Area[] = [];
  let bytes = 0n;
  let whole = true;
  for (const area of ioas.areas) {
    const span = spanOf(area);
    if (span.end < start || span.start > end || !whole) kept.push(area);
    else if (span.start < start || span.end > end) {
      whole = false;
      kept.push(area);
    } else bytes += area.length;
  }
  return { ioas: bytes === 0n ? ioas : { ...ioas, areas: kept }, bytes, whole };
}

/** iopt_area_split: an address becomes the last of a mapping; null where it cannot, the same where it need not. */
export function cutAt(context: Iommufd, id: number, last: bigint): Iommufd | null {
  const ioas = ioasOf(context, id);
  const area = ioas?.areas.find((each) => each.iova <= last && last < each.iova + each.length);
  if (ioas === null || area === undefined || last === area.iova || last === area.iova + area.length - 1n)
    return context;
  const mask = alignmentOf(context, id) - 1n;
  const length = last - area.iova + 1n;
  const start = area.start + length;
  if (((last + 1n) & mask) !== 0n || (start & mask) !== 0n) return null;
  const behind = { ...area, iova: last + 1n, length: area.length - length, start };
  const areas = ioas.areas.flatMap((each) => (each === area ? [{ ...area, length }, behind] : [each]));
  return withObject(context, id, { ...ioas, areas });
}
