import { noiommuAllowed } from './modules.ts';
import { originOf } from './origin.ts';
import { byId } from './places.ts';
import type { Container, Iommu, State, World } from './state.ts';

/** The IOMMU drivers that a container may have, and what they say they support. */

/** VFIO_DMA_CC_IOMMU. */
const coherentDma = 4;

/** Whether the IOMMUs of all groups enforce coherency (vfio_domains_have_enforce_cache_coherency). */
function snoops(world: World, state: State, { groups }: Container): boolean {
  return groups.every((minor) => {
    const group = byId(state.iommuGroups, state.groups[minor]?.iommuGroup ?? null);
    const origin = group === undefined ? null : originOf(world, group);
    return origin !== null && world.snooped.has(origin);
  });
}

/** VFIO_CHECK_EXTENSION: 1 or 0, by the driver that is set, or by those that might be. */
export function extension(world: World, state: State, container: Container, asked: number): number {
  const { iommu } = container;
  if (iommu?.driver === 'type1' && asked === coherentDma) return snoops(world, state, container) ? 1 : 0;
  if (iommu !== null) return answer(world, state, iommu.driver, asked, iommu);
  return takerOf(world, state, container, asked) === null ? 0 : 1;
}

/** The first driver that may take the container and says that it supports what is asked; null if none. */
export function takerOf(
  world: World,
  state: State,
  container: Container,
  asked: number,
): Iommu['driver'] | null {
  if (type1May(world, state, container) && answer(world, state, 'type1', asked, null) > 0) return 'type1';
  if (noiommuMay(world, container) && answer(world, state, 'noiommu', asked, null) > 0) return 'noiommu';
  return null;
}

/** Drivers that would be asked to take the container (vfio_iommu_driver_allowed), type1 before the other. */
function type1May(world: World, state: State, container: Container): boolean {
  const there = state.modules[world.type1Module] !== null && state.modules[world.type1Module] !== undefined;
  return there && (container.groups.length === 0 || !container.noiommu);
}

function noiommuMay({ profile }: World, container: Container): boolean {
  if (!profile.build.noiommu) return false;
  return container.groups.length === 0 ? profile.noiommuListed : container.noiommu;
}

/** A driver's own answer; `set` is its instance, when the container has one. */
function answer(
  world: World,
  state: State,
  driver: Iommu['driver'],
  asked: number,
  set: Iommu | null,
): number {
  if (driver === 'noiommu') {
    const allowed = !world.profile.extensionAsksParameter || noiommuAllowed(world, state);
    return asked === 8 && allowed ? 1 : 0;
  }
  const { always, onceSet } = world.profile.type1Extensions;
  return always.includes(asked) || (set !== null && onceSet.includes(asked)) ? 1 : 0;
}
