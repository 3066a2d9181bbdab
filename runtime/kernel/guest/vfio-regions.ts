/** A device file of vfio-pci as memory: what its regions are, and what they hold (drivers/vfio/pci/vfio_pci_core.c). */

import { configByte } from '../../../src/model/config-space.ts';
import { coreOf, hardwareOf } from '../../../src/model/open-device.ts';
import { placeIn, region, regionOf } from '../../../src/model/regions.ts';
import { layouts, vfio } from '../../abi/vfio.ts';
import type { Argument } from './open-file.ts';
import { configSpace } from './pci-text.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put, u32 } from './structures.ts';

/** vfio_pci_ioctl_get_region_info; its one capability is a header alone. */
export function regionInfo({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_region_info;
  const header = layouts.vfio_info_cap_header;
  const its = argument.structure(size);
  const index = u32(its, fields.index);
  const argsz = argszOf(its);
  const result = machine.step({ op: 'device.region_info', pid, fd, argsz, index });
  if (typeof result === 'number') return result;
  const at = Number(field(result, 'cap_offset'));
  if (its === null || (at > 0 && its.byteLength < at + header.size)) return refuse('EFAULT');
  const flags = Number(field(result, 'flags'));
  if (at > 0) {
    its.setUint16(at + header.fields.id.offset, vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, true);
    its.setUint16(at + header.fields.version.offset, 1, true);
    its.setUint32(at + header.fields.next.offset, 0, true);
  } else if ((flags & vfio.VFIO_REGION_INFO_FLAG_CAPS) !== 0) put(its, fields.argsz, size + header.size);
  put(its, fields.flags, flags);
  put(its, fields.cap_offset, at);
  put(its, fields.size, field(result, 'size'));
  put(its, fields.offset, field(result, 'offset'));
  return result.value;
}

/** vfio_pci_rw: what the model does not know reads as it stands in sysfs, or as zeros. */
export function readDevice(
  { machine, fd }: On,
  { pid }: Process,
  length: number,
  offset: bigint,
): Uint8Array | number {
  const op = { op: 'device.read', pid, fd, offset, count: length } as const;
  const result = machine.step(op);
  if (typeof result === 'number') return result;
  const bytes = new Uint8Array(result.value);
  const hardware = hardwareOf(machine.world, machine.state, op);
  if (hardware === undefined) return bytes;
  const at = placeIn(offset);
  if (regionOf(offset) === region.config) {
    const pci = machine.snapshot.functions.find(({ address }) => address === hardware.address);
    const below = pci === undefined ? undefined : configSpace(pci);
    const core = coreOf(machine.state, op);
    for (let place = 0; place < bytes.length; place++) {
      const known = configByte(machine.world, hardware, core, at + place);
      bytes[place] = known ?? below?.[at + place] ?? 0;
    }
  } else if (result.out?.['bytes'] !== undefined) bytes.fill(0xff);
  return bytes;
}
