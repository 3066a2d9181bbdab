import { unreadable } from '../argument.ts';
import { attachContainer, reservedByFirmware } from '../attachment.ts';
import { fileAt } from '../files.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import { attachIommufd, contextAt } from '../iommufd.ts';
import type { Iommufd } from '../iommufd-state.ts';
import { translatable } from '../mappings.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { byId } from '../places.ts';
import type { Container, OpenFile, State, VfioGroup, World } from '../state.ts';
import { unsafeInterrupts } from './container-set-iommu.ts';

type Set = Extract<Op, { op: 'group.set_container' }>;

const setContainer = {
  seed: 'drivers/vfio/vfio.c:vfio_group_set_container',
  '6.1': 'drivers/vfio/vfio_main.c:vfio_group_ioctl_set_container',
  '6.12': 'drivers/vfio/group.c:vfio_group_ioctl_set_container',
} as const;

const attach = {
  seed: setContainer.seed,
  '6.1': 'drivers/vfio/container.c:vfio_container_attach_group',
  '6.12': 'drivers/vfio/container.c:vfio_container_attach_group',
} as const;

const fault = unreadable<Set>('group.set_container', setContainer);

const negative: Guard<Set> = {
  id: 'group.set_container.negative',
  words: 'a descriptor is not negative',
  errno: 'EINVAL',
  citation: setContainer,
  applies: (_world, _state, op) => op.container < 0,
};

const closed: Guard<Set> = {
  id: 'group.set_container.descriptor',
  words: 'the descriptor that should be a container is not open',
  errno: 'EBADF',
  citation: setContainer,
  applies: (world, state, op) => given(world, state, op) === null,
};

const again: Guard<Set> = {
  id: 'group.set_container.again',
  words: 'the group is in a container already',
  errno: 'EINVAL',
  citation: setContainer,
  applies: (_world, _state, _op, group) => group.container !== null || group.iommufd !== null,
};

const revoked: Guard<Set> = {
  id: 'group.set_container.revoked',
  words: 'the last device of the group was unbound',
  errno: 'ENODEV',
  citation: setContainer,
  applies: (_world, _state, _op, group) => group.iommuGroup === null,
};

const stranger: Guard<Set> = {
  id: 'group.set_container.no-container',
  words: 'the descriptor is no container',
  errno: { seed: 'EINVAL', '6.1': 'EINVAL', '6.12': 'EBADFD' },
  citation: setContainer,
  applies: (world, state, op) =>
    wanted(world, state, op) === null && given(world, state, op)?.kind !== 'iommufd',
};

const rawio: Guard<Set> = {
  id: 'group.set_container.rawio',
  words: 'a group without an IOMMU needs CAP_SYS_RAWIO',
  errno: 'EPERM',
  citation: attach,
  applies: (world, state, op, group) =>
    group.noiommu && given(world, state, op)?.kind !== 'iommufd' && !capable(world, op.pid, 'CAP_SYS_RAWIO'),
};

const mixing: Guard<Set> = on({
  id: 'group.set_container.mixing',
  words: 'groups with and without an IOMMU do not share a container',
  errno: 'EPERM',
  citation: attach,
  refuses: (_world, _state, group, container) =>
    container.groups.length > 0 && container.noiommu !== group.noiommu,
});

const unviable: Guard<Set> = on({
  id: 'group.set_container.not-viable',
  words: 'the IOMMU group is not free: a host driver is bound in it, or somebody else owns it',
  errno: 'EPERM',
  citation: 'drivers/iommu/iommu.c:iommu_group_claim_dma_owner',
  refuses: (_world, state, group) =>
    !group.noiommu && (byId(state.iommuGroups, group.iommuGroup)?.ownerCount ?? 0) > 0,
});

const firmware: Guard<Set> = {
  id: 'group.set_container.firmware',
  words: 'the firmware reserves memory for a device of the group',
  errno: { seed: 'EPERM', '6.1': 'EPERM', '6.12': 'EINVAL' },
  citation: {
    seed: 'drivers/iommu/intel-iommu.c:intel_iommu_attach_device',
    '6.1': 'drivers/iommu/intel/iommu.c:intel_iommu_attach_device',
    '6.12': 'drivers/iommu/iommu.c:__iommu_take_dma_ownership, __iommu_device_set_domain',
  },
  applies: (world, state, op, { minor }) => {
    const container = wanted(world, state, op);
    const late = world.profile.reservedAt === 'set-iommu' && container?.iommu?.driver !== 'type1';
    return container !== null && !late && reservedByFirmware(world, state, minor);
  },
};

