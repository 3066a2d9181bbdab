import type { Op } from '../../src/model/op.ts';
import { requests } from '../abi/ioctl.ts';
import { decode, encode, layout, patch, u64 } from '../abi/layout.ts';
import { layouts, vfio } from '../abi/vfio.ts';
import type { Backend } from '../backend.ts';
import { withPointed } from './pointed.ts';
import { type Reply, replyOf } from './reply.ts';

/** Requests of a device file whose structure has a tail; the answer is the system call's own. */
type Of<Kind extends Op['op']> = Extract<Op, { op: Kind }>;

/** No device has more vectors; what a greater count asks is refused before the data are looked at. */
const mostVectors = 4096;

export function setIrqs(backend: Backend, op: Of<'device.set_irqs'>): number {
  const { size } = layouts.vfio_irq_set;
  const width = (op.flags & vfio.VFIO_IRQ_SET_DATA_EVENTFD) !== 0 ? 4 : 1;
  const data = new DataView(new ArrayBuffer(Math.min(op.count >>> 0, mostVectors) * width));
  for (const [place, value] of op.data.entries()) {
    if (place * width >= data.byteLength) break;
    if (width === 4) data.setInt32(place * width, value, true);
    else data.setUint8(place, value);
  }
  const { flags, index, start, count } = op;
  const argsz = op.argsz ?? size + data.byteLength;
  const header = encode(layouts.vfio_irq_set, { argsz, flags, index, start, count });
  return tailed(backend, op, 'VFIO_DEVICE_SET_IRQS', header, new Uint8Array(data.buffer));
}

export function ioeventfd(backend: Backend, op: Of<'device.ioeventfd'>): number {
  const layout = layouts.vfio_device_ioeventfd;
  const { flags, offset, data, eventfd: fd } = op;
  const bytes = encode(layout, { argsz: op.argsz ?? layout.size, flags, offset, data, fd });
  return tailed(backend, op, 'VFIO_DEVICE_IOEVENTFD', bytes);
}

export function feature(backend: Backend, op: Of<'device.feature'>): number {
  const isToken = (op.flags & vfio.VFIO_DEVICE_FEATURE_MASK) === vfio.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN;
  const tail = isToken ? tokenBytes(op.token) : new Uint8Array(16);
  if (!isToken) {
    const entry = layouts.vfio_device_low_power_entry_with_wakeup;
    patch(entry, tail, { wakeup_eventfd: op.eventfd });
  }
  const { size } = layouts.vfio_device_feature;
  const argsz = op.argsz ?? size + tail.length;
  const header = encode(layouts.vfio_device_feature, { argsz, flags: op.flags });
  return tailed(backend, op, 'VFIO_DEVICE_FEATURE', header, tail);
}

/** The largest answer that anybody asks for: a bus has 256 functions at most, and those behind its bridges. */
const mostDevices = 4096;

export function readHotResetInfo(
  backend: Backend,
  op: Of<'device.hot_reset_info'>,
): { readonly answer: number; readonly out: { readonly [field: string]: number | string } } {
  const { size } = layouts.vfio_pci_hot_reset_info;
  const device = layouts.vfio_pci_dependent_device;
  const bytes = new Uint8Array(size + mostDevices * device.size);
  patch(layouts.vfio_pci_hot_reset_info, bytes, { argsz: op.argsz ?? bytes.length });
  const request = requests.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO;
  const answer = backend.ioctl(op.fd, request, op.argsz === null ? null : bytes);
  if (answer < 0) return { answer, out: {} };
  const { flags, count } = decode(layouts.vfio_pci_hot_reset_info, bytes);
  // Made on a container, the request is another, and what stands at these places means something else.
  const devices = Array.from({ length: count > mostDevices ? 0 : count }, (_, place) => {
    const its = decode(device, bytes.subarray(size + place * device.size));
    const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    const address = `${hex(its.segment, 4)}:${hex(its.bus, 2)}:${hex(its.devfn >> 3, 2)}.${its.devfn & 7}`;
    return `${its.group_id | 0}@${address}`;
  });
  return { answer, out: { flags, count, devices: devices.join(' ') } };
}

export function hotReset(backend: Backend, op: Of<'device.hot_reset'>): number {
  const tail = new Uint8Array(Int32Array.from(op.groups).buffer);
  const { size } = layouts.vfio_pci_hot_reset;
  const argsz = op.argsz ?? size + tail.length;
  const header = encode(layouts.vfio_pci_hot_reset, { argsz, flags: op.flags, count: op.groups.length });
  return tailed(backend, op, 'VFIO_DEVICE_PCI_HOT_RESET', header, tail);
}

/** No request of any file reads more than this without being told so. */
const mostRead = 64;

/** `argsz` null stands for a pointer that cannot be read. */
function tailed(
  backend: Backend,
  { fd, argsz }: { readonly fd: number; readonly argsz?: number | null },
  request: keyof typeof requests,
  header: Uint8Array,
  tail: Uint8Array = new Uint8Array(0),
): number {
  const bytes = new Uint8Array(Math.max(mostRead, header.length + tail.length));
  bytes.set(header);
  bytes.set(tail, header.length);
  return backend.ioctl(fd, requests[request], argsz === null ? null : bytes);
}

/** A UUID as it lies in memory; zeros for what is none. */
function tokenBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const digits = token.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/i.test(digits)) return bytes;
  for (let at = 0; at < 16; at++) bytes[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

/** BIND_IOMMUFD. Kernels that ask for a token know a longer structure, which ends with a pointer to it. */
export function bindIommufd(backend: Backend, op: Of<'device.bind_iommufd'>): Reply {
  const { size } = layouts.vfio_device_bind_iommufd;
  const { token, tail = false, argsz } = op;
  const known = token === undefined ? size : withPointer.size;
  const told = argsz ?? (tail ? withPointer.size + 8 : known);
  const bytes = new Uint8Array(Math.max(withPointer.size, Math.min(told >>> 0, 4096)));
  const ask = (pointer: bigint): number => {
    patch(layouts.vfio_device_bind_iommufd, bytes, { argsz: told, flags: op.flags, iommufd: op.iommufd });
    patch(withPointer, bytes, { pointer });
    if (tail && bytes.length > withPointer.size) bytes[withPointer.size] = 1;
    return backend.ioctl(op.fd, requests.VFIO_DEVICE_BIND_IOMMUFD, argsz === null ? null : bytes);
  };
  const answer = token === undefined ? ask(0n) : withPointed(backend, op.fd, tokenBytes(token), ask).answer;
  const reply = replyOf(answer);
  const { out_devid } = decode(layouts.vfio_device_bind_iommufd, bytes);
  return reply.ok ? { ...reply, out: { out_devid } } : reply;
}

/** struct vfio_device_bind_iommufd since Linux 6.17, of which the header that is compared with the layouts has no more than the beginning. */
const withPointer = layout(24, { pointer: u64(16) });
