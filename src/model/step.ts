import { dispatch, itsOf, knows, meantOn, objectOf } from './dispatch.ts';
import { fileAt } from './files.ts';
import { type Asked, asked as askedOf, type Done, type Guard, type Its } from './guard.ts';
import { steps } from './once.ts';
import type { Op } from './op.ts';
import { type Asking, asking } from './ops.ts';
import type { Outcome } from './outcome.ts';
import type { OpenFile, State, World } from './state.ts';

/**
 * The transition system: `step(world, state, op)` answers what the kernel answers and gives the state after. It is
 * total: it never throws, whatever the operation's arguments are, and a refused operation leaves the state as it is,
 * but for guards that say what they leave.
 *
 * What it does not know yet: nested page tables of other IOMMUs than that of iommufd's self-test, mediated devices, devices
 * that are plugged in, and of what is inside a device more than its user's interrupts and the head of
 * its configuration space: what registers do, capabilities, power management. One call is over before the next begins, so
 * none meets a lock that another holds (EAGAIN of a reset, EBUSY of a hot reset). A device that is open when a snapshot is
 * taken is not told by it and counts as closed, one that is leaving as gone from its driver, and a module that is going as
 * there. Neither are ids told that a driver was given before, nor in which order it took its devices.
 *
 * A call that waits answers that it does. One that takes a device away (`unbind`, `remove`, `sriov_numvfs` of 0, and the
 * unload of its driver's module) leaves it on its way out while it is open, and the close of the last descriptor goes on to
 * the next device, or ends the call. Any other that waits for a lock changes nothing until it has it.
 */
export function step(world: World, state: State, op: Op): Outcome {
  return stepAsking(asking[world.profile.id], world, state, op);
}

/** As `step`, with other guards: a kernel with planted defects, to show that laws and vectors can fail. */
export function stepAsking(calls: Asking, world: World, state: State, op: Op): Outcome {
  const done = carriedOut(calls, world, state, op);
  if (done === null) return refused(refusal.guard, world, state, op);
  const { state: after, value, out } = done;
  const result = out === undefined ? ({ ok: true, value } as const) : ({ ok: true, value, out } as const);
  return { state: after ?? state, result };
}

/**
 * What an operation does, or null where a guard refuses it, which `refusal` then holds. `step` is this with the state that a
 * refusal leaves and those that a call waits for; a reader who makes many steps may spare itself the objects, and the search
 * for the open file that the operation's descriptor names, if it knows it.
 */
export function carriedOut(
  calls: Asking,
  world: World,
  state: State,
  question: Op,
  known?: OpenFile | null,
): Done | null {
  steps.now = (steps.now + 1) | 0;
  if (!world.processes.has(question.pid)) {
    refusal.guard = noProcess;
    return null;
  }
  let op = question;
  let its: Its<Op> = null;
  let call = calls[op.op];
  if (call.asksFile) {
    const { pid, fd } = op as Op & { readonly fd: number };
    const file = known ?? fileAt(state, pid, fd);
    if (call.on === null || !knows(file, op, call.on)) {
      op = meantOn(file, op);
      call = calls[op.op];
    }
    if (file !== null) its = file.kind === 'device' ? file : objectOf(state, file);
  }
  const { guards } = call;
  for (let place = 0; place < guards.length; place += 1) {
    const guard = guards[place] as Asked;
    if (guard.applies(world, state, op, its)) {
      refusal.guard = guard;
      return null;
    }
  }
  return call.effect(world, state, op, its);
}

/**
 * The state that a guard leaves which refused: `step` without its answer, for who asks only where an operation leads. Whom a call
 * waits for is then not looked for.
 */
export function leftBy(guard: Asked, world: World, state: State, question: Op): State {
  if (guard.leaves === undefined) return state;
  const op = dispatch(state, question);
  return guard.leaves(world, state, op, itsOf(state, op));
}

function refused(guard: Asked, world: World, state: State, question: Op): Outcome {
  const left = leftBy(guard, world, state, question);
  if (guard.refusal !== null) return { state: left, result: guard.refusal };
  const op = dispatch(state, question);
  const blocks = guard.waitsFor?.(world, state, op, itsOf(state, op)) ?? [];
  return { state: left, result: { ok: false, guard: guard.id, blocks } };
}

const missing: Guard = {
  id: 'process.missing',
  words: 'there is no such process',
  errno: 'ESRCH',
  citation: 'the model: an operation names the process that makes it',
  applies: (world, _state, op) => !world.processes.has(op.pid),
};

/** The guard before all others; it has no place in the kernel, which has no callers that do not exist. */
export const noProcess: Asked = askedOf(missing, 'ESRCH', `${missing.citation}`);

/** What refused the latest operation that was refused. */
export const refusal: { guard: Asked } = { guard: noProcess };
