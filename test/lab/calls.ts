/**
 * The model's operations carried out on a Backend, written here a second time on purpose: `runtime/lower` is what is
 * tested, and a mistake in it must not hide itself.
 */
import { errnoOf } from '../../runtime/abi/errno.ts';
import { fcntl } from '../../runtime/abi/fcntl.ts';
import { requests } from '../../runtime/abi/ioctl.ts';
import { decode, encode, type Field, type Layout } from '../../runtime/abi/layout.ts';
import { mman } from '../../runtime/abi/mman.ts';
import { layouts } from '../../runtime/abi/vfio.ts';
import type { Backend } from '../../runtime/backend.ts';
import type { Memory, Op } from '../../src/model/op.ts';
import { onConfiguration } from './calls-configuration.ts';
import { iommufdCall } from './calls-iommufd.ts';
import { deviceBytes, namesOf } from './device-bytes.ts';
import { type1 } from './type1-calls.ts';

/** An operation whose descriptors have names, so that the same words do for the model and for a real process. */
export type Call = Named<Op>;
type Named<O> = O extends Op
  ? {
      [Key in keyof O as Key extends 'pid' ? never : Key]: Key extends
        | 'fd'
        | 'container'
        | 'eventfd'
        | 'iommufd'
        ? string | number
        : O[Key] extends readonly number[]
          ? readonly (string | number)[]
          : O[Key];
    }
  : never;

/** Names of descriptors; a number stands for itself. */
export type Descriptors = Map<string, number>;

/** What a call answered. */
export interface Answer {
  readonly value: number;
  readonly errno: string | null;
  readonly out: { readonly [field: string]: number | bigint | string };
}

export function toOp(call: Call, pid: number, descriptors: Descriptors): Op {
  const fields: { [key: string]: unknown } = { ...call, pid };
  const numbered = (name: unknown) => (typeof name === 'string' ? (descriptors.get(name) ?? -1) : name);
  for (const key of ['fd', 'container', 'iommufd', 'eventfd', 'data', 'groups']) {
    const its = fields[key];
    if (its !== undefined) fields[key] = Array.isArray(its) ? its.map(numbered) : numbered(its);
  }
  return fields as unknown as Op;
}

/** Carries out one operation; `op.pid` is not looked at: it is this process. */
export function perform(backend: Backend, op: Op): Answer {
  switch (op.op) {
    case 'module.load':
      return plain(backend.loadModule(op.module, op.parameters));
    case 'module.unload':
      return plain([op.module, ...(op.also ?? [])].reduce((so, name) => so || backend.unloadModule(name), 0));
    case 'parameter.write':
      return write(backend, `/sys/module/${op.module}/parameters/${op.parameter}`, op.text);
    case 'override.write':
      return write(backend, `/sys/bus/pci/devices/${op.device}/driver_override`, `${op.text}\n`);
    case 'driver.bind':
      return write(backend, `/sys/bus/pci/drivers/${op.driver}/bind`, op.device);
    case 'driver.unbind':
      return write(backend, `/sys/bus/pci/drivers/${op.driver}/unbind`, op.device);
    case 'drivers.probe':
      return write(backend, '/sys/bus/pci/drivers_probe', op.device);
    case 'driver.new_id':
      return write(backend, `/sys/bus/pci/drivers/${op.driver}/new_id`, op.text);
    case 'driver.remove_id':
      return write(backend, `/sys/bus/pci/drivers/${op.driver}/remove_id`, op.text);
    case 'bus.autoprobe':
      return write(backend, '/sys/bus/pci/drivers_autoprobe', op.text);
    case 'bus.rescan': {
      const from = op.device === undefined ? '/sys/bus/pci' : `/sys/bus/pci/devices/${op.device}`;
      return write(backend, `${from}/rescan`, op.text);
    }
    case 'device.remove':
    case 'device.enable':
    case 'device.sysfs_reset':
    case 'device.reset_method':
    case 'device.sriov_numvfs':
    case 'device.sriov_autoprobe':
      return write(backend, `/sys/bus/pci/devices/${op.device}/${deviceFiles[op.op]}`, op.text);
    case 'iommu_group.type':
      return write(backend, `/sys/kernel/iommu_groups/${op.group}/type`, op.text);
    case 'node.own':
      return plain(backend.chown(op.path, op.uid, op.gid) || backend.chmod(op.path, op.mode));
    case 'config.write':
    case 'config.remove':
    case 'config.make_directory':
    case 'config.remove_directory':
      return onConfiguration(backend, op);
    case 'open':
      return plain(backend.open(op.path, fcntl.O_RDWR | fcntl.O_CLOEXEC));
    case 'close':
      return plain(backend.close(op.fd));
    case 'descriptor.pass':
      throw new Error('one process makes all calls here: there is nobody to pass a descriptor to');
    case 'kvm.create_vm':
    case 'kvm.create_device':
    case 'kvm.add_group':
    case 'kvm.del_group':
      throw new Error('no vector of the lab has a virtual machine');
    case 'iommufd.ioas_allow_iovas':
      throw new Error('a backend has no way to fill the memory that the structure points to');
    case 'file.call':
      return fileCall(backend, op.fd, op.call);
    case 'device.read':
    case 'device.write':
    case 'device.mmap':
      return onRegion(backend, op);
    case 'eventfd':
      return plain(backend.eventfd(0, fcntl.O_CLOEXEC));
    default:
      return ioctl(backend, op);
  }
}

