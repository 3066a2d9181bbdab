import { granted } from '../cdev.ts';
import { fileOf } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { coreOf, hardwareOf } from '../open-device.ts';
import { mappable, undecoded, usableSize } from '../regions.ts';
import type { OpenFile, World } from '../state.ts';

type Call = Extract<Op, { op: 'file.call' }>;

/** Not before it is bound: vfio_device_fops_read, _write and _mmap ask it first. */
const unbound: Guard<Call> = {
  id: 'file.call.not-bound',
  words: 'the device cdev is not bound to an iommufd yet',
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio_main.c:vfio_device_fops_read, vfio_device_fops_write, vfio_device_fops_mmap',
  applies: (_world, state, op) => {
    const file = fileOf(state, op);
    return file?.kind === 'device' && !granted(file);
  },
};

const first: readonly Guard<Call>[] = [
  {
    id: 'file.call.descriptor',
    words: 'the descriptor is not open',
    errno: 'EBADF',
    citation: 'fs/read_write.c:ksys_read, ksys_write, ksys_lseek; mm/mmap.c:ksys_mmap_pgoff',
    applies: (_world, state, op) => fileOf(state, op) === null,
  },
  calls('lseek', {
    id: 'file.call.lseek',
    words: 'the file has no position',
    errno: 'ESPIPE',
    citation: 'fs/read_write.c:vfs_llseek',
    on: ({ kind }) => kind !== 'other' && kind !== 'eventfd' && kind !== 'kvm' && kind !== 'vm',
  }),
];

/** Files that have neither read nor write. */
const lacksData: ReadonlySet<OpenFile['kind']> = new Set([
  ...(['container', 'group', 'iommufd'] as const),
  ...(['kvm', 'vm', 'kvm-device'] as const),
]);

const rest: readonly Guard<Call>[] = [
  calls('mmap', {
    id: 'file.call.mmap',
    words: 'the file cannot be mapped',
    errno: { seed: 'EINVAL', '6.1': 'ENODEV', '6.12': 'ENODEV' },
    citation: {
      seed: 'drivers/vfio/vfio.c:vfio_fops_mmap',
      '6.1': 'mm/mmap.c:do_mmap',
      '6.12': 'mm/mmap.c:do_mmap',
    },
    on: (file) => file.kind === 'container',
  }),
  calls('mmap', {
    id: 'file.call.mmap-group',
    words: 'the file cannot be mapped',
    errno: 'ENODEV',
    citation: 'mm/mmap.c:do_mmap',
    on: (file) => file.kind !== 'container' && file.kind !== 'device',
  }),
  calls('mmap', {
    id: 'file.call.mmap-bar',
    words: 'BAR 0 cannot be mapped: it is not memory of a page or more',
    errno: 'EINVAL',
    citation: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_mmap',
    on: (file, world) => file.kind === 'device' && !bar(world, file, true),
  }),
  calls(null, {
    id: 'file.call.no-data',
    words: 'the file cannot be read or written',
    errno: 'EINVAL',
    citation: 'fs/read_write.c:vfs_read, vfs_write',
    on: ({ kind }) => lacksData.has(kind),
  }),
  calls(null, {
    id: 'file.call.counter',
    words: 'a counter is read and written in words of eight bytes',
    errno: 'EINVAL',
    citation: 'fs/eventfd.c:eventfd_read, eventfd_write',
    on: (file) => file.kind === 'eventfd',
  }),
  calls(null, {
    id: 'file.call.bar',
    words: 'the device has no BAR 0, where the file begins',
    errno: 'EINVAL',
    citation: 'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_bar_rw',
    on: (file, world) => file.kind === 'device' && !bar(world, file, false),
  }),
];

const undecodedMemory: Guard<Call> = {
  id: 'file.call.memory',
  words: 'BAR 0 is memory, which the COMMAND register does not decode',
  errno: 'EIO',
  citation: 'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_core_ioread8, vfio_pci_core_iowrite8',
  applies: (world, state, op) => {
    const hardware = op.call === 'read' || op.call === 'write' ? hardwareOf(world, state, op) : undefined;
    return hardware !== undefined && undecoded(hardware, coreOf(state, op), 0, 0, 1);
  },
};

const faults = calls(null, {
  id: 'file.call.faults',
  words: 'faults are read, and responses written, whole',
  errno: 'ESPIPE',
  citation: 'drivers/iommu/iommufd/fault.c:iommufd_fault_fops_read, iommufd_fault_fops_write',
  on: (file) => file.kind === 'fault-queue',
});

const guards = [...first, ...rest];
const guardsWithDecoding = [...guards, undecodedMemory];
const guardsWithCdevs = [...first, unbound, ...rest, faults, undecodedMemory];

/** VFIO's container and group files have no read, write, mmap and llseek; its device files lack llseek alone. */
export const fileCall: Rule<Call> = {
  words: {
    object: 'files',
    call: 'read, write, mmap, lseek',
    arguments: { call: 'which of them, of one unit at the beginning of the file' },
    effect: "What the file does: a device's file begins with BAR 0.",
    undo: 'none: what was read or written is not taken back',
  },
  guards: { seed: guards, '6.1': guardsWithDecoding, '6.12': guardsWithCdevs },
  effect: (_world, state, op) => {
    const other = fileOf(state, op)?.kind === 'other';
    const units = op.call === 'write' || (op.call === 'read' && !other) ? 1 : 0;
    return { value: units };
  },
  undo: () => ({ none: 'what was read or written is not taken back' }),
};

function calls(
  call: 'lseek' | 'mmap' | null,
  guard: Pick<Guard<Call>, 'id' | 'words' | 'errno' | 'citation'> & {
    on(file: OpenFile, world: World): boolean;
  },
): Guard<Call> {
  const { on, ...declared } = guard;
  return {
    ...declared,
    applies: (world, state, op) => {
      const asked = call === null ? op.call === 'read' || op.call === 'write' : op.call === call;
      const file = asked ? fileOf(state, op) : null;
      return file !== null && on(file, world);
    },
  };
}

function bar(world: World, file: OpenFile & { kind: 'device' }, maps: boolean): boolean {
  const hardware = world.hardware[file.device];
  if (hardware === undefined || usableSize(hardware, 0) === 0) return false;
  return !maps || mappable(hardware, 0);
}
