/** Resets of a whole bus, as bytes (drivers/vfio/pci/vfio_pci_core.c). */

import type { Op } from '../../../src/model/op.ts';
import { hardwareOf } from '../../../src/model/open-device.ts';
import { resetDomain } from '../../../src/model/reset-domain.ts';
import { layouts } from '../../abi/vfio.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put, u32 } from './structures.ts';
import { unreadable } from './vfio-device.ts';

/** vfio_pci_ioctl_get_pci_hot_reset_info: where there is no room the number of devices is told all the same. */
export function hotResetInfo({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_pci_hot_reset_info;
  const device = layouts.vfio_pci_dependent_device;
  const its = argument.structure(size);
  const op = { op: 'device.hot_reset_info', pid, fd, argsz: argszOf(its) } as const;
  const result = machine.step(op);
  if (typeof result === 'number') {
    const hardware = hardwareOf(machine.world, machine.state, op);
    if (its === null || hardware === undefined || !machine.refusedBy.endsWith('.room')) return result;
    put(its, fields.flags, 0);
    put(its, fields.count, resetDomain(machine.world, machine.state, hardware).length);
    return result;
  }
  const devices = String(field(result, 'devices')).split(' ');
  if (its === null || its.byteLength < size + devices.length * device.size) return refuse('EFAULT');
  put(its, fields.flags, field(result, 'flags'));
  put(its, fields.count, devices.length);
  for (const [place, text] of devices.entries()) {
    const at = size + place * device.size;
    const [, group = '', segment = '', bus = '', slot = '', number = ''] =
      /^(-?\d+)@([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)\.(\d)$/.exec(text) ?? [];
    its.setInt32(at + device.fields.group_id.offset, Number(group), true);
    its.setUint16(at + device.fields.segment.offset, Number.parseInt(segment, 16), true);
    its.setUint8(at + device.fields.bus.offset, Number.parseInt(bus, 16));
    its.setUint8(at + device.fields.devfn.offset, (Number.parseInt(slot, 16) << 3) | Number(number));
  }
  return result.value;
}

/** vfio_pci_ioctl_pci_hot_reset: descriptors stand behind the structure, as many as it says. */
export function hotReset({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_pci_hot_reset;
  const its = argument.structure(size);
  const count = Math.min(u32(its, fields.count), mostGroups);
  const there = its === null ? 0 : Math.min(count, Math.floor((its.byteLength - size) / 4));
  const groups: number[] = [];
  for (let place = 0; place < count; place++) {
    groups.push(place < there ? (its?.getInt32(size + place * 4, true) ?? -1) : -1);
  }
  const op: Op = {
    op: 'device.hot_reset',
    pid,
    fd,
    argsz: argszOf(its),
    flags: u32(its, fields.flags),
    groups,
  };
  return there < count ? unreadable(machine, op, resetHeader) : machine.value(op);
}

const resetHeader = /\.(not-bound|fault|argsz|flags|mode|domain|none|many)$/;

/** More than there are functions on any bus of a machine here, so that a count which is refused anyway is not read. */
const mostGroups = 4096;
