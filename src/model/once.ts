import type { State, World } from './state.ts';

/**
 * The guards and the effect of one step ask the same questions of the same state again and again: what is behind the
 * descriptor, which device is named. Each such question keeps its latest answer. Nothing but time tells, since worlds,
 * states and operations are never changed in place.
 */
export function once<O extends object, T>(
  ask: (world: World, state: State, op: O) => T,
): (world: World, state: State, op: O) => T {
  let asked: { world: World; state: State; op: O; answer: T } | null = null;
  return (world, state, op) => {
    if (asked !== null && asked.op === op && asked.state === state && asked.world === world)
      return asked.answer;
    const answer = ask(world, state, op);
    if (asked === null) asked = { world, state, op, answer };
    else {
      asked.world = world;
      asked.state = state;
      asked.op = op;
      asked.answer = answer;
    }
    return answer;
  };
}
