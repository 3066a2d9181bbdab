/** What is not drawn, each with its reason: kernels do there what no model should say of them. */
import { fileAt, fileOf, tableFull } from '../../src/model/files.ts';
import { isRemoved } from '../../src/model/leaving.ts';
import { isGoing } from '../../src/model/modules.ts';
import { nodeAt } from '../../src/model/nodes.ts';
import type { Op } from '../../src/model/op.ts';
import { enabledVirtualFunctions, withdrawsVirtual } from '../../src/model/presence.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { asks } from '../../src/model/sysfs-file.ts';

interface Avoided {
  readonly what: string;
  readonly why: string;
  readonly applies: (state: State, op: Op, world: World) => boolean;
}

export const avoided: readonly Avoided[] = [
  {
    what: 'SET_CONTAINER of a group without an IOMMU to a container, while a device of the group is open that was opened with an iommufd in the place of a container',
    why: 'Linux 6.12 takes such a device for one of the container when it is closed, which never counted it: container_users falls below zero (drivers/vfio/group.c:vfio_df_group_close)',
    applies: (state, op) => {
      if (op.op !== 'group.set_container' || fileAt(state, op.pid, op.container)?.kind !== 'container')
        return false;
      const file = fileOf(state, op);
      const group = file?.kind === 'group' ? file.group : -1;
      return state.groups[group]?.noiommu === true && openedWithIommufd(state, group);
    },
  },
  {
    what: 'new_id of a driver whose module is about to go, that offers it a device which is leaving',
    why: 'the write waits for the lock of the device, and the unload for the write, which then binds what the unload lets go of (fs/kernfs/dir.c:kernfs_drain): the model begins with the write only when the unload is over',
    applies: (state, op, world) => {
      const module = op.op === 'driver.new_id' ? world.drivers.get(op.driver)?.module : null;
      if (module === null || module === undefined || !isGoing(state, module)) return false;
      const { result } = step(world, state, op);
      return !result.ok && 'blocks' in result;
    },
  },
  {
    what: 'close of the descriptors 0, 1 and 2',
    why: 'the model takes them to be open for as long as the process lives, and gives no other file their numbers',
    applies: (_state, op) => op.op === 'close' && op.fd >= 0 && op.fd < 3,
  },
  {
    what: 'node.own that gives a node to another owner, by a process with CAP_CHOWN that may not change its mode then',
    why: 'two system calls are one operation of the model, and the first of them is done when the second is refused',
    applies: (state, op, world) => {
      if (op.op !== 'node.own') return false;
      const { result } = step(world, state, op);
      if (result.ok || result.guard !== 'node.own.chmod') return false;
      const node = nodeAt(state, op.path)?.node;
      return ![node?.uid, unchanged].includes(op.uid) || ![node?.gid, unchanged].includes(op.gid);
    },
  },
  {
    what: 'a write to a file of sysfs by a process that has as many descriptors as it may',
    why: 'the model makes the write alone, and who carries it out has to open the file first',
    applies: (state, op, world) => writesSysfs.test(op.op) && tableFull(world, state, op.pid),
  },
  {
    what: 'the request of a hot reset with more than four descriptors, on a file that is no device',
    why: 'there the number means another request, of which the model takes all but the flags to be zero',
    applies: (state, op) =>
      op.op === 'device.hot_reset' && op.groups.length > 4 && fileOf(state, op)?.kind !== 'device',
  },
  {
    what: 'what is inside a virtual function: its regions, and its interrupts but for the request that it be given back',
    why: 'the model was told of it before it was there, when nothing shows it, and takes it to have the least',
    applies: (state, op, world) => {
      if (!inside.test(op.op) || !('fd' in op) || (op.op === 'device.set_irqs' && op.index === 4))
        return false;
      const file = fileOf(state, op);
      return file?.kind === 'device' && (world.hardware[file.device]?.physicalFunction ?? null) !== null;
    },
  },
  {
    what: "a host's driver for a virtual function without an override",
    why: 'which drivers match it was not told before it was there, and the model takes none to',
    applies: (state, op, world) => {
      if (op.op !== 'driver.bind' || world.processes.get(op.pid)?.uid !== 0) return false;
      const hardware = world.devices.get(op.device);
      const device = hardware && state.devices[hardware.index];
      if (hardware?.physicalFunction == null || !device?.present || device.override !== null) return false;
      return op.driver !== 'pci-stub' && world.drivers.get(op.driver)?.vfio !== true;
    },
  },
  {
    what: 'a choice among ways to reset a function that was not alone on its bus and is now',
    why: 'the snapshot told them when it was not, and nothing in it shows whether a reset of the bus would be one of them now',
    applies: (state, op, world) =>
      op.op === 'device.reset_method' &&
      /default|bus/.test(op.text) &&
      world.hardware.some(({ index, address, physicalFunction }) => {
        const beside = address !== op.device && address.slice(0, -4) === op.device.slice(0, -4);
        return beside && physicalFunction === null && state.devices[index]?.present === false;
      }),
  },
  {
    what: 'removal of a physical function whose driver leaves its virtual ones',
    why: 'they stay without it, and when it comes back the kernel makes others of the same names (drivers/pci/iov.c:pci_iov_remove warns of it)',
    applies: (state, op, world) => {
      if (op.op !== 'device.remove' || !asks(op.text)) return false;
      const hardware = world.devices.get(op.device);
      const device = hardware && state.devices[hardware.index];
      if (hardware === undefined || device === undefined || withdrawsVirtual(device)) return false;
      return enabledVirtualFunctions(world, state, hardware).length > 0;
    },
  },
  {
    what: 'a scan that is asked of a device which somebody removes, and waits',
    why: 'the scan waits for the removal, which has the lock, and the removal for the file that is written (drivers/pci/pci-sysfs.c:dev_rescan_store): neither ends',
    applies: (state, op, world) =>
      op.op === 'bus.rescan' &&
      op.device !== undefined &&
      asks(op.text) &&
      isRemoved(state, world.devices.get(op.device)?.index ?? -1),
  },
  {
    what: "An id, an override or a bind by which a host's driver would take a function that its own table does not name",
    why: 'the driver looks at the hardware and may refuse it, as virtio_pci refuses what is not virtio (drivers/virtio/virtio_pci_modern_dev.c:vp_modern_probe): that is its own affair, and the model takes it to agree',
    applies: (state, op, world) => {
      if (!bindsDrivers.test(op.op)) return false;
      const { state: after } = step(world, state, op);
      return world.hardware.some(({ index, drivers }) => {
        const driver = after.devices[index]?.driver ?? null;
        if (driver === null || driver === state.devices[index]?.driver || drivers.includes(driver))
          return false;
        return driver !== 'pci-stub' && world.drivers.get(driver)?.vfio !== true;
      });
    },
  },
];

/** chown(2)'s -1, "leave it". */
const unchanged = 2 ** 32 - 1;

const writesSysfs =
  /^(module\.load|parameter|override|drivers?|bus|device\.(remove|enable|sysfs_reset|reset_method|sriov_\w+)|iommu_group)\b/;

const inside = /^(ioctl|file\.call|device\.(region_info|irq_info|set_irqs|ioeventfd|read|write|mmap))$/;

const bindsDrivers = /^(driver\.(bind|new_id)|drivers\.probe|bus\.rescan|module\.load|device\.sriov_numvfs)$/;

function openedWithIommufd(state: State, group: number): boolean {
  return state.files.some(
    (file) =>
      file?.kind === 'device' &&
      !file.cdev &&
      file.groupFile === null &&
      state.devices[file.device]?.vfio?.group === group,
  );
}

export function avoids(world: World, state: State, op: Op): boolean {
  return avoided.some(({ applies }) => applies(state, op, world));
}
