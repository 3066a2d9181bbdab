import { barOf } from './bars.ts';
import type { CoreDevice } from './core-device.ts';
import type { Hardware, World } from './state.ts';

/** A device file as regions (VFIO_PCI_OFFSET_TO_INDEX): the index above 40 bits of offset. */
export const region = { rom: 6, config: 7, vga: 8, count: 9 } as const;

export const pageSize = 4096;

/** The region of an offset, and the place in it. */
export function regionOf(offset: bigint): number {
  return Number(BigInt.asUintN(64, offset) >> 40n);
}

export function placeIn(offset: bigint): number {
  return Number(BigInt.asUintN(40, offset));
}

/** Bytes of a BAR or of the ROM; 0 for one that the host put nowhere, which nobody can read or write. */
export function usableSize(hardware: Hardware, index: number): number {
  const bar = barOf(hardware, index);
  return bar === undefined || bar.start === 0n ? 0 : bar.size;
}

/**
 * Memory of a page or more can be mapped (vfio_pci_probe_mmaps). A smaller BAR can only if its page is its own, which a
 * snapshot does not tell: it is taken for not.
 */
export function mappable(hardware: Hardware, index: number): boolean {
  const bar = index >= region.rom ? undefined : barOf(hardware, index);
  return bar !== undefined && bar.kind === 'memory' && bar.size >= pageSize;
}

/** The ports and the memory of a VGA (vfio_pci_vga_rw): first and past the last. */
const windows = [
  [0x3b0, 0x3bc],
  [0x3c0, 0x3e0],
  [0xa0000, 0xc0000],
] as const;

/** Bytes from a place to the end of its window; 0: in none. */
function vgaRoom(place: number): number {
  for (const [start, end] of windows) if (place >= start && place < end) return end - place;
  return 0;
}

/** Bytes from a place to the end of the region; 0: there is nothing at this place. */
export function roomAt(hardware: Hardware, index: number, place: number): number {
  if (index === region.config) return Math.max(0, hardware.configSize - place);
  if (index === region.vga) return hardware.vga ? vgaRoom(place) : 0;
  return Math.max(0, usableSize(hardware, index) - place);
}

/**
 * Whether an access meets memory that is not decoded. Virtual functions have no bit for that; I/O ports are not asked,
 * nor the MSI-X table, which is hidden, nor a ROM, whose image has then no end that could be found.
 */
export function undecoded(
  hardware: Hardware,
  { memory }: CoreDevice,
  index: number,
  place: number,
  count: number,
): boolean {
  if (memory || index >= region.rom || hardware.physicalFunction !== null) return false;
  if (barOf(hardware, index)?.kind !== 'memory') return false;
  const table = hardware.msixTable;
  return table?.bar !== index || place < table.start || place + count > table.end;
}

/** The BAR of the MSI-X table: as the world tells, or the only one that it can be in; -1: not known, or none. */
function msixBar({ msixTable, msixVectors, bars }: Hardware): number {
  if (msixTable !== undefined) return msixTable.bar;
  if (msixVectors === 0) return -1;
  const memory = bars.filter(({ kind, size }) => kind === 'memory' && size > 0);
  return memory.length === 1 ? (memory[0]?.index ?? -1) : -1;
}

/** Since v4.16 the table may be mapped with the rest of its BAR, and REGION_INFO says so. */
export function saysMsixMappable(world: World, hardware: Hardware, index: number): boolean {
  return world.profile.msixMappable && mappable(hardware, index) && msixBar(hardware) === index;
}