const invalid: Guard<Set> = on({
  id: 'group.set_container.invalid-vaddr',
  words: 'a mapping of the container has its address invalidated',
  errno: 'EBUSY',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group',
  refuses: (_world, _state, _group, { iommu }) =>
    iommu?.driver === 'type1' && iommu.mappings.some((mapping) => mapping.invalid),
});

const conflict: Guard<Set> = {
  id: 'group.set_container.conflict',
  words: 'a mapping of the container lies where the group allows none',
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_resv_conflict, vfio_iommu_aper_conflict',
  applies: (world, state, op, { minor }) => {
    const iommu = wanted(world, state, op)?.iommu;
    if (iommu?.driver !== 'type1') return false;
    return iommu.mappings.some(({ iova, size }) => !translatable(world, state, [minor], iova, size));
  },
};

const interrupts: Guard<Set> = on({
  id: 'group.set_container.interrupts',
  words: 'the IOMMU does not isolate interrupts and allow_unsafe_interrupts is N',
  errno: 'EPERM',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group',
  refuses: (world, state, _group, { iommu }) => iommu?.driver === 'type1' && unsafeInterrupts(world, state),
});

/** What an iommufd served first, with or without an IOMMU, it serves until it is closed. */
const translated: Guard<Set> = {
  id: 'group.set_container.translated',
  words: 'the iommufd has an address space for VFIO, and the group has no IOMMU',
  errno: 'EINVAL',
  citation: 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_compat_set_no_iommu',
  applies: (world, state, op, group) =>
    group.noiommu && (contextGiven(world, state, op)?.compat ?? null) !== null,
};

const untranslated: Guard<Set> = {
  id: 'group.set_container.untranslated',
  words: 'the iommufd serves groups without an IOMMU',
  errno: 'EINVAL',
  citation: 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_compat_ioas_create',
  applies: (world, state, op, group) => !group.noiommu && contextGiven(world, state, op)?.noiommu === true,
};

function contextGiven(world: World, state: State, op: Set): Iommufd | null {
  const file = given(world, state, op);
  return file?.kind === 'iommufd' ? contextAt(state, file.iommufd) : null;
}

const now = [fault, closed, again, revoked, stranger, rawio, mixing, unviable];
const late = [conflict, interrupts];

export const groupSetContainer: Rule<Set> = {
  words: {
    object: 'group',
    call: 'ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container)',
    arguments: { container: 'a descriptor of the container, or of an iommufd that stands for one' },
    effect:
      'The group is in the container, first in its list; a real group owns its IOMMU group from then on, where the kernel has claims. An iommufd gets an address space for it, unless it has one.',
    undo: '`group.unset_container`',
  },
  ioctl: { on: 'group', request: 0x3b68 },
  guards: {
    // What is mapped is mapped for the new group too, wherever it lies.
    seed: [fault, negative, again, rawio, closed, stranger, mixing, firmware, interrupts],
    '6.1': [...now, invalid, firmware, ...late],
    '6.12': [...now, translated, untranslated, firmware, invalid, ...late],
  },
  effect: (world, state, op, group) => {
    const file = given(world, state, op);
    if (file?.kind === 'iommufd') return { state: attachIommufd(state, group, file.iommufd), value: 0 };
    const container = wanted(world, state, op);
    return container === null ? zero : { state: attachContainer(world, state, group, container), value: 0 };
  },
  undo: (_world, _before, { pid, fd }) => ({ op: 'group.unset_container', pid, fd }),
};

/** The file behind the descriptor that was given, and the container that it is, if it is one. */
const given = once<Set, OpenFile | null>((_world, state, op) => fileAt(state, op.pid, op.container));

function wanted(world: World, state: State, op: Set): Container | null {
  const file = given(world, state, op);
  return file?.kind === 'container' ? (state.containers[file.container] ?? null) : null;
}

function on(
  guard: Pick<Guard<Set>, 'id' | 'words' | 'errno' | 'citation'> & {
    refuses(world: World, state: State, group: VfioGroup, container: Container): boolean;
  },
): Guard<Set> {
  const { refuses, ...declared } = guard;
  return {
    ...declared,
    applies: (world, state, op, group) => {
      const container = wanted(world, state, op);
      return container !== null && refuses(world, state, group, container);
    },
  };
}
