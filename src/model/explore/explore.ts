import { Keys } from '../key.ts';
import type { Law } from '../law.ts';
import type { Op } from '../op.ts';
import { type Asking, asking } from '../ops.ts';
import type { Outcome } from '../outcome.ts';
import type { State, World } from '../state.ts';
import { stepAsking } from '../step.ts';
import { type Renaming, renamed } from '../symmetry.ts';
import { Ints } from './ints.ts';
import { Learned, type Moves } from './learned.ts';
import { Plans } from './plan.ts';
import { Present } from './present.ts';
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
   * that differ in nothing that it reads.
   */
  readonly alphabet: readonly Moves[];
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
  const left = Object.entries(asked).map(([op, guards]) => [op, guards.filter(({ id }) => !absent.has(id))]);
  return Object.fromEntries(left) as Asking;
}

class Walk {
  private readonly exploration: Exploration;
  private readonly asked: Asking;
  private readonly present: Present;
  private readonly learned: Learned;
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
  private readonly plans: readonly [Plans, Plans];
  private readonly ordered: boolean;
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
    this.learned = new Learned(this.present, world, this.asked, alphabet, laws);
    const plansOf = (half: 0 | 1) => new Plans(half, this.present, this.learned, this.listens);
    this.plans = [plansOf(0), plansOf(1)];
    this.ordered = laws.length > 0 || this.listens;
  }

  all(): Explored {
    const { present, machines } = this;
    const [machine, file] = present.halves;
    this.enter(machine.present(), file.present(), -1, -1);
    const law = this.checksStates ? this.learned.brokenNow() : undefined;
    if (law !== undefined) this.end = { law, place: 0, op: -1 };
    while (this.met < machines.length && this.end === null) {
      this.wait();
      for (; this.served < this.queue.length && this.end === null; this.served += 1) {
        this.expand(this.queue.at(this.served));
        // Without laws no order matters, and so more of those come together that share their second half.
        if (!this.ordered) this.wait();
      }
    }
    const { end } = this;
    return {
      states: machines.length,
      transitions: this.transitions,
      complete: end === null,
      guards: this.learned.guards,
      broken:
        end === null || end.law === null ? null : { law: end.law, trace: this.trace(end.place, end.op) },
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
    const { present, machines, nexts, firsts, plans } = this;
    const first = firsts.at(second);
    firsts.array[second] = -1;
    present.loadFiles(second);
    for (let place = first; place !== -1 && this.end === null; place = nexts.at(place)) {
      const machine = machines.at(place);
      present.loadMachine(machine);
      let known: number;
      let plan: readonly [number, number];
      // Both by the same knowledge, so that every operation is in one of them.
      do {
        known = present.trees.changes;
        plan = [plans[0].of(machine), plans[1].of(second)];
      } while (known !== present.trees.changes);
      this.carry(0, plan[0], place, machine, second);
      this.carry(1, plan[1], place, machine, second);
    }
  }

  /** Makes the steps of a plan. */
  private carry(half: 0 | 1, plan: number, place: number, machine: number, files: number): void {
    const { learned, present } = this;
    const { list } = this.plans[half];
    this.transitions += list.at(plan + 1);
    const end = plan + list.at(plan + 2);
    for (let at = plan + 3; at < end && this.end === null; at += 1) {
      const what = list.at(at);
      if (what >= 0) {
        this.transitions += 1;
        const step = list.at(at + 1);
        const after = list.at(at + 2);
        at += 2;
        if (half === 0) this.arrive(after, present.after(1, files, step), place, what);
        else this.arrive(present.after(0, machine, step), after, place, what);
      } else if (~what < learned.parts) this.carryPart(~what, place, machine, files);
      else {
        at += 1;
        const op = ~what - learned.parts;
        this.take(op, learned.stepFrom(op, list.at(at)), place, machine, files);
      }
    }
  }

  private carryPart(part: number, place: number, machine: number, files: number): void {
    const { learned } = this;
    const at = learned.movesOf(part);
    const count = learned.lists.at(at);
    for (let each = 1; each <= count && this.end === null; each += 1) {
      const op = learned.lists.at(at + each);
      this.take(op, learned.step(op), place, machine, files);
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
    if (step === 0 && !this.listens) return;
    const first = step === 0 ? machine : present.after(0, machine, step);
    const second = step === 0 ? files : present.after(1, files, step);
    if (this.listens) this.tell(place, op, leaf, first, second);
    if (this.end === null) this.arrive(first, second, place, op);
  }

  private arrive(machine: number, files: number, place: number, op: number): void {
    if (!this.enter(machine, files, place, op)) return;
    if (this.checksStates) this.check(machine, files, place, op);
    if (this.end === null && this.machines.length >= this.limit) this.end = { law: null, place, op };
  }

  /** Whether the state is new. */
  private enter(machine: number, files: number, parent: number, op: number): boolean {
    const [first, second] = this.present.halves;
    let left = first.key(machine);
    if (left === -1) left = this.keyOf(0, machine, files);
    let right = second.key(files);
    if (right === -1) right = this.keyOf(1, machine, files);
    if (!this.seen.add(left, right)) return false;
    this.machines.push(machine);
    this.files.push(files);
    this.parents.push(parent);
    this.steps.push(op);
    const { symmetries } = this.exploration;
    if (symmetries !== undefined && symmetries.length > 0) this.enterOthers(symmetries, machine, files);
    return true;
  }

  private keyOf(half: 0 | 1, machine: number, files: number): number {
    const state = this.present.stateAt(machine, files);
    const key = half === 0 ? this.keys.ofMachine(state) : this.keys.ofFiles(state);
    this.present.halves[half].setKey(half === 0 ? machine : files, key);
    return key;
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

  private trace(place: number, last: number): readonly Traced[] {
    const ops = last === -1 ? [] : [last];
    for (let at = place; at > 0; at = this.parents.at(at)) ops.unshift(this.steps.at(at));
    const { world, initial } = this.exploration;
    let state = initial;
    return ops.map((number) => {
      const op = this.learned.ops[number] as Op;
      const outcome = stepAsking(this.asked, world, state, op);
      state = outcome.state;
      return { op, result: outcome.result };
    });
  }
}
