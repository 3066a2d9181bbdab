/**
 * Faults that a test plants in the simulated kernel, and what must survive them.
 *
 * - A call is refused with an errno that the model would not give (EBUSY, ENOSPC, EIO, ENOMEM …), once or a few times:
 *   whoever acts must notice that the answer is not the predicted one, and undo what came before.
 * - The process is killed before a call: the call did not happen, and all that it had open is closed. Whoever starts
 *   afterwards must find in the journal what was intended, see that it was not done, and undo what came before.
 * - The process is killed after a call: the call did happen, but nobody read its answer. Afterwards the deed must be
 *   found done, and undone with the rest.
 *
 * A refused call leaves the machine as it was. Faults count calls as they are made, so the same calls meet the same
 * faults: there is no chance in them.
 */
import type { Errno } from '../../src/model/errno.ts';
import type { CallName } from './frame.ts';

export interface Fault {
  readonly on: {
    /** The call that fails; left out: any that touches `path`. */
    readonly call?: CallName;
    /** A path as the caller wrote it or as it is without links; a final `*` stands for any ending. */
    readonly path?: string;
    /** An ioctl's request number. */
    readonly request?: number;
  };
  /** The first call that fails, counted from 1 among those that match; default 1. */
  readonly nth?: number;
  /** How many calls in a row fail; default 1. */
  readonly times?: number;
  readonly answer: Errno | 'kill';
  /** With `kill`: the process dies only when the call is done. */
  readonly after?: boolean;
}

/** Thrown to the killed process's caller, for this call and for every later one. */
export class ProcessKilled extends Error {
  override readonly name = 'ProcessKilled';
}
