import { dispatch } from './dispatch.ts';
import type { Asked } from './guard.ts';
import type { Op } from './op.ts';
import { type Asking, asking, ruleOf } from './ops.ts';
import type { Outcome, Result } from './outcome.ts';
import type { State, World } from './state.ts';

/**
 * The transition system: `step(world, state, op)` answers what the kernel answers and gives the state after. It is
 * total: it never throws, whatever the operation's arguments are, and a refused operation leaves the state as it is,
 * but for guards that say what they leave.
 *
 * What it does not know yet: page tables that a user makes and what else iommufd has for nested translation, mediated
 * devices, devices that are plugged in, and of what is inside a device more than its user's interrupts and the head of
 * its configuration space: what registers do, capabilities, power management. A device that is open when a snapshot is
 * taken is not told by it and counts as closed, and ids that a driver was given before are not told either. A call that
 * waits changes nothing here until it can be done, though the kernel has begun it.
 */
export function step(world: World, state: State, op: Op): Outcome {
  return stepAsking(asking[world.profile.id], world, state, op);
}

/** As `step`, with other guards: a kernel with planted defects, to show that laws and vectors can fail. */
export function stepAsking(guardsOf: Asking, world: World, state: State, asked: Op): Outcome {
  if (noProcess.applies(world, state, asked)) {
    return { state, result: refusal(noProcess, world, state, asked) };
  }
  const op = dispatch(state, asked);
  const guards = guardsOf[op.op];
  for (let place = 0; place < guards.length; place += 1) {
    const guard = guards[place];
    if (guard === undefined || !guard.applies(world, state, op)) continue;
    const left = guard.leaves?.(world, state, op) ?? state;
    return { state: left, result: refusal(guard, world, state, op) };
  }
  const { state: after, value, out } = ruleOf(op).effect(world, state, op);
  return { state: after, result: out === undefined ? { ok: true, value } : { ok: true, value, out } };
}

/** The guard before all others; it has no place in the kernel, which has no callers that do not exist. */
export const noProcess: Asked = {
  id: 'process.missing',
  words: 'there is no such process',
  errno: 'ESRCH',
  citation: 'the model: an operation names the process that makes it',
  applies: (world, _state, op) => !world.processes.has(op.pid),
};

function refusal(guard: Asked, world: World, state: State, op: Op): Result {
  const { errno } = guard;
  if (errno === null) return { ok: false, guard: guard.id, blocks: guard.waitsFor?.(world, state, op) ?? [] };
  return { ok: false, errno, guard: guard.id };
}
