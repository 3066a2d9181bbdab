import { Keys } from '../key.ts';
import type { Law } from '../law.ts';
import type { Op } from '../op.ts';
import { type Asking, asking, asksInstead } from '../ops.ts';
import type { Outcome } from '../outcome.ts';
import type { State, World } from '../state.ts';
import { stepAsking } from '../step.ts';
import { type Renaming, renamed } from '../symmetry.ts';
import { Ints } from './ints.ts';
import { Learned, type Section } from './learned.ts';
import { Normal } from './normal.ts';
import { Present } from './present.ts';
import { Reach } from './reach.ts';
import { Rows } from './rows.ts';
import { Seen } from './seen.ts';

/**
 * Walks every state that a world can reach by an alphabet of operations, breadth first, and asks the laws everywhere. The
 * first state or step that breaks one comes with a shortest way there.
 */
export interface Exploration {
  readonly world: World;
  readonly initial: State;
  /**
   * The operations that may happen in a state: what bounds the world. In parts, because each is asked once of all states
   * that differ in nothing that it reads; and these in sections, because what all operations of one do is put together once of
   * all states that differ in nothing that they read.
   */
  readonly alphabet: readonly Section[];
  readonly laws: readonly Law[];
  /** Guards left out, to plant a defect. */
  readonly without?: ReadonlySet<string>;
  /** Renamings that the alphabet treats alike: of states that only they tell apart one is walked. */
  readonly symmetries?: readonly Renaming[];
  /** States after which it gives up, and says so. */
  readonly limit?: number;
  /** Is told every transition, and may end the exploration by false. */
  readonly listener?: (before: State, op: Op, outcome: Outcome) => boolean;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** False when something ended it: a broken law, the limit, the listener. */
  readonly complete: boolean;
  /** Ids of guards that refused something. */
  readonly guards: ReadonlySet<string>;
  readonly broken: Broken | null;
}

interface Broken {
  readonly law: Law;
  /** From the initial state; the last step breaks the law, or leads to the state that does. */
  readonly trace: readonly Traced[];
}

interface Traced {
  readonly op: Op;
  readonly result: Outcome['result'];
}

export function explore(exploration: Exploration): Explored {
  const walk = new Walk(exploration);
  return walk.all();
}

/** A kernel's guards but for some. */
function without(asked: Asking, absent: ReadonlySet<string> | undefined): Asking {
  if (absent === undefined || absent.size === 0) return asked;
  const left = Object.entries(asked).map(([op, { guards }]) => [
    op,
    guards.filter(({ id }) => !absent.has(id)),
  ]);
  return asksInstead(asked, Object.fromEntries(left));
}

class Walk {
  private readonly exploration: Exploration;
  private readonly asked: Asking;
  private readonly present: Present;
  private readonly learned: Learned;
  private readonly reach: Reach;
  private readonly keys = new Keys();
  private readonly seen = new Seen();
  /** By state, in the order in which they were met: its halves, and the step by which it was reached first. */
  private readonly machines = new Ints();
  private readonly files = new Ints();
  private readonly parents = new Ints();
  private readonly steps = new Ints();
  private transitions = 0;
  /** By second half the first and the last state of a list, and by state the next one in it. */
  private readonly firsts = new Ints();
  private readonly lasts = new Ints();
  private readonly nexts = new Ints();
  /** Second halves with which states wait, and how many of them were served. */
  private readonly queue = new Ints();
  private served = 0;
  /** How many states wait or were served. */
  private met = 0;
  private readonly rows: Rows;
  /** Whether the order matters, and with it how each state was reached. */
  private readonly ordered: boolean;
  /** States that are walked from together: of each its first half and by section the row that it has, -1 where that is done. */
  private readonly together = new Ints();
  private readonly batch = new Ints();
  private readonly checksStates: boolean;
  private readonly listens: boolean;
  private readonly limit: number;
  /** The state of which the listener was told last: it is one object for all its transitions. */
  private told: { readonly place: number; readonly state: State } | null = null;
  private end: { readonly law: Law | null; readonly place: number; readonly op: number } | null = null;

  constructor(exploration: Exploration) {
    const { world, initial, alphabet } = exploration;
    this.exploration = exploration;
    this.limit = exploration.limit ?? Number.POSITIVE_INFINITY;
    const laws = exploration.laws.filter(({ profiles }) => profiles.includes(world.profile.id));
    this.checksStates = laws.some(({ onState }) => onState !== undefined);
    this.listens = exploration.listener !== undefined;
    this.asked = without(asking[world.profile.id], exploration.without);
    this.present = new Present(initial);
    this.reach = new Reach(this.present, new Normal(this.present), this.keys);
    this.learned = new Learned(this.present, world, this.asked, alphabet, laws, this.listens);
    this.rows = new Rows(this.present, this.learned, this.listens);
    this.ordered = laws.length > 0 || this.listens;
  }

