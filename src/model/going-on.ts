import type { Unloading } from './bus-state.ts';
import { letGo, takeOn } from './going.ts';
import type { State, World } from './state.ts';
import { unload } from './unloading.ts';

/** What goes on when a device that was waited for is closed. */
export function goOn(world: World, state: State): State {
  let now = state;
  for (;;) {
    const before = now;
    for (const hardware of world.hardware) {
      const leaving = now.devices[hardware.index]?.leaving ?? null;
      if (leaving !== null) now = letGo(world, now, hardware, leaving).state;
    }
    for (const removal of before.bus.removing) {
      const { state: after, waits } = takeOn(world, now, removal);
      const left = after.bus.removing.filter((its) => its !== removal);
      now = waits ? after : { ...after, bus: { ...after.bus, removing: left } };
    }
    for (const unloading of before.bus.unloading) {
      const { state: after, left } = unload(world, now, unloading.modules, unloading.pid);
      if (left.length === unloading.modules.length) now = after;
      else now = going(after, unloading, left);
    }
    if (now === before) return now;
  }
}

/** The unload goes on with those that are left, if any are. */
function going(state: State, unloading: Unloading, left: readonly string[]): State {
  const others = state.bus.unloading.flatMap((its) =>
    its !== unloading ? [its] : left.length === 0 ? [] : [{ ...its, modules: left }],
  );
  return { ...state, bus: { ...state.bus, unloading: others } };
}