const deviceFiles = {
  'device.remove': 'remove',
  'device.enable': 'enable',
  'device.sysfs_reset': 'reset',
  'device.reset_method': 'reset_method',
  'device.sriov_numvfs': 'sriov_numvfs',
  'device.sriov_autoprobe': 'sriov_drivers_autoprobe',
} as const;

/** A negative answer is the errno. */
export function plain(value: number): Answer {
  return { value: Math.max(value, 0), errno: errnoOf(value), out: {} };
}

function write(backend: Backend, path: string, text: string): Answer {
  const fd = backend.open(path, fcntl.O_WRONLY | fcntl.O_CLOEXEC);
  if (fd < 0) return plain(fd);
  const written = backend.write(fd, new TextEncoder().encode(text));
  backend.close(fd);
  return plain(written);
}

function fileCall(backend: Backend, fd: number, call: 'read' | 'write' | 'mmap' | 'lseek'): Answer {
  switch (call) {
    case 'read': {
      const bytes = backend.read(fd, 1);
      return plain(typeof bytes === 'number' ? bytes : bytes.length);
    }
    case 'write':
      return plain(backend.write(fd, new Uint8Array(1)));
    case 'mmap': {
      const address = backend.mmap(4096, mman.PROT_READ, mman.MAP_SHARED, fd, 0n);
      return plain(typeof address === 'number' ? address : 0);
    }
    case 'lseek':
      return plain(backend.lseek(fd, 0n, fcntl.SEEK_SET));
  }
}

type Ioctl = Exclude<
  Op,
  {
    op:
      | `${'module' | 'parameter' | 'override' | 'driver' | 'drivers' | 'node' | 'config' | 'bus' | 'iommu_group'}.${string}`
      | keyof typeof deviceFiles
      | 'open'
      | 'close'
      | 'descriptor.pass'
      | 'file.call'
      | 'eventfd'
      | 'device.read'
      | 'device.write'
      | 'device.mmap'
      | 'iommufd.ioas_allow_iovas'
      | `kvm.${string}`;
  }
>;

