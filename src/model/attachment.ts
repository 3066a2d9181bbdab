import { put, replace } from './places.ts';
import type { Container, State } from './state.ts';

/**
 * Takes a group out of its container, if it is in one: ends its claim on the IOMMU group, and with the last group the
 * container loses its IOMMU driver and every mapping (drivers/vfio/container.c:vfio_group_detach_container).
 */
export function detachContainer(state: State, minor: number): State {
  const group = state.groups[minor];
  if (group === null || group === undefined || group.container === null) return state;
  const container = state.containers[group.container];
  if (container === null || container === undefined) return state;
  const groups = container.groups.filter((attached) => attached !== minor);
  const left: Container = { ...container, groups, iommu: groups.length === 0 ? null : container.iommu };
  const dead = groups.length === 0 && container.file === null;
  const place = state.iommuGroups.findIndex(({ id }) => id === group.iommuGroup);
  const iommuGroup = state.iommuGroups[place];
  return {
    ...state,
    groups: put(state.groups, minor, { ...group, container: null, containerUsers: 0 }),
    containers: put(state.containers, group.container, dead ? null : left),
    locked: groups.length === 0 ? uncharge(state, container) : state.locked,
    iommuGroups:
      iommuGroup?.owner === minor
        ? replace(state.iommuGroups, place, { ...iommuGroup, owner: null, ownerCount: 0 })
        : state.iommuGroups,
  };
}

/** What stays charged once a container's mappings are gone. */
function uncharge(state: State, container: Container): State['locked'] {
  if (container.iommu?.driver !== 'type1' || container.iommu.mappings.length === 0) return state.locked;
  const pages = new Map(state.locked.map((entry) => [entry.pid, entry.pages]));
  for (const { pid, pages: charged } of container.iommu.mappings)
    pages.set(pid, (pages.get(pid) ?? 0) - charged);
  return [...pages].filter(([, left]) => left > 0).map(([pid, left]) => ({ pid, pages: left }));
}
