import type { Op } from './op.ts';
import { ruleOf } from './ops.ts';
import { same } from './same.ts';
import type { State, World } from './state.ts';
import { step } from './step.ts';

/**
 * The one operation that takes `op` back, or why there is none. An undo is only given when the model shows that it
 * works: after `op` and it, everything but taint and log is as it was in `before`.
 */
export function undoOf(world: World, before: State, op: Op): Op | { readonly none: string } {
  const done = step(world, before, op);
  if (!done.result.ok) return { none: 'the operation is refused, so there is nothing to take back' };
  if (done.state === before) return { none: 'the operation changes nothing' };
  const undo = ruleOf(op).undo(world, before, op);
  if ('none' in undo) return undo;
  const undone = step(world, done.state, undo);
  if (!undone.result.ok) return { none: `${undo.op} would be refused (${undone.result.guard})` };
  if (!restored(before, undone.state)) return { none: `${undo.op} would not bring everything back` };
  return undo;
}

/** Whether a state is the earlier one again, but for what lasts (taint). */
export function restored(before: State, after: State): boolean {
  return (
    same({ ...before, taint: 0, groups: [] }, { ...after, taint: 0, groups: [] }) && sameGroups(before, after)
  );
}

/** A group's list is in the order of registration, which nobody sees; its members count. */
function sameGroups(before: State, after: State): boolean {
  if (before.groups === after.groups) return true;
  const sorted = (groups: State['groups']): unknown =>
    groups.map((group) => group && { ...group, devices: [...group.devices].sort((a, b) => a - b) });
  return same(sorted(before.groups), sorted(after.groups));
}
