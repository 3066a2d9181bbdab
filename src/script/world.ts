import type { State, World } from '../model/state.ts';
import { worldFrom } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';

/** The world that a policy speaks of, as the snapshot shows it; virtual functions that it creates may come in it. */
export function worldOf({ snapshot, arriving }: HostPolicy): {
  readonly world: World;
  readonly state: State;
} {
  return worldFrom(snapshot, { virtualFunctions: arriving.length > 0 });
}