function ioctl(backend: Backend, op: Ioctl): Answer {
  const { fd } = op;
  const byValue = (request: number, argument: number) => plain(backend.ioctl(fd, request, argument));
  if (isOfIommufd(op)) return onIommufd(backend, op);
  switch (op.op) {
    case 'container.api_version':
      return byValue(requests.VFIO_GET_API_VERSION, 0);
    case 'container.check_extension':
      return byValue(requests.VFIO_CHECK_EXTENSION, op.extension);
    case 'container.set_iommu':
      return byValue(requests.VFIO_SET_IOMMU, op.type);
    case 'group.unset_container':
      return byValue(requests.VFIO_GROUP_UNSET_CONTAINER, 0);
    case 'device.reset':
      return byValue(requests.VFIO_DEVICE_RESET, 0);
    case 'group.set_container':
      return pointer(backend, fd, requests.VFIO_GROUP_SET_CONTAINER, op, int(op.container));
    case 'group.get_device_fd':
      return pointer(
        backend,
        fd,
        requests.VFIO_GROUP_GET_DEVICE_FD,
        op,
        new TextEncoder().encode(`${op.name}\0`),
      );
    case 'device.hot_reset_info':
      return hotResetInfo(backend, op);
    case 'device.hot_reset':
    case 'device.set_irqs':
    case 'device.ioeventfd':
    case 'device.feature':
      return pointer(backend, fd, deviceBytes(op).request, op, deviceBytes(op).bytes);
    case 'ioctl':
      return pointer(backend, fd, op.request, op, new Uint8Array(256));
    case 'container.get_info':
    case 'container.map_dma':
    case 'container.unmap_dma':
    case 'container.dirty_pages':
      return type1(backend, op);
    case 'group.get_status':
      return struct(backend, fd, requests.VFIO_GROUP_GET_STATUS, op, layouts.vfio_group_status, {});
    case 'device.bind_iommufd':
      return struct(backend, fd, requests.VFIO_DEVICE_BIND_IOMMUFD, op, layouts.vfio_device_bind_iommufd, {
        flags: op.flags,
        iommufd: op.iommufd,
      });
    case 'device.get_info':
      return struct(backend, fd, requests.VFIO_DEVICE_GET_INFO, op, layouts.vfio_device_info, {});
    case 'device.region_info':
      return struct(backend, fd, requests.VFIO_DEVICE_GET_REGION_INFO, op, layouts.vfio_region_info, {
        index: op.index,
      });
    case 'device.irq_info':
      return struct(backend, fd, requests.VFIO_DEVICE_GET_IRQ_INFO, op, layouts.vfio_irq_info, {
        index: op.index,
      });
  }
}

function onRegion(
  backend: Backend,
  op: Extract<Op, { op: 'device.read' | 'device.write' | 'device.mmap' }>,
): Answer {
  switch (op.op) {
    case 'device.read': {
      const bytes = backend.pread(op.fd, op.count >>> 0, op.offset);
      if (typeof bytes === 'number') return plain(bytes);
      return { ...plain(bytes.length), out: { bytes: Buffer.from(bytes.subarray(0, 64)).toString('hex') } };
    }
    case 'device.write':
      return plain(backend.pwrite(op.fd, Uint8Array.from(op.bytes), op.offset));
    case 'device.mmap': {
      const kind = op.shared ? mman.MAP_SHARED : mman.MAP_PRIVATE;
      const address = backend.mmap(op.length, mman.PROT_READ, kind, op.fd, op.offset);
      if (typeof address === 'number') return plain(address);
      return plain(backend.munmap(address, op.length));
    }
  }
}

function hotResetInfo(backend: Backend, op: Extract<Op, { op: 'device.hot_reset_info' }>): Answer {
  const bytes = new Uint8Array(65536);
  const answer = pointer(backend, op.fd, 0x3b70, { argsz: op.argsz === undefined ? 65536 : op.argsz }, bytes);
  return answer.errno === null ? { ...answer, out: namesOf(bytes) } : answer;
}

type OfIommufd = Extract<Ioctl, { op: `iommufd.${string}` | 'device.attach_ioas' | 'device.detach_ioas' }>;

function isOfIommufd(op: Ioctl): op is OfIommufd {
  return /^iommufd\.|^device\.(at|de)tach_ioas$/.test(op.op);
}

