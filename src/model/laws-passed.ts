import { viableByWalk } from './attachment.ts';
import { taintUser } from './binding.ts';
import { deviceFileOf } from './cdev.ts';
import { deviceNamed } from './device-name.ts';
import { fileAt, fileOf, groupOf } from './files.ts';
import { type Law, walking } from './law.ts';
import { momentsOf } from './moments.ts';
import type { Op } from './op.ts';
import { capable } from './permission.ts';
import { profileIds, profilesSince } from './profiles.ts';
import type { State, World } from './state.ts';

/**
 * What one kernel promised and a later one did not: S1 to S6 the mailed patch, S7 those that asked for tokens first. Each
 * holds in the kernels that it names, and docs/laws.md shows the shortest way to break it in the first that lost it.
 */
export const passedLaws: readonly Law[] = [
  {
    id: 'S1',
    statement: 'A virtual machine never gets a group without an IOMMU.',
    enforcedBy: 'drivers/vfio/vfio.c:vfio_group_get_external_user',
    profiles: walking,
    onStep: (_world, before, op, { result }) =>
      op.op !== 'kvm.add_group' ||
      !result.ok ||
      groupOf(before, { pid: op.pid, fd: op.file })?.noiommu !== true,
  },
  {
    id: 'S2',
    statement: 'Nobody ever sees the node of a group without an IOMMU in a kernel that is not tainted.',
    enforcedBy: 'drivers/vfio/vfio.c:vfio_iommu_group_get, before vfio_create_group',
    profiles: walking,
    onStep: (world, before, _op, { state }) =>
      momentsOf(world, before, state).every(
        ({ taint, groups }) =>
          Math.floor(taint / taintUser) % 2 === 1 ||
          !groups.some((group) => group?.noiommu === true && group.node !== null),
      ),
  },
  {
    id: 'S3',
    statement: 'Groups are made up only where no IOMMU is on the bus.',
    enforcedBy: 'drivers/vfio/vfio.c:vfio_iommu_group_get, iommu_present',
    profiles: walking,
    onState: (world, state) => !world.iommuPresent || !state.iommuGroups.some(({ fake }) => fake),
  },
  {
    id: 'S4',
    statement: 'Every GET_DEVICE_FD of a device without an IOMMU needs CAP_SYS_RAWIO.',
    enforcedBy: 'drivers/vfio/vfio.c:vfio_group_get_device_fd (6.1: vfio_group_use_container)',
    profiles: profileIds.filter((id) => !profilesSince('6.12').includes(id)),
    onStep: (world, before, op, { result }) =>
      op.op !== 'group.get_device_fd' ||
      !result.ok ||
      groupOf(before, op)?.noiommu !== true ||
      capable(world, op.pid, 'CAP_SYS_RAWIO'),
  },
  {
    id: 'S5',
    statement:
      'A group enters an empty container whatever drivers are in it: they are judged at every GET_DEVICE_FD, and not before.',
    enforcedBy: 'drivers/vfio/vfio.c:vfio_group_set_container, vfio_group_viable',
    profiles: walking,
    onStep: (world, before, op, { result }) =>
      result.ok || op.op !== 'group.set_container' || !(unviable(world, before, op) && entering(before, op)),
  },
  {
    id: 'S6',
    statement: 'SET_CONTAINER answers EINVAL to a negative descriptor.',
    enforcedBy: 'drivers/vfio/vfio.c:vfio_group_set_container',
    profiles: walking,
    onStep: (_world, before, op, { result }) =>
      op.op !== 'group.set_container' ||
      groupOf(before, op) === null ||
      op.argsz === null ||
      !(op.container < 0) ||
      (!result.ok && 'errno' in result && result.errno === 'EINVAL'),
  },
  {
    id: 'S7',
    statement: 'A virtual function whose physical one is with VFIO opens only with a token, whichever way.',
    enforcedBy:
      'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_validate_vf_token (cdevs: drivers/vfio/device_cdev.c:vfio_df_check_token)',
    profiles: ['6.1', 'noiommu-cdev'],
    onStep: (world, before, op, { result }) => {
      if (!result.ok || (op.op !== 'group.get_device_fd' && op.op !== 'device.bind_iommufd')) return true;
      const index =
        op.op === 'group.get_device_fd'
          ? deviceNamed(world, before, op)
          : (deviceFileOf(before, op)?.device ?? -1);
      const owner = world.devices.get(world.hardware[index]?.physicalFunction ?? '');
      if (owner === undefined || !before.devices[owner.index]?.vfio) return true;
      return op.op === 'group.get_device_fd' ? op.name.includes('vf_token=') : (op.flags & 1) !== 0;
    },
  },
];

type Set = Extract<Op, { op: 'group.set_container' }>;

function unviable(world: World, state: State, op: Set): boolean {
  const file = fileOf(state, op);
  return file?.kind === 'group' && !viableByWalk(world, state, file.group);
}

/** A living group with an IOMMU that is in no container, and a container that holds none. */
function entering(state: State, op: Set): boolean {
  const group = groupOf(state, op);
  const file = fileAt(state, op.pid, op.container);
  const container = file?.kind === 'container' ? state.containers[file.container] : null;
  const free = group !== null && !group.noiommu && group.container === null && group.iommuGroup !== null;
  return free && op.argsz !== null && container?.groups.length === 0;
}
