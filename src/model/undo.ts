import type { Op } from './op.ts';
import { ruleOf } from './ops.ts';
import { same } from './same.ts';
import type { Device, IommuGroup, State, VfioGroup, World } from './state.ts';
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
 * likes: X of vfioX, the number of a made-up group and a group's minor are the lowest that is free, so a device that comes
 * back may get another one, and what comes back to the bus, or to its driver, is the last there.
 */
export function restored(before: State, after: State): boolean {
  const { taint: _, groups, devices, bus, iommuGroups, ...rest } = before;
  const {
    taint: __,
    groups: groupsNow,
    devices: devicesNow,
    bus: busNow,
    iommuGroups: iommuGroupsNow,
    ...restNow
  } = after;
  const sameBus = bus.autoprobe === busNow.autoprobe && same(waitingOf(bus), waitingOf(busNow));
  return (
    sameBus &&
    same(rest, restNow) &&
    (devices === devicesNow || sameDevices(before, after)) &&
    sameGroups(groups, groupsNow) &&
    (iommuGroups === iommuGroupsNow || sameIommuGroups(iommuGroups, iommuGroupsNow))
  );
}

function waitingOf({ ids, unbinding, removing, unloading }: State['bus']): readonly unknown[] {
  return [ids, unbinding, removing, unloading];
}

function sameDevices(before: State, after: State): boolean {
  return before.devices.every((device, index) => {
    const now = after.devices[index];
    return now === device || (now !== undefined && same(unnumbered(before, device), unnumbered(after, now)));
  });
}

/** Which group it is in is said by the IOMMU group; the minor is a number, and its name but ends with one. */
function unnumbered({ iommuGroups }: State, { vfio, group, ...device }: Device): unknown {
  const fake = group !== null && iommuGroups.some((each) => each.fake && each.id === group);
  return {
    ...device,
    group: fake ? 'its own' : group,
    vfio: vfio && { ...vfio, index: 0, name: vfio.name.replace(/\d+$/, ''), group: 0 },
  };
}

/** Real groups by their numbers, those that VFIO made up by their device. */
function sameIommuGroups(before: State['iommuGroups'], after: State['iommuGroups']): boolean {
  if (before.length !== after.length) return false;
  // Most are what they were, and where they were: the others alone are sorted and compared.
  const were = before.filter((group, place) => group !== after[place]);
  const are = after.filter((group, place) => group !== before[place]);
  return same(were.map(known).sort(byName), are.map(known).sort(byName));
}

function known(group: IommuGroup): readonly [string, IommuGroup] {
  return group.fake ? [`of ${group.devices.join()}`, { ...group, id: 0 }] : [`${group.id}`, group];
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** By name. A group's list is in the order of registration, which nobody sees; its members count. */
function sameGroups(before: State['groups'], after: State['groups']): boolean {
  if (before === after) return true;
  const found = new Map<string, VfioGroup>();
  for (const group of after) if (group !== null) found.set(nameOf(group), group);
  for (const group of before) {
    if (group === null) continue;
    const now = found.get(nameOf(group));
    if (now === undefined || !(now === group || same(membersSorted(group), membersSorted(now)))) return false;
    found.delete(nameOf(group));
  }
  return found.size === 0;
}

/** A made-up group is known by its device, as long as it has one. */
function nameOf({ name, noiommu, devices }: VfioGroup): string {
  return noiommu && devices.length > 0 ? `of ${devices.join()}` : name;
}

function membersSorted(group: VfioGroup): unknown {
  const numbers = group.noiommu && group.devices.length > 0 ? { name: '', iommuGroup: 0 } : {};
  return { ...group, ...numbers, minor: 0, devices: [...group.devices].sort((a, b) => a - b) };
}
