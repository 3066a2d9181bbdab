import { granted } from '../cdev.ts';
import { containerOf, fileOf } from '../files.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';

/** Numbers for which no operation of this model stands on the file that they are asked of: all that VFIO knows are some. */
type Ioctl = Extract<Op, { op: 'ioctl' }>;

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
  applies: () => true,
};

export const ioctl: Rule<Ioctl> = {
  words: {
    object: 'files',
    call: 'ioctl(fd, request, …)',
    arguments: {
      request:
        'any number; where an operation of this list stands for it on this file, that operation is meant',
    },
    effect: 'None: a request that the file knows is another operation of this list.',
    undo: 'none: it never succeeds',
  },
  guards: { seed: [closed, unset, unknown], '6.12': [closed, unbound, unset, unknown] },
  effect: () => zero,
  undo: () => ({ none: 'it never succeeds' }),
};
