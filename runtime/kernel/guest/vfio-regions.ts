/** A device file of vfio-pci as memory: what its regions are, and what they hold (drivers/vfio/pci/vfio_pci_core.c). */

import { configByte } from '../../../src/model/config-space.ts';
import type { Op } from '../../../src/model/op.ts';
import { coreOf, hardwareOf } from '../../../src/model/open-device.ts';
import { placeIn, regionOf, region as regions } from '../../../src/model/regions.ts';
import { layouts, vfio } from '../../abi/vfio.ts';
import type { Argument } from './open-file.ts';
import { configSpace } from './pci-text.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put, type Reused, writer } from './structures.ts';

const askRegion: Reused<Extract<Op, { op: 'device.region_info' }>> = {
  op: 'device.region_info',
  pid: 0,
  fd: 0,
  argsz: null,
  index: 0,
};

const region = layouts.vfio_region_info;
const wordOfIndex = region.fields.index.offset / 4;
const wordOfFlags = region.fields.flags.offset / 4;
const writeRegion = writer(region, ['flags', 'cap_offset', 'size', 'offset']);

/** vfio_pci_ioctl_get_region_info; its one capability is a header alone. */
export function regionInfo({ machine, fd, id }: On, { pid }: Process, argument: Argument): number {
  const its = argument.words(region.size);
  askRegion.pid = pid;
  askRegion.fd = fd;
  askRegion.argsz = its === null ? argszOf(argument.structure(4)) : (its[0] as number) >>> 0;
  askRegion.index = its === null ? 0 : (its[wordOfIndex] as number) >>> 0;
  const result = machine.ask(askRegion, id);
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  writeRegion(its, result);
  const capable = ((its[wordOfFlags] as number) & vfio.VFIO_REGION_INFO_FLAG_CAPS) !== 0;
  if (capable && !putCapability(argument.structure(region.size), Number(field(result, 'cap_offset'))))
    return refuse('EFAULT');
  return result.value;
}

/** The capability at its place, or without room how much there should be; false where memory ends before. */
function putCapability(its: DataView | null, at: number): boolean {
  const { size, fields } = region;
  const header = layouts.vfio_info_cap_header;
  if (its === null) return false;
  if (at === 0) {
    put(its, fields.argsz, size + header.size);
    return true;
  }
  if (its.byteLength < at + header.size) return false;
  its.setUint16(at + header.fields.id.offset, vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, true);
  its.setUint16(at + header.fields.version.offset, 1, true);
  its.setUint32(at + header.fields.next.offset, 0, true);
  return true;
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
  if (regionOf(offset) === regions.config) {
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
