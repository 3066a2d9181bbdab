import { containerIn, type Draft, draftOf, groupIn, iommuGroupIn, setContainer } from './draft.ts';
import { uncharge } from './mappings.ts';
import { byId, placeOfId } from './places.ts';
import type { Container, State, VfioGroup, World } from './state.ts';

/** Groups in containers: the claim that comes with it, and what the last group takes along. */

/** Puts a group into a container and claims its IOMMU group (vfio_container_attach_group). */
export function attachContainer(world: World, state: State, group: VfioGroup, container: Container): State {
  const { minor } = group;
  const { index } = container;
  const draft = draftOf(state);
  const ours = groupIn(draft, minor);
  ours.container = index;
  ours.containerUsers = 1;
  const theirs = containerIn(draft, index);
  theirs.groups = theirs.groups.length === 0 ? [minor] : [minor, ...theirs.groups];
  theirs.noiommu = group.noiommu;
  if (world.profile.viability === 'claim' && !group.noiommu) claim(draft, group.iommuGroup, minor);
  return draft;
}

function claim(draft: Draft, id: number | null, minor: number): void {
  const place = placeOfId(draft.iommuGroups, id);
  if (place === -1) return;
  const claimed = iommuGroupIn(draft, place);
  claimed.owner = minor;
  claimed.ownerCount = 1;
}

/**
 * Takes a group out of its container, if it is in one: ends its claim on the IOMMU group, and with the last group the
 * container loses its IOMMU driver and every mapping (drivers/vfio/container.c:vfio_group_detach_container).
 */
export function detach(draft: Draft, minor: number): void {
  const group = draft.groups[minor];
  if (!group || group.container === null) return;
  const container = draft.containers[group.container];
  if (!container) return;
  const groups = without(container.groups, minor);
  const last = groups.length === 0;
  if (last) draft.locked = uncharged(draft, container);
  if (last && container.file === null) setContainer(draft, container.index, null);
  else {
    const theirs = containerIn(draft, container.index);
    theirs.groups = groups;
    if (last) theirs.iommu = null;
  }
  const ours = groupIn(draft, minor);
  ours.container = null;
  ours.containerUsers = 0;
  const place = placeOfId(draft.iommuGroups, group.iommuGroup);
  if (draft.iommuGroups[place]?.owner !== minor) return;
  const claimed = iommuGroupIn(draft, place);
  claimed.owner = null;
  claimed.ownerCount = 0;
}

function without(groups: readonly number[], minor: number): readonly number[] {
  const left: number[] = [];
  for (let place = 0; place < groups.length; place += 1) {
    const group = groups[place];
    if (group !== undefined && group !== minor) left.push(group);
  }
  return left;
}

/** A firmware-owned 1:1 mapping (RMRR) lies on a device of the group. */
export function reservedByFirmware(world: World, state: State, minor: number): boolean {
  const group = state.groups[minor];
  const iommuGroup = byId(state.iommuGroups, group?.iommuGroup);
  if (iommuGroup?.fake !== false) return false;
  const { devices } = iommuGroup;
  for (let place = 0; place < devices.length; place += 1)
    if (world.hardware[devices[place] as number]?.firmwareReserved === true) return true;
  return false;
}

/** The walk that kernels before 5.19 make: unbound, VFIO's, pci-stub's and bridges do not hinder (vfio_dev_viable). */
export function viableByWalk(world: World, state: State, minor: number): boolean {
  const group = state.groups[minor];
  const iommuGroup = byId(state.iommuGroups, group?.iommuGroup);
  return (iommuGroup?.devices ?? []).every((index) => {
    const name = state.devices[index]?.driver ?? null;
    if (name === null || name === 'pci-stub' || world.hardware[index]?.headerType !== 0) return true;
    return world.drivers.get(name)?.vfio === true;
  });
}

/** What stays charged once a container's mappings are gone. */
function uncharged(state: Pick<State, 'locked'>, container: Container): State['locked'] {
  if (container.iommu?.driver !== 'type1') return state.locked;
  const { mappings } = container.iommu;
  return uncharge(state.locked, mappings, 0, mappings.length);
}
