import type { Snapshot } from '../machine/snapshot.ts';
import type { State, World } from '../model/state.ts';
import { worldFrom } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';

interface Start {
  readonly world: World;
  readonly state: State;
}

const [plain, withVirtualFunctions] = [new WeakMap<Snapshot, Start>(), new WeakMap<Snapshot, Start>()];

/**
 * The world that a policy speaks of, as the snapshot shows it; virtual functions that it creates may come in it. It depends
 * on nothing else, and neither world nor state is ever changed in place: checker, script, planner and proof share one, and
 * so does the next check of the same machine.
 */
export function worldOf({ snapshot, arriving }: HostPolicy): Start {
  const virtualFunctions = arriving.length > 0;
  const known = virtualFunctions ? withVirtualFunctions : plain;
  let start = known.get(snapshot);
  if (start === undefined) {
    start = worldFrom(snapshot, { virtualFunctions });
    known.set(snapshot, start);
  }
  return start;
}
