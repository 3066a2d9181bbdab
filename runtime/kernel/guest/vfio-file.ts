/**
 * VFIO's files: a container, a group, a device. Bytes become the model's operations and its answers become bytes; what
 * is asked and answered is the model's alone. Sizes and order of copying are those of the kernel's ioctl functions.
 */

import type { Op } from '../../../src/model/op.ts';
import { fcntl } from '../../abi/fcntl.ts';
import { requests } from '../../abi/ioctl.ts';
import { mman } from '../../abi/mman.ts';
import { layouts } from '../../abi/vfio.ts';
import { bindIommufd } from './iommufd-file.ts';
import type { Machine } from './machine.ts';
import { type Argument, type Mapping, type Opened, OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, type Done, field, put, u32, u64 } from './structures.ts';
import { decodeText } from './text.ts';
import { deviceFeature, deviceInfo, ioeventfd, irqInfo, setIrqs } from './vfio-device.ts';
import { readDevice, regionInfo } from './vfio-regions.ts';
import { hotReset, hotResetInfo } from './vfio-reset.ts';

export type Kind = 'container' | 'group' | 'device' | 'iommufd';

/** One request on an open file. */
type Handler = (file: VfioFile, process: Process, argument: Argument) => number;

export class VfioFile extends OpenFile {
  readonly machine: Machine;
  readonly fd: number;
  private readonly kind: Kind;
  /** Of the open file, whichever descriptor moves it; a device's alone has one. */
  private readonly position: { at: bigint };

  constructor(machine: Machine, fd: number, kind: Kind, named: Opened, position = { at: 0n }) {
    super(named);
    this.position = position;
    this.machine = machine;
    this.fd = fd;
    this.kind = kind;
  }

  override as(fd: number): OpenFile {
    return new VfioFile(this.machine, fd, this.kind, this.named, this.position);
  }

  override ioctl(process: Process, request: number, argument: Argument): number {
    const handler = handlers[this.kind][request];
    return handler === undefined ? other(this, process, request, argument) : handler(this, process, argument);
  }

  override read(process: Process, length: number): Uint8Array | number {
    if (this.kind !== 'device') return this.call(process, 'read');
    const bytes = this.pread(process, length, this.position.at);
    if (typeof bytes !== 'number') this.position.at += BigInt(bytes.length);
    return bytes;
  }
  override pread(process: Process, length: number, offset: bigint): Uint8Array | number {
    return readDevice(this, process, length, offset);
  }
  override write(process: Process, bytes: Uint8Array): number {
    if (this.kind !== 'device') return this.call(process, 'write');
    const written = this.pwrite(process, bytes, this.position.at);
    if (written > 0) this.position.at += BigInt(written);
    return written;
  }
  override pwrite({ pid }: Process, bytes: Uint8Array, offset: bigint): number {
    return this.machine.value({ op: 'device.write', pid, fd: this.fd, offset, bytes: [...bytes] });
  }
  override lseek(process: Process): number {
    return this.call(process, 'lseek');
  }
  override mmap(process: Process, { offset, length, shared }: Mapping): number {
    if (this.kind !== 'device') return this.call(process, 'mmap');
    return this.machine.value({ op: 'device.mmap', pid: process.pid, fd: this.fd, offset, length, shared });
  }

  private call({ pid }: Process, call: Extract<Op, { op: 'file.call' }>['call']): number {
    return this.machine.value({ op: 'file.call', pid, fd: this.fd, call });
  }
}

const handlers: Readonly<Record<Kind, Readonly<Record<number, Handler>>>> = {
  container: {
    [requests.VFIO_GET_API_VERSION]: ({ machine, fd }, { pid }) =>
      machine.value({ op: 'container.api_version', pid, fd }),
    [requests.VFIO_CHECK_EXTENSION]: ({ machine, fd }, { pid }, argument) =>
      machine.value({ op: 'container.check_extension', pid, fd, extension: argument.number }),
    [requests.VFIO_SET_IOMMU]: ({ machine, fd }, { pid }, argument) =>
      machine.value({ op: 'container.set_iommu', pid, fd, type: argument.number }),
    [requests.VFIO_IOMMU_MAP_DMA]: mapDma,
    [requests.VFIO_IOMMU_UNMAP_DMA]: unmapDma,
  },
  group: {
    [requests.VFIO_GROUP_GET_STATUS]: getStatus,
    [requests.VFIO_GROUP_SET_CONTAINER]: setContainer,
    [requests.VFIO_GROUP_UNSET_CONTAINER]: ({ machine, fd }, { pid }) =>
      machine.value({ op: 'group.unset_container', pid, fd }),
    [requests.VFIO_GROUP_GET_DEVICE_FD]: getDeviceFd,
  },
  device: {
    [requests.VFIO_DEVICE_BIND_IOMMUFD]: bindIommufd,
    [requests.VFIO_DEVICE_GET_INFO]: deviceInfo,
    [requests.VFIO_DEVICE_GET_REGION_INFO]: regionInfo,
    [requests.VFIO_DEVICE_GET_IRQ_INFO]: irqInfo,
    [requests.VFIO_DEVICE_SET_IRQS]: setIrqs,
    [requests.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO]: hotResetInfo,
    [requests.VFIO_DEVICE_PCI_HOT_RESET]: hotReset,
    [requests.VFIO_DEVICE_IOEVENTFD]: ioeventfd,
    [requests.VFIO_DEVICE_FEATURE]: deviceFeature,
    [requests.VFIO_DEVICE_RESET]: ({ machine, fd }, { pid }) =>
      machine.value({ op: 'device.reset', pid, fd }),
  },
  iommufd: {},
};

