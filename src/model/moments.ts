import type { State, World } from './state.ts';

/**
 * A step of the model is one deed, and the kernel makes it of several. These are the states between a step's first and last
 * that another process may see, as far as a law speaks of them: the taint and the node of a group that is made up.
 */
export function momentsOf(world: World, before: State, after: State): readonly State[] {
  if (before.taint === after.taint || before.groups === after.groups) return [];
  // drivers/vfio/vfio.c:vfio_iommu_group_get taints before the group gets its node; drivers/vfio/group.c:
  // vfio_noiommu_group_alloc (6.1: vfio_main.c) makes the group with its node first. The device comes behind both.
  return [
    world.profile.taints === 'before-node'
      ? { ...before, taint: after.taint }
      : { ...after, taint: before.taint, devices: before.devices },
  ];
}
