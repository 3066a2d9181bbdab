import { structure } from '../argument.ts';
import { bindGuards } from '../bind-refusals.ts';
import { bindCdev, deviceFileOf, granted } from '../cdev.ts';
import { isLocked } from '../device-lock.ts';
import { afterMatch, isToken, tokenRefusal, tokenSet } from '../device-name.ts';
import { fileAt } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { withToken as setToken } from '../open-device.ts';
import type { DeviceFile } from '../state.ts';
import { driverGoes } from '../unloading.ts';
import { tail } from '../user-structure.ts';

type Bind = Extract<Op, { op: 'device.bind_iommufd' }>;

const bindIommufd = 'drivers/vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd';

/** Without device cdevs the number is any other. */
const unknown: Guard<Bind> = {
  id: 'device.bind_iommufd.unknown',
  words: 'this kernel was built without device cdevs',
  errno: 'ENOTTY',
  citation: {
    seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
    '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl',
    '6.12': 'drivers/vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
  },
  applies: (world) => !world.profile.build.cdev,
};

/** The flag that says that a token is behind the pointer (VFIO_DEVICE_BIND_FLAG_TOKEN). */
const withToken = 1;

function negativeOrFlags(known: number, words: string): Guard<Bind> {
  return {
    id: 'device.bind_iommufd.flags',
    words,
    errno: 'EINVAL',
    citation: bindIommufd,
    applies: (_world, _state, op) => (op.flags & ~known) >>> 0 !== 0 || op.iommufd < 0,
  };
}

const early: readonly Guard<Bind>[] = [
  {
    id: 'device.bind_iommufd.group-path',
    words: 'the descriptor came from its group, which has seen to that',
    errno: 'EINVAL',
    citation: bindIommufd,
    applies: (_world, _state, _op, file) => !file.cdev,
  },
  {
    id: 'device.bind_iommufd.group-open',
    words: 'the group of the device is open',
    errno: 'EBUSY',
    citation: 'drivers/vfio/group.c:vfio_device_block_group',
    applies: (_world, state, _op, file) => {
      const minor = state.devices[file.device]?.vfio?.group;
      return minor !== undefined && (state.groups[minor]?.file ?? null) !== null;
    },
  },
  {
    id: 'device.bind_iommufd.again',
    words: 'the descriptor is bound already',
    errno: 'EINVAL',
    citation: bindIommufd,
    applies: (_world, _state, _op, file) => granted(file),
  },
];

const tokenCheck = 'drivers/vfio/device_cdev.c:vfio_df_check_token';
const validate =
  'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match_token_uuid, vfio_pci_validate_vf_token';

/** 6.12 has no such test: there who may open a cdev needs no token. */
const tokens: readonly Guard<Bind>[] = [
  {
    id: 'device.bind_iommufd.token-fault',
    words: 'the token cannot be read from memory',
    errno: 'EFAULT',
    citation: tokenCheck,
    applies: (_world, _state, op) => (op.flags & withToken) !== 0 && op.token === undefined,
  },
  {
    id: 'device.bind_iommufd.token-unasked',
    words: 'a token was given, and the device is neither a physical function nor one of a vfio-pci PF',
    errno: 'EINVAL',
    citation: validate,
    applies: (world, state, op, file) => tokenRefusal(world, state, named(op, file)) === 'not-asked-for',
  },
  {
    id: 'device.bind_iommufd.token-required',
    words:
      'the physical function is with vfio-pci and shares its virtual ones by a token, which was not given',
    errno: 'EACCES',
    citation: validate,
    applies: (world, state, op, file) => tokenRefusal(world, state, named(op, file)) === 'required',
  },
  {
    id: 'device.bind_iommufd.token',
    words: 'the token is not that of the physical function',
    errno: 'EACCES',
    citation: validate,
    applies: (world, state, op, file) => tokenRefusal(world, state, named(op, file)) === 'incorrect',
  },
];

