import { unreadable } from '../argument.ts';
import { viableByWalk } from '../attachment.ts';
import { draftOf, machineIn } from '../draft.ts';
import { fileAt, fileId, hold, letGoOfFile, useContainer } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { PerProfile } from '../profiles.ts';
import type { OpenFile, State, VfioGroup } from '../state.ts';
import { another, machineOf } from './kvm-machine.ts';

/**
 * What a virtual machine's VFIO device is told of the groups, and later devices, that are given to the guest
 * (virt/kvm/vfio.c). It keeps what was added open until it is taken out again, or ends.
 */

type Add = Extract<Op, { op: 'kvm.add_group' }>;
type Delete = Extract<Op, { op: 'kvm.del_group' }>;
type Either = Add | Delete;

/** KVM_SET_DEVICE_ATTR. */
const ioctl = { on: 'kvm-device', request: 0x4018aee1 } as const;

const set = {
  seed: 'virt/kvm/vfio.c:kvm_vfio_set_group',
  '6.1': 'virt/kvm/vfio.c:kvm_vfio_group_add, kvm_vfio_group_del',
  '6.12': 'virt/kvm/vfio.c:kvm_vfio_file_add, kvm_vfio_file_del',
} as const;

/** Until 5.19 KVM became an external user of the group's container. */
const external = 'drivers/vfio/vfio.c:vfio_group_get_external_user';

/** What the int names. */
function named(state: State, { pid, file }: Either): OpenFile | null {
  return fileAt(state, pid, file);
}

function groupNamed(state: State, op: Either): VfioGroup | null {
  const file = named(state, op);
  return file?.kind === 'group' ? (state.groups[file.group] ?? null) : null;
}

function closed<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.descriptor`,
    words: 'the descriptor that is named is not open',
    errno: 'EBADF',
    citation: set,
    applies: (_world, state, asked) => named(state, asked) === null,
  };
}

function stranger<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.no-group`,
    words: 'what is named is no group of VFIO (from 6.12 on also: no device)',
    errno: 'EINVAL',
    citation: {
      seed: external,
      '6.1': 'virt/kvm/vfio.c:kvm_vfio_file_is_group',
      '6.12': 'virt/kvm/vfio.c:kvm_vfio_file_is_valid',
    },
    applies: ({ profile }, state, asked) => {
      const kind = named(state, asked)?.kind;
      return kind !== 'group' && !(profile.kvmTakesDevices && kind === 'device');
    },
  };
}

function apart<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.no-container`,
    words: 'the group is in no container',
    errno: 'EINVAL',
    citation: external,
    applies: (_world, state, asked) => groupNamed(state, asked)?.container === null,
  };
}

function fake<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.noiommu`,
    words: 'a group without an IOMMU is for no guest',
    errno: 'EPERM',
    citation: external,
    applies: (_world, state, asked) => groupNamed(state, asked)?.noiommu === true,
  };
}

function unready<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.not-viable`,
    words: 'the container has no IOMMU driver yet, or a host driver is bound in the group',
    errno: 'EINVAL',
    citation: external,
    applies: (world, state, asked) => {
      const group = groupNamed(state, asked);
      if (group === null) return false;
      const container = state.containers[group.container ?? -1];
      return (container?.iommu ?? null) === null || !viableByWalk(world, state, group.minor);
    },
  };
}

const twice: Guard<Add> = {
  id: 'kvm.add_group.again',
  words: 'the virtual machine knows it already',
  errno: 'EEXIST',
  citation: set,
  applies: (_world, state, op) => knows(state, op),
};

const unknown: Guard<Delete> = {
  id: 'kvm.del_group.none',
  words: 'the virtual machine does not know it',
  errno: 'ENOENT',
  citation: set,
  applies: (_world, state, op) => !knows(state, op),
};

/** Only from 5.1 on a device answers nobody but who made its machine. */
const device = 'virt/kvm/kvm_main.c:kvm_device_ioctl';

function guardsOf<O extends Either>(
  op: O['op'],
  last: Guard<O>,
  later: readonly Guard<O>[],
): PerProfile<readonly Guard<O>[]> {
  const fault = unreadable<O>(op, set);
  return {
    seed: [fault, ...[closed, stranger, apart, fake, unready].map((make) => make<O>(op)), last],
    '6.1': [another<O>(op, device), fault, closed<O>(op), ...later, last],
  };
}

export const kvmAddGroup: Rule<Add> = {
  words: {
    object: 'kvm',
    call: 'ioctl(fd, KVM_SET_DEVICE_ATTR, &attr) with KVM_DEV_VFIO_GROUP (from 6.6 on also named KVM_DEV_VFIO_FILE) and ADD',
    arguments: { file: 'descriptor of the group, or from 6.6 on of the device' },
    effect:
      'The virtual machine keeps the file open. Kernels before 5.19 count it as a user of the container, so the group cannot leave it.',
    undo: '`kvm.del_group`',
  },
  ioctl,
  guards: guardsOf<Add>('kvm.add_group', twice, [stranger<Add>('kvm.add_group')]),
  effect: (world, state, op) => {
    const id = fileId(state, op.pid, op.file);
    const machine = machineOf(state, op);
    const draft = draftOf(state);
    hold(draft, id);
    machineIn(draft, machine?.index ?? -1).held = [...(machine?.held ?? []), id];
    if (world.profile.viability === 'walk') useContainer(draft, id, 1);
    return { state: draft, value: 0 };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'kvm.del_group' }),
};

export const kvmDelGroup: Rule<Delete> = {
  words: {
    object: 'kvm',
    call: 'ioctl(fd, KVM_SET_DEVICE_ATTR, &attr) with KVM_DEV_VFIO_GROUP (from 6.6 on also named KVM_DEV_VFIO_FILE) and DEL',
    arguments: { file: 'descriptor of what was added' },
    effect: 'The virtual machine lets the file go.',
    undo: '`kvm.add_group`',
  },
  ioctl,
  guards: guardsOf<Delete>('kvm.del_group', unknown, []),
  effect: (world, state, op) => {
    const id = fileId(state, op.pid, op.file);
    const machine = machineOf(state, op);
    const draft = draftOf(state);
    machineIn(draft, machine?.index ?? -1).held = (machine?.held ?? []).filter((other) => other !== id);
    letGoOfFile(world, draft, id);
    return { state: draft, value: 0 };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'kvm.add_group' }),
};

/** Whether the virtual machine was told of the file. */
function knows(state: State, op: Either): boolean {
  const id = fileId(state, op.pid, op.file);
  return id !== -1 && machineOf(state, op)?.held.includes(id) === true;
}
