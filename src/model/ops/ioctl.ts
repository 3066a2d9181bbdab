import { granted } from '../cdev.ts';
import { containerOf, fileOf } from '../files.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { another } from './kvm-machine.ts';

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

const kvm: Guard<Ioctl> = {
  id: 'ioctl.kvm',
  words: 'it is nothing that /dev/kvm knows',
  errno: 'EINVAL',
  citation: 'arch/x86/kvm/x86.c:kvm_arch_dev_ioctl',
  applies: (_world, state, op) => fileOf(state, op)?.kind === 'kvm',
};

/** From 5.1 on a virtual machine's devices ask it too. */
function foreign(kinds: readonly string[], citation: string): Guard<Ioctl> {
  const its = another<Ioctl>('ioctl', citation);
  return {
    ...its,
    applies: (world, state, op) =>
      kinds.includes(fileOf(state, op)?.kind ?? '') && its.applies(world, state, op, null),
  };
}

const foreignVm = foreign(['vm'], 'virt/kvm/kvm_main.c:kvm_vm_ioctl');
const foreignBoth = foreign(['vm', 'kvm-device'], 'virt/kvm/kvm_main.c:kvm_vm_ioctl, kvm_device_ioctl');

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
  guards: {
    seed: [closed, unset, kvm, foreignVm, unknown],
    '6.1': [closed, unset, kvm, foreignBoth, unknown],
    '6.12': [closed, unbound, unset, kvm, foreignBoth, unknown],
  },
  effect: () => zero,
  undo: () => ({ none: 'it never succeeds' }),
};