/** The device of a cdev, and the token that was given for it; what is no UUID stands for one of zeros. */
function named(
  { flags, token = '' }: Bind,
  { device }: DeviceFile,
): { device: number; token: string | null } {
  if ((flags & withToken) === 0) return { device, token: null };
  return { device, token: isToken(token) ? token.toLowerCase() : '00000000-0000-0000-0000-000000000000' };
}

const late: readonly Guard<Bind>[] = [
  {
    id: 'device.bind_iommufd.descriptor',
    words: 'the descriptor that should be an iommufd is not open',
    errno: 'EBADF',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_ctx_from_fd',
    applies: (_world, state, op) => fileAt(state, op.pid, op.iommufd) === null,
  },
  {
    id: 'device.bind_iommufd.no-iommufd',
    words: 'the descriptor is no iommufd',
    errno: 'EBADFD',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_ctx_from_fd',
    applies: (_world, state, op) => fileAt(state, op.pid, op.iommufd)?.kind !== 'iommufd',
  },
  {
    id: 'device.bind_iommufd.taken',
    words: 'the device is open through another descriptor',
    errno: 'EINVAL',
    citation: 'drivers/vfio/vfio_main.c:vfio_df_open',
    applies: (_world, state, _op, file) => (state.devices[file.device]?.vfio?.opens ?? 0) > 0,
  },
  {
    id: 'device.bind_iommufd.going',
    words: "the module of the device's driver is being unloaded",
    errno: 'ENODEV',
    citation: 'drivers/vfio/vfio_main.c:vfio_df_device_first_open',
    applies: (world, state, _op, { device }) => driverGoes(world, state, device),
  },
  ...bindGuards<Bind>('device.bind_iommufd', (_world, state, op) => {
    const file = deviceFileOf(state, op);
    const other = fileAt(state, op.pid, op.iommufd);
    return file === null || other?.kind !== 'iommufd'
      ? null
      : { device: file.device, iommufd: other.iommufd };
  }),
  {
    id: 'device.bind_iommufd.leaving',
    words:
      'the device is about to leave its driver, and cannot be reset meanwhile, which opening it begins with',
    errno: 'EAGAIN',
    citation:
      'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_enable (drivers/pci/pci.c:pci_try_reset_function)',
    applies: (world, state, _op, { device }) =>
      isLocked(world, state, device) && state.devices[device]?.settings.resetMethods.length !== 0,
  },
];

export const deviceBindIommufd: Rule<Bind> = {
  words: {
    object: 'cdev',
    call: 'ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind)',
    arguments: {
      iommufd: 'a descriptor of /dev/iommu',
      flags: 'TOKEN (1) in kernels that ask for one',
      token: 'the UUID that the pointer behind the structure leads to',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'The descriptor may use the device, whose IOMMU group the iommufd owns. Answers the id of the object that the device is there. A token for a physical function is its token from then on.',
    undo: 'none: only closing the descriptor ends it',
  },
  ioctl: { on: 'device', request: 0x3b76 },
  guards: {
    seed: [unknown],
    '6.12': [
      unknown,
      ...structure<Bind>('device.bind_iommufd', 16, bindIommufd),
      negativeOrFlags(0, 'there are no flags yet, and a descriptor is not negative'),
      ...early,
      ...late,
    ],
    'noiommu-cdev': [
      unknown,
      ...structure<Bind>('device.bind_iommufd', 16, bindIommufd),
      tail<Bind>('device.bind_iommufd', 24),
      negativeOrFlags(withToken, 'a flag that the kernel does not know, or a negative descriptor'),
      ...early,
      ...tokens,
      ...late.map((guard) => afterMatch(guard, (_world, _state, op, file) => named(op, file))),
    ],
  },
  effect: (world, state, op, file) => {
    const token = world.profile.bindTakesToken ? tokenSet(world, state, named(op, file)) : null;
    const { device } = file;
    const { state: after, id } = bindCdev(state, op);
    return {
      state: token === null ? after : setToken(after, device, token),
      value: 0,
      out: { out_devid: id },
    };
  },
  undo: () => ({ none: 'only closing the descriptor ends it' }),
};
