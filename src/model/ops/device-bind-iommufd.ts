import { structure } from '../argument.ts';
import { bindGuards } from '../bind-refusals.ts';
import { bindCdev, deviceFileOf, granted } from '../cdev.ts';
import { fileAt } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { State } from '../state.ts';

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

const guards: readonly Guard<Bind>[] = [
  unknown,
  ...structure<Bind>('device.bind_iommufd', 16, bindIommufd),
  {
    id: 'device.bind_iommufd.flags',
    words: 'there are no flags yet, and a descriptor is not negative',
    errno: 'EINVAL',
    citation: bindIommufd,
    applies: (_world, _state, op) => op.flags >>> 0 !== 0 || op.iommufd < 0,
  },
  {
    id: 'device.bind_iommufd.group-path',
    words: 'the descriptor came from its group, which has seen to that',
    errno: 'EINVAL',
    citation: bindIommufd,
    applies: (_world, state, op) => deviceFileOf(state, op)?.cdev === false,
  },
  {
    id: 'device.bind_iommufd.group-open',
    words: 'the group of the device is open',
    errno: 'EBUSY',
    citation: 'drivers/vfio/group.c:vfio_device_block_group',
    applies: (_world, state, op) => {
      const minor = vfioOf(state, op)?.group;
      return minor !== undefined && (state.groups[minor]?.file ?? null) !== null;
    },
  },
  {
    id: 'device.bind_iommufd.again',
    words: 'the descriptor is bound already',
    errno: 'EINVAL',
    citation: bindIommufd,
    applies: (_world, state, op) => {
      const file = deviceFileOf(state, op);
      return file !== null && granted(file);
    },
  },
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
    applies: (_world, state, op) => (vfioOf(state, op)?.opens ?? 0) > 0,
  },
  ...bindGuards<Bind>('device.bind_iommufd', (_world, state, op) => {
    const file = deviceFileOf(state, op);
    const other = fileAt(state, op.pid, op.iommufd);
    return file === null || other?.kind !== 'iommufd'
      ? null
      : { device: file.device, iommufd: other.iommufd };
  }),
];

export const deviceBindIommufd: Rule<Bind> = {
  words: {
    object: 'cdev',
    call: 'ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind)',
    arguments: { iommufd: 'a descriptor of /dev/iommu', flags: 'none are known' },
    effect:
      'The descriptor may use the device, whose IOMMU group the iommufd owns. Answers the id of the object that the device is there.',
    undo: 'none: only closing the descriptor ends it',
  },
  ioctl: { on: 'device', request: 0x3b76 },
  guards: { seed: [unknown], '6.12': guards },
  effect: (_world, state, op) => {
    const { state: after, id } = bindCdev(state, op);
    return { state: after, value: 0, out: { out_devid: id } };
  },
  undo: () => ({ none: 'only closing the descriptor ends it' }),
};

function vfioOf(state: State, op: Bind) {
  const file = deviceFileOf(state, op);
  return file === null ? undefined : (state.devices[file.device]?.vfio ?? undefined);
}
