import { unreadable } from '../argument.ts';
import { draftOf, machineIn, setMachine } from '../draft.ts';
import { fileOf, install, nextDescriptor, tableFull } from '../files.ts';
import { everywhere, type Guard, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { lowestFree } from '../places.ts';
import type { State } from '../state.ts';
import type { VirtualMachine } from '../virtual-machine.ts';

/** Virtual machines and their VFIO devices, made: virt/kvm/kvm_main.c and virt/kvm/vfio.c. */

type CreateVm = Extract<Op, { op: 'kvm.create_vm' }>;
type CreateDevice = Extract<Op, { op: 'kvm.create_device' }>;

/** The virtual machine that a descriptor is of, or whose device it is of. */
export function machineOf(
  state: State,
  op: { readonly pid: number; readonly fd: number },
): VirtualMachine | null {
  const file = fileOf(state, op);
  return file?.kind === 'vm' || file?.kind === 'kvm-device' ? (state.kvm[file.machine] ?? null) : null;
}

/** Its memory is the one of who made it. */
export function another<O extends Op & { readonly fd: number }>(
  op: O['op'],
  citation: Guard<O>['citation'],
): Guard<O> {
  return {
    id: `${op}.another`,
    words: "the virtual machine is another process's",
    errno: 'EIO',
    citation,
    applies: (_world, state, asked) => {
      const machine = machineOf(state, asked);
      return machine !== null && machine.pid !== asked.pid;
    },
  };
}

export const kvmCreateVm: Rule<CreateVm> = {
  words: {
    object: 'kvm',
    call: 'ioctl(fd, KVM_CREATE_VM, 0)',
    arguments: {},
    effect: 'The process has a new descriptor of a new virtual machine, the lowest number that is free.',
    undo: '`close` of the new descriptor',
  },
  ioctl: { on: 'kvm', request: 0xae01 },
  guards: everywhere<CreateVm>({
    id: 'kvm.create_vm.descriptors',
    words: 'the process has as many descriptors as it may',
    errno: 'EMFILE',
    citation: 'virt/kvm/kvm_main.c:kvm_dev_ioctl_create_vm (fs/file.c:alloc_fd)',
    applies: (world, state, op) => tableFull(world, state, op.pid),
  }),
  effect: (_world, state, op) => {
    const draft = draftOf(state);
    const index = lowestFree(state.kvm);
    const file = lowestFree(state.files);
    setMachine(draft, index, { index, pid: op.pid, file, vfio: false, device: null, held: [] });
    const value = install(draft, op.pid, { kind: 'vm', refs: 1, machine: index });
    return { state: draft, value };
  },
  undo: (_world, before, op) => ({ op: 'close', pid: op.pid, fd: nextDescriptor(before, op.pid) }),
};

const create = 'virt/kvm/kvm_main.c:kvm_ioctl_create_device';

export const kvmCreateDevice: Rule<CreateDevice> = {
  words: {
    object: 'kvm',
    call: 'ioctl(fd, KVM_CREATE_DEVICE, &create) with KVM_DEV_TYPE_VFIO',
    arguments: {},
    effect:
      'Makes the VFIO device of a virtual machine, and answers as its value the descriptor that comes back in the structure, the lowest number that is free. The device keeps the machine.',
    undo: '`close` of the new descriptor; before 6.2 the device lasts until the machine ends: none in one step',
  },
  ioctl: { on: 'vm', request: 0xc00caee0 },
  guards: everywhere<CreateDevice>(
    another<CreateDevice>('kvm.create_device', 'virt/kvm/kvm_main.c:kvm_vm_ioctl'),
    unreadable<CreateDevice>('kvm.create_device', 'virt/kvm/kvm_main.c:kvm_vm_ioctl'),
    {
      id: 'kvm.create_device.again',
      words: 'the virtual machine has one already',
      errno: 'EBUSY',
      citation: 'virt/kvm/vfio.c:kvm_vfio_create',
      applies: (_world, state, op) => machineOf(state, op)?.vfio === true,
    },
    {
      id: 'kvm.create_device.descriptors',
      words: 'the process has as many descriptors as it may',
      errno: 'EMFILE',
      citation: `${create} (fs/file.c:alloc_fd)`,
      applies: (world, state, op) => tableFull(world, state, op.pid),
    },
  ),
  effect: (_world, state, op) => {
    const index = machineOf(state, op)?.index ?? -1;
    const draft = draftOf(state);
    const file = lowestFree(state.files);
    const value = install(draft, op.pid, { kind: 'kvm-device', refs: 1, machine: index });
    Object.assign(machineIn(draft, index), { vfio: true, device: file });
    return { state: draft, value };
  },
  undo: ({ profile }, before, op) =>
    profile.viability === 'walk'
      ? { none: 'the device lasts until its virtual machine ends' }
      : { op: 'close', pid: op.pid, fd: nextDescriptor(before, op.pid) },
};