/**
 * Requests that the model judges by number, taking all behind `argsz` for zero. Where the caller's bytes say more than
 * that, the answer would be a guess: ENOSYS.
 */
function other({ machine, fd }: VfioFile, { pid }: Process, request: number, argument: Argument): number {
  const memory = argument.memory();
  const its = argument.structure(4);
  const argsz = argszOf(its);
  const result = machine.step({ op: 'ioctl', pid, fd, request, argsz });
  if (typeof result === 'number') {
    const saysMore = memory?.subarray(4).some((byte) => byte !== 0) === true;
    return machine.refusedBy === 'ioctl.zero' && saysMore ? refuse('ENOSYS') : result;
  }
  return result.out?.['iova_pgsizes'] === undefined ? refuse('ENOSYS') : iommuInfo(its, argsz ?? 0, result);
}

/** vfio_iommu_type1_get_info, without the capability chain, as for a caller whose argsz has no room for it. */
function iommuInfo(its: DataView | null, argsz: number, result: Done): number {
  const { fields } = layouts.vfio_iommu_type1_info;
  const size = argsz < 20 ? 16 : 20;
  if (its === null || its.byteLength < size) return refuse('EFAULT');
  put(its, fields.flags, field(result, 'flags'));
  put(its, fields.iova_pgsizes, field(result, 'iova_pgsizes'));
  if (size === 20) put(its, fields.cap_offset, 0);
  return result.value;
}

/** drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma. */
function mapDma({ machine, fd }: VfioFile, process: Process, argument: Argument): number {
  const { size: bytes, fields } = layouts.vfio_iommu_type1_dma_map;
  const its = argument.structure(bytes);
  const vaddr = u64(its, fields.vaddr);
  const size = u64(its, fields.size);
  const writable = process.memory.covers(vaddr, size, mman.PROT_READ | mman.PROT_WRITE);
  const readable = writable || process.memory.covers(vaddr, size, mman.PROT_READ);
  return machine.value({
    op: 'container.map_dma',
    pid: process.pid,
    fd,
    argsz: argszOf(its),
    flags: u32(its, fields.flags),
    vaddr,
    iova: u64(its, fields.iova),
    size,
    memory: writable ? 'writable' : readable ? 'read-only' : 'none',
  });
}

/** vfio_iommu_type1_unmap_dma: the size is written back only on success. */
function unmapDma({ machine, fd }: VfioFile, { pid }: Process, argument: Argument): number {
  const { size: bytes, fields } = layouts.vfio_iommu_type1_dma_unmap;
  const its = argument.structure(bytes);
  const flags = u32(its, fields.flags);
  const [iova, size] = [u64(its, fields.iova), u64(its, fields.size)];
  const result = machine.step({ op: 'container.unmap_dma', pid, fd, argsz: argszOf(its), flags, iova, size });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, fields.size, field(result, 'size'));
  return result.value;
}

/** drivers/vfio/group.c:vfio_group_ioctl_get_status. */
function getStatus({ machine, fd }: VfioFile, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_group_status;
  const its = argument.structure(size);
  const result = machine.step({ op: 'group.get_status', pid, fd, argsz: argszOf(its) });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, fields.flags, field(result, 'flags'));
  return result.value;
}

/** vfio_group_ioctl_set_container: an int behind a pointer. */
function setContainer({ machine, fd }: VfioFile, { pid }: Process, argument: Argument): number {
  const its = argument.structure(4);
  if (its === null) {
    return machine.value({ op: 'group.set_container', pid, fd, container: -1, argsz: null });
  }
  return machine.value({ op: 'group.set_container', pid, fd, container: its.getInt32(0, true) });
}

/** vfio_group_ioctl_get_device_fd: strndup_user() of at most a page. */
function getDeviceFd({ machine, fd }: VfioFile, process: Process, argument: Argument): number {
  const bytes = argument.memory()?.subarray(0, 4096);
  const end = bytes?.indexOf(0) ?? -1;
  const { pid } = process;
  const readable = bytes !== undefined && (end >= 0 || bytes.length === 4096);
  const name = bytes === undefined ? '' : decodeText(end < 0 ? bytes : bytes.subarray(0, end));
  const argsz = readable ? {} : { argsz: null };
  const device = machine.value({ op: 'group.get_device_fd', pid, fd, name, ...argsz });
  if (device < 0) return device;
  process.files.set(device, new VfioFile(machine, device, 'device', deviceFile));
  return device;
}

/** drivers/vfio/group.c:vfio_device_open_file: anon_inode_getfile() with O_RDWR. */
const deviceFile: Opened = {
  path: 'anon_inode:[vfio-device]',
  asked: 'anon_inode:[vfio-device]',
  flags: fcntl.O_RDWR,
};
