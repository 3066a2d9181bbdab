import { fileOf } from './files.ts';
import type { Op } from './op.ts';
import { ruleOf, rules } from './ops.ts';
import type { OpenFile, State } from './state.ts';

/**
 * An ioctl goes by the file first and by its number then, as in the kernel: the same number means different things on a
 * container and on a device. An operation that is asked of another kind of file becomes what its number means there.
 */
export function dispatch(state: State, op: Op): Op {
  if (op.op === 'ioctl') return read(state, op);
  const { ioctl } = ruleOf(op);
  if (ioctl === undefined || !('fd' in op)) return op;
  const file = fileOf(state, op);
  if (file?.kind === ioctl.on && (may(file) || op.op === 'device.bind_iommufd')) return op;
  const argsz = 'argsz' in op ? op.argsz : undefined;
  const asked: Ioctl = {
    op: 'ioctl',
    pid: op.pid,
    fd: op.fd,
    request: ioctl.request,
    ...(argsz === undefined ? {} : { argsz }),
  };
  return read(state, asked, 'flags' in op ? op.flags : 0);
}

type Ioctl = Extract<Op, { op: 'ioctl' }>;

/**
 * The operation that a number stands for on this file, its arguments zero, but for flags: they stand behind argsz in every
 * structure that has them.
 */
function read(state: State, op: Ioctl, flags = 0): Op {
  const file = fileOf(state, op);
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
    case 'container.api_version':
    case 'container.get_info':
    case 'group.get_status':
    case 'group.unset_container':
    case 'device.get_info':
    case 'device.hot_reset_info':
    case 'device.reset':
      return { ...call, op: name };
    default:
      return asked;
  }
}
