import { unreadable } from '../argument.ts';
import { attachGuards, attachIn } from '../attach.ts';
import { viableByWalk } from '../attachment.ts';
import { bindGuards } from '../bind-refusals.ts';
import { isLocked } from '../device-lock.ts';
import { afterMatch, deviceNamed, meantBy, nameOf, tokenGiven, tokenVerdict } from '../device-name.ts';
import { draftOf } from '../draft.ts';
import { groupOf, hold, nextDescriptor, openDevice, tableFull } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import { bindDevice, contextAt } from '../iommufd.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { withToken } from '../open-device.ts';
import { capable } from '../permission.ts';
import type { State, VfioGroup, World } from '../state.ts';
import { driverGoes } from '../unloading.ts';

type Get = Extract<Op, { op: 'group.get_device_fd' }>;

const getDevice = {
  seed: 'drivers/vfio/vfio.c:vfio_group_get_device_fd',
  '6.1': 'drivers/vfio/vfio_main.c:vfio_group_ioctl_get_device_fd',
  '6.12': 'drivers/vfio/group.c:vfio_group_ioctl_get_device_fd',
} as const;

const use = {
  seed: getDevice.seed,
  '6.1': 'drivers/vfio/container.c:vfio_group_use_container',
  '6.12': 'drivers/vfio/container.c:vfio_group_use_container',
} as const;

const match = 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match, vfio_pci_validate_vf_token';

const fault = unreadable<Get>('group.get_device_fd', getDevice);

const endless: Guard<Get> = {
  id: 'group.get_device_fd.endless',
  words: 'the name does not end within a page',
  errno: 'EINVAL',
  citation: 'mm/util.c:strndup_user',
  applies: (_world, _state, op) => op.name.length >= 4096,
};

const options: Guard<Get> = {
  id: 'group.get_device_fd.options',
  words: 'what follows the name is no option, or `vf_token=` comes twice or without a UUID',
  errno: 'EINVAL',
  citation: match,
  applies: (world, state, op) => nameOf(world, state, op) === 'EINVAL',
};

/** The three that vfio_pci_validate_vf_token refuses with, each with its own line in the log. */
const tokens: readonly Guard<Get>[] = [
  {
    id: 'group.get_device_fd.token-unasked',
    words: 'a token was given, and the device is neither a physical function nor one of a vfio-pci PF',
    errno: 'EINVAL',
    citation: match,
    applies: (world, state, op) => tokenVerdict(world, state, op) === 'not-asked-for',
  },
  {
    id: 'group.get_device_fd.token-required',
    words:
      'the physical function is with vfio-pci and shares its virtual ones by a token, which was not given',
    errno: 'EACCES',
    citation: match,
    applies: (world, state, op) => tokenVerdict(world, state, op) === 'required',
  },
  {
    id: 'group.get_device_fd.token',
    words: 'the token is not that of the physical function',
    errno: 'EACCES',
    citation: match,
    applies: (world, state, op) => tokenVerdict(world, state, op) === 'incorrect',
  },
];

const stranger: Guard<Get> = {
  id: 'group.get_device_fd.name',
  words: 'the group holds no device of this name',
  errno: 'ENODEV',
  citation: { seed: 'drivers/vfio/vfio.c:vfio_device_get_from_name', '6.1': match, '6.12': match },
  applies: (world, state, op) => deviceNamed(world, state, op) === -1,
};

const full: Guard<Get> = {
  id: 'group.get_device_fd.descriptors',
  words: 'the process has as many descriptors as it may',
  errno: 'EMFILE',
  citation: 'fs/file.c:alloc_fd',
  applies: (world, state, op) => tableFull(world, state, op.pid),
};

const noContainer: Guard<Get> = {
  id: 'group.get_device_fd.no-container',
  words: 'the group is in no container',
  errno: 'EINVAL',
  citation: getDevice,
  applies: (_world, _state, _op, group) => group.container === null && group.iommufd === null,
};

const noIommu: Guard<Get> = {
  id: 'group.get_device_fd.no-iommu',
  words: 'the container has no IOMMU driver yet',
  errno: 'EINVAL',
  citation: use,
  applies: (world, state, op, group) =>
    group.iommufd === null && iommuOf(state, group) === null && asks(world, state, op),
};

const rawio: Guard<Get> = {
  id: 'group.get_device_fd.rawio',
  words: 'a device without an IOMMU opens only with CAP_SYS_RAWIO',
  errno: 'EPERM',
  citation: use,
  applies: (world, state, op, group) =>
    group.noiommu &&
    group.iommufd === null &&
    !capable(world, op.pid, 'CAP_SYS_RAWIO') &&
    asks(world, state, op),
};

const unviable: Guard<Get> = {
  id: 'group.get_device_fd.not-viable',
  words: 'a host driver is bound to a device of the group',
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio.c:vfio_group_viable, vfio_dev_viable',
  applies: (world, state, _op, { minor }) => !viableByWalk(world, state, minor),
};

/** Through an iommufd the first open of a device binds it there; one without an IOMMU needs no translation to exist. */
const untranslated: Guard<Get> = {
  id: 'group.get_device_fd.untranslated',
  words:
    'a device without an IOMMU opens only with CAP_SYS_RAWIO, and while the iommufd has no address space for VFIO',
  errno: 'EPERM',
  citation: 'drivers/vfio/group.c:vfio_df_group_open',
  applies: (world, state, op, group) => {
    if (!group.noiommu || group.iommufd === null || !asks(world, state, op)) return false;
    return !capable(world, op.pid, 'CAP_SYS_RAWIO') || contextAt(state, group.iommufd)?.compat !== null;
  },
};

