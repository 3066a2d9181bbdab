/**
 * VFIO's files: a container, a group, a device. Bytes become the model's operations and its answers become bytes; what
 * is asked and answered is the model's alone. Sizes and order of copying are those of the kernel's ioctl functions.
 */

import { fileId } from '../../../src/model/files.ts';
import type { Op } from '../../../src/model/op.ts';
import { requests } from '../../abi/ioctl.ts';
import { layouts } from '../../abi/vfio.ts';
import { compatInfo } from './compat-info.ts';
import { containerRequests } from './container-file.ts';
import { attachPt, bindIommufd, detachPt, iommufdHandlers } from './iommufd-file.ts';
import type { Machine } from './machine.ts';
import { type Argument, anonymous, type Mapping, type Opened, OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, type Reused, writer } from './structures.ts';
import { decodeText } from './text.ts';
import type { Answers } from './told.ts';
import { unknownRequest } from './unknown-request.ts';
import { deviceFeature, deviceInfo, ioeventfd, irqInfo, setIrqs } from './vfio-device.ts';
import { readDevice, regionInfo } from './vfio-regions.ts';
import { hotReset, hotResetInfo } from './vfio-reset.ts';

export type Kind = 'container' | 'group' | 'device' | 'iommufd';

/** A descriptor of an open file of VFIO's. */
interface Described {
  readonly fd: number;
  /** The file's place in `State.files`. */
  readonly id: number;
  readonly kind: Kind;
  /** Of the open file, where another descriptor has it already. */
  readonly position?: { at: bigint };
  /** Of a group's device, which may be asked for as long as its file is open. */
  readonly answers?: Answers | null;
}

/** Files without positions never move theirs. */
const nowhere = { at: 0n };

/** One request on an open file. */
type Handler = (file: VfioFile, process: Process, argument: Argument) => number;

export class VfioFile extends OpenFile {
  readonly machine: Machine;
  readonly fd: number;
  /** Its place among the model's open files. */
  readonly id: number;
  private readonly kind: Kind;
  private readonly handlers: Readonly<Record<number, Handler>>;
  /** Of the open file, whichever descriptor moves it; a device's alone has one. */
  private readonly position: { at: bigint };

  readonly answers: Answers | null;

  constructor(machine: Machine, { fd, id, kind, position, answers = null }: Described, named: Opened) {
    super(named);
    this.position = position ?? (kind === 'device' ? { at: 0n } : nowhere);
    this.machine = machine;
    this.fd = fd;
    this.id = id;
    this.kind = kind;
    this.handlers = handlers[kind];
    this.answers = answers;
  }

  override as(fd: number): OpenFile {
    const { id, kind, position, answers } = this;
    return new VfioFile(this.machine, { fd, id, kind, position, answers }, this.named);
  }

  override ioctl(process: Process, request: number, argument: Argument): number {
    const handler = this.handlers[request];
    return handler === undefined
      ? unknownRequest(this, process, request, argument)
      : handler(this, process, argument);
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
  container: containerRequests,
  group: {
    [requests.VFIO_GROUP_GET_STATUS]: getStatus,
    [requests.VFIO_GROUP_SET_CONTAINER]: setContainer,
    [requests.VFIO_GROUP_UNSET_CONTAINER]: ({ machine, fd, id }, { pid }) =>
      machine.value({ op: 'group.unset_container', pid, fd }, id),
    [requests.VFIO_GROUP_GET_DEVICE_FD]: getDeviceFd,
  },
  device: {
    [requests.VFIO_DEVICE_BIND_IOMMUFD]: bindIommufd,
    [requests.VFIO_DEVICE_ATTACH_IOMMUFD_PT]: attachPt,
    [requests.VFIO_DEVICE_DETACH_IOMMUFD_PT]: detachPt,
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
  iommufd: { ...containerRequests, ...iommufdHandlers, [requests.VFIO_IOMMU_GET_INFO]: compatInfo },
};

const askStatus: Reused<Extract<Op, { op: 'group.get_status' }>> = {
  op: 'group.get_status',
  pid: 0,
  fd: 0,
  argsz: null,
};

const status = layouts.vfio_group_status;
const writeStatus = writer(status, ['flags']);

/** drivers/vfio/group.c:vfio_group_ioctl_get_status. */
function getStatus({ machine, fd, id }: VfioFile, { pid }: Process, argument: Argument): number {
  const its = argument.words(status.size);
  askStatus.pid = pid;
  askStatus.fd = fd;
  askStatus.argsz = its === null ? argszOf(argument.structure(4)) : (its[0] as number) >>> 0;
  const result = machine.ask(askStatus, id);
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  writeStatus(its, result);
  return result.value;
}

/** vfio_group_ioctl_set_container: an int behind a pointer. */
function setContainer({ machine, fd, id }: VfioFile, { pid }: Process, argument: Argument): number {
  const its = argument.words(4);
  if (its === null) {
    return machine.value({ op: 'group.set_container', pid, fd, container: -1, argsz: null });
  }
  return machine.value({ op: 'group.set_container', pid, fd, container: its[0] as number }, id);
}

/** vfio_group_ioctl_get_device_fd: strndup_user() of at most a page. */
function getDeviceFd({ machine, fd, id: group }: VfioFile, process: Process, argument: Argument): number {
  const memory = argument.memory();
  const bytes = memory !== null && memory.length > 4096 ? memory.subarray(0, 4096) : memory;
  const end = bytes?.indexOf(0) ?? -1;
  const { pid } = process;
  const readable = bytes !== null && (end >= 0 || bytes.length === 4096);
  const name = bytes === null ? '' : decodeText(end < 0 ? bytes : bytes.subarray(0, end));
  const argsz = readable ? {} : { argsz: null };
  const device = machine.value({ op: 'group.get_device_fd', pid, fd, name, ...argsz }, group);
  if (device < 0) return device;
  const id = fileId(machine.state, pid, device);
  const file = machine.state.files[id];
  const answers = file?.kind === 'device' ? machine.tellers.of(file.device) : null;
  process.files[device] = new VfioFile(machine, { fd: device, id, kind: 'device', answers }, deviceFile);
  return device;
}

/** drivers/vfio/group.c:vfio_device_open_file. */
const deviceFile = anonymous('[vfio-device]');
