import { Keys } from './key.ts';
import type { Law } from './law.ts';
import type { Op } from './op.ts';
import { type Asking, asking } from './ops.ts';
import type { Outcome } from './outcome.ts';
import type { State, World } from './state.ts';
import { stepAsking } from './step.ts';
import { type Renaming, renamed } from './symmetry.ts';

/**
 * Walks every state that a world can reach by an alphabet of operations, breadth first, and asks the laws everywhere. The
 * first state or step that breaks one comes with a shortest way there.
 */
interface Exploration {
  readonly world: World;
  readonly initial: State;
  /** The operations that may happen in a state: what bounds the world. */
  readonly alphabet: (world: World, state: State) => Iterable<Op>;
  readonly laws: readonly Law[];
  /** Guards left out, to plant a defect. */
  readonly without?: ReadonlySet<string>;
  /** Renamings that the alphabet treats alike: of states that only they tell apart one is walked. */
  readonly symmetries?: readonly Renaming[];
  /** States after which it gives up, and says so. */
  readonly limit?: number;
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** False when the limit ended it. */
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
  const { world, initial, alphabet, limit = Number.POSITIVE_INFINITY } = exploration;
  const laws = exploration.laws.filter(({ profiles }) => profiles.includes(world.profile.id));
  const onStates = laws.filter(({ onState }) => onState !== undefined);
  const onSteps = laws.filter(({ onStep }) => onStep !== undefined);
  const asked = without(asking[world.profile.id], exploration.without);
  const guards = new Set<string>();
  const walk = new Walk(exploration, asked);
  let transitions = 0;
  const finish = (law: Law | undefined, place: number, op: Op | null, complete: boolean): Explored => ({
    states: walk.parents.length,
    transitions,
    complete,
    guards,
    broken: law === undefined ? null : { law, trace: walk.trace(place, op) },
  });
  const first = onStates.find(({ onState }) => onState?.(world, initial) === false);
  if (first !== undefined) return finish(first, 0, null, false);
  let frontier: readonly (readonly [State, number])[] = [[initial, 0]];
  while (frontier.length > 0) {
    const next: (readonly [State, number])[] = [];
    for (const [state, place] of frontier) {
      for (const op of alphabet(world, state)) {
        transitions += 1;
        const outcome = stepAsking(asked, world, state, op);
        if (!outcome.result.ok) guards.add(outcome.result.guard);
        const step = onSteps.find(({ onStep }) => onStep?.(world, state, op, outcome) === false);
        if (step !== undefined) return finish(step, place, op, false);
        if (outcome.state === state || !walk.enter(outcome.state, place, op)) continue;
        const broken = onStates.find(({ onState }) => onState?.(world, outcome.state) === false);
        if (broken !== undefined) return finish(broken, place, op, false);
        if (walk.parents.length >= limit) return finish(undefined, place, op, false);
        next.push([outcome.state, walk.parents.length - 1]);
      }
    }
    frontier = next;
  }
  return finish(undefined, 0, null, true);
}

/** A kernel's guards but for some. */
function without(asked: Asking, absent: ReadonlySet<string> | undefined): Asking {
  if (absent === undefined || absent.size === 0) return asked;
  const left = Object.entries(asked).map(([op, guards]) => [op, guards.filter(({ id }) => !absent.has(id))]);
  return Object.fromEntries(left) as Asking;
}

/** What has been seen, and by which step each state was reached first. */
class Walk {
  readonly parents: number[] = [-1];
  private readonly ops: (Op | null)[] = [null];
  private readonly keys = new Keys();
  private readonly seen: Set<number>;
  private readonly exploration: Exploration;
  private readonly asked: Asking;

  constructor(exploration: Exploration, asked: Asking) {
    this.exploration = exploration;
    this.asked = asked;
    this.seen = new Set([this.keyOf(exploration.initial)]);
  }

  /** Whether the state is new. */
  enter(state: State, parent: number, op: Op): boolean {
    const before = this.seen.size;
    this.seen.add(this.keyOf(state));
    if (this.seen.size === before) return false;
    this.parents.push(parent);
    this.ops.push(op);
    return true;
  }

  /** The least key of all that the state may be called. */
  private keyOf(state: State): number {
    let key = this.keys.of(state);
    for (const symmetry of this.exploration.symmetries ?? []) {
      const other = this.keys.of(renamed(state, symmetry));
      if (other < key) key = other;
    }
    return key;
  }

  trace(place: number, last: Op | null): readonly Traced[] {
    const ops: Op[] = last === null ? [] : [last];
    for (let at = place; at > 0; at = this.parents[at] ?? 0) {
      const op = this.ops[at];
      if (op) ops.unshift(op);
    }
    const { world, initial } = this.exploration;
    let state = initial;
    return ops.map((op) => {
      const outcome = stepAsking(this.asked, world, state, op);
      state = outcome.state;
      return { op, result: outcome.result };
    });
  }
}
