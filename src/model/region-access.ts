import { granted } from './cdev.ts';
import { fileOf } from './files.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';
import { coreOf, hardwareOf } from './open-device.ts';
import { placeIn, region, regionOf, roomAt, undecoded, usableSize } from './regions.ts';
import type { OpenFile, State, World } from './state.ts';

/** What reads and writes of a file at an offset ask alike: first the file, then the region of the device. */
type Access = Extract<Op, { op: 'device.read' | 'device.write' }>;

/** What the kernel moves at most in one call (MAX_RW_COUNT). */
const most = 0x7fff_f000;

function countOf(op: Access): number {
  return Math.min(op.op === 'device.read' ? op.count >>> 0 : op.bytes.length, most);
}

/** How many bytes an access that nothing refuses moves: not beyond its BAR. */
export function moved(world: World, state: State, op: Access): number {
  const hardware = hardwareOf(world, state, op);
  const count = countOf(op);
  if (hardware === undefined) return op.op === 'device.read' ? 0 : count;
  return Math.min(count, roomAt(hardware, regionOf(op.offset), placeIn(op.offset)));
}

const rw = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_rw',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_rw',
} as const;
const bar = 'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_bar_rw';

/** The guards of one of the two, by kernel. */
export function accessGuards<O extends Access>(name: O['op']): Guards<O> {
  const file = fileGuards<O>(name);
  const unbound = notBound<O>(name);
  const place = placeGuards<O>(name);
  const memory = notDecoded<O>(name);
  return {
    seed: [...file, ...place],
    '6.1': [...file, ...place, memory],
    '6.12': [...file, unbound, ...place, memory],
  };
}

interface Guards<O extends Access> {
  readonly seed: readonly Guard<O>[];
  readonly '6.1': readonly Guard<O>[];
  readonly '6.12': readonly Guard<O>[];
}

type Make<O extends Access> = (
  id: string,
  words: string,
  errno: 'EINVAL' | 'EBADF' | 'ESPIPE' | 'EFAULT' | 'EIO',
  citation: Guard['citation'],
  applies: Guard<O>['applies'],
) => Guard<O>;

function maker<O extends Access>(name: O['op']): Make<O> {
  return (id, words, errno, citation, applies) => ({ id: `${name}.${id}`, words, errno, citation, applies });
}

/** Files that were opened by no path, and do not say that they have positions (fs/file_table.c:alloc_file). */
const nowhere: ReadonlySet<OpenFile['kind']> = new Set(['eventfd', 'fault-queue', 'vm', 'kvm-device']);

function fileGuards<O extends Access>(name: O['op']): readonly Guard<O>[] {
  const refuse = maker<O>(name);
  const vfs = `fs/read_write.c:ksys_${name === 'device.read' ? 'pread64, vfs_read' : 'pwrite64, vfs_write'}`;
  return [
    refuse('offset', 'the offset is negative', 'EINVAL', vfs, (_world, _state, op) => {
      return BigInt.asIntN(64, op.offset) < 0n;
    }),
    refuse('descriptor', 'the descriptor is not open', 'EBADF', vfs, (_world, state, op) => {
      return fileOf(state, op) === null;
    }),
    refuse(
      'position',
      'the file has no positions',
      'ESPIPE',
      vfs,
      onFile(({ kind }) => nowhere.has(kind)),
    ),
    refuse(
      'no-data',
      'the file cannot be read or written',
      'EINVAL',
      vfs,
      onFile(({ kind }) => ['container', 'group', 'iommufd', 'kvm'].includes(kind)),
    ),
  ];
}

function notBound<O extends Access>(name: O['op']): Guard<O> {
  return maker<O>(name)(
    'not-bound',
    'the device cdev is not bound to an iommufd yet',
    'EINVAL',
    'drivers/vfio/vfio_main.c:vfio_device_fops_read, vfio_device_fops_write',
    onFile((its) => its.kind === 'device' && !granted(its)),
  );
}

function placeGuards<O extends Access>(name: O['op']): readonly Guard<O>[] {
  const refuse = maker<O>(name);
  const rom = refuse(
    'rom',
    'a ROM cannot be written',
    'EINVAL',
    rw,
    inRegion<O>((its) => its === region.rom),
  );
  return [
    refuse(
      'region',
      'the device has no such region',
      'EINVAL',
      rw,
      inRegion<O>((its) => its >= region.count),
    ),
    refuse(
      'config-bounds',
      'the access leaves configuration space',
      'EFAULT',
      'drivers/vfio/pci/vfio_pci_config.c:vfio_config_do_rw',
      (world, state, op) => {
        const room = roomOf(world, state, op);
        return room !== null && regionOf(op.offset) === region.config && room < countOf(op);
      },
    ),
    ...(name === 'device.write' ? [rom] : []),
    refuse(
      'vga',
      'the device is no VGA, or has no port or memory there',
      'EINVAL',
      'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_vga_rw',
      (world, state, op) => regionOf(op.offset) === region.vga && roomOf(world, state, op) === 0,
    ),
    refuse(
      'empty',
      'the device has no such BAR, or the host put it nowhere',
      'EINVAL',
      bar,
      inBar<O>((size) => size === 0),
    ),
    refuse(
      'bounds',
      'the access begins behind the end of the BAR',
      'EINVAL',
      bar,
      inBar<O>((size, at) => at >= size),
    ),
  ];
}

/** Since v5.8; before, the device answered such a read as it liked (mostly with ones). */
function notDecoded<O extends Access>(name: O['op']): Guard<O> {
  return maker<O>(name)(
    'memory',
    'the COMMAND register does not decode memory',
    'EIO',
    'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_core_ioread32 and its like (__vfio_pci_memory_enabled)',
    (world, state, op) => {
      const hardware = hardwareOf(world, state, op);
      const count = moved(world, state, op);
      if (hardware === undefined || count === 0) return false;
      return undecoded(hardware, coreOf(state, op), regionOf(op.offset), placeIn(op.offset), count);
    },
  );
}

function onFile<O extends Access>(test: (file: OpenFile) => boolean): Guard<O>['applies'] {
  return (_world, state, op) => {
    const file = fileOf(state, op);
    return file !== null && test(file);
  };
}

/** Bytes to the end of the region; null where nothing is moved, or on no device. */
function roomOf(world: World, state: State, op: Access): number | null {
  const hardware = countOf(op) === 0 ? undefined : hardwareOf(world, state, op);
  return hardware === undefined ? null : roomAt(hardware, regionOf(op.offset), placeIn(op.offset));
}

/** An access of nothing asks no region (vfio_pci_core_read, vfio_pci_core_write). */
function inRegion<O extends Access>(test: (index: number) => boolean): Guard<O>['applies'] {
  return (world, state, op) =>
    countOf(op) > 0 && hardwareOf(world, state, op) !== undefined && test(regionOf(op.offset));
}

function inBar<O extends Access>(test: (size: number, place: number) => boolean): Guard<O>['applies'] {
  return (world, state, op) => {
    const hardware = countOf(op) === 0 ? undefined : hardwareOf(world, state, op);
    const index = regionOf(op.offset);
    return (
      hardware !== undefined && index <= region.rom && test(usableSize(hardware, index), placeIn(op.offset))
    );
  };
}