/** The device and the iommufd that takes it; null where nothing is bound. */
export const takenBy = once<Get, { readonly device: number; readonly iommufd: number } | null>(
  (world, state, op) => {
    const group = groupOf(state, op);
    if (group === null || group.iommufd === null || group.noiommu || !asks(world, state, op)) return null;
    return { device: deviceNamed(world, state, op), iommufd: group.iommufd };
  },
);

/** The first open of a device takes a reference of its driver's module. */
const going: Guard<Get> = {
  id: 'group.get_device_fd.going',
  words: "the module of the device's driver is being unloaded",
  errno: 'ENODEV',
  citation: 'drivers/vfio/vfio_main.c:vfio_df_device_first_open (6.1: vfio_device_open)',
  applies: (world, state, op) => driverGoes(world, state, deviceNamed(world, state, op)),
};

/** A physical function of which virtual ones are waited for is found all the same, and its lock is held. */
const leaving: Guard<Get> = {
  id: 'group.get_device_fd.leaving',
  words:
    'the device loses its virtual functions, and cannot be reset meanwhile, which opening it for the first time begins with',
  errno: 'EAGAIN',
  citation:
    'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_enable (drivers/pci/pci.c:pci_try_reset_function)',
  applies: (world, state, op) => {
    const index = deviceNamed(world, state, op);
    const device = state.devices[index];
    return (
      device?.vfio?.opens === 0 && isLocked(world, state, index) && device.settings.resetMethods.length > 0
    );
  },
};

const attaching: readonly Guard<Get>[] = [
  {
    id: 'group.get_device_fd.no-ioas',
    words: 'the iommufd has no address space for VFIO any more',
    errno: 'ENODEV',
    citation: 'drivers/vfio/iommufd.c:vfio_iommufd_compat_attach_ioas',
    applies: (world, state, op) => {
      const its = takenBy(world, state, op);
      return its !== null && contextAt(state, its.iommufd)?.compat === null;
    },
  },
  ...attachGuards<Get>(
    'group.get_device_fd',
    (world, state, op) => {
      const its = takenBy(world, state, op);
      const context = contextAt(state, its?.iommufd);
      if (its === null || context === null || context.compat === null) return null;
      return { context, device: its.device, target: context.compat };
    },
    ['missing', 'type', 'foreign', 'unit'],
  ),
];

/** What is asked of a container otherwise. */
function withIommufd(guard: Guard<Get>): Guard<Get> {
  const { applies } = guard;
  return {
    ...guard,
    applies: (world, state, op, group) => group.iommufd !== null && applies(world, state, op, group),
  };
}

const binding = bindGuards<Get>('group.get_device_fd', takenBy);

/** The state with the opened device bound to its group's iommufd, and attached to the address space for VFIO. */
function attachedTo(world: World, state: State, device: number): State {
  const place = state.groups[state.devices[device]?.vfio?.group ?? -1]?.iommufd ?? -1;
  const context = contextAt(state, place);
  if (context === null) return state;
  const draft = draftOf(state);
  hold(draft, context.file);
  bindDevice(draft, device, place);
  attachIn(world, draft, device, context.compat ?? 0);
  return draft;
}

const matching = [fault, endless, options, ...tokens, stranger];
const first = [full, noContainer];
const container = [noIommu, rawio];
const late = (guard: Guard<Get>) => afterMatch(guard, meantBy);

export const groupGetDeviceFd: Rule<Get> = {
  words: {
    object: 'group',
    call: 'ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, name)',
    arguments: { name: 'the address of the device, for vfio-pci followed by options' },
    effect:
      "The process has a new descriptor of the device, which keeps the group's file open and the group in its container. A token for a physical function is its token from then on.",
    undo: '`close` of the new descriptor',
  },
  ioctl: { on: 'group', request: 0x3b6a },
  guards: {
    seed: [fault, endless, noContainer, noIommu, unviable, rawio, stranger, full],
    '6.1': [...matching, ...[...first, ...container, going, leaving].map(late)],
    '6.12': [
      ...matching,
      ...[...first, untranslated, going, ...container, ...binding.map(withIommufd), leaving].map(late),
      ...attaching.map(withIommufd).map(late),
    ],
  },
  effect: (world, state, op, group) => {
    const index = deviceNamed(world, state, op);
    const token = tokenGiven(world, state, op);
    const opened = openDevice(world, state, op.pid, group, index);
    const { fd } = opened;
    const after = takenBy(world, state, op) === null ? opened.state : attachedTo(world, opened.state, index);
    return { state: token === null ? after : withToken(after, index, token), value: fd };
  },
  undo: (_world, before, op) => ({ op: 'close', pid: op.pid, fd: nextDescriptor(before, op.pid) }),
};

/** Whether this open is one that asks container and capability: every one, or only the first of a device. */
function asks(world: World, state: State, op: Get): boolean {
  if (world.profile.containerUsers === 'device-fds') return true;
  return state.devices[deviceNamed(world, state, op)]?.vfio?.opens === 0;
}

function iommuOf(state: State, { container }: VfioGroup): unknown {
  return container === null ? null : (state.containers[container]?.iommu ?? null);
}
