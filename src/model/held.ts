import { holdersOf } from './files.ts';
import type { Hardware, State } from './state.ts';

/** Devices that cannot go before their descriptors are closed. */

export function held(state: State, going: readonly Hardware[]): boolean {
  return going.some(({ index }) => {
    const vfio = state.devices[index]?.vfio;
    return (vfio?.opens ?? 0) + (vfio?.unbound ?? 0) > 0;
  });
}

/** Pids of the processes that have descriptors of them, ascending. */
export function holders(state: State, going: readonly Hardware[]): readonly number[] {
  const pids = going.flatMap(({ index }) => holdersOf(state, index));
  return [...new Set(pids)].sort((a, b) => a - b);
}