function onIommufd(backend: Backend, op: OfIommufd): Answer {
  const { fd } = op;
  const byValue = (request: number, argument: number) => plain(backend.ioctl(fd, request, argument));
  switch (op.op) {
    case 'iommufd.api_version':
      return byValue(requests.VFIO_GET_API_VERSION, 0);
    case 'iommufd.check_extension':
      return byValue(requests.VFIO_CHECK_EXTENSION, op.extension);
    case 'iommufd.set_iommu':
      return byValue(requests.VFIO_SET_IOMMU, op.type);
    case 'iommufd.get_info':
      return type1(backend, { ...op, op: 'container.get_info' });
    case 'iommufd.map_dma':
    case 'iommufd.unmap_dma':
      return type1(backend, {
        ...op,
        op: op.op === 'iommufd.map_dma' ? 'container.map_dma' : 'container.unmap_dma',
      } as Parameters<typeof type1>[1]);
    case 'device.attach_ioas':
    case 'device.detach_ioas':
      return attachment(backend, op);
    case 'iommufd.destroy':
    case 'iommufd.ioas_alloc':
    case 'iommufd.ioas_iova_ranges':
    case 'iommufd.ioas_map':
    case 'iommufd.ioas_copy':
    case 'iommufd.ioas_unmap':
    case 'iommufd.option':
    case 'iommufd.vfio_ioas':
    case 'iommufd.hwpt_alloc':
    case 'iommufd.get_hw_info':
    case 'iommufd.hwpt_set_dirty_tracking':
    case 'iommufd.hwpt_get_dirty_bitmap':
    case 'iommufd.hwpt_invalidate':
    case 'iommufd.fault_queue_alloc':
    case 'iommufd.noiommu_get_pa':
      return ofIommufd(backend, op);
  }
}

/** As for type1, memory that the call says nothing more of is mapped first. */
function ofIommufd(backend: Backend, op: Parameters<typeof iommufdCall>[1]): Answer {
  let its = op;
  if (op.op === 'iommufd.ioas_map' && op.vaddr === 0n && op.length > 0n) {
    const vaddr = memory(backend, op.length, op.memory);
    if (typeof vaddr === 'number') return plain(vaddr);
    its = { ...op, vaddr };
  }
  const { answer, out } = iommufdCall(backend, its);
  return { ...plain(answer), out };
}

function attachment(
  backend: Backend,
  op: Extract<Op, { op: 'device.attach_ioas' | 'device.detach_ioas' }>,
): Answer {
  if (op.op === 'device.detach_ioas') {
    const layout = layouts.vfio_device_detach_iommufd_pt;
    return struct(backend, op.fd, requests.VFIO_DEVICE_DETACH_IOMMUFD_PT, op, layout, { flags: op.flags });
  }
  return struct(
    backend,
    op.fd,
    requests.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    op,
    layouts.vfio_device_attach_iommufd_pt,
    {
      flags: op.flags,
      pt_id: op.target,
    },
  );
}

/** Memory of this process, which is never given back: the mapping that rests on it ends with the process. */
function memory(backend: Backend, size: bigint, kind: Memory): bigint | number {
  const protections = {
    writable: mman.PROT_READ | mman.PROT_WRITE,
    untouched: mman.PROT_READ | mman.PROT_WRITE,
    'read-only': mman.PROT_READ,
    none: mman.PROT_NONE,
  };
  return backend.mmap(Number(size), protections[kind], mman.MAP_PRIVATE | mman.MAP_ANONYMOUS, -1, 0n);
}

/** `argsz` null is the null pointer. */
function struct<Fields extends { readonly [name: string]: Field }>(
  backend: Backend,
  fd: number,
  request: number,
  { argsz }: { readonly argsz?: number | null },
  layout: Layout<Fields>,
  values: { readonly [name: string]: number | bigint },
): Answer {
  if (argsz === null) return plain(backend.ioctl(fd, request, null));
  // With room for what the kernel writes behind the structure when argsz says that there is some.
  const bytes = new Uint8Array(Math.max(layout.size, Math.min(argsz ?? 0, 4096)));
  bytes.set(encode<{ readonly [name: string]: Field }>(layout, { argsz: argsz ?? layout.size, ...values }));
  const answer = plain(backend.ioctl(fd, request, bytes));
  return answer.errno === null ? { ...answer, out: decode(layout, bytes) } : answer;
}

function pointer(
  backend: Backend,
  fd: number,
  request: number,
  { argsz }: { readonly argsz?: number | null },
  bytes: Uint8Array,
): Answer {
  if (typeof argsz === 'number') new DataView(bytes.buffer).setUint32(0, argsz, true);
  return plain(backend.ioctl(fd, request, argsz === null ? null : bytes));
}

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** Calls and answers cross into another process as JSON; what is bigint is written `123n`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}n` : item));
}

export function fromJson<T>(text: string): T {
  return JSON.parse(text, (_key, item) =>
    typeof item === 'string' && /^-?\d+n$/.test(item) ? BigInt(item.slice(0, -1)) : item,
  ) as T;
}
