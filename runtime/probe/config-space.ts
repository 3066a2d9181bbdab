import type { PciFunction, Unknown } from '../../src/machine/snapshot.ts';

/**
 * What PCI configuration space tells (PCI Express Base Specification, chapter 7; include/uapi/linux/pci_regs.h).
 * sysfs shows all of it to CAP_SYS_ADMIN and the first 64 bytes to everyone (drivers/pci/pci-sysfs.c
 * pci_read_config); a short read therefore leaves capabilities unknown.
 */
export interface ConfigSpace {
  readonly headerType: number | Unknown;
  readonly multifunction: boolean | Unknown;
  readonly capabilities: PciFunction['capabilities'];
  /** `b4-96-91-ff-fe-a1-02-33`, as lspci prints it; null: the function has no such capability. */
  readonly serial: string | null | Unknown;
}

const HEADER_TYPE = 0x0e;
const HEADER_TYPE_MULTIFUNCTION = 0x80;
const STATUS = 0x06;
const STATUS_CAPABILITY_LIST = 0x10;
const CAPABILITY_POINTER = 0x34;
const INTERRUPT_PIN = 0x3d;
const CAPABILITY_MSI = 0x05;
const CAPABILITY_EXPRESS = 0x10;
const CAPABILITY_MSIX = 0x11;
const EXTENDED_SERIAL = 0x0003;
const EXTENDED_START = 0x100;

export function readConfigSpace(bytes: Uint8Array): ConfigSpace {
  if (bytes.length < 64) {
    const unknown: Unknown = { unknown: `config has ${bytes.length} of at least 64 bytes` };
    return { headerType: unknown, multifunction: unknown, capabilities: unknown, serial: unknown };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(0, true) === 0xffff) {
    const unknown: Unknown = { unknown: 'config reads as ones: the function does not answer' };
    return { headerType: unknown, multifunction: unknown, capabilities: unknown, serial: unknown };
  }
  const headerType = view.getUint8(HEADER_TYPE) & 0x7f;
  const multifunction = (view.getUint8(HEADER_TYPE) & HEADER_TYPE_MULTIFUNCTION) !== 0;
  if (bytes.length < 256) {
    const unknown: Unknown = { unknown: 'config beyond 64 bytes is shown only to CAP_SYS_ADMIN' };
    return { headerType, multifunction, capabilities: unknown, serial: unknown };
  }
  const found = capabilitiesOf(view, headerType);
  const msi = found.get(CAPABILITY_MSI);
  const msix = found.get(CAPABILITY_MSIX);
  const extended = bytes.length >= 4096;
  return {
    headerType,
    multifunction,
    capabilities: {
      express: found.has(CAPABILITY_EXPRESS),
      // MSI: Multiple Message Capable, a power of two; MSI-X: Table Size, one less.
      msiVectors: msi === undefined ? 0 : Math.min(32, 1 << ((view.getUint16(msi + 2, true) >> 1) & 7)),
      msixVectors: msix === undefined ? 0 : (view.getUint16(msix + 2, true) & 0x7ff) + 1,
      ...(msix === undefined ? {} : tableAt(view.getUint32(msix + 4, true))),
      interruptPin: Math.min(4, view.getUint8(INTERRUPT_PIN)),
      configSize: extended ? 4096 : 256,
    },
    serial: extended ? serialOf(view) : null,
  };
}

/** MSI-X: Table Offset, with the BAR in its lowest three bits, of which 6 and 7 are no BAR. */
function tableAt(word: number): { readonly msixTable?: { readonly bar: number; readonly offset: number } } {
  const bar = word & 7;
  return bar > 5 ? {} : { msixTable: { bar, offset: (word & ~7) >>> 0 } };
}

/** Offset of each capability by its id; of several with one id the first. A list that loops ends after 48 entries. */
function capabilitiesOf(view: DataView, headerType: number): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  if ((view.getUint16(STATUS, true) & STATUS_CAPABILITY_LIST) === 0 || headerType > 1) return found;
  let at = view.getUint8(CAPABILITY_POINTER) & 0xfc;
  for (let left = 48; left > 0 && at >= 0x40; left -= 1) {
    const id = view.getUint8(at);
    if (id === 0xff) break;
    if (!found.has(id)) found.set(id, at);
    at = view.getUint8(at + 1) & 0xfc;
  }
  return found;
}

function serialOf(view: DataView): string | null {
  let at = EXTENDED_START;
  for (let left = 960; left > 0 && at >= EXTENDED_START && at <= view.byteLength - 12; left -= 1) {
    const header = view.getUint32(at, true);
    if (header === 0 || header === 0xffffffff) return null;
    if ((header & 0xffff) === EXTENDED_SERIAL) {
      const bytes = Array.from({ length: 8 }, (_, index) => view.getUint8(at + 4 + 7 - index));
      return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('-');
    }
    at = (header >>> 20) & 0xffc;
  }
  return null;
}
