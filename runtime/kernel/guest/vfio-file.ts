/**
 * VFIO's files: a container, a group, a device. Bytes become the model's operations and its answers become bytes; what
 * is asked and answered is the model's alone. Sizes and order of copying are those of the kernel's ioctl functions.
 */

import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import { fcntl } from '../../abi/fcntl.ts';
import { requests } from '../../abi/ioctl.ts';
import { decode, type Field, type Layout, patch, type Values } from '../../abi/layout.ts';
import { mman } from '../../abi/mman.ts';
import { layouts } from '../../abi/vfio.ts';
import type { Machine } from './machine.ts';
import { type Argument, type Opened, OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { decodeText } from './text.ts';

type Kind = 'container' | 'group' | 'device';

/** What one ioctl has at hand. */
interface Asked {
  readonly machine: Machine;
  readonly process: Process;
  readonly fd: number;
  readonly argument: Argument;
}

type Handler = (asked: Asked) => number;

export class VfioFile extends OpenFile {
  private readonly machine: Machine;
  private readonly fd: number;
  private readonly kind: Kind;

  constructor(machine: Machine, fd: number, kind: Kind, named: Opened) {
    super(named);
    this.machine = machine;
    this.fd = fd;
    this.kind = kind;
  }

  override as(fd: number): OpenFile {
    return new VfioFile(this.machine, fd, this.kind, this.named);
  }

  override ioctl(process: Process, request: number, argument: Argument): number {
    const asked: Asked = { machine: this.machine, process, fd: this.fd, argument };
    const handler = handlers[this.kind][request];
    if (handler !== undefined) return handler(asked);
    const { pid } = process;
    const argsz = argszOf(argument);
    return this.machine.value({ op: 'ioctl', pid, fd: this.fd, request, argsz });
  }

  /** What a device's registers hold is not modelled: where a read succeeds, it reads zeros. */
  override read(process: Process, length: number): Uint8Array | number {
    const answer = this.call(process, 'read');
    return answer < 0 ? answer : new Uint8Array(length);
  }
  override pread(process: Process, length: number, offset: bigint): Uint8Array | number {
    return this.elsewhere(offset) ?? this.read(process, length);
  }
  override write(process: Process, bytes: Uint8Array): number {
    const answer = this.call(process, 'write');
    return answer < 0 ? answer : bytes.length;
  }
  override pwrite(process: Process, bytes: Uint8Array, offset: bigint): number {
    return this.elsewhere(offset) ?? this.write(process, bytes);
  }
  override lseek(process: Process): number {
    return this.call(process, 'lseek');
  }
  override mmap(process: Process): number {
    return this.call(process, 'mmap');
  }

  /** The model knows a device file's beginning only; ENOSYS is no answer of Linux's. */
  private elsewhere(offset: bigint): number | undefined {
    return this.kind === 'device' && offset !== 0n ? refuse('ENOSYS') : undefined;
  }

  private call({ pid }: Process, call: Extract<Op, { op: 'file.call' }>['call']): number {
    return this.machine.value({ op: 'file.call', pid, fd: this.fd, call });
  }
}

const handlers: Readonly<Record<Kind, Readonly<Record<number, Handler>>>> = {
  container: {
    [requests.VFIO_GET_API_VERSION]: ({ machine, process: { pid }, fd }) =>
      machine.value({ op: 'container.api_version', pid, fd }),
    [requests.VFIO_CHECK_EXTENSION]: ({ machine, process: { pid }, fd, argument }) =>
      machine.value({ op: 'container.check_extension', pid, fd, extension: Number(argument.value) }),
    [requests.VFIO_SET_IOMMU]: ({ machine, process: { pid }, fd, argument }) =>
      machine.value({ op: 'container.set_iommu', pid, fd, type: Number(argument.value) }),
    [requests.VFIO_IOMMU_MAP_DMA]: mapDma,
    [requests.VFIO_IOMMU_UNMAP_DMA]: unmapDma,
  },
  group: {
    [requests.VFIO_GROUP_GET_STATUS]: getStatus,
    [requests.VFIO_GROUP_SET_CONTAINER]: setContainer,
    [requests.VFIO_GROUP_UNSET_CONTAINER]: ({ machine, process: { pid }, fd }) =>
      machine.value({ op: 'group.unset_container', pid, fd }),
    [requests.VFIO_GROUP_GET_DEVICE_FD]: getDeviceFd,
  },
  device: {
    [requests.VFIO_DEVICE_GET_INFO]: deviceInfo,
    [requests.VFIO_DEVICE_GET_REGION_INFO]: regionInfo,
    [requests.VFIO_DEVICE_GET_IRQ_INFO]: irqInfo,
    [requests.VFIO_DEVICE_RESET]: ({ machine, process: { pid }, fd }) =>
      machine.value({ op: 'device.reset', pid, fd }),
  },
};

/** drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma. */
function mapDma({ machine, process, fd, argument }: Asked): number {
  const its = copyIn(layouts.vfio_iommu_type1_dma_map, argument);
  const { vaddr, iova, size } = its;
  const writable = process.memory.covers(vaddr, size, mman.PROT_READ | mman.PROT_WRITE);
  const readable = writable || process.memory.covers(vaddr, size, mman.PROT_READ);
  const memory = writable ? 'writable' : readable ? 'read-only' : 'none';
  const { argsz, flags } = its;
  return machine.value({
    op: 'container.map_dma',
    pid: process.pid,
    fd,
    argsz,
    flags,
    vaddr,
    iova,
    size,
    memory,
  });
}

/** vfio_iommu_type1_unmap_dma: the size is written back only on success. */
function unmapDma({ machine, process: { pid }, fd, argument }: Asked): number {
  const layout = layouts.vfio_iommu_type1_dma_unmap;
  const { argsz, flags, iova, size } = copyIn(layout, argument);
  const result = machine.step({ op: 'container.unmap_dma', pid, fd, argsz, flags, iova, size });
  if (typeof result === 'number') return result;
  return copyOut(layout, argument, layout.size, { size: BigInt(field(result, 'size')) }, result.value);
}

/** drivers/vfio/group.c:vfio_group_ioctl_get_status. */
function getStatus({ machine, process: { pid }, fd, argument }: Asked): number {
  const layout = layouts.vfio_group_status;
  const { argsz } = copyIn(layout, argument);
  const result = machine.step({ op: 'group.get_status', pid, fd, argsz });
  if (typeof result === 'number') return result;
  return copyOut(layout, argument, layout.size, { flags: Number(field(result, 'flags')) }, result.value);
}

/** vfio_group_ioctl_set_container: an int behind a pointer. */
function setContainer({ machine, process: { pid }, fd, argument }: Asked): number {
  const { memory } = argument;
  if (memory === null || memory.length < 4) {
    return machine.value({ op: 'group.set_container', pid, fd, container: -1, argsz: null });
  }
  const container = new DataView(memory.buffer, memory.byteOffset, 4).getInt32(0, true);
  return machine.value({ op: 'group.set_container', pid, fd, container });
}

/** vfio_group_ioctl_get_device_fd: strndup_user() of at most a page. */
function getDeviceFd({ machine, process, fd, argument }: Asked): number {
  const bytes = argument.memory?.subarray(0, 4096);
  const end = bytes?.indexOf(0) ?? -1;
  const { pid } = process;
  const readable = bytes !== undefined && (end >= 0 || bytes.length === 4096);
  const name = bytes === undefined ? '' : decodeText(end < 0 ? bytes : bytes.subarray(0, end));
  const device = machine.value({
    op: 'group.get_device_fd',
    pid,
    fd,
    name,
    ...(readable ? {} : { argsz: null }),
  });
  if (device < 0) return device;
  process.files.set(device, new VfioFile(machine, device, 'device', deviceFile));
  return device;
}

/** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_info: 6.1 copies 16 or 20 bytes back, 6.12 what the caller has, to 24. */
function deviceInfo({ machine, process: { pid }, fd, argument }: Asked): number {
  const layout = layouts.vfio_device_info;
  const { argsz } = copyIn(layout, argument, 16);
  const result = machine.step({ op: 'device.get_info', pid, fd, argsz });
  if (typeof result === 'number') return result;
  const known = machine.world.profile.deviceInfoSize;
  const given = argsz ?? 0;
  const back = known === 24 ? Math.min(given, known) : given >= known ? known : 16;
  const values = {
    flags: Number(field(result, 'flags')),
    num_regions: Number(field(result, 'num_regions')),
    num_irqs: Number(field(result, 'num_irqs')),
    cap_offset: 0,
  };
  return copyOut(layout, argument, back, values, result.value);
}

/** vfio_pci_ioctl_get_region_info. */
function regionInfo({ machine, process: { pid }, fd, argument }: Asked): number {
  const layout = layouts.vfio_region_info;
  const { argsz, index } = copyIn(layout, argument);
  const result = machine.step({ op: 'device.region_info', pid, fd, argsz, index });
  if (typeof result === 'number') return result;
  const values = {
    flags: Number(field(result, 'flags')),
    size: BigInt(field(result, 'size')),
    offset: BigInt(field(result, 'offset')),
    cap_offset: 0,
  };
  return copyOut(layout, argument, layout.size, values, result.value);
}

/** vfio_pci_ioctl_get_irq_info. */
function irqInfo({ machine, process: { pid }, fd, argument }: Asked): number {
  const layout = layouts.vfio_irq_info;
  const { argsz, index } = copyIn(layout, argument);
  const result = machine.step({ op: 'device.irq_info', pid, fd, argsz, index });
  if (typeof result === 'number') return result;
  const values = { flags: Number(field(result, 'flags')), count: Number(field(result, 'count')) };
  return copyOut(layout, argument, layout.size, values, result.value);
}

/** drivers/vfio/group.c:vfio_device_open_file: anon_inode_getfile() with O_RDWR. */
const deviceFile: Opened = {
  path: 'anon_inode:[vfio-device]',
  asked: 'anon_inode:[vfio-device]',
  flags: fcntl.O_RDWR,
};

type Done = Extract<Result, { readonly ok: true }>;
type Fields = { readonly [name: string]: Field };
/** `argsz` is null when the structure cannot be read. */
type CopiedIn<F extends Fields> = Omit<Values<F>, 'argsz'> & { readonly argsz: number | null };

/** copy_from_user() of a structure's first `size` bytes. */
function copyIn<F extends Fields & { argsz: Field }>(
  layout: Layout<F>,
  { memory }: Argument,
  size: number = layout.size,
): CopiedIn<F> {
  const scratch = new Uint8Array(layout.size);
  const readable = memory !== null && memory.length >= size;
  if (readable) scratch.set(memory.subarray(0, layout.size));
  const values = decode(layout, scratch) as CopiedIn<F>;
  return readable ? values : { ...values, argsz: null };
}

/** copy_to_user() of the first `size` bytes with `values` put in; the call's `value` if all of them could be written. */
function copyOut<F extends Fields>(
  layout: Layout<F>,
  { memory }: Argument,
  size: number,
  values: Partial<Values<F>>,
  value: number,
): number {
  if (memory === null || memory.length < size) return refuse('EFAULT');
  const scratch = new Uint8Array(layout.size);
  scratch.set(memory.subarray(0, size));
  patch(layout, scratch, values);
  memory.set(scratch.subarray(0, size));
  return value;
}

/** What a request that has no structure here would read first. */
function argszOf({ memory }: Argument): number | null {
  if (memory === null || memory.length < 4) return null;
  return new DataView(memory.buffer, memory.byteOffset, 4).getUint32(0, true);
}

function field(result: Done, name: string): number | bigint | string {
  const value = result.out?.[name];
  if (value === undefined) throw new Error(`the model answered without ${name}`);
  return value;
}
