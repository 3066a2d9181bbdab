import type { State, World } from './state.ts';

/**
 * Which step is made: what was asked in one is not remembered in the next. A step begins by counting `now` on, for its
 * operation may be the same object as before with other arguments; whole numbers of 32 bits suffice.
 */
export const steps = { now: 0 };

/** Another step begins, though none is made by `step`. */
export function forget(): void {
  steps.now = (steps.now + 1) | 0;
}

/**
 * The guards and the effect of one step ask the same questions of the same state again and again: what is behind the
 * descriptor, which device is named. Each such question keeps its latest answer until the next step begins. Nothing but
 * time tells, since worlds and states are never changed in place, and no operation while its step is made.
 */
export function once<O extends object, T>(
  ask: (world: World, state: State, op: O) => T,
): (world: World, state: State, op: O) => T {
  // Each by itself, not as one object's fields: an interpreter reaches them four times as fast.
  let asked = 0;
  let ofWorld: World | null = null;
  let ofState: State | null = null;
  let ofOp: O | null = null;
  let answer: T;
  return (world, state, op) => {
    if (asked === steps.now && ofOp === op && ofState === state && ofWorld === world) return answer;
    answer = ask(world, state, op);
    asked = steps.now;
    ofWorld = world;
    ofState = state;
    ofOp = op;
    return answer;
  };
}
