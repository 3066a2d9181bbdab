import { matchesDynamically } from './dynamic-ids.ts';
import { isGoing, loaded } from './modules.ts';
import type { Device, Driver, Hardware, State, World } from './state.ts';

/** Which drivers a device would be offered, and in which order. */

/** Whether the driver has its directory, which it keeps until it has let go of all devices. */
export function hasDirectory(world: World, state: State, { module }: Driver): boolean {
  return module === null || loaded(world, state, module) !== null;
}

/**
 * Whether the driver is on the bus: one that goes is not, and neither are the files in its directory, before it lets go of
 * its first device. But first of all `unbind` is taken away, which takes until nobody writes to it any more
 * (drivers/base/bus.c:bus_remove_driver, remove_bind_files, fs/kernfs/dir.c:kernfs_drain).
 */
export function registered(world: World, state: State, driver: Driver): boolean {
  if (driver.module === null) return true;
  if (!hasDirectory(world, state, driver)) return false;
  return !isGoing(state, driver.module) || isWritten(state, driver);
}

/** Whether somebody writes to the driver's `unbind`, and waits. */
export function isWritten({ bus, devices }: State, { name }: Driver): boolean {
  return bus.unbinding.some((index) => devices[index]?.driver === name);
}

/** Whether `bind` and `unbind` are in its directory, the first files that go. */
export function isBindable(world: World, state: State, driver: Driver): boolean {
  return hasDirectory(world, state, driver) && (driver.module === null || !isGoing(state, driver.module));
}

/**
 * drivers/pci/pci-driver.c:pci_match_device: an override names the only driver that matches, and it always does; else
 * ids of run time come before the driver's own table.
 */
export function matches(state: State, device: Device, hardware: Hardware, driver: string): boolean {
  if (device.override !== null) return device.override === driver;
  return hardware.drivers.includes(driver) || matchesDynamically(state, hardware, driver);
}

/**
 * The drivers that match a device, in the order in which they registered (drivers/base/bus.c:bus_for_each_drv). Nothing
 * shows the order of those that had registered when the snapshot was taken: what is built in was before the modules,
 * and the rest goes as the snapshot lists it, which `World.assumed` says.
 */
export function candidates(world: World, state: State, hardware: Hardware): readonly Driver[] {
  const device = state.devices[hardware.index];
  if (device === undefined) return [];
  const byId = state.bus.ids.map(({ driver }) => driver);
  const names = device.override === null ? new Set([...hardware.drivers, ...byId]) : [device.override];
  const found: Driver[] = [];
  for (const name of names) {
    const driver = world.drivers.get(name);
    if (driver === undefined || !registered(world, state, driver)) continue;
    if (matches(state, device, hardware, name)) found.push(driver);
  }
  const turn = (driver: Driver): number => {
    const late = state.bus.registered.indexOf(driver.name);
    return late >= 0 ? late + 1 : driver.module === null ? -1 : 0;
  };
  return found.sort((a, b) => turn(a) - turn(b));
}
