import { barOf } from './bars.ts';
import { deviceFileOf } from './cdev.ts';
import { fileAt } from './files.ts';
import { claiming, everyKernel, type Law } from './law.ts';
import type { Op } from './op.ts';
import { coreOf, hardwareOf } from './open-device.ts';
import { placeIn, region, regionOf } from './regions.ts';
import { resetDomain } from './reset-domain.ts';
import type { Hardware, State } from './state.ts';

/** Of what is inside devices: their memory, their configuration space, resets of their bus. */
export const regionLaws: readonly Law[] = [
  {
    id: 'P27',
    statement:
      'Memory of a device is read and written only while its COMMAND register, as its user sees it, decodes memory; virtual functions have no such bit.',
    enforcedBy:
      'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_core_ioread32, vfio_pci_core_iowrite32 and their like',
    profiles: claiming,
    onStep: (world, before, op, { result }) => {
      const place = accessed(op);
      if (place === null || !result.ok || result.value === 0) return true;
      const hardware = hardwareOf(world, before, place);
      if (hardware === undefined || hardware.physicalFunction !== null) return true;
      const [index, start] = [regionOf(place.offset), placeIn(place.offset)];
      if (index >= region.rom || barOf(hardware, index)?.kind !== 'memory') return true;
      return coreOf(before, place).memory || insideTable(hardware, index, start, result.value);
    },
  },
  {
    id: 'P28',
    statement: 'The MSI-X table reads as ones, and no signal writes into it.',
    enforcedBy: 'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_bar_rw, vfio_pci_ioeventfd',
    profiles: everyKernel,
    onState: (world, state) =>
      state.devices.every(({ vfio }, index) => {
        const table = world.hardware[index]?.msixTable;
        return (vfio?.core?.ioeventfds ?? []).every(
          ({ bar, position, size }) =>
            table?.bar !== bar || position + size <= table.start || position >= table.end,
        );
      }),
    onStep: (world, before, op, { result }) => {
      if (op.op !== 'device.read' || !result.ok) return true;
      const hardware = hardwareOf(world, before, op);
      const bytes = result.out?.['bytes'];
      if (hardware === undefined || bytes === undefined) return true;
      if (!insideTable(hardware, regionOf(op.offset), placeIn(op.offset), result.value)) return true;
      return bytes === 'ff'.repeat(result.value);
    },
  },
  {
    id: 'P29',
    statement: 'Writing configuration space enables no MSI that SET_IRQS did not enable.',
    enforcedBy: 'drivers/vfio/pci/vfio_pci_config.c:vfio_msi_config_write',
    profiles: everyKernel,
    onStep: (world, before, op, { result, state }) => {
      if (op.op !== 'device.write' || !result.ok) return true;
      const flags = hardwareOf(world, before, op)?.msi?.at;
      if (flags === undefined || coreOf(before, op).interrupts === 'msi') return true;
      const was = coreOf(before, op).written[flags + 2] ?? 0;
      const is = coreOf(state, op).written[flags + 2] ?? 0;
      return (is & 1) === 0 || (was & 1) === 1;
    },
  },
  {
    id: 'P32',
    statement:
      'A hot reset happens only to functions which are all with VFIO, and which the caller proves to hold by their groups or by one iommufd.',
    enforcedBy: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_hot_reset',
    profiles: claiming,
    onStep: (world, before, op, { result }) => {
      if (op.op !== 'device.hot_reset' || !result.ok) return true;
      const hardware = hardwareOf(world, before, op);
      return (
        hardware === undefined || resetDomain(world, before, hardware).every((its) => held(before, op, its))
      );
    },
  },
];

type Place = { readonly pid: number; readonly fd: number; readonly offset: bigint };

/** Where an operation reads or writes. */
function accessed(op: Op): Place | null {
  if (op.op === 'device.read' || op.op === 'device.write') return op;
  const plain = op.op === 'file.call' && (op.call === 'read' || op.call === 'write');
  return plain ? { pid: op.pid, fd: op.fd, offset: 0n } : null;
}

function insideTable({ msixTable }: Hardware, index: number, start: number, count: number): boolean {
  return msixTable?.bar === index && start >= msixTable.start && start + count <= msixTable.end;
}

type Reset = Extract<Op, { op: 'device.hot_reset' }>;

function held(state: State, op: Reset, { index }: Hardware): boolean {
  const device = state.devices[index];
  if (!device?.vfio) return false;
  const file = deviceFileOf(state, op);
  if (file?.cdev === true) {
    const group = state.iommuGroups.find(({ id }) => id === device.group);
    return file.iommufd !== null && group?.iommufd === file.iommufd;
  }
  return op.groups.some((fd) => {
    const named = fileAt(state, op.pid, fd | 0);
    return named?.kind === 'group' && state.groups[named.group]?.devices.includes(index) === true;
  });
}
