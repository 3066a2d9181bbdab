import type { State } from '../state.ts';
import type { Edit } from './edit.ts';
import { Half } from './half.ts';
import { Ints } from './ints.ts';
import { Shape } from './shape.ts';
import type { Facing, Fact } from './slot.ts';
import { Trees } from './trees.ts';

/** The state that questions are asked of, in all its forms: codes, facts, and as the model knows it. */
export class Present implements Facing {
  readonly trees = new Trees();
  readonly shape: Shape;
  readonly halves: readonly [Half, Half];
  readonly edits: readonly Edit[];
  /**
   * What steps write: how many codes of the first half, of each the place and what is written there, and the same of the
   * second half.
   */
  readonly writes = new Ints();
  private known: State | null;

  constructor(initial: State) {
    this.known = initial;
    const codes: [Half | null, Half | null] = [null, null];
    this.codes = codes;
    this.shape = new Shape(initial, this);
    const [machine, files] = this.shape.codesOf(initial);
    this.halves = [new Half(this.shape.slots[0], machine), new Half(this.shape.slots[1], files)];
    this.codes = this.halves;
    this.edits = this.shape.edits;
  }

  private codes: readonly [Half | null, Half | null];

  vary(fact: Fact): void {
    const { half, place } = fact.slot;
    const code = this.codes[half]?.now[place] ?? 0;
    this.trees.vary(fact, fact.answers[code] as number);
  }

  load(machine: number, files: number): void {
    this.loadFiles(files);
    this.loadMachine(machine);
  }

  loadMachine(machine: number): void {
    this.halves[0].load(machine, this.trees.facts);
    this.known = null;
  }

  loadFiles(files: number): void {
    this.halves[1].load(files, this.trees.facts);
    this.known = null;
  }

  get state(): State {
    this.known ??= this.shape.stateOf(this.halves[0].now, this.halves[1].now);
    return this.known;
  }

  /** What becomes of a half, which is the present one and has this number, by the writes of a step. */
  after(half: 0 | 1, number: number, step: number): number {
    const writes = this.writes.array;
    const at = half === 0 ? step : step + 1 + 2 * (writes[step] as number);
    return writes[at] === 0 ? number : this.halves[half].after(number, writes, at, this.edits);
  }

  stateAt(machine: number, files: number): State {
    return this.shape.stateOf(this.halves[0].codes(machine), this.halves[1].codes(files));
  }

  /** Makes room for what the last question brought. */
  settle(): void {
    this.halves[0].widen();
    this.halves[1].widen();
  }
}
