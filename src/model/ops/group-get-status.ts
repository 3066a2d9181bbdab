import { structure } from '../argument.ts';
import { viableByWalk } from '../attachment.ts';
import { type Done, type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { byId } from '../places.ts';
import type { State, VfioGroup, World } from '../state.ts';

type Status = Extract<Op, { op: 'group.get_status' }>;

const citation = {
  seed: 'drivers/vfio/vfio.c:vfio_group_fops_unl_ioctl',
  '6.1': 'drivers/vfio/vfio_main.c:vfio_group_ioctl_get_status',
  '6.12': 'drivers/vfio/group.c:vfio_group_ioctl_get_status',
} as const;

const viable = 1;
const containerSet = 2;

const answers: readonly Done[] = [0, 1, 2, 3].map((flags) => ({ value: 0, out: { flags } }));

const guards: readonly Guard<Status>[] = [
  ...structure<Status>('group.get_status', 8, citation),
  {
    id: 'group.get_status.revoked',
    words: 'the last device of the group was unbound',
    errno: 'ENODEV',
    citation,
    applies: (_world, _state, _op, group) => group.iommuGroup === null,
  },
];

export const groupGetStatus: Rule<Status> = {
  words: {
    object: 'group',
    call: 'ioctl(fd, VFIO_GROUP_GET_STATUS, &status)',
    arguments: {},
    effect: 'Answers the flags VIABLE 1 and CONTAINER_SET 2.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'group', request: 0x3b67 },
  guards: { seed: guards.slice(0, 2), '6.1': guards, '6.12': guards },
  effect: (world, state, _op, group) => answers[flagsOf(world, state, group)] ?? zero,
  undo: () => ({ none: 'it only asks' }),
};

/** 6.x asks the claim: a group in a container is viable by definition. The walk is made anew each time. */
function flagsOf(world: World, state: State, group: VfioGroup): number {
  const attached = group.container !== null || group.iommufd !== null;
  if (world.profile.viability === 'walk') {
    return (viableByWalk(world, state, group.minor) ? viable : 0) | (attached ? containerSet : 0);
  }
  if (attached) return viable | containerSet;
  const iommuGroup = byId(state.iommuGroups, group.iommuGroup);
  return iommuGroup?.ownerCount === 0 ? viable : 0;
}
