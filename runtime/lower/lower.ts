import type { Op, OpKind } from '../../src/model/op.ts';
import { fcntl } from '../abi/fcntl.ts';
import { requests } from '../abi/ioctl.ts';
import { decode, type Field, type Layout, patch, type Values } from '../abi/layout.ts';
import { mman } from '../abi/mman.ts';
import { layouts } from '../abi/vfio.ts';
import { type Backend, WouldBlock } from '../backend.ts';
import { answerOf, type Deed } from './deeds.ts';
import { bindIommufd, feature, hotReset, ioeventfd, readHotResetInfo, setIrqs } from './device.ts';
import { type Answered, iommufdLowerings } from './iommufd.ts';
import { createDevice, createVm, tellFile } from './kvm.ts';
import { type Reply, replyOf } from './reply.ts';
import { type SysfsWrite, writeSysfs } from './sysfs-writes.ts';
import { dirtyPages, getInfo, unmapDma } from './type1.ts';

/**
 * Every operation of the model as system calls of one process, and what they answer as the model says it. Descriptors
 * and addresses are the backend's own: whoever compares with a model keeps the two kinds of numbers apart.
 *
 * `descriptor.pass` is missing, because it takes two processes and a socket, which `Backend` does not have.
 */
export type { Reply } from './reply.ts';

export type LoweredOp = Exclude<Op, { op: 'descriptor.pass' }>;

type Lowered = LoweredOp['op'];

/** Whether a single process can make the operation with what `Backend` has. */
export function isLowered(op: Op): op is LoweredOp {
  return Object.hasOwn(lowerings, op.op);
}

export function lower(backend: Backend, op: LoweredOp): Reply {
  // Each entry takes its own kind of operation, which is the one that it is looked up by.
  const call = lowerings[op.op] as (backend: Backend, its: typeof op) => Reply;
  try {
    return call(backend, op);
  } catch (error) {
    if (error instanceof WouldBlock) return { ok: false, errno: 'blocked' };
    throw error;
  }
}

type Of<Kind extends OpKind> = Extract<Op, { op: Kind }>;
type Lowerings = { readonly [Kind in Lowered]: (backend: Backend, op: Of<Kind>) => Reply };

