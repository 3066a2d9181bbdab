import type { Op } from './op.ts';
import { ruleOf } from './ops.ts';
import { same } from './same.ts';
import type { Device, State, VfioGroup, World } from './state.ts';
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

/**
 * Whether a state is the earlier one again, but for what lasts (taint) and for numbers that the kernel hands out as it
 * likes: X of vfioX and a group's minor are the lowest that is free, so a device that comes back may get another one,
 * and what comes back to the bus is its last.
 */
export function restored(before: State, after: State): boolean {
  const { taint: _, groups, devices, bus, ...rest } = before;
  const { taint: __, groups: groupsNow, devices: devicesNow, bus: busNow, ...restNow } = after;
  const sameBus = bus.autoprobe === busNow.autoprobe && same(bus.ids, busNow.ids);
  return sameBus && same(rest, restNow) && sameDevices(devices, devicesNow) && sameGroups(groups, groupsNow);
}

function sameDevices(before: State['devices'], after: State['devices']): boolean {
  return before.every((device, index) => {
    const now = after[index];
    return now === device || (now !== undefined && same(unnumbered(device), unnumbered(now)));
  });
}

/** Which group it is in is said by the IOMMU group; the minor is a number, and its name but ends with one. */
function unnumbered({ vfio, ...device }: Device): unknown {
  return { ...device, vfio: vfio && { ...vfio, index: 0, name: vfio.name.replace(/\d+$/, ''), group: 0 } };
}

/** By name. A group's list is in the order of registration, which nobody sees; its members count. */
function sameGroups(before: State['groups'], after: State['groups']): boolean {
  if (before === after) return true;
  const found = new Map<string, VfioGroup>();
  for (const group of after) if (group !== null) found.set(group.name, group);
  for (const group of before) {
    if (group === null) continue;
    const now = found.get(group.name);
    if (now === undefined || !(now === group || same(membersSorted(group), membersSorted(now)))) return false;
    found.delete(group.name);
  }
  return found.size === 0;
}

function membersSorted(group: VfioGroup): unknown {
  return { ...group, minor: 0, devices: [...group.devices].sort((a, b) => a - b) };
}
