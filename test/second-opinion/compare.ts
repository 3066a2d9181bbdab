import { errnoNumbers } from '../../src/model/errno.ts';
import { explore } from '../../src/model/explore/explore.ts';
import type { Op } from '../../src/model/op.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { movesIn, wordsOf } from './moves.ts';
import { see, textOf } from './state.ts';
import { type Bounds, type Kernel, worldOf } from './world.ts';

/**
 * The model's transitions, and which of them SPIN has too. A transition is a line: the state before, what happens and the
 * answer, the state after.
 */
export class Transitions {
  /** By state before; true once SPIN has said it. */
  private readonly states = new Map<string, Map<string, boolean>>();
  /** Lines share the text of their states, which is much less than the lines themselves. */
  private readonly kept = new Map<string, string>();
  /** What SPIN says and the model does not, some of it. */
  readonly strange: string[] = [];
  count = 0;

  add(before: string, move: string): void {
    const known = this.states.get(before);
    const moves = known ?? new Map<string, boolean>();
    if (known === undefined) this.states.set(before, moves);
    const kept = this.kept.get(move) ?? move;
    if (kept === move) this.kept.set(move, move);
    if (!moves.has(kept)) this.count += 1;
    moves.set(kept, false);
  }

  /** A line of SPIN's. */
  hear(line: string): void {
    const space = line.indexOf(' ');
    const moves = this.states.get(line.slice(0, space));
    const move = line.slice(space + 1);
    if (moves?.has(move)) moves.set(move, true);
    else if (this.strange.length < some) this.strange.push(line);
  }

  get stateCount(): number {
    return this.states.size;
  }

  /** What SPIN did not say, some of it. */
  unheard(): readonly string[] {
    const found: string[] = [];
    for (const [before, moves] of this.states) {
      for (const [move, heard] of moves) {
        if (!heard) found.push(`${before} ${move}`);
        if (found.length === some) return found;
      }
    }
    return found;
  }

  has(before: string, move: string): boolean {
    return this.states.get(before)?.has(move) === true;
  }

  /** Every different answer of every kind of move, as `set_container = -1`. */
  answers(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const move of this.kept.keys()) {
      const [, name = '', rest = ''] = /^\d (\w+)[ \d]* = (-?\d+)/.exec(move) ?? [];
      found.add(`${name} = ${rest}`);
    }
    return found;
  }
}

const some = 12;

export interface Explored {
  readonly transitions: Transitions;
  /** States that the explorer tells apart. */
  readonly states: number;
  /** Guards that refused something. */
  readonly guards: ReadonlySet<string>;
}

/** Every transition that the model's own explorer makes. */
export function exploreAll(bounds: Bounds, kernel: Kernel): Explored {
  const transitions = new Transitions();
  const { states, complete, guards } = tour(bounds, kernel, [], (before, move) => {
    transitions.add(before, move);
    return true;
  });
  if (!complete) throw new Error('the exploration was not complete');
  return { transitions, states, guards };
}

/** Whether a kernel that lacks the guard makes a transition that the sound one does not make. */
export function differs(bounds: Bounds, kernel: Kernel, guard: string, sound: Transitions): boolean {
  return !tour(bounds, kernel, [guard], (before, move) => sound.has(before, move)).complete;
}

/** Lets the explorer of src/model walk, and tells each step; ends when the listener says false. */
function tour(
  bounds: Bounds,
  kernel: Kernel,
  without: readonly string[],
  listen: (before: string, move: string) => boolean,
): ReturnType<typeof explore> {
  const { world, initial } = worldOf(bounds, kernel);
  const alphabet = movesIn(bounds, world);
  let last: State | null = null;
  let seen = see(bounds, initial);
  let text = '';
  const listener = (before: State, op: Op, outcome: Outcome): boolean => {
    if (before !== last) {
      last = before;
      seen = see(bounds, before);
      text = textOf(bounds, world, before, seen);
    }
    const words = wordsOf(bounds, before, seen, op);
    return listen(text, `${words} = ${said(bounds, world, op, outcome, text, before)}`);
  };
  return explore({ world, initial, alphabet, laws: [], without: new Set(without), listener });
}

function said(bounds: Bounds, world: World, op: Op, outcome: Outcome, before: string, from: State): string {
  const answer = answerOf(op, outcome);
  if (answer < 0 && answer !== waits) return `${answer}`;
  return `${answer} ${outcome.state === from ? before : textAt(bounds, world, outcome.state)}`;
}

function textAt(bounds: Bounds, world: World, state: State): string {
  return textOf(bounds, world, state, see(bounds, state));
}

const waits = -999;

/** What vfio.pml answers: an errno, the value of a question, otherwise 0. */
function answerOf(op: Op, { result }: Outcome): number {
  if (!result.ok) return 'errno' in result ? -errnoNumbers[result.errno] : waits;
  if (op.op === 'group.get_status') return Number(result.out?.['flags']);
  return op.op === 'container.check_extension' ? result.value : 0;
}

/** Takes a walk of SPIN's on the model, and says where they part; null when they do not. */
export function follow(bounds: Bounds, kernel: Kernel, lines: readonly string[]): string | null {
  const { world, initial } = worldOf(bounds, kernel);
  const alphabet = movesIn(bounds, world);
  let state = initial;
  for (const [place, line] of lines.entries()) {
    const seen = see(bounds, state);
    const before = textOf(bounds, world, state, seen);
    const [, words] = /^\S+ (.*) = -?\d+/.exec(line) ?? [];
    const from = state;
    const moves = alphabet.flat().flatMap((part) => part(world, from));
    const op = moves.find((each) => wordsOf(bounds, from, seen, each) === words);
    if (op === undefined) return `line ${place + 1}: the model has no such move in ${before}: ${line}`;
    const outcome = step(world, state, op);
    const ours = `${before} ${words} = ${said(bounds, world, op, outcome, before, state)}`;
    if (ours !== line) return `line ${place + 1}: SPIN says ${line}, the model ${ours}`;
    state = outcome.state;
  }
  return null;
}
