import type { Keys } from '../key.ts';
import { grown } from './ints.ts';
import type { Normal } from './normal.ts';
import type { Present } from './present.ts';

/** Where steps lead, with numbers in order: to what second half from the present one, and to what first one beside it. */
export class Reach {
  private readonly present: Present;
  private readonly normal: Normal;
  private readonly keys: Keys;
  /** By step: in which round it was worked out, the second half after it, its key, how minors move, what the first is written. */
  private steps: Int32Array = new Int32Array(width << 10);
  private round = 0;
  private files = 0;
  /** By first half, and by what is written to it: one more than the half after. */
  private machines: Int32Array = new Int32Array(1 << 16);
  /** How many writes there is room for. */
  private room = 64;

  constructor(present: Present, normal: Normal, keys: Keys) {
    this.present = present;
    this.normal = normal;
    this.keys = keys;
  }

  /** Another second half is the present one. */
  begin(files: number): void {
    this.files = files;
    this.round += 1;
  }

  /** The second half after a step. */
  second(step: number): number {
    if (this.steps[width * step] !== this.round) this.work(step);
    return this.steps[width * step + 1] as number;
  }

  /** The key of the second half after a step, of which `second` was asked before. */
  key(step: number): number {
    return this.steps[width * step + 2] as number;
  }

  /** The first half after it, which was this one. */
  first(step: number, machine: number): number {
    const { steps } = this;
    const move = steps[width * step + 3] as number;
    const writing = steps[width * step + 4] as number;
    const after = writing === 0 ? machine : this.written(step, machine, writing);
    return move === 0 ? after : this.normal.first(after, move);
  }

  private written(step: number, machine: number, writing: number): number {
    if (writing >= this.room) this.widen(writing);
    const at = machine * this.room + writing;
    if (at >= this.machines.length) this.machines = grown(this.machines, 2 * at);
    const known = this.machines[at] as number;
    if (known !== 0) return known - 1;
    const after = this.present.after(0, machine, step);
    this.machines[at] = after + 1;
    return after;
  }

  private widen(writing: number): void {
    const { machines, room } = this;
    this.room = 2 * writing;
    this.machines = new Int32Array((machines.length / room) * this.room);
    for (let from = 0; from < machines.length; from += room)
      this.machines.set(machines.subarray(from, from + room), (from / room) * this.room);
  }

  private work(step: number): void {
    const { present, normal } = this;
    const at = width * step;
    if (at >= this.steps.length) this.steps = grown(this.steps, 2 * at);
    const after = present.after(1, this.files, step);
    const second = normal.second(after);
    this.steps[at] = this.round;
    this.steps[at + 1] = second;
    this.steps[at + 2] = this.keyOf(second);
    this.steps[at + 3] = normal.move(after);
    this.steps[at + 4] = present.writing(0, step);
  }

  private keyOf(files: number): number {
    const half = this.present.halves[1];
    if (half.key(files) === -1) half.setKey(files, this.keys.ofFiles(this.present.openedAt(files)));
    return half.key(files);
  }
}

const width = 8;
