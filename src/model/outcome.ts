import type { Errno } from './errno.ts';
import type { State } from './state.ts';

/** What an operation answered. `value` is the return value of the system call; `out` the fields written back. */
export type Result =
  | {
      readonly ok: true;
      readonly value: number;
      readonly out?: { readonly [field: string]: number | bigint | string };
    }
  | { readonly ok: false; readonly errno: Errno; readonly guard: string };

export interface Outcome {
  readonly result: Result;
  /** The state after; the same object as before when nothing changed. */
  readonly state: State;
}
