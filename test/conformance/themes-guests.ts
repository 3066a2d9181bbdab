/** What virtual machines are told of, and what becomes of it when either side closes its files (virt/kvm/vfio.c). */
import { type Context, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';

/** Most have the argument that they need. */
const pointer = ({ c }: Context) => (c % 13 === 0 ? { argsz: null } : {});

export const openKvm: Maker = ({ pid }) => ({ op: 'open', pid, path: '/dev/kvm' });

export const createVm: Maker = (its) => ({
  op: 'kvm.create_vm',
  pid: its.pid,
  fd: pick(descriptors(its, 'kvm'), its.a),
});

export const createDevice: Maker = (its) => ({
  op: 'kvm.create_device',
  ...{ pid: its.pid, fd: pick(descriptors(its, 'vm'), its.a) },
  ...pointer(its),
});

/** A group, or a device, or what is neither. */
function fileOf(its: Context): number {
  const kind = pick(['group', 'group', 'group', 'device', 'device', 'container', 'vm'] as const, its.b);
  return pick(descriptors(its, kind), its.c);
}

const add: Maker = (its) => ({
  op: 'kvm.add_group',
  ...{ pid: its.pid, fd: pick(descriptors(its, 'kvm-device'), its.a), file: fileOf(its) },
  ...pointer(its),
});

const remove: Maker = (its) => ({ ...add(its), op: 'kvm.del_group' }) as ReturnType<Maker>;

const groupPath = ({ state, a }: Context): string => {
  const names = state.groups.flatMap((group) => (group?.node ? [group.name] : []));
  return `/dev/vfio/${pick([...names, 'vfio'], a)}`;
};

const kinds = [
  'group',
  'group',
  'device',
  'device',
  'container',
  'kvm-device',
  'kvm-device',
  'vm',
  'kvm',
] as const;

const close: Maker = (its) => ({
  op: 'close',
  pid: its.pid,
  fd: pick(surely(its, pick(kinds, its.b)), its.a),
});

const hand: Maker = (its) => ({
  op: 'descriptor.pass',
  pid: its.pid,
  fd: pick(surely(its, pick(kinds, its.b)), its.a),
  to: pick(its.pids, its.c),
});

/** What a file of KVM's does not know, or has not. */
const stray: Maker = (its) => {
  const on = {
    pid: its.pid,
    fd: pick(surely(its, pick(['kvm', 'vm', 'kvm-device'] as const, its.b)), its.a),
  };
  return pick(
    [
      ...(['read', 'write', 'lseek', 'mmap'] as const).map(
        (call) => ({ op: 'file.call', ...on, call }) as const,
      ),
      { op: 'group.get_status', ...on },
      { op: 'device.read', ...on, offset: 0n, count: 4 },
      { op: 'container.set_iommu', ...on, type: 1 },
      { op: 'kvm.create_vm', ...on },
      { op: 'kvm.create_device', ...on },
      { op: 'kvm.add_group', ...on, file: -1 },
    ],
    its.c,
  );
};

const use: Maker = (its) => {
  const group = { pid: its.pid, fd: pick(descriptors(its, 'group'), its.a) };
  return pick(
    [
      { op: 'open', pid: its.pid, path: groupPath(its) },
      { op: 'group.set_container', ...group, container: pick(surely(its, 'container'), its.b) },
      { op: 'group.unset_container', ...group },
      { op: 'group.get_device_fd', ...group, name: pick(its.cast.devices, its.b) },
      { op: 'group.get_status', ...group },
    ],
    its.c,
  );
};

const unbind: Maker = (its) => ({
  op: 'driver.unbind',
  pid: its.pid,
  driver: 'vfio-pci',
  device: pick(its.cast.devices, its.a),
});

export const guestFiles: readonly Maker[] = [
  ...[openKvm, createVm, createDevice, add, add, add, add, remove, remove],
  ...[close, close, close, hand, hand, stray, use, use, use, unbind],
];