const lowerings: Lowerings = {
  'module.load': deed,
  'module.unload': deed,
  'parameter.write': deed,
  'override.write': deed,
  'driver.bind': deed,
  'driver.unbind': deed,
  'drivers.probe': deed,
  'node.own': deed,
  'config.write': deed,
  'config.remove': deed,
  'config.make_directory': deed,
  'config.remove_directory': deed,
  'driver.new_id': sysfsWrite,
  'driver.remove_id': sysfsWrite,
  'bus.autoprobe': sysfsWrite,
  'bus.rescan': sysfsWrite,
  'device.remove': sysfsWrite,
  'device.enable': sysfsWrite,
  'device.sysfs_reset': sysfsWrite,
  'device.reset_method': sysfsWrite,
  'device.sriov_numvfs': sysfsWrite,
  'device.sriov_autoprobe': sysfsWrite,
  'iommu_group.type': sysfsWrite,
  open: (backend, { path }) => replyOf(backend.open(path, fcntl.O_RDWR | fcntl.O_CLOEXEC)),
  close: (backend, { fd }) => replyOf(backend.close(fd)),
  'file.call': fileCall,
  eventfd: (backend) => replyOf(backend.eventfd(0, fcntl.O_CLOEXEC)),
  'container.api_version': byValue('VFIO_GET_API_VERSION', () => 0),
  'container.check_extension': byValue('VFIO_CHECK_EXTENSION', (op) => op.extension),
  'container.set_iommu': byValue('VFIO_SET_IOMMU', (op) => op.type),
  'container.get_info': getInfo,
  'container.map_dma': structure('VFIO_IOMMU_MAP_DMA', layouts.vfio_iommu_type1_dma_map, [], (op) => ({
    flags: op.flags,
    vaddr: op.vaddr,
    iova: op.iova,
    size: op.size,
  })),
  'container.unmap_dma': unmapDma,
  'container.dirty_pages': dirtyPages,
  'group.get_status': structure('VFIO_GROUP_GET_STATUS', layouts.vfio_group_status, ['flags'], () => ({})),
  'group.set_container': (backend, op) =>
    memory(backend, op, 'VFIO_GROUP_SET_CONTAINER', new Uint8Array(Int32Array.of(op.container).buffer)),
  'group.unset_container': byValue('VFIO_GROUP_UNSET_CONTAINER', () => 0),
  'group.get_device_fd': (backend, op) =>
    memory(backend, op, 'VFIO_GROUP_GET_DEVICE_FD', new TextEncoder().encode(`${op.name}\0`)),
  'device.bind_iommufd': bindIommufd,
  'device.get_info': structure(
    'VFIO_DEVICE_GET_INFO',
    layouts.vfio_device_info,
    ['flags', 'num_regions', 'num_irqs', 'cap_offset'],
    () => ({}),
  ),
  'device.region_info': structure(
    'VFIO_DEVICE_GET_REGION_INFO',
    layouts.vfio_region_info,
    ['flags', 'cap_offset', 'size', 'offset'],
    (op) => ({ index: op.index }),
  ),
  'device.irq_info': structure(
    'VFIO_DEVICE_GET_IRQ_INFO',
    layouts.vfio_irq_info,
    ['flags', 'count'],
    (op) => ({ index: op.index }),
  ),
  'device.reset': byValue('VFIO_DEVICE_RESET', () => 0),
  'device.set_irqs': (backend, op) => replyOf(setIrqs(backend, op)),
  'device.read': (backend, op) => readReply(backend.pread(op.fd, op.count >>> 0, op.offset)),
  'device.write': (backend, op) => replyOf(backend.pwrite(op.fd, Uint8Array.from(op.bytes), op.offset)),
  'device.mmap': deviceMmap,
  'device.hot_reset_info': hotResetInfo,
  'device.hot_reset': (backend, op) => replyOf(hotReset(backend, op)),
  'device.ioeventfd': (backend, op) => replyOf(ioeventfd(backend, op)),
  'device.feature': (backend, op) => replyOf(feature(backend, op)),
  'device.attach_ioas': structure(
    'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    layouts.vfio_device_attach_iommufd_pt,
    ['pt_id'],
    (op) => ({ flags: op.flags, pt_id: op.target }),
  ),
  'device.detach_ioas': structure(
    'VFIO_DEVICE_DETACH_IOMMUFD_PT',
    layouts.vfio_device_detach_iommufd_pt,
    [],
    (op) => ({ flags: op.flags }),
  ),
  'iommufd.destroy': iommufd('iommufd.destroy'),
  'iommufd.ioas_alloc': iommufd('iommufd.ioas_alloc'),
  'iommufd.ioas_iova_ranges': iommufd('iommufd.ioas_iova_ranges'),
  'iommufd.ioas_allow_iovas': iommufd('iommufd.ioas_allow_iovas'),
  'iommufd.ioas_map': iommufd('iommufd.ioas_map'),
  'iommufd.ioas_copy': iommufd('iommufd.ioas_copy'),
  'iommufd.ioas_unmap': iommufd('iommufd.ioas_unmap'),
  'iommufd.option': iommufd('iommufd.option'),
  'iommufd.vfio_ioas': iommufd('iommufd.vfio_ioas'),
  'iommufd.hwpt_alloc': iommufd('iommufd.hwpt_alloc'),
  'iommufd.get_hw_info': iommufd('iommufd.get_hw_info'),
  'iommufd.hwpt_set_dirty_tracking': iommufd('iommufd.hwpt_set_dirty_tracking'),
  'iommufd.hwpt_get_dirty_bitmap': iommufd('iommufd.hwpt_get_dirty_bitmap'),
  'iommufd.hwpt_invalidate': iommufd('iommufd.hwpt_invalidate'),
  'iommufd.fault_queue_alloc': iommufd('iommufd.fault_queue_alloc'),
  'iommufd.noiommu_get_pa': iommufd('iommufd.noiommu_get_pa'),
  'iommufd.api_version': byValue('VFIO_GET_API_VERSION', () => 0),
  'iommufd.check_extension': byValue('VFIO_CHECK_EXTENSION', (op) => op.extension),
  'iommufd.set_iommu': byValue('VFIO_SET_IOMMU', (op) => op.type),
  'iommufd.get_info': (backend, op) => getInfo(backend, { ...op, op: 'container.get_info' }),
  'iommufd.map_dma': structure('VFIO_IOMMU_MAP_DMA', layouts.vfio_iommu_type1_dma_map, [], (op) => ({
    flags: op.flags,
    vaddr: op.vaddr,
    iova: op.iova,
    size: op.size,
  })),
  'iommufd.unmap_dma': structure(
    'VFIO_IOMMU_UNMAP_DMA',
    layouts.vfio_iommu_type1_dma_unmap,
    ['size'],
    (op) => ({ flags: op.flags, iova: op.iova, size: op.size }),
  ),
  'kvm.create_vm': (backend, op) => replyOf(createVm(backend, op)),
  'kvm.create_device': (backend, op) => replyOf(createDevice(backend, op)),
  'kvm.add_group': (backend, op) => replyOf(tellFile(backend, op)),
  'kvm.del_group': (backend, op) => replyOf(tellFile(backend, op)),
  ioctl: anyIoctl,
};

