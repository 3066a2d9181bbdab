import { draftOf } from '../draft.ts';
import { changeIds } from '../dynamic-ids.ts';
import { letGo } from '../going.ts';
import { everywhere, type Guard, type Rule } from '../guard.ts';
import { held } from '../held.ts';
import { isLocked, lockHolders } from '../leaving.ts';
import { loaded, moduleOf } from '../modules.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { replace } from '../places.ts';
import { goingWithDriver } from '../presence.ts';
import type { Hardware, Module, State, World } from '../state.ts';

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

/** Open devices hold their module; a cdev that is not bound holds vfio alone, and a virtual function another one. */
const waits: Guard<Unload> = {
  id: 'module.unload.held',
  words:
    'the call would not return before every descriptor of the devices and of their virtual functions is closed',
  errno: null,
  citation: {
    seed: 'drivers/vfio/vfio.c:vfio_del_group_dev (drivers/pci/iov.c:sriov_disable)',
    '6.1': 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev (drivers/pci/iov.c:sriov_disable)',
  },
  applies: (world, state, op) => {
    const all = going(world, state, op);
    return held(state, all) || all.some(({ index }) => isLocked(world, state, index));
  },
  waitsFor: (world, state, op) => lockHolders(world, state, going(world, state, op)),
};

export const moduleUnload: Rule<Unload> = {
  words: {
    object: 'modules',
    call: 'delete_module(module), …',
    arguments: { module: 'its name', also: 'those that go after it' },
    effect: 'The modules are gone with their drivers, and the devices of these have none.',
    undo: '`module.load`',
  },
  guards: everywhere<Unload>(...asked, waits),
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

/** Devices that lose their drivers, and what goes with them. */
function going(world: World, state: State, op: Unload): readonly Hardware[] {
  return world.hardware.flatMap((hardware) => {
    const driver = state.devices[hardware.index]?.driver ?? null;
    const module = driver === null ? null : (world.drivers.get(driver)?.module ?? null);
    const goes = module !== null && named(op).some((name) => moduleOf(world, name)?.name === module);
    return goes ? [...goingWithDriver(world, state, hardware), hardware] : [];
  });
}

function named(op: Unload): readonly string[] {
  return [op.module, ...(op.also ?? [])];
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

/** What the bus knew of a driver goes with it (drivers/pci/pci-driver.c:pci_unregister_driver). */
function unregistered(state: State, driver: string): State {
  const draft = draftOf(changeIds(state, driver, []));
  draft.bus = { ...draft.bus, registered: draft.bus.registered.filter((name) => name !== driver) };
  return draft;
}

function unloadModule(world: World, state: State, module: Module): State {
  let now = state;
  for (const driver of world.drivers.values()) {
    if (driver.module !== module.name) continue;
    for (const hardware of world.hardware) {
      if (now.devices[hardware.index]?.driver === driver.name) now = letGo(world, now, hardware, null).state;
    }
    now = unregistered(now, driver.name);
  }
  const draft = draftOf(now);
  draft.modules = replace(now.modules, module.index, null);
  if (module.name === 'iommufd') draft.iommuNode = null;
  if (module.name === 'vfio' && !world.staticContainerNode) draft.containerNode = null;
  return draft;
}
