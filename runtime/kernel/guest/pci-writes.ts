/** Files of a PCI function that take writes (drivers/pci/pci-sysfs.c, pci.c, iov.c). */
import { isRemoved } from '../../../src/model/leaving.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Device, Hardware } from '../../../src/model/state.ts';
import { takes } from './build.ts';
import type { Machine } from './machine.ts';
import type { Attribute } from './node.ts';
import type { Entry, Placed } from './pci-function.ts';
import { refuse } from './refuse.ts';

type Kind = Extract<Op, { op: `device.${string}`; readonly text: string }>['op'] | 'bus.rescan';

interface File {
  readonly op: Kind;
  readonly mode: number;
  /** What it reads as, where it can be read. */
  readonly says?: (device: Device) => string;
  /** Whether the function has it. */
  readonly has?: (hardware: Hardware, machine: Machine) => boolean;
}

const files: Readonly<Record<string, File>> = {
  // It is gone before its device (drivers/base/core.c:device_remove_file_self).
  remove: {
    op: 'device.remove',
    mode: 0o220,
    has: ({ index, physicalFunction }, { state }) => physicalFunction === null && !isRemoved(state, index),
  },
  // drivers/pci/pci-sysfs.c:pci_dev_hp_attrs_are_visible.
  rescan: { op: 'bus.rescan', mode: 0o200, has: ({ physicalFunction }) => physicalFunction === null },
  reset: {
    op: 'device.sysfs_reset',
    mode: 0o200,
    has: (hardware, machine) => machine.device(hardware).settings.resettable,
  },
  reset_method: {
    op: 'device.reset_method',
    mode: 0o644,
    says: ({ settings }) => settings.resetMethods.join(' '),
    has: (hardware, machine) =>
      machine.device(hardware).settings.resettable && machine.world.profile.viability === 'claim',
  },
  enable: {
    op: 'device.enable',
    mode: 0o644,
    // A host driver enables its device once, and vfio-pci while it is open.
    says: ({ settings, driver, vfio }) =>
      `${settings.enables + (vfio === null ? Number(driver !== null) : Number(vfio.opens > 0))}`,
  },
  sriov_numvfs: {
    op: 'device.sriov_numvfs',
    mode: 0o644,
    says: ({ settings }) => `${settings.virtualFunctions}`,
    has: ({ totalVfs }) => totalVfs !== null,
  },
  sriov_drivers_autoprobe: {
    op: 'device.sriov_autoprobe',
    mode: 0o644,
    says: ({ settings }) => (settings.probesVirtual ? '1' : '0'),
    has: ({ totalVfs }, { world }) => totalVfs !== null && world.profile.viability === 'claim',
  },
};

export const writableEntries: Readonly<Record<string, Entry>> = Object.fromEntries(
  Object.entries(files).map(([name, file]) => [name, (machine, its) => made(machine, its, file)]),
);

function made(machine: Machine, { hardware }: Placed, { op, mode, says, has }: File): Attribute | undefined {
  if (has?.(hardware, machine) === false) return undefined;
  const write = (text: string, pid: number): number => {
    // A file that was open when its device went away (fs/kernfs/file.c:kernfs_fop_write_iter).
    if (!machine.present(hardware)) return refuse('ENODEV');
    return machine.value({ op, pid, device: hardware.address, text });
  };
  if (says === undefined) return takes(mode, write);
  return takes(mode, write, () => {
    const text = says(machine.device(hardware));
    return text === '' ? '' : `${text}\n`;
  });
}
