import { granted } from '../cdev.ts';
import type { Errno } from '../errno.ts';
import { fileOf } from '../files.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { hardwareOf } from '../open-device.ts';
import type { PerProfile } from '../profiles.ts';
import { mappable, pageSize, placeIn, region, regionOf, usableSize } from '../regions.ts';
import type { Hardware, State, World } from '../state.ts';

type Mmap = Extract<Op, { op: 'device.mmap' }>;

const core = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_mmap',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_mmap',
} as const;
const mm = 'mm/mmap.c:do_mmap';

/** Memory of a process on x86-64: 47 bits without the last page. */
const taskSize = 2 ** 47 - pageSize;

function refuse(
  id: string,
  words: string,
  errno: Errno | PerProfile<Errno>,
  citation: Guard['citation'],
  applies: Guard<Mmap>['applies'],
): Guard<Mmap> {
  return { id: `device.mmap.${id}`, words, errno, citation, applies };
}

const file: readonly Guard<Mmap>[] = [
  refuse(
    'alignment',
    'the offset is not one of a page',
    'EINVAL',
    'arch/x86/kernel/sys_x86_64.c:SYSCALL_DEFINE6(mmap)',
    (_world, _state, op) => placeIn(op.offset) % pageSize !== 0,
  ),
  refuse(
    'descriptor',
    'the descriptor is not open',
    'EBADF',
    'mm/mmap.c:ksys_mmap_pgoff',
    (_world, state, op) => fileOf(state, op) === null,
  ),
  refuse('length', 'nothing is to be mapped', 'EINVAL', mm, (_world, _state, op) => lengthOf(op) === 0),
  refuse(
    'size',
    'more is to be mapped than a process has addresses',
    'ENOMEM',
    'mm/mmap.c:do_mmap, get_unmapped_area',
    (_world, _state, op) => lengthOf(op) > taskSize,
  ),
  refuse(
    'container',
    'a container cannot be mapped',
    { seed: 'EINVAL', '6.1': 'ENODEV' },
    { seed: 'drivers/vfio/vfio.c:vfio_fops_mmap', '6.1': mm },
    (_world, state, op) => fileOf(state, op)?.kind === 'container',
  ),
  refuse('file', 'the file cannot be mapped', 'ENODEV', mm, (_world, state, op) => {
    const kind = fileOf(state, op)?.kind;
    return kind !== 'container' && kind !== 'device';
  }),
];

const unbound = refuse(
  'not-bound',
  'the device cdev is not bound to an iommufd yet',
  'EINVAL',
  'drivers/vfio/vfio_main.c:vfio_device_fops_mmap',
  (_world, state, op) => {
    const its = fileOf(state, op);
    return its?.kind === 'device' && !granted(its);
  },
);

const none = refuse(
  'region',
  'the device has no such region',
  'EINVAL',
  core,
  (_world, _state, op) => regionOf(op.offset) >= region.count,
);

const rest: readonly Guard<Mmap>[] = [
  refuse(
    'private',
    'memory of a device is mapped shared or not at all',
    'EINVAL',
    core,
    (_w, _s, op) => !op.shared,
  ),
  refuse(
    'no-bar',
    'only BARs can be mapped',
    'EINVAL',
    core,
    (_world, _state, op) => regionOf(op.offset) >= region.rom,
  ),
  refuse('unmappable', 'the BAR is not memory of a page or more', 'EINVAL', core, (world, state, op) => {
    const hardware = hardwareOf(world, state, op);
    return hardware !== undefined && !mappable(hardware, regionOf(op.offset));
  }),
  refuse('bounds', 'the mapping would leave the BAR', 'EINVAL', core, (world, state, op) => {
    const hardware = hardwareOf(world, state, op);
    return hardware !== undefined && placeIn(op.offset) + lengthOf(op) > pages(hardware, op);
  }),
];

/** Before v4.16. */
const table = refuse('msix', 'the mapping would show the MSI-X table', 'EINVAL', core, overlapsTable);

export const deviceMmap: Rule<Mmap> = {
  words: {
    object: 'device',
    call: 'mmap(length, PROT_READ, MAP_SHARED or MAP_PRIVATE, fd, offset), munmap',
    arguments: {
      offset: "where in the device's file: the BAR's index shifted by 40, and the place in the BAR",
      length: 'bytes, rounded up to pages',
      shared: 'MAP_SHARED, not MAP_PRIVATE',
    },
    effect:
      'The memory is mapped and unmapped again, so nothing changes. While COMMAND does not decode memory, or in low power, touching it would be SIGBUS. That the host holds the BAR is not known and not asked; a BAR of less than a page is taken to share its page.',
    undo: 'none: the mapping is gone already',
  },
  guards: {
    seed: [...file, ...rest, table],
    '6.1': [...file, none, ...rest],
    '6.12': [...file, unbound, none, ...rest],
  },
  effect: () => zero,
  undo: () => ({ none: 'the mapping is gone already' }),
};

/** Whole pages; a negative length is a huge one. */
function lengthOf({ length }: Mmap): number {
  const whole = Math.trunc(length);
  if (whole < 0) return 2 ** 64 + whole;
  return whole > 0 ? Math.ceil(whole / pageSize) * pageSize : 0;
}

function pages(hardware: Hardware, op: Mmap): number {
  return Math.ceil(usableSize(hardware, regionOf(op.offset)) / pageSize) * pageSize;
}

function overlapsTable(world: World, state: State, op: Mmap): boolean {
  const its = hardwareOf(world, state, op)?.msixTable;
  if (its === undefined || its.bar !== regionOf(op.offset)) return false;
  const start = placeIn(op.offset);
  return start < its.end && start + lengthOf(op) > its.start;
}
