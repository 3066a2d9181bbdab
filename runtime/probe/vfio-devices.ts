import type { Snapshot } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles } from './files.ts';
import { reason } from './functions.ts';

type VfioDevice = Exclude<NonNullable<Snapshot['vfioDevices']>, { readonly unknown: string }>[number];

/**
 * Devices that VFIO has, by their numbers: the next one gets the lowest number that is free. The class is there with
 * module vfio since 6.1 (drivers/vfio/vfio_main.c:vfio_init); a sysfs without it has none.
 */
export function readVfioDevices(files: MachineFiles): NonNullable<Snapshot['vfioDevices']> {
  const names = files.list('/sys/class/vfio-dev');
  if (isMissing(names)) {
    const classes = files.list('/sys/class');
    return names.absent && !isMissing(classes) && classes.length > 0 ? [] : reason(names);
  }
  const devices: VfioDevice[] = [];
  for (const name of names) {
    const index = /^(?:noiommu-)?vfio(\d{1,7})$/.exec(name)?.[1];
    const target = files.link(`/sys/class/vfio-dev/${name}`);
    if (index === undefined) return { unknown: `/sys/class/vfio-dev holds ${name}` };
    if (isMissing(target)) return reason(target);
    // …/0000:03:00.0/vfio-dev/vfio0: the device that it is the VFIO side of.
    const parent = target.split('/').at(-3) ?? '';
    const pci = /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(parent);
    devices.push({ index: Number(index), function: pci ? parent : null });
  }
  return devices.sort((a, b) => a.index - b.index);
}
