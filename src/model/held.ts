import { holdersOf } from './files.ts';
import { isOpen } from './going.ts';
import type { Hardware, State } from './state.ts';

/** Devices that cannot go before their descriptors are closed. */

export function held(state: State, going: readonly Hardware[]): boolean {
  return going.some(({ index }) => {
    const device = state.devices[index];
    return device !== undefined && isOpen(device);
  });
}

/** Pids of the processes that have descriptors of them, ascending. */
export function holders(state: State, going: readonly Hardware[]): readonly number[] {
  const pids = going.flatMap(({ index }) => holdersOf(state, index));
  return [...new Set(pids)].sort((a, b) => a - b);
}
