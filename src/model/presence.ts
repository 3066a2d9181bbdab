import { attachDevice, lowestFreeGroup, unbind } from './binding.ts';
import { originOf } from './origin.ts';
import { replace } from './places.ts';
import type { Device, Hardware, Settings, State, World } from './state.ts';

/** Devices that come and go: what `remove`, `rescan` and virtual functions do. */

/** The device at an address, if it is there now. */
export function deviceAt(world: World, state: State, address: string): Hardware | undefined {
  const hardware = world.devices.get(address);
  return hardware !== undefined && state.devices[hardware.index]?.present === true ? hardware : undefined;
}

/** What a device's files say when it has just come. */
export function freshSettings(hardware: Hardware): Settings {
  return { resetMethods: hardware.resetMethods, enables: 0, virtualFunctions: 0, probesVirtual: true };
}

/**
 * Ways in which a device can be reset now: its bus only while nothing else is on it. The kernel finds them when the device
 * comes, and again when `reset_method` is written (drivers/pci/pci.c:pci_init_reset_methods, pci_parent_bus_reset).
 */
export function possibleResets(
  world: World,
  state: State,
  { resetMethods, address, index }: Hardware,
): readonly string[] {
  if (!resetMethods.includes('bus')) return resetMethods;
  const bus = address.slice(0, address.lastIndexOf(':'));
  for (const other of world.hardware) {
    const beside = other.index !== index && other.address.startsWith(`${bus}:`);
    if (beside && state.devices[other.index]?.present) return resetMethods.filter((name) => name !== 'bus');
  }
  return resetMethods;
}

export function absentDevice(hardware: Hardware): Device {
  const settings = freshSettings(hardware);
  return { present: false, driver: null, override: null, group: null, vfio: null, settings };
}

export function changeSettings(state: State, { index }: Hardware, settings: Partial<Settings>): State {
  const device = state.devices[index];
  if (device === undefined) return state;
  const changed = { ...device, settings: { ...device.settings, ...settings } };
  return { ...state, devices: replace(state.devices, index, changed) };
}

/** The virtual functions that are enabled, as far as they are there. */
export function enabledVirtualFunctions(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  const count = state.devices[hardware.index]?.settings.virtualFunctions ?? 0;
  if (count === 0) return [];
  return hardware.virtualFunctions.slice(0, count).flatMap((index) => {
    const its = world.hardware[index];
    return its !== undefined && state.devices[index]?.present === true ? [its] : [];
  });
}

/** Drivers that leave virtual functions enabled when they let go of the physical one. */
const leaving: ReadonlySet<string> = new Set(['nvme', 'pci-pf-stub']);

/**
 * What goes away when a device loses its driver: the virtual functions, which the drivers that can enable them disable
 * then (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_unregister_device; igb_remove and its like).
 */
export function goingWithDriver(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  const driver = state.devices[hardware.index]?.driver ?? null;
  if (driver === null || leaving.has(driver)) return [];
  return enabledVirtualFunctions(world, state, hardware);
}

/** What goes away with a device: what is behind it, its virtual functions and theirs, those that go first before. */
export function goingWith(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  const going: Hardware[] = [...enabledVirtualFunctions(world, state, hardware)];
  if (hardware.headerType !== 0) {
    for (let index = world.hardware.length - 1; index >= 0; index -= 1) {
      const other = world.hardware[index];
      if (
        other === undefined ||
        other.bridge !== hardware.index ||
        state.devices[other.index]?.present !== true
      )
        continue;
      if (other.physicalFunction !== null && going.includes(other)) continue;
      going.push(...goingWith(world, state, other).filter((its) => !going.includes(its)), other);
    }
  }
  return going;
}

/** Takes the driver away from a device whose descriptors are all closed, and with it what it enabled. */
export function release(world: World, state: State, hardware: Hardware): State {
  const without = disable(world, state, hardware, goingWithDriver(world, state, hardware));
  return without.devices[hardware.index]?.driver === null ? without : unbind(world, without, hardware);
}

/** Takes virtual functions away; the physical one then has none enabled. */
export function disable(world: World, state: State, owner: Hardware, going: readonly Hardware[]): State {
  if (going.length === 0) return state;
  let now = state;
  for (const hardware of going) now = leave(world, now, hardware);
  return changeSettings(now, owner, { virtualFunctions: 0 });
}

/** Takes a device away with all that goes with it (drivers/pci/remove.c:pci_stop_and_remove_bus_device). */
export function remove(world: World, state: State, hardware: Hardware): State {
  let now = state;
  // All drivers let go before the first device is gone.
  const going = [...goingWith(world, state, hardware), hardware];
  for (const its of going) now = release(world, now, its);
  for (const its of going) if (now.devices[its.index]?.present === true) now = leave(world, now, its);
  return now;
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

/** A device is there: in its IOMMU group, with the override that somebody had ready for it, without a driver. */
export function arrive(world: World, state: State, hardware: Hardware, override: string | null): State {
  const { id, iommuGroups } = joined(world, state, hardware);
  const settings = { ...freshSettings(hardware), resetMethods: possibleResets(world, state, hardware) };
  const device = { ...absentDevice(hardware), present: true, override, group: id, settings };
  return {
    ...state,
    devices: replace(state.devices, hardware.index, device),
    iommuGroups,
    bus: { ...state.bus, arrived: [...state.bus.arrived, hardware.index] },
  };
}

/** Offers a device that has just come to the drivers; nothing asks drivers_autoprobe (drivers/pci/bus.c:pci_bus_add_device). */
export function offered(world: World, state: State, hardware: Hardware): State {
  const bound = attachDevice(world, state, hardware);
  return bound === 'refused' ? state : bound;
}

/** The groups with the device in its own: the one of those that it shares with, or a new one with the lowest free id. */
function joined(
  world: World,
  state: State,
  { group, index, comesAlone }: Hardware,
): { readonly id: number | null; readonly iommuGroups: State['iommuGroups'] } {
  if (group === null) return { id: null, iommuGroups: state.iommuGroups };
  const place = state.iommuGroups.findIndex((its) => !its.fake && originOf(world, its) === group);
  const known = state.iommuGroups[place];
  if (known !== undefined && !comesAlone) {
    const devices = [...known.devices, index];
    return { id: known.id, iommuGroups: replace(state.iommuGroups, place, { ...known, devices }) };
  }
  const id = lowestFreeGroup(state);
  const type = world.groupTypes.get(group) ?? 'DMA';
  const made = {
    id,
    name: null,
    type,
    fake: false,
    devices: [index],
    ownerCount: 0,
    owner: null,
    iommufd: null,
  };
  return { id, iommuGroups: [...state.iommuGroups, made].sort((a, b) => a.id - b.id) };
}
