import type { Op } from '../../src/model/op.ts';

/** Requests of a device file by number and byte, as include/uapi/linux/vfio.h has them; see calls.ts. */
type Request = Extract<
  Op,
  { op: 'device.set_irqs' | 'device.ioeventfd' | 'device.feature' | 'device.hot_reset' }
>;

export function deviceBytes(op: Request): { readonly request: number; readonly bytes: Uint8Array } {
  switch (op.op) {
    case 'device.set_irqs':
      return { request: 0x3b6e, bytes: irqSet(op) };
    case 'device.hot_reset': {
      const bytes = Buffer.alloc(12 + op.groups.length * 4);
      for (const [place, word] of [bytes.length, op.flags, op.groups.length, ...op.groups].entries()) {
        bytes.writeInt32LE(word | 0, place * 4);
      }
      return { request: 0x3b71, bytes: own(bytes) };
    }
    case 'device.ioeventfd': {
      const bytes = Buffer.alloc(32);
      bytes.writeUInt32LE(32, 0);
      bytes.writeInt32LE(op.flags | 0, 4);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, op.offset), 8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, op.data), 16);
      bytes.writeInt32LE(op.eventfd | 0, 24);
      return { request: 0x3b74, bytes: own(bytes) };
    }
    case 'device.feature': {
      const bytes = Buffer.alloc(24);
      bytes.writeUInt32LE(24, 0);
      bytes.writeInt32LE(op.flags | 0, 4);
      if ((op.flags & 0xffff) === 0) bytes.write(op.token.replaceAll('-', ''), 8, 16, 'hex');
      else bytes.writeInt32LE(op.eventfd | 0, 8);
      return { request: 0x3b75, bytes: own(bytes) };
    }
  }
}

function irqSet({ flags, index, start, count, data }: Extract<Op, { op: 'device.set_irqs' }>): Uint8Array {
  const width = flags & 4 ? 4 : 1;
  const places = Math.min(count >>> 0, 4096);
  const bytes = Buffer.alloc(20 + places * width);
  bytes.writeUInt32LE(bytes.length, 0);
  for (const [place, word] of [flags, index, start, count].entries()) {
    bytes.writeInt32LE(word | 0, 4 + place * 4);
  }
  for (const [place, value] of data.slice(0, places).entries()) {
    if (width === 4) bytes.writeInt32LE(value | 0, 20 + place * 4);
    else bytes.writeUInt8(value & 0xff, 20 + place);
  }
  return own(bytes);
}

/** What a hot reset concerns, from struct vfio_pci_hot_reset_info. */
export function namesOf(bytes: Uint8Array): { flags: number; count: number; devices: string } {
  const view = new DataView(bytes.buffer);
  // Another request has this number on a container, and puts something else there.
  const count = Math.min(view.getUint32(8, true), 4096);
  const names: string[] = [];
  for (let at = 12; at < 12 + count * 8; at += 8) {
    const [bus, place] = [view.getUint8(at + 6), view.getUint8(at + 7)];
    const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    const address = `${hex(view.getUint16(at + 4, true), 4)}:${hex(bus, 2)}:${hex(place >> 3, 2)}.${place & 7}`;
    names.push(`${view.getInt32(at, true)}@${address}`);
  }
  return { flags: view.getUint32(4, true), count, devices: names.join(' ') };
}

/** With zeros behind, as the same numbers mean larger structures on other files. Memory of its own: a small Buffer is a piece of a larger one, and argsz is written through `.buffer`. */
function own(bytes: Buffer): Uint8Array {
  const memory = new Uint8Array(Math.max(64, bytes.length));
  memory.set(bytes);
  return memory;
}
