/** The longer files of a PCI function: resource, modalias, config. */
import { type Fact, isUnknown, type PciFunction } from '../../../src/machine/snapshot.ts';
import type { Attribute } from './node.ts';

type Bars = Exclude<PciFunction['bars'], { readonly unknown: string }>;

/** include/linux/ioport.h. */
const flags = { io: 0x101, memory: 0x200, prefetchable: 0x2000, wide: 0x100000, rom: 0x7200 } as const;

/** One line for each of BAR 0 to 5 and the ROM: first and last address and flags, zeros for what is not there. */
export function resources(bars: Bars): string {
  const lines = Array.from({ length: 7 }, (_, index) => {
    const bar = bars.find((its) => its.index === index);
    if (bar === undefined || bar.size === 0) return line(0n, 0n, 0);
    const start = BigInt(bar.start);
    const end = start + BigInt(bar.size) - 1n;
    if (bar.kind === 'io') return line(start, end, flags.io);
    if (bar.kind === 'rom') return line(start, end, flags.rom);
    const wide = end > 0xffff_ffffn ? flags.wide : 0;
    return line(start, end, flags.memory | wide | (bar.prefetchable ? flags.prefetchable : 0));
  });
  return lines.join('\n');
}

function line(start: bigint, end: bigint, kind: number): string {
  const hex = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`;
  return `${hex(start)} ${hex(end)} ${hex(BigInt(kind))}`;
}

/** What modprobe matches modules by (drivers/pci/pci-sysfs.c:modalias_show). */
export function modalias(pci: PciFunction): string | undefined {
  const { subsystemVendor, subsystemDevice } = pci;
  if (isUnknown(subsystemVendor) || isUnknown(subsystemDevice)) return undefined;
  const id = (hex: string) => hex.toUpperCase().padStart(8, '0');
  const [base, sub, interface_] = [pci.class.slice(0, 2), pci.class.slice(2, 4), pci.class.slice(4)];
  const classes = `bc${base}sc${sub}i${interface_}`.replace(/[0-9a-f]{2}(?=sc|i|$)/g, (hex) =>
    hex.toUpperCase(),
  );
  return `pci:v${id(pci.vendor)}d${id(pci.device)}sv${id(subsystemVendor)}sd${id(subsystemDevice)}${classes}`;
}

/**
 * The head of configuration space and the capabilities that the snapshot tells, one behind the other from 0x40 on;
 * their real places are not known, and whatever else a device has reads as zero. A file only when header and
 * capabilities are known. Without CAP_SYS_ADMIN a reader gets 64 bytes (drivers/pci/pci-sysfs.c:pci_read_config).
 */
export function config(pci: PciFunction): Attribute | undefined {
  const { capabilities, headerType } = pci;
  if (isUnknown(capabilities) || isUnknown(headerType)) return undefined;
  const size = capabilities.configSize;
  return {
    kind: 'attribute',
    mode: 0o644,
    size,
    unprivilegedSize: 64,
    read: () => space(pci, headerType, capabilities),
  };
}

/** The same bytes. */
export function configSpace(pci: PciFunction): Uint8Array | undefined {
  const { capabilities, headerType } = pci;
  return isUnknown(capabilities) || isUnknown(headerType) ? undefined : space(pci, headerType, capabilities);
}

type Capabilities = Exclude<PciFunction['capabilities'], { readonly unknown: string }>;

/** Capability ids and lengths of include/uapi/linux/pci_regs.h. */
function space(pci: PciFunction, headerType: number, its: Capabilities): Uint8Array {
  const bytes = new Uint8Array(its.configSize);
  const view = new DataView(bytes.buffer);
  const hex = (fact: Fact<string>) => (isUnknown(fact) ? 0 : Number.parseInt(fact, 16));
  view.setUint16(0x00, hex(pci.vendor), true);
  view.setUint16(0x02, hex(pci.device), true);
  view.setUint32(0x08, (hex(pci.class) << 8) | hex(pci.revision), true);
  view.setUint8(0x0e, headerType | (pci.multifunction === true ? 0x80 : 0));
  view.setUint8(0x3d, its.interruptPin);
  if (headerType === 0) {
    view.setUint16(0x2c, hex(pci.subsystemVendor), true);
    view.setUint16(0x2e, hex(pci.subsystemDevice), true);
  }
  let pointer = 0x34;
  let at = 0x40;
  const add = (id: number, length: number, field: number, value: number) => {
    view.setUint8(pointer, at);
    view.setUint8(at, id);
    view.setUint16(at + field, value, true);
    pointer = at + 1;
    at += length;
    view.setUint16(0x06, 0x10, true);
  };
  if (its.msiVectors > 0) add(0x05, 0x18, 2, (31 - Math.clz32(its.msiVectors)) << 1);
  if (its.msixVectors > 0) {
    // 7 is no BAR: where the table lies is not told.
    const { bar, offset } = its.msixTable ?? { bar: 7, offset: 0 };
    view.setUint32(at + 4, (offset | bar) >>> 0, true);
    add(0x11, 0x0c, 2, its.msixVectors - 1);
  }
  if (its.express) add(0x10, 0x3c, 2, 2);
  if (its.configSize > 256) putSerial(pci, view);
  return bytes;
}

/** The Device Serial Number capability, where the serial is one: eight bytes, the highest first when printed. */
function putSerial({ serial }: PciFunction, view: DataView): void {
  if (isUnknown(serial) || serial === null || !/^([0-9a-f]{2}-){7}[0-9a-f]{2}$/i.test(serial)) return;
  view.setUint32(0x100, 0x0001_0003, true);
  const digits = serial.split('-').map((pair) => Number.parseInt(pair, 16));
  for (const [index, byte] of digits.entries()) view.setUint8(0x104 + 7 - index, byte);
}
