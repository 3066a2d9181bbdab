import { shorter, unreadable } from '../argument.ts';
import { granted } from '../cdev.ts';
import { containerOf, fileOf } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { Hardware, OpenFile, State, World } from '../state.ts';

/**
 * Requests that no operation of its own stands for, and numbers that a file does not know. The memory behind the pointer
 * reads as zero, and with that most requests are refused.
 */
type Ioctl = Extract<Op, { op: 'ioctl' }>;

const getIommuInfo = 0x3b70;
const dirtyPages = 0x3b75;

const hotResetInfo = 0x3b70;
const hotReset = 0x3b71;

const deviceIoctl = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl',
  '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl',
} as const;

const closed: Guard<Ioctl> = {
  id: 'ioctl.descriptor',
  words: 'the descriptor is not open',
  errno: 'EBADF',
  citation: 'fs/ioctl.c:SYSCALL_DEFINE3(ioctl)',
  applies: (_world, state, op) => fileOf(state, op) === null,
};

const unset: Guard<Ioctl> = {
  id: 'ioctl.container-unset',
  words: 'the container has no IOMMU driver yet, and this is nothing that it knows itself',
  errno: 'EINVAL',
  citation: {
    seed: 'drivers/vfio/vfio.c:vfio_fops_unl_ioctl',
    '6.1': 'drivers/vfio/container.c:vfio_fops_unl_ioctl',
    '6.12': 'drivers/vfio/container.c:vfio_fops_unl_ioctl',
  },
  applies: (_world, state, op) => containerOf(state, op)?.iommu === null,
};

const unbound: Guard<Ioctl> = {
  id: 'ioctl.not-bound',
  words: 'the device cdev is not bound to an iommufd yet',
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
  applies: (_world, state, op) => {
    const file = fileOf(state, op);
    return file?.kind === 'device' && !granted(file);
  },
};

const unknown: Guard<Ioctl> = {
  id: 'ioctl.unknown',
  words: 'the file does not know this request',
  errno: 'ENOTTY',
  citation: 'fs/ioctl.c:vfs_ioctl; drivers/vfio: the default of each file’s ioctl',
  applies: (world, state, op) => least(world, state, op) === null,
};

const oldDirty: Guard<Ioctl> = {
  id: 'ioctl.dirty-pages.type',
  words: 'the first version of type1 does not track dirty pages',
  errno: 'EACCES',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages',
  applies: (_world, state, op) => {
    const iommu = containerOf(state, op)?.iommu;
    return op.request === dirtyPages && iommu?.driver === 'type1' && iommu.type === 1;
  },
};

const fault = unreadable<Ioctl>('ioctl', deviceIoctl);

const short: Guard<Ioctl> = {
  id: 'ioctl.argsz',
  words: 'argsz is less than the structure has',
  errno: 'EINVAL',
  citation: deviceIoctl,
  applies: (world, state, op) => shorter(op, least(world, state, op) ?? 0),
};

const zero: Guard<Ioctl> = {
  id: 'ioctl.zero',
  words: 'a structure of zeroes asks for nothing that the request could do',
  errno: 'EINVAL',
  citation: deviceIoctl,
  applies: (world, state, op) => {
    const device = hardwareOf(world, state, op) !== undefined;
    return device ? op.request !== hotResetInfo : op.request === dirtyPages;
  },
};

const noReset: Guard<Ioctl> = {
  id: 'ioctl.hot-reset.domain',
  words: 'neither the slot nor the bus of the device can be reset',
  errno: 'ENODEV',
  citation:
    'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info, vfio_pci_ioctl_pci_hot_reset',
  applies: (world, state, op) =>
    (op.request === hotResetInfo || op.request === hotReset) &&
    hardwareOf(world, state, op)?.rootBus === true,
};

const room: Guard<Ioctl> = {
  id: 'ioctl.hot-reset.room',
  words: 'argsz has no room for all devices that the reset concerns',
  errno: 'ENOSPC',
  citation: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info',
  applies: (world, state, op) => shorter(op, 12 + 8 * besides(world, state, op).length),
};

const groupless: Guard<Ioctl> = {
  id: 'ioctl.hot-reset.group',
  words: 'a device that the reset concerns has no IOMMU group',
  errno: 'EPERM',
  citation: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_fill_devs',
  applies: (world, state, op) =>
    besides(world, state, op).some(({ index }) => (state.devices[index]?.group ?? null) === null),
};

const first = [closed, unset, unknown];
const structure = [fault, short];
const info = [room, groupless];

export const ioctl: Rule<Ioctl> = {
  words: {
    object: 'files',
    call: 'ioctl(fd, request, …)',
    arguments: {
      request:
        'any number; where an operation of this list stands for it on this file, that operation is meant',
    },
    effect: 'What the request does with a structure of zeroes.',
    undo: 'none: it only asks',
  },
  guards: {
    seed: [...first, ...structure, noReset, zero, ...info],
    '6.1': [...first, oldDirty, ...structure, noReset, zero, ...info],
    // Since 6.5 a count of zero is judged before the reset domain.
    '6.12': [closed, unbound, unset, unknown, oldDirty, ...structure, zero, noReset, ...info],
  },
  effect: (world, state, op) => {
    const devices = besides(world, state, op);
    if (devices.length > 0) return { state, value: 0, out: { count: devices.length } };
    return { state, value: 0, out: { flags: 3, iova_pgsizes: 0x40201000n } };
  },
  undo: () => ({ none: 'it only asks' }),
};

/** The bytes that a request needs at least, or null when the file does not know it. */
function least(world: World, state: State, op: Ioctl): number | null {
  const file: OpenFile | null = fileOf(state, op);
  const { deviceFeatures } = world.profile;
  if (file?.kind === 'container' && containerOf(state, op)?.iommu?.driver === 'type1') {
    if (op.request === getIommuInfo) return 16;
    return op.request === dirtyPages && deviceFeatures ? 8 : null;
  }
  if (file?.kind !== 'device') return null;
  switch (op.request) {
    case hotResetInfo:
    case hotReset:
      return 12;
    default:
      return null;
  }
}

function hardwareOf(world: World, state: State, op: Ioctl): Hardware | undefined {
  const file = fileOf(state, op);
  return file?.kind === 'device' ? world.hardware[file.device] : undefined;
}

/** The functions on the device's bus, which a hot reset would reset all; empty for every other request. */
function besides(world: World, state: State, op: Ioctl): readonly Hardware[] {
  const hardware = op.request === hotResetInfo ? hardwareOf(world, state, op) : undefined;
  if (hardware === undefined) return [];
  const bus = hardware.address.slice(0, hardware.address.lastIndexOf(':'));
  return world.hardware.filter(({ address }) => address.startsWith(`${bus}:`));
}
