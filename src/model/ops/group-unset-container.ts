import { detach } from '../attachment.ts';
import { draftOf } from '../draft.ts';
import { fileId, groupOf, letGo } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { State } from '../state.ts';

type Unset = Extract<Op, { op: 'group.unset_container' }>;

const citation = {
  seed: 'drivers/vfio/vfio.c:vfio_group_unset_container',
  '6.1': 'drivers/vfio/vfio_main.c:vfio_group_ioctl_unset_container',
  '6.12': 'drivers/vfio/group.c:vfio_group_ioctl_unset_container',
} as const;

export const groupUnsetContainer: Rule<Unset> = {
  words: {
    object: 'group',
    call: 'ioctl(fd, VFIO_GROUP_UNSET_CONTAINER)',
    arguments: {},
    effect:
      'The group is in no container and gives its claim back. The last group of a container takes the IOMMU driver and every mapping along.',
    undo: '`group.set_container`, if the process has a descriptor of the container',
  },
  ioctl: { on: 'group', request: 0x3b69 },
  guards: everywhere<Unset>(
    {
      id: 'group.unset_container.none',
      words: 'the group is in no container',
      errno: 'EINVAL',
      citation,
      applies: (_world, _state, _op, group) => group.container === null && group.iommufd === null,
    },
    {
      id: 'group.unset_container.busy',
      words: 'a device of the group is open',
      errno: 'EBUSY',
      citation,
      applies: (_world, _state, _op, group) => group.container !== null && group.containerUsers !== 1,
    },
  ),
  effect: (world, state, _op, { minor }) => {
    const draft = draftOf(state);
    detach(draft, minor);
    // Without a test of open devices: these have what they need of the iommufd themselves.
    letGo(world, draft, minor);
    return { state: draft, value: 0 };
  },
  undo: (_world, before, { op: _op, pid, fd }) => {
    const container = containerDescriptor(before, pid, fd);
    if (container === null) return { none: 'the process has no descriptor of the container' };
    return { op: 'group.set_container', pid, fd, container };
  },
};

/** A descriptor by which the process could give the container, or the iommufd, again. */
function containerDescriptor(state: State, pid: number, fd: number): number | null {
  const group = groupOf(state, { pid, fd });
  const length = state.descriptors.find((table) => table.pid === pid)?.files.length ?? 0;
  for (let other = 3; other < 3 + length; other += 1) {
    const file = state.files[fileId(state, pid, other)];
    if (file?.kind === 'container' && file.container === group?.container) return other;
    if (file?.kind === 'iommufd' && file.iommufd === group?.iommufd) return other;
  }
  return null;
}
