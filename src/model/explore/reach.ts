import { grown } from './ints.ts';
import type { Normal } from './normal.ts';
import type { Present } from './present.ts';

/** What the present second half becomes by steps: each is asked of many first halves beside it. */
export class Reach {
  private readonly present: Present;
  private readonly normal: Normal;
  /** By step: in which round it was worked out, the second half after it, and how minors move. */
  private rounds: Int32Array = new Int32Array(1 << 12);
  private seconds: Int32Array = new Int32Array(1 << 12);
  private moves: Int32Array = new Int32Array(1 << 12);
  private round = 0;
  private files = 0;

  constructor(present: Present, normal: Normal) {
    this.present = present;
    this.normal = normal;
  }

  /** Another second half is the present one. */
  begin(files: number): void {
    this.files = files;
    this.round += 1;
  }

  /** The second half after a step, with its numbers in order. */
  second(step: number): number {
    if (this.rounds[step] !== this.round) this.work(step);
    return this.seconds[step] as number;
  }

  /** The first half after it, of which `second` was asked before. */
  first(step: number, machine: number): number {
    const after = this.present.after(0, machine, step);
    const move = this.moves[step] as number;
    return move === 0 ? after : this.normal.first(after, move);
  }

  private work(step: number): void {
    const { normal } = this;
    if (step >= this.rounds.length) {
      this.rounds = grown(this.rounds, 2 * step);
      this.seconds = grown(this.seconds, 2 * step);
      this.moves = grown(this.moves, 2 * step);
    }
    const after = this.present.after(1, this.files, step);
    this.seconds[step] = normal.second(after);
    this.moves[step] = normal.move(after);
    this.rounds[step] = this.round;
  }
}
