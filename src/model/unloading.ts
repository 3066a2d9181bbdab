import { isLocked } from './device-lock.ts';
import { draftOf } from './draft.ts';
import { changeIds } from './dynamic-ids.ts';
import { letGo, type Waiter, type Walk } from './going.ts';
import { isWritten } from './matching.ts';
import { isGoing, loaded, moduleName, moduleOf } from './modules.ts';
import type { Op } from './op.ts';
import { replace } from './places.ts';
import { goingWithDriver } from './presence.ts';
import type { Driver, Hardware, Module, State, World } from './state.ts';

/**
 * Modules that go, one after the other. The driver of each is off the bus first, when nobody writes to its `unbind` any
 * more, then it lets go of its devices, and only when it has none is the module gone (kernel/module/main.c:delete_module,
 * drivers/base/bus.c:bus_remove_driver).
 */
export function unload(
  world: World,
  state: State,
  names: readonly string[],
  pid: Waiter,
): { readonly state: State; readonly left: readonly string[] } {
  let now = state;
  for (let place = 0; place < names.length; place += 1) {
    const module = moduleOf(world, names[place] ?? '');
    // What comes after one that was waited for is asked of the kernel only then.
    if (module === undefined || !mayGo(world, now, module)) break;
    if (pid !== null && driversOf(world, module.name).some((driver) => isWritten(now, driver)))
      return { state: now, left: names.slice(place) };
    const walk = detach(world, now, module, pid);
    if (walk.waits) return { state: walk.state, left: names.slice(place) };
    now = gone(world, walk.state, module);
  }
  return { state: now, left: [] };
}

function mayGo(world: World, state: State, module: Module): boolean {
  return loaded(world, state, module.name) !== null && !inUse(world, state, module, new Set());
}

function driversOf(world: World, module: string): readonly Driver[] {
  return [...world.drivers.values()].filter((driver) => driver.module === module);
}

/** Whether another module needs it, but for those that are `gone` by then, or an open file or a container does. */
export function inUse(world: World, state: State, module: Module, gone: ReadonlySet<string>): boolean {
  for (const other of world.modules.values()) {
    const needs = other.requires.includes(module.name) && !gone.has(other.name);
    if (needs && state.modules[other.index] !== null) return true;
  }
  if (module.name === 'vfio') {
    return state.files.some(
      (file) =>
        file?.kind === 'container' || file?.kind === 'group' || (file?.kind === 'device' && file.cdev),
    );
  }
  if (module.name === 'iommufd') return state.files.some((file) => file?.kind === 'iommufd');
  if (module.name === 'vfio_iommu_type1') {
    return state.containers.some((container) => container?.iommu?.driver === 'type1');
  }
  return world.hardware.some(({ index }) => {
    const device = state.devices[index];
    const driver =
      device?.driver === undefined || device.driver === null ? null : world.drivers.get(device.driver);
    return driver?.module === module.name && (device?.vfio?.opens ?? 0) > 0;
  });
}

/** Whether a device's driver goes, and the device is not let go of yet. */
export function driverGoes(world: World, state: State, index: number): boolean {
  if (state.bus.unloading.length === 0) return false;
  const module = world.drivers.get(state.devices[index]?.driver ?? '')?.module ?? null;
  return module !== null && isGoing(state, module);
}

/** All devices of a module's drivers lose them, up to the first that is open, or whose lock another has who waits. */
function detach(world: World, state: State, { name }: Module, pid: Waiter): Walk {
  let now = state;
  for (const hardware of detachOrder(world, state, name)) {
    if (pid !== null && isLocked(world, now, hardware.index)) return { state: now, waits: true };
    const walk = letGo(world, now, hardware, pid);
    if (walk.waits) return walk;
    now = walk.state;
  }
  return { state: now, waits: false };
}

/**
 * The devices of a module's drivers in the order in which it lets go of them: what a driver took last first
 * (drivers/base/dd.c:driver_detach).
 */
export function detachOrder(world: World, state: State, module: string): readonly Hardware[] {
  return driversOf(world, module).flatMap(({ name }) => {
    const its = state.bus.bound.filter((index) => state.devices[index]?.driver === name);
    return its.reverse().flatMap((index) => world.hardware[index] ?? []);
  });
}

/** What goes with modules, each device behind those that go with its driver. */
export function goingWithModules(
  world: World,
  state: State,
  modules: readonly string[],
): readonly Hardware[] {
  return modules.flatMap((module) =>
    detachOrder(world, state, module).flatMap((hardware) => [
      ...goingWithDriver(world, state, hardware),
      hardware,
    ]),
  );
}

/** The modules that an unload names, in its order. */
export function namedBy({ module, also = [] }: Extract<Op, { op: 'module.unload' }>): readonly string[] {
  return [module, ...also].map(moduleName);
}

/** Modules that an operation unloads, in its order, or that unloads do which wait for what it closes. */
export function unloadedBy(op: Op, { bus }: State): readonly string[] {
  if (op.op === 'module.unload') return namedBy(op);
  return op.op === 'close' ? bus.unloading.flatMap(({ modules }) => modules) : [];
}

/** Nothing of it is left; what the bus knew of a driver goes with it (drivers/pci/pci-driver.c:pci_unregister_driver). */
function gone(world: World, state: State, module: Module): State {
  let now = state;
  for (const { name } of driversOf(world, module.name)) now = unregistered(now, name);
  const draft = draftOf(now);
  draft.modules = replace(now.modules, module.index, null);
  if (module.name === 'iommufd') draft.iommuNode = null;
  if (module.name === 'vfio' && !world.staticContainerNode) draft.containerNode = null;
  return draft;
}

function unregistered(state: State, driver: string): State {
  const draft = draftOf(changeIds(state, driver, []));
  draft.bus = { ...draft.bus, registered: draft.bus.registered.filter((name) => name !== driver) };
  return draft;
}
