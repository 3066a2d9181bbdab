import type { Errno } from './errno.ts';
import type { State } from './state.ts';

/** What an operation answered. `value` is the return value of the system call; `out` the fields written back. */
export type Result =
  | {
      readonly ok: true;
      readonly value: number;
      readonly out?: { readonly [field: string]: number | bigint | string };
    }
  | { readonly ok: false; readonly errno: Errno; readonly guard: string }
  | Blocked;

/**
 * The call would not return: the kernel waits, in effect without end, until others let go (an unbind while device
 * descriptors are open). It has no errno; the state is what the kernel has done by then, as far as the model says it.
 */
interface Blocked {
  readonly ok: false;
  readonly guard: string;
  /** Pids of the processes that must close their descriptors first, ascending. */
  readonly blocks: readonly number[];
}

export interface Outcome {
  readonly result: Result;
  /** The state after; the same object as before when nothing changed. */
  readonly state: State;
}