  all(): Explored {
    const { present, machines } = this;
    const [machine, files] = [present.halves[0].present(), present.halves[1].present()];
    this.reach.begin(files);
    // The first step changes nothing, but the numbers are put in order.
    this.arrive(0, machine, -1, -1);
    const law = this.checksStates ? this.learned.brokenNow() : undefined;
    if (law !== undefined) this.end = { law, place: 0, op: -1 };
    while (this.met < machines.length && this.end === null) {
      this.wait();
      for (; this.served < this.queue.length && this.end === null; this.served += 1) {
        this.expand(this.queue.at(this.served));
      }
    }
    const { end } = this;
    return {
      states: machines.length,
      transitions: this.transitions,
      complete: end === null,
      guards: this.learned.guards,
      broken:
        end === null || end.law === null
          ? null
          : { law: end.law, trace: this.trace(end.law, end.place, end.op) },
    };
  }

  /** States that were met wait for the others with the same second half. */
  private wait(): void {
    const { files, firsts, lasts, nexts, machines, queue } = this;
    for (; this.met < machines.length; this.met += 1) {
      const second = files.at(this.met);
      while (firsts.length <= second) {
        firsts.push(-1);
        lasts.push(-1);
      }
      if (firsts.at(second) === -1) {
        queue.push(second);
        firsts.array[second] = this.met;
      } else nexts.array[lasts.at(second)] = this.met;
      lasts.array[second] = this.met;
      nexts.push(-1);
    }
  }

  /** Makes every step from the states that wait with a second half. */
  private expand(second: number): void {
    this.reach.begin(second);
    this.rows.begin();
    if (this.ordered) this.expandInOrder(second);
    // Those that were met meanwhile and have this second half, too, are walked from at once.
    else while (this.end === null && this.firsts.at(second) !== -1) this.expandTogether(second);
  }

  private expandInOrder(second: number): void {
    const { present, machines, nexts, firsts, rows, learned } = this;
    let place = firsts.at(second);
    firsts.array[second] = -1;
    for (; place !== -1 && this.end === null; place = nexts.at(place)) {
      const machine = machines.at(place);
      present.load(machine, second);
      for (let section = 0; section < learned.sections.length && this.end === null; section += 1)
        this.carry(rows.of(section), place, machine, second);
    }
  }

  /** Without laws and without anybody who listens: where a step leads is looked up once for all that make it. */
  private expandTogether(second: number): void {
    const { present, machines, nexts, firsts, rows, learned, together } = this;
    const count = learned.sections.length;
    let place = firsts.at(second);
    firsts.array[second] = -1;
    together.length = 0;
    for (; place !== -1; place = nexts.at(place)) {
      const machine = machines.at(place);
      present.load(machine, second);
      together.push(machine);
      for (let section = 0; section < count; section += 1) together.push(rows.of(section));
    }
    for (let section = 0; section < count && this.end === null; section += 1)
      this.carryAll(section, count + 1);
    this.wait();
  }

  /** Makes the steps of a section from the states of `together`, those of one row after another. */
  private carryAll(section: number, width: number): void {
    const { together, batch } = this;
    for (let from = 0; from < together.length; from += width) {
      const row = together.at(from + 1 + section);
      if (row === -1) continue;
      batch.length = 0;
      for (let at = from; at < together.length; at += width) {
        if (together.at(at + 1 + section) !== row) continue;
        together.array[at + 1 + section] = -1;
        batch.push(together.at(at));
      }
      this.carryRow(row);
      if (this.end !== null) return;
    }
  }

  /** Makes the steps of a row from the first halves of `batch`. */
  private carryRow(row: number): void {
    const { list } = this.rows;
    const end = row + list.at(row + 1);
    this.transitions += (list.at(row) + (end - row - 2) / 2) * this.batch.length;
    for (let at = row + 3; at < end && this.end === null; at += 2) this.arriveAll(list.at(at));
  }

  /** A step leads from the present second half and each first one of `batch` to a state. */
  private arriveAll(step: number): void {
    const { reach, batch, seen } = this;
    const second = reach.second(step);
    const key = reach.key(step);
    for (let each = 0; each < batch.length; each += 1) {
      const first = reach.first(step, batch.at(each));
      if (!seen.add(this.keyOf(first, second), key)) continue;
      this.enter(first, second, -1, -1);
      if (this.machines.length < this.limit) continue;
      this.end = { law: null, place: 0, op: -1 };
      return;
    }
  }

