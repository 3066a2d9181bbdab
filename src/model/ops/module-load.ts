import { attachDriver } from '../binding.ts';
import { everywhere, type Rule } from '../guard.ts';
import { loadOrder, moduleOf } from '../modules.ts';
import { freshIommuNode } from '../nodes.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { replace } from '../places.ts';
import type { Driver, Module, State, World } from '../state.ts';

type Load = Extract<Op, { op: 'module.load' }>;

export const moduleLoad: Rule<Load> = {
  words: {
    object: 'modules',
    call: 'modprobe module',
    arguments: { module: 'its name; - and _ are the same' },
    effect:
      'What the module needs is loaded, then the module, then its soft dependencies; its drivers take the devices that match them.',
    undo: '`module.unload` of all that were loaded',
  },
  guards: everywhere<Load>(
    {
      id: 'module.load.missing',
      words: 'this kernel has no such module',
      errno: 'ENOENT',
      citation: 'kmod: libkmod/libkmod-module.c:kmod_module_new_from_lookup',
      applies: (world, _state, op) => moduleOf(world, op.module) === undefined,
    },
    {
      id: 'module.load.permission',
      words: 'loading a module needs CAP_SYS_MODULE',
      errno: 'EPERM',
      citation: 'kernel/module/main.c:may_init_module',
      applies: (world, state, op) =>
        loadOrder(world, state, op.module).length > 0 && !capable(world, op.pid, 'CAP_SYS_MODULE'),
    },
  ),
  effect: (world, state, op) => ({ state: loadModule(world, state, op.module), value: 0 }),
  undo: (world, before, op) => {
    const names = unloadOrder(world, loadOrder(world, before, op.module)).map(({ name }) => name);
    const [module, ...also] = names;
    if (module === undefined) return { none: 'the module was loaded already' };
    return { op: 'module.unload', pid: op.pid, module, ...(also.length > 0 ? { also } : {}) };
  },
};

/** Loads a module as modprobe does, and lets its drivers take the devices that match them. */
export function loadModule(world: World, state: State, name: string): State {
  let now = state;
  for (const module of loadOrder(world, state, name)) {
    now = { ...now, modules: replace(now.modules, module.index, module.parameters) };
    if (module.name === 'vfio') {
      now = { ...now, containerNode: now.containerNode ?? { uid: 0, gid: 0, mode: 0o666 } };
    }
    if (module.name === 'iommufd') now = { ...now, iommuNode: freshIommuNode };
    for (const driver of world.drivers.values()) {
      if (driver.module === module.name) now = register(world, now, driver);
    }
  }
  return now;
}

/** drivers/base/bus.c:bus_add_driver: only where the bus probes by itself are the devices offered. */
function register(world: World, state: State, driver: Driver): State {
  const registered = [...state.bus.registered, driver.name];
  const there = { ...state, bus: { ...state.bus, registered } };
  return state.bus.autoprobe ? attachDriver(world, there, driver) : there;
}

/** An order in which no module is asked to go while another of them needs it. */
function unloadOrder(world: World, modules: readonly Module[]): readonly Module[] {
  const left = [...modules];
  const order: Module[] = [];
  while (left.length > 0) {
    const place = left.findLastIndex((module) => !left.some((other) => other.requires.includes(module.name)));
    const [module] = left.splice(Math.max(place, 0), 1);
    if (module !== undefined && world.modules.has(module.name)) order.push(module);
  }
  return order;
}
