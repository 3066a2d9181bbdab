import { shorter, unreadable } from '../argument.ts';
import { granted } from '../cdev.ts';
import { containerOf, fileOf } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { State, World } from '../state.ts';

/**
 * Requests that no operation of its own stands for, and numbers that a file does not know. The memory behind the pointer
 * reads as zero, and with that most requests are refused.
 */
type Ioctl = Extract<Op, { op: 'ioctl' }>;

const getIommuInfo = 0x3b70;
const dirtyPages = 0x3b75;

const type1 = 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_get_info, vfio_iommu_type1_dirty_pages';

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

const fault = unreadable<Ioctl>('ioctl', type1);

const short: Guard<Ioctl> = {
  id: 'ioctl.argsz',
  words: 'argsz is less than the structure has',
  errno: 'EINVAL',
  citation: type1,
  applies: (world, state, op) => shorter(op, least(world, state, op) ?? 0),
};

const zero: Guard<Ioctl> = {
  id: 'ioctl.zero',
  words: 'a structure of zeroes asks for nothing that the request could do',
  errno: 'EINVAL',
  citation: type1,
  applies: (_world, _state, op) => op.request === dirtyPages,
};

const first = [closed, unset, unknown];
const structure = [fault, short];

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
    seed: [...first, ...structure],
    '6.1': [...first, oldDirty, ...structure, zero],
    '6.12': [closed, unbound, unset, unknown, oldDirty, ...structure, zero],
  },
  effect: (_world, state) => ({ state, value: 0, out: { flags: 3, iova_pgsizes: 0x40201000n } }),
  undo: () => ({ none: 'it only asks' }),
};

/** The bytes that a request needs at least, or null when the file does not know it. */
function least(world: World, state: State, op: Ioctl): number | null {
  const container = containerOf(state, op);
  if (container?.iommu?.driver !== 'type1') return null;
  if (op.request === getIommuInfo) return 16;
  return op.request === dirtyPages && world.profile.deviceFeatures ? 8 : null;
}
