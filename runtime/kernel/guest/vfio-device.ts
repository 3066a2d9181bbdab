/**
 * The requests of a device file of vfio-pci: bytes become the model's operations and its answers become bytes. Sizes and
 * order of copying are those of drivers/vfio/pci/vfio_pci_core.c.
 */

import type { Op } from '../../../src/model/op.ts';
import { layouts, vfio } from '../../abi/vfio.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, type On, type Reused, s32, u32, u64, uuid, writer } from './structures.ts';
import { asksDevice, type Telling } from './told.ts';

const askInfo: Reused<Extract<Op, { op: 'device.get_info' }>> = {
  op: 'device.get_info',
  pid: 0,
  fd: 0,
  argsz: null,
};

const info = layouts.vfio_device_info;
const firstSize = info.fields.cap_offset.offset;
const writeInfo = writer(info, ['flags', 'num_regions', 'num_irqs']);

/** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_info: 6.1 copies 16 or 20 bytes back, 6.12 what the caller has, to 24. */
export function deviceInfo({ machine, fd, id }: On, { pid }: Process, argument: Argument): number {
  const its = argument.words(firstSize);
  const argsz = its === null ? argszOf(argument.structure(4)) : (its[0] as number) >>> 0;
  askInfo.pid = pid;
  askInfo.fd = fd;
  askInfo.argsz = argsz;
  const result = machine.ask(askInfo, id);
  if (typeof result === 'number') return result;
  const known = machine.world.profile.deviceInfoSize;
  const told = argsz ?? 0;
  const size = known === 24 ? Math.min(told, known) : told >= known ? known : firstSize;
  if (its === null || argument.room() < size) return refuse('EFAULT');
  writeInfo(its, result);
  if (size > firstSize) zero(argument.structure(size), firstSize, size);
  return result.value;
}

function zero(its: DataView | null, from: number, to: number): void {
  for (let at = from; at < to; at++) its?.setUint8(at, 0);
}

const askInterrupt = asksDevice('device.irq_info', layouts.vfio_irq_info, ['flags', 'count']);

/** vfio_pci_ioctl_get_irq_info. */
export function irqInfo(file: Telling, process: Process, argument: Argument): number {
  const told = askInterrupt(file, process, argument);
  return typeof told === 'number' ? told : told.value;
}

/** vfio_pci_ioctl_set_irqs: what stands behind the structure is copied once the structure itself is found good. */
export function setIrqs({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_irq_set;
  const its = argument.structure(size);
  const flags = u32(its, fields.flags);
  const count = u32(its, fields.count);
  const width = (flags & vfio.VFIO_IRQ_SET_DATA_EVENTFD) !== 0 ? 4 : 1;
  const wanted = (flags & vfio.VFIO_IRQ_SET_DATA_NONE) !== 0 ? 0 : Math.min(count, mostVectors);
  const there = its === null ? 0 : Math.min(wanted, Math.floor((its.byteLength - size) / width));
  const data: number[] = [];
  for (let place = 0; place < there; place++) {
    const at = size + place * width;
    data.push(width === 4 ? (its?.getInt32(at, true) ?? 0) : (its?.getUint8(at) ?? 0));
  }
  const [index, start] = [u32(its, fields.index), u32(its, fields.start)];
  const op: Op = {
    op: 'device.set_irqs',
    pid,
    fd,
    argsz: argszOf(its),
    flags,
    index,
    start,
    count,
    data,
  };
  return there < wanted ? unreadable(machine, op, irqHeader) : machine.value(op);
}

/** More than any device has, so that a count which is refused anyway is not read. */
const mostVectors = 4096;

/** vfio_pci_ioctl_ioeventfd. */
export function ioeventfd({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { fields } = layouts.vfio_device_ioeventfd;
  const its = argument.structure(28);
  return machine.value({
    op: 'device.ioeventfd',
    pid,
    fd,
    argsz: argszOf(its),
    flags: u32(its, fields.flags),
    offset: u64(its, fields.offset),
    data: u64(its, fields.data),
    eventfd: s32(its, fields.fd),
  });
}

/** drivers/vfio/vfio_main.c:vfio_ioctl_device_feature. */
export function deviceFeature({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_device_feature;
  const its = argument.structure(size);
  const flags = u32(its, fields.flags);
  const which = flags & vfio.VFIO_DEVICE_FEATURE_MASK;
  const behind = its === null ? 0 : its.byteLength - size;
  const token = which === vfio.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN && behind >= 16;
  const op: Op = {
    op: 'device.feature',
    pid,
    fd,
    argsz: argszOf(its),
    flags,
    token: token && its !== null ? uuid(its, size) : '',
    eventfd: behind >= 4 && its !== null ? its.getInt32(size, true) : 0,
  };
  const needed = needs[which] ?? 0;
  return needed > behind ? unreadable(machine, op, featureHeader) : machine.value(op);
}

/** Bytes that are copied from behind the structure. */
const needs: Readonly<Record<number, number>> = {
  [vfio.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN]: 16,
  [vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP]: 8,
};

const irqHeader = /\.(not-bound|fault|argsz|index|count|flags|range|data|room)$/;
const featureHeader = /\.(not-bound|unknown|fault|argsz|flags|both|absent|token|get|nothing|room)$/;

/**
 * A call whose structure can be read and what stands behind it cannot: the tests of the structure come first (`header`
 * names their guards), and where nothing is copied after them it is a call like any other.
 */
export function unreadable(machine: On['machine'], op: Op, header: RegExp): number {
  const refused = machine.refusalOf(op);
  const copies = op.op !== 'device.feature' || (op.flags & vfio.VFIO_DEVICE_FEATURE_PROBE) === 0;
  return (refused !== null && header.test(refused.guard)) || !copies ? machine.value(op) : refuse('EFAULT');
}
