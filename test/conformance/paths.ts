import { configurationPaths } from '../../src/model/configuration.ts';
import { isLocked } from '../../src/model/device-lock.ts';
import { guardsOf } from '../../src/model/guards.ts';
import { cdevPath, nodePaths } from '../../src/model/nodes.ts';
import type { State, World } from '../../src/model/state.ts';

/**
 * Whether a reader is answered. A device that is leaving is locked, and one that loses its virtual functions; under that lock drivers/pci/iov.c:sriov_numvfs_show
 * reads, and where writers take it drivers/pci/pci-sysfs.c:driver_override_show.
 */
export function isReadable(world: World, state: State, path: string): boolean {
  const [, address = '', file = ''] = /^\/sys\/bus\/pci\/devices\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  const index = world.devices.get(address)?.index;
  if (index === undefined || !isLocked(world, state, index)) return true;
  return (
    file !== 'sriov_numvfs' &&
    (file !== 'driver_override' || !guardsOf(world.profile).has('override.write.leaving'))
  );
}

/** Every file of the model that any of the states has, whether an operation touched it or not. */
export function everyPath(world: World, ...states: readonly State[]): readonly string[] {
  const paths = new Set(['/proc/sys/kernel/tainted', '/dev/vfio/vfio']);
  for (const { address } of world.hardware) {
    for (const file of ['driver', 'driver_override', 'iommu_group', 'reset_method']) {
      paths.add(`/sys/bus/pci/devices/${address}/${file}`);
    }
  }
  for (const state of states) {
    for (const path of configurationPaths(state, state)) paths.add(path);
    for (const path of nodePaths(state)) paths.add(path);
    for (const group of state.groups) if (group) paths.add(`/sys/class/vfio/${group.name}`);
    for (const { id } of state.iommuGroups) {
      for (const file of ['', '/name', '/type']) paths.add(`/sys/kernel/iommu_groups/${id}${file}`);
    }
    for (const [index, { vfio }] of state.devices.entries()) {
      if (vfio === null) continue;
      paths.add(`/sys/bus/pci/devices/${world.hardware[index]?.address}/vfio-dev/${vfio.name}`);
      if (vfio.node) paths.add(cdevPath(vfio));
    }
    for (const { name, index } of world.modules.values()) {
      paths.add(`/sys/module/${name}`);
      for (const parameter of Object.keys(state.modules[index] ?? {})) {
        paths.add(`/sys/module/${name}/parameters/${parameter}`);
      }
    }
  }
  return [...paths].sort();
}
