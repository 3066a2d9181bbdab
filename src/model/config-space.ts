import { barOf } from './bars.ts';
import type { CoreDevice } from './core-device.ts';
import { hasIntx } from './interrupts.ts';
import type { Hardware, World } from './state.ts';

/**
 * Configuration space as vfio-pci shows it (drivers/vfio/pci/vfio_pci_config.c): IDs, the memory bit of COMMAND, BARs with
 * their sizing, the interrupt line and pin, and MSI's flags where the world tells where they lie. What the rest holds is
 * the hardware's own; a snapshot does not tell it, and writes there change nothing that the model knows.
 */
const command = 0x04;
const firstBar = 0x10;
const romBar = 0x30;
const line = 0x3c;
const pin = 0x3d;

const memoryBit = 2;
const io = 1;
const wide = 4;
const prefetch = 8;
const enable = 1;

/** One byte as a user reads it; null where it is the hardware's and not known. */
export function configByte(world: World, hardware: Hardware, core: CoreDevice, at: number): number | null {
  if (at < 4) return idByte(hardware, at);
  if (at >= firstBar && at < firstBar + 24) return barByte(hardware, core, at - firstBar);
  if (at >= romBar && at < romBar + 4) return romByte(hardware, core, at - romBar);
  if (at === line) return core.written[line] ?? null;
  if (at === pin) return hasIntx(world, hardware) ? hardware.interruptPin : 0;
  if (hardware.msi !== undefined && at === hardware.msi.at + 2) return core.written[at] ?? hardware.msi.flags;
  return null;
}

function idByte({ vendor, device }: Hardware, at: number): number {
  const id = Number.parseInt(at < 2 ? vendor : device, 16);
  return (at & 1 ? id >> 8 : id) & 0xff;
}

/** The BARs as six words: what was written, cut to what a BAR of this size can hold (vfio_bar_fixup). */
function barByte(hardware: Hardware, core: CoreDevice, at: number): number | null {
  const place = at >> 2;
  let index = 0;
  while (index < 6) {
    const bar = barOf(hardware, index);
    if (bar === undefined || bar.start === 0n || bar.size === 0) {
      if (index === place) return 0;
      index += 1;
      continue;
    }
    const is64 = isWide(hardware, index);
    const value = lowWord(core, index, bar, is64 === true);
    // A BAR of four ports may keep the bit that says 64 bits of memory, and then the kernel leaves the next word alone.
    const ports = bar.kind === 'io' && (value & wide) !== 0;
    const pairs = is64 === null || ports ? null : (value & wide) !== 0;
    if (index === place) return is64 === null && (at & 3) === 0 ? null : byteOf(value, at);
    if (index + 1 === place && pairs !== false) {
      return pairs === null ? null : byteOf(highWord(core, index, bar), at);
    }
    index += pairs === true ? 2 : 1;
  }
  return 0;
}

function byteOf(word: number, at: number): number {
  return (word >>> ((at & 3) * 8)) & 0xff;
}

type Bar = Hardware['bars'][number];

function lowWord(
  core: CoreDevice,
  index: number,
  { start, size, kind, prefetchable }: Bar,
  is64: boolean,
): number {
  const raw = written(core, firstBar + index * 4, Number(BigInt.asUintN(32, start)));
  const kept = raw & Number(BigInt.asIntN(32, ~(BigInt(size) - 1n)));
  if (kind === 'io') return kept | io;
  return kept | (prefetchable ? prefetch : 0) | (is64 ? wide : 0);
}

function highWord(core: CoreDevice, index: number, { start, size }: Bar): number {
  const raw = written(core, firstBar + index * 4 + 4, Number(BigInt.asUintN(32, start >> 32n)));
  return raw & Number(BigInt.asIntN(32, ~(BigInt(size) - 1n) >> 32n));
}

/**
 * Whether a BAR is 64 bits wide: it is if it lies or reaches above 4 GiB, and is not if it is ports or the word above it
 * is another BAR; otherwise a snapshot does not tell.
 */
function isWide(hardware: Hardware, index: number): boolean | null {
  const bar = barOf(hardware, index);
  if (bar === undefined || bar.kind !== 'memory') return false;
  if (bar.start + BigInt(bar.size) > 1n << 32n) return true;
  return index === 5 || barOf(hardware, index + 1) !== undefined ? false : null;
}

function romByte(hardware: Hardware, core: CoreDevice, at: number): number | null {
  const rom = barOf(hardware, 6);
  if (rom === undefined || rom.start === 0n || rom.size === 0) {
    // The ROM of a display may be the copy that the firmware left in memory.
    return hardware.vga ? null : 0;
  }
  if (at === 0 && core.written[romBar] === undefined) return null;
  const raw = written(core, romBar, Number(BigInt.asUintN(32, rom.start)));
  return byteOf(raw & (Number(BigInt.asIntN(32, ~(BigInt(rom.size) - 1n))) | enable), at);
}

/** A word of which some bytes were written. */
function written({ written: bytes }: CoreDevice, at: number, before: number): number {
  let word = before;
  for (let place = 0; place < 4; place += 1) {
    const byte = bytes[at + place];
    if (byte !== undefined) word = (word & ~(0xff << (place * 8))) | (byte << (place * 8));
  }
  return word;
}

/** What a write of these bytes changes; null for nothing. */
export function configWrite(
  hardware: Hardware,
  core: CoreDevice,
  at: number,
  bytes: readonly number[],
): Partial<CoreDevice> | null {
  let memory = core.memory;
  let kept: { [offset: number]: number } | null = null;
  for (let place = 0; place < bytes.length; place += 1) {
    const offset = at + place;
    const byte = (bytes[place] ?? 0) & 0xff;
    if (offset === command) memory = (byte & memoryBit) !== 0;
    else if (isKept(offset)) {
      kept ??= { ...core.written };
      kept[offset] = byte;
    } else if (hardware.msi !== undefined && offset === hardware.msi.at + 2) {
      kept ??= { ...core.written };
      kept[offset] = msiFlags(core, byte);
    }
  }
  if (memory === core.memory && kept === null) return null;
  return { memory, written: kept ?? core.written };
}

function isKept(offset: number): boolean {
  return (
    (offset >= firstBar && offset < firstBar + 24) ||
    (offset >= romBar && offset < romBar + 4) ||
    offset === line
  );
}

/** MSI is enabled by SET_IRQS alone, and has as many vectors as that gave it (vfio_msi_config_write). */
function msiFlags(core: CoreDevice, byte: number): number {
  const isMsi = core.interrupts === 'msi';
  const most = isMsi ? Math.ceil(Math.log2(core.vectors)) : 0;
  const vectors = (byte >> 4) & 7;
  const flags = isMsi ? byte : byte & ~enable;
  return vectors > most ? (flags & 0x8f) | (most << 4) : flags;
}
