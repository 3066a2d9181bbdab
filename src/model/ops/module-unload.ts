import { unbind } from '../binding.ts';
import { holdersOf } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import { loaded, moduleOf } from '../modules.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { replace } from '../places.ts';
import type { Module, State, World } from '../state.ts';

type Unload = Extract<Op, { op: 'module.unload' }>;

const asked: readonly Guard<Unload>[] = [
  {
    id: 'module.unload.permission',
    words: 'unloading a module needs CAP_SYS_MODULE',
    errno: 'EPERM',
    citation: 'kernel/module/main.c:SYSCALL_DEFINE2(delete_module)',
    applies: (world, _state, op) => !capable(world, op.pid, 'CAP_SYS_MODULE'),
  },
  {
    id: 'module.unload.missing',
    words: 'the module is not loaded, or is built into the kernel',
    errno: 'ENOENT',
    citation: 'kernel/module/main.c:SYSCALL_DEFINE2(delete_module)',
    applies: (world, state, op) =>
      named(op).some((name, place, all) => {
        const module = moduleOf(world, name);
        if (module === undefined || module.builtIn || loaded(world, state, name) === null) return true;
        return all.findIndex((other) => moduleOf(world, other) === module) !== place;
      }),
  },
  {
    id: 'module.unload.in-use',
    words: 'the module is in use: by a module that needs it, by an open file, or by a container',
    errno: 'EAGAIN',
    citation: 'kernel/module/main.c:try_stop_module',
    applies: (world, state, op) => {
      const gone = new Set<string>();
      return named(op).some((name) => {
        const module = moduleOf(world, name);
        if (module === undefined || inUse(world, state, module, gone)) return true;
        gone.add(module.name);
        return false;
      });
    },
  },
];

const waits: Guard<Unload> = {
  id: 'module.unload.held',
  words: 'the call would not return before every descriptor of the devices is closed',
  errno: null,
  citation: 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev',
  applies: (world, state, op) => held(world, state, op).length > 0,
  waitsFor: (world, state, op) => {
    const pids = held(world, state, op).flatMap((index) => holdersOf(state, index));
    return [...new Set(pids)].sort((a, b) => a - b);
  },
};

export const moduleUnload: Rule<Unload> = {
  words: {
    object: 'modules',
    call: 'delete_module(module), …',
    arguments: { module: 'its name', also: 'those that go after it' },
    effect: 'The modules are gone with their drivers, and the devices of these have none.',
    undo: '`module.load`',
  },
  guards: { seed: asked, '6.12': [...asked, waits] },
  effect: (world, state, op) => {
    let now = state;
    for (const name of named(op)) {
      const module = moduleOf(world, name);
      if (module !== undefined) now = unloadModule(world, now, module);
    }
    return { state: now, value: 0 };
  },
  undo: (_world, _before, op) => ({
    op: 'module.load',
    pid: op.pid,
    module: op.module,
  }),
};

function named(op: Unload): readonly string[] {
  return [op.module, ...(op.also ?? [])];
}

/** Devices that a module's going would unbind while their cdevs are open, not bound: these hold module vfio alone. */
function held(world: World, state: State, op: Unload): readonly number[] {
  return state.devices.flatMap(({ driver, vfio }, index) => {
    const module = driver === null ? null : world.drivers.get(driver)?.module;
    const goes = module !== null && named(op).some((name) => moduleOf(world, name)?.name === module);
    return goes && vfio !== null && vfio.unbound > 0 ? [index] : [];
  });
}

function inUse(world: World, state: State, module: Module, gone: ReadonlySet<string>): boolean {
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

function unloadModule(world: World, state: State, module: Module): State {
  let now = state;
  for (const driver of world.drivers.values()) {
    if (driver.module !== module.name) continue;
    for (const hardware of world.hardware) {
      if (now.devices[hardware.index]?.driver === driver.name) now = unbind(world, now, hardware);
    }
  }
  now = { ...now, modules: replace(now.modules, module.index, null) };
  if (module.name === 'iommufd') return { ...now, iommuNode: null };
  return module.name === 'vfio' && !world.staticContainerNode ? { ...now, containerNode: null } : now;
}
