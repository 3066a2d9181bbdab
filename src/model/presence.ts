import { attachDevice, lowestFreeGroup, withGroup } from './binding.ts';
import { deviceIn, draftOf } from './draft.ts';
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
export function freshSettings({ resetMethods }: Pick<Hardware, 'resetMethods'>): Settings {
  const resettable = resetMethods.length > 0;
  return { resettable, resetMethods, enables: 0, virtualFunctions: 0, probesVirtual: true };
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
  return { present: false, driver: null, override: null, group: null, vfio: null, leaving: null, settings };
}

export function changeSettings(state: State, { index }: Hardware, settings: Partial<Settings>): State {
  if (state.devices[index] === undefined) return state;
  const draft = draftOf(state);
  const device = deviceIn(draft, index);
  device.settings = { ...device.settings, ...settings };
  return draft;
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
 * Whether virtual functions go away when the device loses its driver: the drivers that can enable them disable them then
 * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_unregister_device; igb_remove and its like). Otherwise they stay, even
 * without their physical function.
 */
export function withdrawsVirtual({ driver, settings }: Device): boolean {
  return driver !== null && settings.virtualFunctions > 0 && !leaving.has(driver);
}

/** The virtual functions that go away when a device loses its driver. */
export function goingWithDriver(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  const device = state.devices[hardware.index];
  return device !== undefined && withdrawsVirtual(device)
    ? enabledVirtualFunctions(world, state, hardware)
    : [];
}

/** What is on the bus behind a bridge, as the bus has it: what came since the snapshot last. */
export function onBusBehind(
  world: World,
  state: State,
  { index, headerType }: Hardware,
): readonly Hardware[] {
  if (headerType === 0) return [];
  const { arrived } = state.bus;
  const there = (its: Hardware | undefined): its is Hardware =>
    its?.bridge === index && state.devices[its.index]?.present === true;
  return [
    ...world.hardware.filter((its) => there(its) && !arrived.includes(its.index)),
    ...arrived.map((place) => world.hardware[place]).filter(there),
  ];
}

/** What goes away with a device: what is behind it, and what goes with their drivers and its own, in the order of the kernel. */
export function goingWith(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  const going = new Set<Hardware>();
  for (const behind of [...onBusBehind(world, state, hardware)].reverse()) {
    for (const its of goingWith(world, state, behind)) going.add(its);
    going.add(behind);
  }
  for (const virtual of goingWithDriver(world, state, hardware)) going.add(virtual);
  return [...going];
}

/** A device is there: in its IOMMU group, with the override that somebody had ready for it, without a driver. */
export function arrive(world: World, state: State, hardware: Hardware, override: string | null): State {
  const { id, iommuGroups } = joined(world, state, hardware);
  // drivers/pci/pci.c:pci_dev_reset_method_attr_is_visible, drivers/pci/pci-sysfs.c:pci_dev_reset_attr_is_visible
  const settings = freshSettings({ resetMethods: possibleResets(world, state, hardware) });
  const draft = draftOf(state);
  draft.iommuGroups = iommuGroups;
  draft.bus = { ...state.bus, arrived: [...state.bus.arrived, hardware.index] };
  Object.assign(deviceIn(draft, hardware.index), absentDevice(hardware), {
    present: true,
    override,
    group: id,
    settings,
  });
  return draft;
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
  return { id, iommuGroups: withGroup(state.iommuGroups, made) };
}
