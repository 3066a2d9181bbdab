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

export function countOf(op: Access): number {
  return Math.min(op.op === 'device.read' ? op.count >>> 0 : op.bytes.length, most);
}

/** How many bytes an access that nothing refuses moves: not beyond its BAR. */
export function moved(world: World, state: State, op: Access): number {
  const hardware = hardwareOf(world, state, op);
  const count = countOf(op);
  if (hardware === undefined) return op.op === 'device.read' ? 0 : count;
  return Math.min(count, roomAt(hardware, regionOf(op.offset), placeIn(op.offset)));
}

const hasNoPosition = (file: OpenFile): boolean => file.kind === 'eventfd';
const hasNoData = ({ kind }: OpenFile): boolean =>
  kind === 'container' || kind === 'group' || kind === 'iommufd';

/** The guards of one of the two, by kernel. */
export function accessGuards<O extends Access>(
  name: O['op'],
): {
  readonly seed: readonly Guard<O>[];
  readonly '6.1': readonly Guard<O>[];
  readonly '6.12': readonly Guard<O>[];
} {
  const call = name === 'device.read' ? 'pread64, vfs_read' : 'pwrite64, vfs_write';
  const vfs = `fs/read_write.c:ksys_${call}`;
  const rw = {
    seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_rw',
    '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_rw',
  } as const;
  const bar = 'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_bar_rw';
  const refuse = (
    id: string,
    words: string,
    errno: 'EINVAL' | 'EBADF' | 'ESPIPE' | 'EFAULT' | 'EIO',
    citation: Guard['citation'],
    applies: Guard<O>['applies'],
  ): Guard<O> => ({ id: `${name}.${id}`, words, errno, citation, applies });
  const onFile =
    (test: (file: OpenFile) => boolean): Guard<O>['applies'] =>
    (_world, state, op) => {
      const file = fileOf(state, op);
      return file !== null && test(file);
    };
  const file = [
    refuse(
      'offset',
      'the offset is negative',
      'EINVAL',
      vfs,
      (_world, _state, op) => BigInt.asIntN(64, op.offset) < 0n,
    ),
    refuse(
      'descriptor',
      'the descriptor is not open',
      'EBADF',
      vfs,
      (_w, state, op) => fileOf(state, op) === null,
    ),
    refuse('position', 'the file has no positions', 'ESPIPE', vfs, onFile(hasNoPosition)),
    refuse('no-data', 'the file cannot be read or written', 'EINVAL', vfs, onFile(hasNoData)),
  ];
  const unbound = refuse(
    'not-bound',
    'the device cdev is not bound to an iommufd yet',
    'EINVAL',
    'drivers/vfio/vfio_main.c:vfio_device_fops_read, vfio_device_fops_write',
    onFile((its) => its.kind === 'device' && !granted(its)),
  );
  const place = [
    refuse(
      'region',
      'the device has no such region',
      'EINVAL',
      rw,
      inRegion((index) => index >= region.count),
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
    ...(name === 'device.write'
      ? [
          refuse(
            'rom',
            'a ROM cannot be written',
            'EINVAL',
            rw,
            inRegion((index) => index === region.rom),
          ),
        ]
      : []),
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
      inBar((size) => size === 0),
    ),
    refuse(
      'bounds',
      'the access begins behind the end of the BAR',
      'EINVAL',
      bar,
      inBar((size, at) => at >= size),
    ),
  ];
  const memory = refuse(
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
  return {
    seed: [...file, ...place],
    '6.1': [...file, ...place, memory],
    '6.12': [...file, unbound, ...place, memory],
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
