/** A device file of vfio-pci as memory: what its regions are, and what they hold (drivers/vfio/pci/vfio_pci_core.c). */

import { configByte } from '../../../src/model/config-space.ts';
import { coreOf, hardwareOf } from '../../../src/model/open-device.ts';
import { placeIn, regionOf, region as regions } from '../../../src/model/regions.ts';
import { layouts, vfio } from '../../abi/vfio.ts';
import type { Argument } from './open-file.ts';
import { configSpace } from './pci-text.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { type On, put } from './structures.ts';
import { asksDevice, type Telling } from './told.ts';

const region = layouts.vfio_region_info;
const askRegion = asksDevice('device.region_info', region, ['flags', 'cap_offset', 'size', 'offset']);

const wordOfCapability = region.fields.cap_offset.offset / 4;

/** vfio_pci_ioctl_get_region_info; its one capability is a header alone. */
export function regionInfo(file: Telling, process: Process, argument: Argument): number {
  const told = askRegion(file, process, argument);
  if (typeof told === 'number') return told;
  const { flags, words, value } = told;
  const capable = (flags & vfio.VFIO_REGION_INFO_FLAG_CAPS) !== 0;
  if (capable && !putCapability(argument.structure(region.size), words[wordOfCapability] as number))
    return refuse('EFAULT');
  return value;
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