  /** Makes the steps of a row. */
  private carry(row: number, place: number, machine: number, files: number): void {
    const { list } = this.rows;
    this.transitions += list.at(row);
    const end = row + list.at(row + 1);
    for (let at = row + 2; at < end && this.end === null; at += 2) {
      const op = list.at(at);
      const step = list.at(at + 1);
      if (op < 0) this.take(~op, step, place, machine, files);
      else {
        this.transitions += 1;
        this.arrive(step, machine, place, op);
      }
    }
  }

  /** Makes a step of which the leaf is known. */
  private take(op: number, leaf: number, place: number, machine: number, files: number): void {
    const { learned, present } = this;
    this.transitions += 1;
    if (learned.verdicts.at(leaf) !== 0) {
      const law = learned.brokenBy(op, leaf);
      if (law !== undefined) {
        this.end = { law, place, op };
        return;
      }
    }
    const step = learned.data.at(leaf);
    if (this.listens)
      this.tell(place, op, leaf, present.after(0, machine, step), present.after(1, files, step));
    if (this.end === null && step !== 0) this.arrive(step, machine, place, op);
  }

  /** A step of the present state leads to a state. */
  private arrive(step: number, machine: number, place: number, op: number): void {
    const { reach } = this;
    const second = reach.second(step);
    const first = reach.first(step, machine);
    if (!this.seen.add(this.keyOf(first, second), reach.key(step))) return;
    this.enter(first, second, place, op);
    if (this.checksStates && place !== -1) this.check(first, second, place, op);
    if (this.end === null && this.machines.length >= this.limit) this.end = { law: null, place, op };
  }

  /** The key of a first half, which is beside some second one. */
  private keyOf(first: number, second: number): number {
    const half = this.present.halves[0];
    const known = half.key(first);
    if (known !== -1) return known;
    const key = this.keys.ofMachine(this.present.stateAt(first, second));
    half.setKey(first, key);
    return key;
  }

  private enter(machine: number, files: number, parent: number, op: number): void {
    this.machines.push(machine);
    this.files.push(files);
    this.parents.push(parent);
    this.steps.push(op);
    const { symmetries } = this.exploration;
    if (symmetries !== undefined && symmetries.length > 0) this.enterOthers(symmetries, machine, files);
  }

  /** With a state all are seen that only names tell apart from it. */
  private enterOthers(symmetries: readonly Renaming[], machine: number, files: number): void {
    const state = this.present.stateAt(machine, files);
    for (const symmetry of symmetries) {
      const other = renamed(state, symmetry);
      this.seen.add(this.keys.ofMachine(other), this.keys.ofFiles(other));
    }
  }

  private check(machine: number, files: number, place: number, op: number): void {
    const { present } = this;
    present.load(machine, files);
    const law = this.learned.brokenNow();
    present.load(this.machines.at(place), this.files.at(place));
    if (law !== undefined) this.end = { law, place, op };
  }

  private tell(place: number, op: number, leaf: number, machine: number, files: number): void {
    const { present, learned } = this;
    const same = machine === this.machines.at(place) && files === this.files.at(place);
    if (this.told?.place !== place) this.told = { place, state: present.state };
    const before = this.told.state;
    const state = same ? before : present.stateAt(machine, files);
    const goes = this.exploration.listener?.(before, learned.ops[op] as Op, {
      result: learned.result(leaf),
      state,
    });
    if (goes === false) this.end = { law: null, place, op };
  }

  /**
   * A way to the end by numbers as the kernel gives them: states were numbered alike on the way, so each step is looked for
   * among the moves of the state to which the steps before led.
   */
  private trace(law: Law, place: number, last: number): readonly Traced[] {
    const way: number[] = [];
    for (let at = place; at > 0; at = this.parents.at(at)) way.unshift(at);
    const { world, initial } = this.exploration;
    const traced: Traced[] = [];
    let state = initial;
    const go = (op: number, leads: (op: Op, outcome: Outcome) => boolean): void => {
      const kind = this.learned.ops[op]?.op;
      for (const move of this.exploration.alphabet.flat().flatMap((part) => part(world, state))) {
        if (move.op !== kind) continue;
        const outcome = stepAsking(this.asked, world, state, move);
        if (!leads(move, outcome)) continue;
        traced.push({ op: move, result: outcome.result });
        state = outcome.state;
        return;
      }
      throw new Error(`no ${kind} leads on as one did that was walked`);
    };
    for (const next of way) {
      const goal = this.keys.of(this.present.stateAt(this.machines.at(next), this.files.at(next)));
      go(this.steps.at(next), (_op, outcome) => this.keys.of(outcome.state) === goal);
    }
    const breaks = (op: Op, outcome: Outcome) =>
      law.onStep?.(world, state, op, outcome) === false || law.onState?.(world, outcome.state) === false;
    if (last !== -1) go(last, breaks);
    return traced;
  }
}
