import { attachDriver } from '../binding.ts';
import { draftOf } from '../draft.ts';
import { changeIds, dynamicIds, idOf, matchesDynamically } from '../dynamic-ids.ts';
import type { Guard, Rule } from '../guard.ts';
import { leavers, lockHolders, lockWords } from '../leaving.ts';
import { matches, registered } from '../matching.ts';
import { givenTo, refusedBy } from '../module-arguments.ts';
import { isGoing, loadOrder, moduleName, moduleOf } from '../modules.ts';
import { freshIommuNode } from '../nodes.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { replace } from '../places.ts';
import type { Driver, DynamicId, Hardware, Module, Parameters, State, World } from '../state.ts';

type Load = Extract<Op, { op: 'module.load' }>;

const parse = 'kernel/params.c:parse_args, parse_one (kernel/module/main.c:load_module)';

/** What the module needs was loaded before, and stays. */
function refusedParameter(errno: 'EINVAL' | 'ERANGE' | 'ENOSPC', id: string, words: string): Guard<Load> {
  return {
    id: `module.load.${id}`,
    words,
    errno,
    citation: parse,
    applies: (world, state, op) =>
      op.parameters !== undefined &&
      loadOrder(world, state, op.module).length > 0 &&
      refusedBy(world, op.module, op.parameters) === errno,
    leaves: (world, state, op) => {
      const target = moduleOf(world, op.module);
      let now = state;
      for (const module of loadOrder(world, state, op.module)) {
        if (module === target) break;
        now = insert(world, now, module, module.parameters);
      }
      return now;
    },
  };
}

const who: readonly Guard<Load>[] = [
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
      (loadOrder(world, state, op.module).length > 0 || goes(state, op)) &&
      !capable(world, op.pid, 'CAP_SYS_MODULE'),
  },
];

/** One that is about to go counts as not loaded (libkmod/libkmod-module.c:kmod_module_is_inkernel). */
function goes(state: State, { module }: Load): boolean {
  return isGoing(state, moduleName(module));
}

const texts: readonly Guard<Load>[] = [
  refusedParameter('EINVAL', 'invalid', 'the kernel cannot read a value that was given for a parameter'),
  refusedParameter('ENOSPC', 'too-large', 'a text is too long for its parameter'),
];

/** The oldest say EEXIST, of which modprobe makes nothing (libkmod/libkmod-module.c:kmod_module_probe_insert_module). */
const going: Guard<Load> = {
  id: 'module.load.going',
  words: 'somebody unloads the module, and waits for a device of its driver',
  errno: 'EBUSY',
  citation: 'kernel/module/main.c:early_mod_check, module_patient_check_exists (6.1: add_unformed_module)',
  applies: (_world, state, op) => goes(state, op),
};

/** A driver of its is offered every device that it matches, and asks under the device's lock whether it has one. */
const leaving: Guard<Load> = {
  id: 'module.load.leaving',
  words: `a driver of the module matches a device that is leaving: ${lockWords}`,
  errno: null,
  citation: 'drivers/base/dd.c:__driver_attach (drivers/base/bus.c:bus_add_driver)',
  applies: (world, state, op) => matched(world, state, op).length > 0,
  waitsFor: (world, state, op) => lockHolders(world, state, matched(world, state, op)),
};

function matched(world: World, state: State, op: Load): readonly Hardware[] {
  if (leavers(world, state, () => true).length === 0) return [];
  const after = loadModule(world, state, op.module, op.parameters);
  const offered = [...world.drivers.values()].filter(
    (driver) => !registered(world, state, driver) && registered(world, after, driver),
  );
  return leavers(world, state, (hardware, device) =>
    offered.some(
      ({ name }) =>
        matches(after, device, hardware, name) &&
        (state.bus.autoprobe || matchesDynamically(after, hardware, name)),
    ),
  );
}

/** None of VFIO's parameters was a number before. */
const tooLarge = refusedParameter('ERANGE', 'range', 'a number is too large for its parameter');

export const moduleLoad: Rule<Load> = {
  words: {
    object: 'modules',
    call: 'modprobe module parameters…',
    arguments: {
      module: 'its name; - and _ are the same',
      parameters: '`name=text` each, or `name` to switch one on; a name that the module lacks is ignored',
    },
    effect:
      'What the module needs is loaded, then the module with the parameters, then its soft dependencies; its drivers take the devices that match them. The ids of `ids=` are added one after the other once the driver is there, each offered to the devices without one; what is no id is skipped. A module that is there already stays as it is.',
    undo: '`module.unload` of all that were loaded',
  },
  guards: { seed: [...who, ...texts, leaving], '6.1': [...who, going, ...texts, tooLarge, leaving] },
  effect: (world, state, op) => ({ state: loadModule(world, state, op.module, op.parameters), value: 0 }),
  undo: (world, before, op) => {
    const names = unloadOrder(world, loadOrder(world, before, op.module)).map(({ name }) => name);
    const [module, ...also] = names;
    if (module === undefined) return { none: 'the module was loaded already' };
    return { op: 'module.unload', pid: op.pid, module, ...(also.length > 0 ? { also } : {}) };
  },
};

/** Loads a module as modprobe does, and lets its drivers take the devices that match them. */
export function loadModule(
  world: World,
  state: State,
  name: string,
  parameters: readonly string[] = [],
): State {
  return loadStages(world, state, name, parameters).at(-1)?.state ?? state;
}

/** One part of loading: the state after it; of an id of `ids=` the text, and whether it is one. */
interface Stage {
  readonly state: State;
  readonly id?: { readonly text: string; readonly added: DynamicId | null };
}

/** The states that the kernel goes through: each module, and for vfio-pci each id that it is given. */
export function loadStages(
  world: World,
  state: State,
  name: string,
  texts: readonly string[] = [],
): readonly Stage[] {
  const target = moduleOf(world, name);
  const given = givenTo(world, name, texts);
  const stages: Stage[] = [];
  let now = state;
  for (const module of loadOrder(world, state, name)) {
    now = insert(world, now, module, module === target ? given.parameters : module.parameters);
    stages.push({ state: now });
    const driver = module === target ? world.drivers.get('vfio-pci') : undefined;
    for (const text of driver === undefined ? [] : given.ids.split(',')) {
      if (driver === undefined || text === '') continue;
      const added = idOf(text, ':')?.id ?? null;
      if (added !== null) {
        const known = changeIds(now, driver.name, [...dynamicIds(now, driver.name), added]);
        now = attachDriver(world, known, driver);
      }
      stages.push({ state: now, id: { text, added } });
    }
  }
  return stages;
}

/** One module: its node, and its drivers, which are offered the devices. */
function insert(world: World, state: State, module: Module, parameters: Parameters): State {
  const draft = draftOf(state);
  draft.modules = replace(state.modules, module.index, parameters);
  if (module.name === 'vfio') draft.containerNode ??= { uid: 0, gid: 0, mode: 0o666 };
  if (module.name === 'iommufd') draft.iommuNode = freshIommuNode;
  let now: State = draft;
  for (const driver of world.drivers.values()) {
    if (driver.module === module.name) now = register(world, now, driver);
  }
  return now;
}

/** drivers/base/bus.c:bus_add_driver: only where the bus probes by itself are the devices offered. */
function register(world: World, state: State, driver: Driver): State {
  const draft = draftOf(state);
  draft.bus = { ...state.bus, registered: [...state.bus.registered, driver.name] };
  return draft.bus.autoprobe ? attachDriver(world, draft, driver) : draft;
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
