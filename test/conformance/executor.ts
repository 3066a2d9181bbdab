/** A kernel that carries out sequences: the simulated one or a real one, from one state of rest to the next. */
import type { Reply } from '../../runtime/lower/lower.ts';
import type { Op } from '../../src/model/op.ts';
import type { Actor } from './cast.ts';

export interface Executor {
  /** Fresh processes, one for each of them. */
  begin(who: readonly Actor[]): void;
  perform(op: Op): Reply;
  /** Whether a call that should not return does not, made by somebody who can be spared. */
  waits(op: Op): boolean;
  shows(paths: readonly string[]): ReadonlyMap<string, string | null>;
  /** Whether such a call comes to its end once the others let go; otherwise it was not made at all. */
  readonly keepsWaiting: boolean;
  /** Lines of the kernel's log since the last time. */
  log(): readonly string[];
  /** Ends all processes; false when one would not end. */
  end(): boolean;
}
