import { noiommuAllowed } from './modules.ts';
import type { Container, Iommu, State, World } from './state.ts';

/** The IOMMU drivers that a container may have, and what they say they support. */

/** VFIO_CHECK_EXTENSION: 1 or 0, by the driver that is set, or by those that might be. */
export function extension(world: World, state: State, container: Container, asked: number): number {
  const { iommu } = container;
  if (iommu !== null) return answer(world, state, iommu.driver, asked, iommu);
  return candidates(world, state, container).some((driver) => answer(world, state, driver, asked, null) > 0)
    ? 1
    : 0;
}

/** Drivers that would be asked to take the container, in the kernel's order (vfio_iommu_driver_allowed). */
export function candidates(world: World, state: State, container: Container): readonly Iommu['driver'][] {
  const { build, noiommuListed } = world.profile;
  const type1 = state.modules[world.type1Module] !== null && state.modules[world.type1Module] !== undefined;
  const fresh = container.groups.length === 0;
  const drivers: Iommu['driver'][] = [];
  if (type1 && (fresh || !container.noiommu)) drivers.push('type1');
  if (build.noiommu && (fresh ? noiommuListed : container.noiommu)) drivers.push('noiommu');
  return drivers;
}

/** A driver's own answer; `set` is its instance, when the container has one. */
export function answer(
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
