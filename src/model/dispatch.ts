import { fileAt } from './files.ts';
import type { Its } from './guard.ts';
import type { Op } from './op.ts';
import { ruleOf, rules } from './ops.ts';
import type { OpenFile, State } from './state.ts';
import { twins } from './twins.ts';

/** Whether a file takes an operation for what it says; `on` is whose request it is. */
export function knows(file: OpenFile | null, op: Op, on: OpenFile['kind']): boolean {
  if (file === null || file.kind !== on) return false;
  return file.kind !== 'device' || may(file) || op.op === 'device.bind_iommufd';
}

/**
 * An ioctl goes by the file first and by its number then, as in the kernel: the same number means different things on a
 * container and on a device. An operation that is asked of another kind of file becomes what its number means there.
 */
export function dispatch(state: State, op: Op): Op {
  return meantOn('fd' in op ? fileAt(state, op.pid, op.fd) : null, op);
}

/** The same, of a file that was looked up. */
export function meantOn(file: OpenFile | null, op: Op): Op {
  if (op.op === 'ioctl') return read(file, op);
  const { ioctl } = ruleOf(op);
  if (ioctl === undefined || !('fd' in op) || knows(file, op, ioctl.on)) return op;
  const twin = twins[op.op];
  if (twin !== undefined && file?.kind === rules[twin].ioctl?.on) return { ...op, op: twin } as Op;
  const argsz = 'argsz' in op && op.argsz !== undefined ? op.argsz : ownSize(op);
  const asked: Ioctl = {
    op: 'ioctl',
    pid: op.pid,
    fd: op.fd,
    request: ioctl.request,
    ...(argsz === undefined ? {} : { argsz }),
  };
  return read(file, asked, 'flags' in op ? op.flags : 0);
}

/** What the descriptor of an operation names. */
export function itsOf(state: State, op: Op): Its<Op> {
  const file = 'fd' in op ? fileAt(state, op.pid, op.fd) : null;
  return file === null ? null : objectOf(state, file);
}

/** The same of a file that was looked up: where a request on it has its effect. */
export function objectOf(state: State, file: OpenFile): Its<Op> {
  switch (file.kind) {
    case 'container':
      return state.containers[file.container] ?? null;
    case 'group':
      return state.groups[file.group] ?? null;
    case 'iommufd':
      return state.iommufds[file.iommufd] ?? null;
    case 'device':
      return file;
    default:
      return null;
  }
}

/** A structure that is shorter than what others are asked with under its number; of the rest it does not matter. */
function ownSize(op: Op): number | undefined {
  return op.op === 'device.hot_reset' ? 12 + 4 * op.groups.length : undefined;
}

type Ioctl = Extract<Op, { op: 'ioctl' }>;

/**
 * The operation that a number stands for on this file, its arguments zero, but for flags: they stand behind argsz in every
 * structure that has them.
 */
function read(file: OpenFile | null, op: Ioctl, flags = 0): Op {
  if (file === null || file.kind === 'other') return op;
  const name = names.get(`${file.kind} ${op.request}`);
  if (name === undefined || !(may(file) || name === 'device.bind_iommufd')) return op;
  return zeroed(name, op, flags);
}

/** A cdev that is not bound knows no request but the one that binds it (vfio_device_fops_unl_ioctl). */
function may(file: OpenFile): boolean {
  return file.kind !== 'device' || !file.cdev || file.iommufd !== null;
}

const names: ReadonlyMap<string, Op['op']> = new Map(
  Object.entries(rules).flatMap(([name, { ioctl }]) =>
    ioctl === undefined ? [] : [[`${ioctl.on} ${ioctl.request}`, name as Op['op']] as const],
  ),
);

