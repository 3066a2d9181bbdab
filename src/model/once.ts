import type { State, World } from './state.ts';

/** Which step is made: what was asked in one is not remembered in the next. */
let now = 0;

/** Another step begins: its operation may be the same object with other arguments. */
export function forget(): void {
  now = (now + 1) | 0;
}

/**
 * The guards and the effect of one step ask the same questions of the same state again and again: what is behind the
 * descriptor, which device is named. Each such question keeps its latest answer until the next step begins. Nothing but
 * time tells, since worlds and states are never changed in place, and no operation while its step is made.
 */
export function once<O extends object, T>(
  ask: (world: World, state: State, op: O) => T,
): (world: World, state: State, op: O) => T {
  let asked: { step: number; world: World; state: State; op: O; answer: T } | null = null;
  return (world, state, op) => {
    if (
      asked !== null &&
      asked.step === now &&
      asked.op === op &&
      asked.state === state &&
      asked.world === world
    )
      return asked.answer;
    const answer = ask(world, state, op);
    if (asked === null) asked = { step: now, world, state, op, answer };
    else {
      asked.step = now;
      asked.world = world;
      asked.state = state;
      asked.op = op;
      asked.answer = answer;
    }
    return answer;
  };
}
