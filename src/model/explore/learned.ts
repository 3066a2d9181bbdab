import { changeInPlace } from '../draft.ts';
import type { Law } from '../law.ts';
import { forget } from '../once.ts';
import type { Op } from '../op.ts';
import type { Asking } from '../ops.ts';
import type { Outcome } from '../outcome.ts';
import type { State, World } from '../state.ts';
import { carriedOut, leftBy, refusal, stepAsking } from '../step.ts';
import { Ints } from './ints.ts';
import type { Present } from './present.ts';
import { textOf } from './slot.ts';
import { plain } from './view.ts';

export type Moves = (world: World, state: State) => readonly Op[];

/** Parts of an alphabet of which the operations read much the same. */
export type Section = readonly Moves[];

/**
 * What the model answered: which operations may happen, what each does, whether laws hold. Each question is asked once of
 * all states in which the facts are the same that it read.
 */
export class Learned {
  readonly ops: Op[] = [];
  /** The parts of each section. */
  readonly sections: readonly (readonly number[])[];
  /** Ids of guards that refused something. */
  readonly guards = new Set<string>();
  /** By leaf. Of moves: where in `lists` they stand. Of a step: what it writes, 0 when that is nothing. Of a law: 1 when it holds. */
  readonly data = new Ints();
  /** How many, and as many operations. */
  readonly lists = new Ints();
  /** By leaf of a step: the tree of what laws say of it, 0 when all hold. */
  readonly verdicts = new Ints();
  private readonly results: Outcome['result'][] = [];
  private readonly present: Present;
  private readonly world: World;
  private readonly asked: Asking;
  private readonly opsByText = new Map<string, number>();
  private readonly moveTrees: readonly (readonly [Moves, number])[];
  private readonly opTrees: number[] = [];
  private readonly stateLaws: readonly (readonly [Law, number])[];
  private readonly stepLaws: readonly Law[];
  /** Whether anybody asks what a step answers, and not only where it leads. */
  private readonly explains: boolean;

  constructor(
    present: Present,
    world: World,
    asked: Asking,
    alphabet: readonly Section[],
    laws: readonly Law[],
    listens: boolean,
  ) {
    this.present = present;
    this.world = world;
    this.asked = asked;
    const plant = () => present.trees.plant();
    this.moveTrees = alphabet.flat().map((moves) => [moves, plant()]);
    let parts = 0;
    this.sections = alphabet.map((section) => section.map(() => parts++));
    this.stateLaws = laws.filter(({ onState }) => onState !== undefined).map((law) => [law, plant()]);
    this.stepLaws = laws.filter(({ onStep }) => onStep !== undefined);
    this.explains = listens || this.stepLaws.length > 0;
  }

  /** Where in `lists` the operations of a part of the alphabet stand that may happen now; notes by what it is known. */
  movesOf(part: number): number {
    const [moves, tree] = this.moveTrees[part] as readonly [Moves, number];
    const { trees } = this.present;
    let leaf = trees.trace(tree);
    if (leaf < 0) {
      this.learnMoves(moves, tree);
      leaf = trees.trace(tree);
    }
    return this.data.at(leaf);
  }

  /** The leaf of what an operation does now; notes by what it is known. */
  step(op: number): number {
    const { trees } = this.present;
    const tree = this.opTrees[op] as number;
    const leaf = trees.trace(tree);
    if (leaf >= 0) return leaf;
    this.learnStep(op, tree);
    return trees.trace(tree);
  }

  /** Keeps what belongs to the latest leaf. */
  keep(leaf: number, data: number): number {
    this.data.push(data);
    this.verdicts.push(0);
    return leaf;
  }

  result(leaf: number): Outcome['result'] {
    return this.results[leaf] as Outcome['result'];
  }

  /** The first law that the step breaks, which has this leaf now. */
  brokenBy(op: number, leaf: number): Law | undefined {
    const tree = this.verdicts.at(leaf);
    if (tree === 0) return undefined;
    const { trees } = this.present;
    let verdict = trees.find(tree);
    if (verdict < 0) verdict = this.learnVerdict(op, tree);
    return this.stepLaws[this.data.at(verdict) - 1];
  }