function zeroed(name: Op['op'], asked: Ioctl, flags: number): Op {
  const { op: _op, request: _request, ...call } = asked;
  switch (name) {
    case 'container.check_extension':
      return { ...call, op: name, extension: 0 };
    case 'container.set_iommu':
      return { ...call, op: name, type: 0 };
    case 'container.map_dma':
      return { ...call, op: name, flags, vaddr: 0n, iova: 0n, size: 0n, memory: 'none' };
    case 'container.unmap_dma':
      return { ...call, op: name, flags, iova: 0n, size: 0n };
    case 'container.dirty_pages':
      return { ...call, op: name, flags, iova: 0n, size: 0n };
    case 'group.set_container':
      return { ...call, op: name, container: 0 };
    case 'group.get_device_fd':
      return { ...call, op: name, name: '' };
    case 'device.bind_iommufd':
      return { ...call, op: name, iommufd: 0, flags };
    case 'device.attach_ioas':
      return { ...call, op: name, target: 0, flags: 0 };
    case 'device.detach_ioas':
    case 'iommufd.ioas_alloc':
      return { ...call, op: name, flags: 0 };
    case 'device.region_info':
    case 'device.irq_info':
      return { ...call, op: name, index: 0 };
    case 'device.set_irqs':
      return { ...call, op: name, flags, index: 0, start: 0, count: 0, data: [] };
    case 'device.hot_reset':
      return { ...call, op: name, flags, groups: [] };
    case 'device.ioeventfd':
      return { ...call, op: name, flags, offset: 0n, data: 0n, eventfd: 0 };
    case 'device.feature':
      return { ...call, op: name, flags, token: '', eventfd: 0 };
    case 'iommufd.api_version':
    case 'iommufd.get_info':
    case 'container.api_version':
    case 'container.get_info':
    case 'group.get_status':
    case 'group.unset_container':
    case 'device.get_info':
    case 'device.hot_reset_info':
    case 'device.reset':
      return { ...call, op: name };
    default:
      return zeroedOfIommufd(name, call, flags) ?? asked;
  }
}

function zeroedOfIommufd(name: Op['op'], call: Omit<Ioctl, 'op' | 'request'>, flags: number): Op | null {
  switch (name) {
    case 'iommufd.destroy':
      return { ...call, op: name, id: 0 };
    case 'iommufd.ioas_iova_ranges':
      return { ...call, op: name, ioas: 0, room: 0 };
    case 'iommufd.ioas_allow_iovas':
      return { ...call, op: name, ioas: 0, ranges: [] };
    case 'iommufd.ioas_map':
      return { ...call, op: name, flags: 0, ioas: 0, vaddr: 0n, length: 0n, iova: 0n, memory: 'none' };
    case 'iommufd.ioas_copy':
      return { ...call, op: name, flags: 0, dst: 0, src: 0, length: 0n, dstIova: 0n, srcIova: 0n };
    case 'iommufd.ioas_unmap':
      return { ...call, op: name, ioas: 0, iova: 0n, length: 0n };
    case 'iommufd.option':
      return { ...call, op: name, option: 0, operation: 0, object: 0, value: 0n };
    case 'iommufd.vfio_ioas':
      return { ...call, op: name, operation: 0, ioas: 0 };
    case 'iommufd.hwpt_alloc':
      return { ...call, op: name, flags, deviceId: 0, target: 0, dataType: 0, dataLength: 0 };
    case 'iommufd.get_hw_info':
      return { ...call, op: name, flags, deviceId: 0, length: 0, buffer: 'none' };
    case 'iommufd.hwpt_set_dirty_tracking':
      return { ...call, op: name, flags, hwpt: 0 };
    case 'iommufd.hwpt_get_dirty_bitmap':
      return { ...call, op: name, hwpt: flags, flags: 0, iova: 0n, length: 0n, pageSize: 0n };
    case 'iommufd.hwpt_invalidate':
      return { ...call, op: name, hwpt: flags, array: false, entryLength: 0, entries: 0 };
    case 'iommufd.fault_queue_alloc':
      return { ...call, op: name, flags };
    case 'iommufd.noiommu_get_pa':
      return { ...call, op: name, flags, ioas: 0, iova: 0n, length: 0n };
    case 'iommufd.check_extension':
      return { ...call, op: name, extension: 0 };
    case 'iommufd.set_iommu':
      return { ...call, op: name, type: 0 };
    case 'iommufd.map_dma':
      return { ...call, op: name, flags: 0, vaddr: 0n, iova: 0n, size: 0n, memory: 'none' };
    case 'iommufd.unmap_dma':
      return { ...call, op: name, flags: 0, iova: 0n, size: 0n };
    default:
      return null;
  }
}
