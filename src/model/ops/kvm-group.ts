import { unreadable } from '../argument.ts';
import { viableByWalk } from '../attachment.ts';
import { type Draft, draftOf, groupIn } from '../draft.ts';
import { drop, fileId, fileOf, groupOf, hold } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { State } from '../state.ts';

/**
 * What a virtual machine's VFIO device is told of the groups that are given to the guest (virt/kvm/vfio.c). Every process
 * has one virtual machine, which keeps what was added open until it is taken out again.
 */

type Add = Extract<Op, { op: 'kvm.add_group' }>;
type Delete = Extract<Op, { op: 'kvm.del_group' }>;
type Either = Add | Delete;

const set = {
  seed: 'virt/kvm/vfio.c:kvm_vfio_set_group',
  '6.1': 'virt/kvm/vfio.c:kvm_vfio_group_add, kvm_vfio_group_del',
  '6.12': 'virt/kvm/vfio.c:kvm_vfio_file_add, kvm_vfio_file_del',
} as const;

/** Until 5.19 KVM became an external user of the group's container. */
const external = 'drivers/vfio/vfio.c:vfio_group_get_external_user';

function closed<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.descriptor`,
    words: 'the descriptor is not open',
    errno: 'EBADF',
    citation: set,
    applies: (_world, state, asked) => fileOf(state, asked) === null,
  };
}

function stranger<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.no-group`,
    words: 'the descriptor is no group of VFIO (from 6.12 on also: no device)',
    errno: 'EINVAL',
    citation: {
      seed: external,
      '6.1': 'virt/kvm/vfio.c:kvm_vfio_file_is_group',
      '6.12': 'virt/kvm/vfio.c:kvm_vfio_file_is_valid',
    },
    applies: ({ profile }, state, asked) => {
      const kind = fileOf(state, asked)?.kind;
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
    applies: (_world, state, asked) => groupOf(state, asked)?.container === null,
  };
}

function fake<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.noiommu`,
    words: 'a group without an IOMMU is for no guest',
    errno: 'EPERM',
    citation: external,
    applies: (_world, state, asked) => groupOf(state, asked)?.noiommu === true,
  };
}

function unready<O extends Either>(op: O['op']): Guard<O> {
  return {
    id: `${op}.not-viable`,
    words: 'the container has no IOMMU driver yet, or a host driver is bound in the group',
    errno: 'EINVAL',
    citation: external,
    applies: (world, state, asked) => {
      const file = fileOf(state, asked);
      if (file?.kind !== 'group') return false;
      const container = state.containers[state.groups[file.group]?.container ?? -1];
      return (container?.iommu ?? null) === null || !viableByWalk(world, state, file.group);
    },
  };
}

const twice: Guard<Add> = {
  id: 'kvm.add_group.again',
  words: 'the virtual machine knows it already',
  errno: 'EEXIST',
  citation: set,
  applies: (_world, state, op) => placeOf(state, op) !== -1,
};

const unknown: Guard<Delete> = {
  id: 'kvm.del_group.none',
  words: 'the virtual machine does not know it',
  errno: 'ENOENT',
  citation: set,
  applies: (_world, state, op) => placeOf(state, op) === -1,
};

export const kvmAddGroup: Rule<Add> = {
  words: {
    object: 'kvm',
    call: 'ioctl(kvm device, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_GROUP or KVM_DEV_VFIO_FILE, ADD)',
    arguments: {},
    effect:
      'The virtual machine of the process keeps the file open. Kernels before 5.19 count it as a user of the container, so the group cannot leave it.',
    undo: '`kvm.del_group`',
  },
  guards: {
    seed: [
      unreadable<Add>('kvm.add_group', set),
      ...[closed, stranger, apart, fake, unready].map((make) => make<Add>('kvm.add_group')),
      twice,
    ],
    '6.1': [
      unreadable<Add>('kvm.add_group', set),
      ...[closed, stranger].map((make) => make<Add>('kvm.add_group')),
      twice,
    ],
  },
  effect: (world, state, op) => {
    const file = fileId(state, op.pid, op.fd);
    const draft = draftOf(state);
    hold(draft, file);
    draft.kvm = [...state.kvm, { pid: op.pid, file }];
    if (world.profile.viability === 'walk') useContainer(draft, file, 1);
    return { state: draft, value: 0 };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'kvm.del_group' }),
};

export const kvmDelGroup: Rule<Delete> = {
  words: {
    object: 'kvm',
    call: 'ioctl(kvm device, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_GROUP or KVM_DEV_VFIO_FILE, DEL)',
    arguments: {},
    effect: 'The virtual machine lets the file go.',
    undo: '`kvm.add_group`',
  },
  guards: {
    seed: [
      unreadable<Delete>('kvm.del_group', set),
      ...[closed, stranger, apart, fake, unready].map((make) => make<Delete>('kvm.del_group')),
      unknown,
    ],
    '6.1': [unreadable<Delete>('kvm.del_group', set), closed<Delete>('kvm.del_group'), unknown],
  },
  effect: (world, state, op) => {
    const place = placeOf(state, op);
    const file = fileId(state, op.pid, op.fd);
    const draft = draftOf(state);
    draft.kvm = state.kvm.filter((_, other) => other !== place);
    if (world.profile.viability === 'walk') useContainer(draft, file, -1);
    drop(world, draft, file);
    return { state: draft, value: 0 };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'kvm.add_group' }),
};

/** Where the virtual machine of the process has the file; -1: it does not. */
function placeOf(state: State, op: Either): number {
  const file = fileId(state, op.pid, op.fd);
  return file === -1 ? -1 : state.kvm.findIndex((held) => held.pid === op.pid && held.file === file);
}

/** One user of the group's container more or less. */
function useContainer(draft: Draft, file: number, by: 1 | -1): void {
  const opened = draft.files[file];
  const minor = opened?.kind === 'group' ? opened.group : -1;
  if (draft.groups[minor]) groupIn(draft, minor).containerUsers += by;
}
