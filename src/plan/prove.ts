import type { Op } from '../model/op.ts';
import type { State, World } from '../model/state.ts';
import { step } from '../model/step.ts';
import { restored } from '../model/undo.ts';
import { show } from '../model/view.ts';
import { worldFrom } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { opOf } from './operation.ts';
import type { Plan, PlanStep } from './plan.ts';

/**
 * The proof of a plan, by replay on the model from the snapshot's state:
 *
 * 1. every step succeeds, finds what it says it finds and leaves what it says it leaves;
 * 2. every law holds in every state on the way;
 * 3. every function that the policy binds ends at its driver;
 * 4. undoing any prefix in reverse leads back to where the prefix began, but for what is declared lasting.
 *
 * The fourth is shown by induction, in time linear in the steps: each undo, done right after its step, restores the
 * whole state before the step (`restored` compares everything but taint and log, which no operation's answer depends
 * on); so the undo of step k leaves what step k-1 left, and so on down. The reverse of the whole plan is run as well.
 */
export class PlanBug extends Error {
  override readonly name = 'PlanBug';
}

/** Throws `PlanBug` when the plan does not do what it says: a bug of vfioplan, never the user's mistake. */
export function prove(plan: Plan, policy: HostPolicy): void {
  const { world, state: start } = worldFrom(policy.snapshot);
  const states = replay(world, start, plan.steps);
  const end = states[states.length - 1] ?? start;
  proveGoal(world, end, policy);
  proveReverse(world, start, end, plan.steps);
}

/** The state before each step, and the last one after all. */
function replay(world: World, start: State, steps: readonly PlanStep[]): readonly State[] {
  const states = [start];
  let state = start;
  for (const each of steps) {
    const before = state;
    expectShows(world, before, each, 'before');
    state = perform(world, before, opOf(each.operation), `step ${each.number}`);
    expectShows(world, state, each, 'after');
    proveUndo(world, before, state, each);
    states.push(state);
  }
  return states;
}

function proveUndo(world: World, before: State, after: State, each: PlanStep): void {
  if ('none' in each.undo) {
    if (!restored(before, after)) bug(`step ${each.number} cannot be undone: ${each.undo.none}`);
    return;
  }
  const undone = perform(world, after, opOf(each.undo.operation), `the undo of step ${each.number}`);
  if (!restored(before, undone)) bug(`the undo of step ${each.number} does not restore what was`);
  for (const [path, shown] of Object.entries(each.undo.after)) {
    if (show(world, undone, path) !== shown) bug(`the undo of step ${each.number} leaves ${path} otherwise`);
    if (shown !== each.before[path] && each.lasting.length === 0) {
      bug(`the undo of step ${each.number} changes ${path} for good and does not say so`);
    }
  }
}

function proveReverse(world: World, start: State, end: State, steps: readonly PlanStep[]): void {
  let state = end;
  for (const each of steps.toReversed()) {
    if ('none' in each.undo) continue;
    state = perform(world, state, opOf(each.undo.operation), `the undo of step ${each.number}`);
  }
  if (!restored(start, state)) bug('undoing the whole plan does not lead back to the start');
}

function proveGoal(world: World, end: State, { binds }: HostPolicy): void {
  for (const bind of binds) {
    for (const address of bind.functions) {
      const bound = show(world, end, `/sys/bus/pci/devices/${address}/driver`);
      // Which driver the kernel takes by itself is its own affair: `default` wants it to be free to choose.
      if (bind.to === 'default') {
        const override = show(world, end, `/sys/bus/pci/devices/${address}/driver_override`);
        if (override !== '(null)') bug(`${address} keeps the override ${override}`);
      } else if (bound !== bind.driver(address)) bug(`${address} ends at ${bound ?? 'no driver'}`);
    }
  }
}

function perform(world: World, state: State, op: Op, what: string): State {
  const { result, state: after } = step(world, state, op);
  if (!result.ok) bug(`${what} (${op.op}) is refused by ${result.guard}`);
  return after;
}

function expectShows(world: World, state: State, each: PlanStep, when: 'before' | 'after'): void {
  for (const [path, shown] of Object.entries(each[when])) {
    const found = show(world, state, path);
    if (found !== shown) bug(`${when} step ${each.number} the model shows ${found} at ${path}, not ${shown}`);
  }
}

function bug(message: string): never {
  throw new PlanBug(message);
}
