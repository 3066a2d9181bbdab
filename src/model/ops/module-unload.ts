import { isLocked } from '../device-lock.ts';
import { draftOf } from '../draft.ts';
import { everywhere, type Guard, type Rule } from '../guard.ts';
import { held } from '../held.ts';
import { lockHolders } from '../leaving.ts';
import { isGoing, loaded, moduleOf } from '../modules.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import type { Hardware, State, World } from '../state.ts';
import { goingWithModules, inUse, namedBy, unload } from '../unloading.ts';

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
      namedBy(op).some((name, place, all) => {
        const module = moduleOf(world, name);
        if (module === undefined || module.builtIn || loaded(world, state, name) === null) return true;
        return all.findIndex((other) => moduleOf(world, other) === module) !== place;
      }),
  },
  {
    id: 'module.unload.going',
    words: 'somebody unloads the module already, and waits for a device of its driver',
    errno: 'EBUSY',
    citation: 'kernel/module/main.c:SYSCALL_DEFINE2(delete_module)',
    applies: (_world, state, op) => namedBy(op).some((name) => isGoing(state, name)),
  },
  {
    id: 'module.unload.in-use',
    words: 'the module is in use: by a module that needs it, by an open file, or by a container',
    errno: 'EAGAIN',
    citation: 'kernel/module/main.c:try_stop_module',
    applies: (world, state, op) => {
      const gone = new Set<string>();
      return namedBy(op).some((name) => {
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
  leaves: (world, state, op) => {
    const { state: now, left } = unload(world, state, namedBy(op), op.pid);
    const draft = draftOf(now);
    draft.bus = { ...now.bus, unloading: [...now.bus.unloading, { modules: left, pid: op.pid }] };
    return draft;
  },
  waitsFor: (world, state, op) => lockHolders(world, state, going(world, state, op)),
};

export const moduleUnload: Rule<Unload> = {
  words: {
    object: 'modules',
    call: 'delete_module(module), …',
    arguments: { module: 'its name', also: 'those that go after it' },
    effect:
      'The modules are gone with their drivers, and the devices of these have none. While a device that goes is open and does not keep its module in use (a node of its own that is not bound, or a virtual function that another driver has) the call waits: `bind` and `unbind` of the driver are gone at once, though with an `unbind` that waits itself nothing more is done before that is over; then the driver is off the bus and takes nothing any more, the devices that it took after this one are let go of, this one is leaving, as with `driver.unbind`, and those before it are with the driver yet, but do not open. The `close` of the last descriptor goes on with the next.',
    undo: '`module.load`',
  },
  guards: everywhere<Unload>(...asked, waits),
  effect: (world, state, op) => ({ state: unload(world, state, namedBy(op), null).state, value: 0 }),
  undo: (_world, _before, op) => ({
    op: 'module.load',
    pid: op.pid,
    module: op.module,
  }),
};

/** Devices that lose their drivers, and what goes with them. */
function going(world: World, state: State, op: Unload): readonly Hardware[] {
  return goingWithModules(world, state, namedBy(op));
}
