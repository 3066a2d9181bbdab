import type { Opened } from '../key.ts';
import type { State } from '../state.ts';
import type { Edits } from './edit.ts';
import { Half } from './half.ts';
import { Ints } from './ints.ts';
import { Pairs } from './pairs.ts';
import { Shape, type Write } from './shape.ts';
import type { Facing, Fact } from './slot.ts';
import { Trees } from './trees.ts';

/** The state that questions are asked of, in all its forms: codes, facts, and as the model knows it. */
export class Present implements Facing {
  readonly trees = new Trees();
  readonly shape: Shape;
  readonly halves: readonly [Half, Half];
  readonly edits: Edits;
  /** By step what it writes in the first half and in the second; the first step writes nothing. */
  private readonly steps = new Ints();
  private readonly stepOf = new Pairs();
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
    this.step([]);
  }

  /** The numbers of the present halves. */
  private readonly shown: [number, number] = [-1, -1];
  private codes: readonly [Half | null, Half | null];

  vary(fact: Fact): void {
    const { half, place } = fact.slot;
    const code = this.codes[half]?.now[place] ?? 0;
    this.trees.vary(fact, fact.answers[code] as number);
  }

  load(machine: number, files: number): void {
    this.show(0, machine);
    this.show(1, files);
  }

  private show(half: 0 | 1, number: number): void {
    if (this.shown[half] === number) return;
    this.shown[half] = number;
    this.halves[half].load(number, this.trees.facts);
    this.known = null;
  }

  get state(): State {
    this.known ??= this.shape.stateOf(this.halves[0].now, this.halves[1].now);
    return this.known;
  }

  /** What a step writes in a half; 0: nothing. */
  writing(half: 0 | 1, step: number): number {
    return this.steps.at(2 * step + half);
  }

  /** What becomes of a half, which is to be the present one, by a step. */
  after(half: 0 | 1, number: number, step: number): number {
    const writing = this.writing(half, step);
    if (writing === 0) return number;
    this.show(half, number);
    return this.halves[half].after(writing, this.edits);
  }

  /** The number of a step that writes this. */
  step(writes: readonly Write[]): number {
    const first = this.halves[0].writing(writes, 0);
    const second = this.halves[1].writing(writes, 1);
    const known = this.stepOf.get(first, second);
    if (known !== -1) return known;
    const number = this.steps.push(first) / 2;
    this.steps.push(second);
    this.stepOf.set(first, second, number);
    return number;
  }

  stateAt(machine: number, files: number): State {
    return this.shape.stateOf(this.halves[0].codes(machine), this.halves[1].codes(files));
  }

  /** What is open with a second half, until it is asked of another one. */
  openedAt(files: number): Opened {
    return this.shape.openedOf(this.halves[1].codes(files));
  }

  /** Makes room for what the last question brought. */
  settle(): void {
    this.halves[0].widen();
    this.halves[1].widen();
  }
}