/** A request of iommufd's own. */
function iommufd<Kind extends keyof typeof iommufdLowerings>(
  kind: Kind,
): (backend: Backend, op: Of<Kind>) => Reply {
  const call = iommufdLowerings[kind] as (backend: Backend, op: Of<Kind>) => Answered;
  return (backend, op) => {
    const { answer, out } = call(backend, op);
    const reply = replyOf(answer);
    return reply.ok && out !== undefined ? { ...reply, out } : reply;
  };
}

function deed(backend: Backend, op: Deed): Reply {
  return replyOf(answerOf(backend, op));
}

function sysfsWrite(backend: Backend, op: SysfsWrite): Reply {
  return replyOf(writeSysfs(backend, op));
}

/** An ioctl whose argument is a number. */
function byValue<Op extends { readonly fd: number }>(
  request: keyof typeof requests,
  value: (op: Op) => number,
): (backend: Backend, op: Op) => Reply {
  return (backend, op) => replyOf(backend.ioctl(op.fd, requests[request], value(op)));
}

type Pointed = { readonly fd: number; readonly argsz?: number | null };

/** An ioctl whose argument is a structure that begins with its size. `out` are the fields that it answers with. */
function structure<
  Op extends Pointed,
  Fields extends { readonly argsz: Field; readonly [name: string]: Field },
>(
  request: keyof typeof requests,
  layout: Layout<Fields>,
  out: readonly (keyof Fields & string)[],
  values: (op: Op) => Partial<Values<Fields>>,
): (backend: Backend, op: Op) => Reply {
  return (backend, op) => {
    const bytes = new Uint8Array(Math.max(layout.size, Math.min(op.argsz ?? 0, pageSize)));
    patch(layout, bytes, { ...values(op), argsz: op.argsz ?? layout.size } as Partial<Values<Fields>>);
    const reply = memory(backend, op, request, bytes);
    if (!reply.ok || out.length === 0) return reply;
    const answered = decode(layout, bytes);
    return { ...reply, out: Object.fromEntries(out.map((field) => [field, answered[field]])) };
  };
}

/** `argsz` null stands for a pointer that cannot be read. */
function memory(
  backend: Backend,
  { fd, argsz }: Pointed,
  request: keyof typeof requests,
  bytes: Uint8Array,
): Reply {
  return replyOf(backend.ioctl(fd, requests[request], argsz === null ? null : bytes));
}

/** Requests that no other operation covers: as the model has it, zeros behind the pointer, or the value zero. */
function anyIoctl(backend: Backend, { fd, request, argsz }: Of<'ioctl'>): Reply {
  if (valueRequests.has(request)) return replyOf(backend.ioctl(fd, request, 0));
  if (argsz === null) return replyOf(backend.ioctl(fd, request, null));
  const bytes = new Uint8Array(pageSize);
  patch(layouts.vfio_group_status, bytes, { argsz: argsz ?? pageSize });
  return replyOf(backend.ioctl(fd, request, bytes));
}

const pageSize = 4096;

const valueRequests: ReadonlySet<number> = new Set([
  requests.VFIO_GET_API_VERSION,
  requests.VFIO_CHECK_EXTENSION,
  requests.VFIO_SET_IOMMU,
  requests.VFIO_GROUP_UNSET_CONTAINER,
  requests.VFIO_DEVICE_RESET,
]);

function fileCall(backend: Backend, { fd, call }: Of<'file.call'>): Reply {
  switch (call) {
    case 'read': {
      const bytes = backend.read(fd, 1);
      return replyOf(typeof bytes === 'number' ? bytes : bytes.length);
    }
    case 'write':
      return replyOf(backend.write(fd, new Uint8Array(1)));
    case 'lseek':
      return replyOf(backend.lseek(fd, 0n, fcntl.SEEK_SET));
    case 'mmap': {
      const address = backend.mmap(pageSize, mman.PROT_READ, mman.MAP_SHARED, fd, 0n);
      if (typeof address === 'number') return replyOf(address);
      backend.munmap(address, pageSize);
      return { ok: true, value: 0 };
    }
  }
}
function readReply(answer: Uint8Array | number): Reply {
  if (typeof answer === 'number') return replyOf(answer);
  const bytes = Array.from(answer.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { ok: true, value: answer.length, out: { bytes } };
}

function deviceMmap(backend: Backend, { fd, offset, length, shared }: Of<'device.mmap'>): Reply {
  const flags = shared ? mman.MAP_SHARED : mman.MAP_PRIVATE;
  const address = backend.mmap(length, mman.PROT_READ, flags, fd, offset);
  if (typeof address === 'number') return replyOf(address);
  backend.munmap(address, length);
  return { ok: true, value: 0 };
}

function hotResetInfo(backend: Backend, op: Of<'device.hot_reset_info'>): Reply {
  const { answer, out } = readHotResetInfo(backend, op);
  const reply = replyOf(answer);
  return reply.ok ? { ...reply, out } : reply;
}