  /** The first law that does not hold of the present state. */
  brokenNow(): Law | undefined {
    const { trees } = this.present;
    for (const [law, tree] of this.stateLaws) {
      const leaf = trees.find(tree);
      if (this.data.at(leaf < 0 ? this.learnLaw(law, tree) : leaf) === 0) return law;
    }
    return undefined;
  }

  private learnMoves(moves: Moves, tree: number): void {
    const { present, lists } = this;
    const ops = moves(this.world, present.shape.watch(present.state)).map((op) => this.number(op));
    const at = lists.push(ops.length);
    for (const op of ops) lists.push(op);
    this.grow(tree, 0, at);
  }

  private learnStep(op: number, tree: number): void {
    const { present } = this;
    const { shape, state: before } = present;
    const watched = shape.watch(before);
    if (!this.explains) {
      const after = this.lead(op, watched);
      this.grow(tree, 0, present.step(shape.writes(before, watched, after)));
      return;
    }
    const outcome = this.ask(op, watched);
    const writes = shape.writes(before, watched, outcome.state);
    if (!outcome.result.ok) this.guards.add(outcome.result.guard);
    const result = plain(outcome.result) as Outcome['result'];
    const read = shape.run.reads.length;
    const broken = this.judge(op, before, outcome, writes.length > 0);
    const more = shape.run.reads.splice(read);
    const leaf = this.grow(tree, 0, present.step(writes));
    this.results[leaf] = result;
    const verdicts = broken === 0 && more.length === 0 ? 0 : present.trees.plant();
    if (verdicts !== 0) {
      shape.run.reads.push(...more);
      this.grow(verdicts, read, broken);
    }
    this.setVerdict(leaf, verdicts);
  }

  private learnVerdict(op: number, tree: number): number {
    const { shape, state: before } = this.present;
    const watched = shape.watch(before);
    const outcome = this.ask(op, watched);
    const changes = shape.writes(before, watched, outcome.state).length > 0;
    const read = shape.run.reads.length;
    return this.grow(tree, read, this.judge(op, before, outcome, changes));
  }

  private learnLaw(law: Law, tree: number): number {
    const { shape, state } = this.present;
    forget();
    const holds = law.onState?.(this.world, shape.watch(state)) !== false;
    return this.grow(tree, 0, holds ? 1 : 0);
  }

  /** Where an operation leads, by what that alone reads. */
  private lead(op: number, watched: State): State {
    const its = this.ops[op] as Op;
    return inPlace(watched, () => {
      const done = carriedOut(this.asked, this.world, watched, its);
      if (done !== null) return done.state ?? watched;
      const { guard } = refusal;
      this.guards.add(guard.id);
      return leftBy(guard, this.world, watched, its);
    });
  }

  private ask(op: number, watched: State): Outcome {
    return inPlace(watched, () => stepAsking(this.asked, this.world, watched, this.ops[op] as Op));
  }

  /** One more than the place of the first law that the step breaks, or 0. */
  private judge(op: number, state: State, outcome: Outcome, changes: boolean): number {
    if (this.stepLaws.length === 0) return 0;
    const { shape } = this.present;
    shape.run.settled = true;
    // The step changed in place what its guards remember.
    forget();
    const before = shape.before(state);
    const made = changes ? outcome.state : before;
    const told: Outcome = { result: outcome.result, state: made };
    const its = this.ops[op] as Op;
    return 1 + this.stepLaws.findIndex(({ onStep }) => onStep?.(this.world, before, its, told) === false);
  }

  private grow(tree: number, from: number, data: number): number {
    const { present } = this;
    present.settle();
    return this.keep(present.trees.grow(tree, present.shape.run.reads, from), data);
  }

  private setVerdict(leaf: number, tree: number): void {
    this.verdicts.array[leaf] = tree;
  }

  private number(op: Op): number {
    const text = textOf(op);
    const known = this.opsByText.get(text);
    if (known !== undefined) return known;
    const number = this.ops.push(op) - 1;
    this.opsByText.set(text, number);
    this.opTrees.push(this.present.trees.plant());
    return number;
  }
}

/** Makes a step that changes a state where it stands. */
function inPlace<T>(watched: State, make: () => T): T {
  const earlier = changeInPlace(watched);
  try {
    return make();
  } finally {
    changeInPlace(earlier);
  }
}
