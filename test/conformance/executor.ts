/** A kernel that carries out sequences: the simulated one or a real one, from one state of rest to the next. */
import type { Reply } from '../../runtime/lower/lower.ts';
import type { Op } from '../../src/model/op.ts';
import type { Actor } from './cast.ts';

/** A call that did not return. */
export interface Waiting {
  /** What it has answered by now, of which it is told once; null: nothing. `patient`: nothing keeps it any more. */
  answer(patient: boolean): Reply | null;
}

export interface Executor {
  /** Fresh processes, one for each of them. */
  begin(who: readonly Actor[]): void;
  perform(op: Op): Reply;
  /** Makes a call that should not return, by somebody who can be spared; null: it returned. */
  waits(op: Op): Waiting | null;
  /** Lets the kernel go on by itself for so many milliseconds, where it takes time. */
  rest(milliseconds: number): void;
  shows(paths: readonly string[]): ReadonlyMap<string, string | null>;
  /** Whether such a call answers once the others let go; otherwise nobody hears of it again, and what it did not begin is not made. */
  readonly keepsWaiting: boolean;
  /** Lines of the kernel's log since the last time. */
  log(): readonly string[];
  /** Ends all processes; false when one would not end. */
  end(): boolean;
}
