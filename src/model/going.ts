import { unbind } from './binding.ts';
import type { Removal } from './bus-state.ts';
import { deviceIn, draftOf, vfioOf } from './draft.ts';
import { replace } from './places.ts';
import {
  absentDevice,
  changeSettings,
  enabledVirtualFunctions,
  goingWith,
  onBusBehind,
  withdrawsVirtual,
} from './presence.ts';
import type { Device, Hardware, State, World } from './state.ts';

/**
 * Devices that go: from their driver, or altogether. Each call goes its way up to the first device that somebody has open,
 * and waits there; when that is closed, it goes its way again, past what it has done before.
 */
export interface Walk {
  readonly state: State;
  /** It is not at its end: a device on its way is open. */
  readonly waits: boolean;
}

/** Pid of the process whose call it is; null: one that waits for nobody, for it was asked before whether it has to. */
export type Waiter = number | null;

/** Whether somebody has a descriptor of it. */
export function isOpen({ vfio }: Device): boolean {
  return vfio !== null && vfio.opens + vfio.unbound > 0;
}

/**
 * Takes the driver away from a device: the links are gone, then the virtual functions that the driver disables, and since
 * 6.6 what others find the device by, before its last descriptor is waited for (drivers/base/dd.c:__device_release_driver,
 * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_unregister_device, drivers/vfio/vfio_main.c:vfio_unregister_group_dev).
 */
export function letGo(world: World, state: State, hardware: Hardware, pid: Waiter): Walk {
  const device = state.devices[hardware.index];
  if (device === undefined || device.driver === null) return { state, waits: false };
  let now = state;
  if (withdrawsVirtual(device)) {
    const gone = withdraw(world, begun(state, hardware, pid), hardware, pid);
    if (gone.waits) return gone;
    now = gone.state;
  }
  if (pid !== null && isOpen(device))
    return { state: unlisted(world, begun(now, hardware, pid), hardware), waits: true };
  return { state: unbind(world, now, hardware), waits: false };
}

/** The links of a device and its driver are gone, and its lock is held (driver_sysfs_remove). */
function begun(state: State, { index }: Hardware, pid: Waiter): State {
  if (pid === null || state.devices[index]?.leaving !== null) return state;
  const draft = draftOf(state);
  deviceIn(draft, index).leaving = pid;
  return draft;
}

/** vfio_device_del. */
function unlisted(world: World, state: State, { index }: Hardware): State {
  if (!world.profile.unlistsLeaving || !state.devices[index]?.vfio?.node) return state;
  const draft = draftOf(state);
  vfioOf(draft, index).node = null;
  return draft;
}

/** Takes virtual functions away, one after the other (drivers/pci/iov.c:sriov_disable, pci_iov_remove_virtfn). */
export function withdraw(world: World, state: State, owner: Hardware, pid: Waiter): Walk {
  let now = state;
  for (const hardware of enabledVirtualFunctions(world, state, owner)) {
    const walk = letGo(world, now, hardware, pid);
    if (walk.waits) return walk;
    now = leave(world, walk.state, hardware);
  }
  // Of some that nobody told of it is not known whether they are gone.
  const told = owner.virtualFunctions.length > 0;
  return { state: told ? changeSettings(now, owner, { virtualFunctions: 0 }) : now, waits: false };
}

/** drivers/pci/remove.c:pci_stop_bus_device: what came to a bus last goes first. */
function stop(world: World, state: State, hardware: Hardware, pid: Waiter): Walk {
  let now = state;
  for (const behind of [...onBusBehind(world, state, hardware)].reverse()) {
    const walk = stop(world, now, behind, pid);
    if (walk.waits) return walk;
    now = walk.state;
  }
  return letGo(world, now, hardware, pid);
}

/** Takes a device away with all that goes with it: all drivers let go before the first device is gone (pci_stop_and_remove_bus_device). */
export function remove(world: World, state: State, hardware: Hardware, pid: Waiter): Walk {
  const walk = stop(world, state, hardware, pid);
  if (walk.waits) return walk;
  let now = walk.state;
  for (const its of [...goingWith(world, now, hardware), hardware]) {
    if (now.devices[its.index]?.present === true) now = leave(world, now, its);
  }
  return { state: now, waits: false };
}

/** What a write to `remove`, or of 0 to `sriov_numvfs`, does until it waits. */
export function takeOn(world: World, state: State, { op, device, pid }: Removal): Walk {
  const hardware = world.hardware[device];
  if (hardware === undefined) return { state, waits: false };
  return op === 'device.remove' ? remove(world, state, hardware, pid) : withdraw(world, state, hardware, pid);
}

/** The state when such a write waits. */
export function takeAway(world: World, state: State, removal: Removal): State {
  const { op, device } = removal;
  const { removing } = state.bus;
  if (removing.some((its) => its.op === op && its.device === device)) return state;
  const { state: now } = takeOn(world, state, removal);
  const draft = draftOf(now);
  draft.bus = { ...now.bus, removing: [...removing, removal] };
  return draft;
}

function leave(world: World, state: State, hardware: Hardware): State {
  const freed = state.devices[hardware.index]?.driver === null ? state : unbind(world, state, hardware);
  const group = freed.devices[hardware.index]?.group ?? null;
  const { arrived } = freed.bus;
  return {
    ...freed,
    devices: replace(freed.devices, hardware.index, absentDevice(hardware)),
    iommuGroups: group === null ? freed.iommuGroups : withoutMember(freed.iommuGroups, group, hardware.index),
    bus: arrived.includes(hardware.index)
      ? { ...freed.bus, arrived: arrived.filter((index) => index !== hardware.index) }
      : freed.bus,
  };
}

/** A group that loses its last device is gone (drivers/iommu/iommu.c:iommu_group_remove_device). */
function withoutMember(groups: State['iommuGroups'], id: number, member: number): State['iommuGroups'] {
  return groups.flatMap((group) => {
    if (group.id !== id) return [group];
    const devices = group.devices.filter((index) => index !== member);
    return devices.length === 0 ? [] : [{ ...group, devices }];
  });
}
