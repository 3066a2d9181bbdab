import { structure } from '../argument.ts';
import { barOf } from '../bars.ts';
import { type Done, everywhere, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { perDevice } from '../per-device.ts';
import { mappable, region, saysMsixMappable } from '../regions.ts';
import type { Hardware, World } from '../state.ts';

type Info = Extract<Op, { op: 'device.region_info' }>;

const citation = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_region_info',
  '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_region_info',
} as const;

const readable = 1;
const writable = 2;
const mmap = 4;
const caps = 8;

/** The header of the one capability that there is, MSIX_MAPPABLE (3), behind the structure. */
const structureSize = 32;
const headerSize = 8;

export const deviceRegionInfo: Rule<Info> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info)',
    arguments: { index: 'BARs 0 to 5, ROM 6, configuration space 7, VGA 8' },
    effect:
      'Answers flags, size and offset in the file (the index, shifted by 40). Of the BAR with the MSI-X table, where it is known (the world tells, or there is one BAR of memory alone), flags say that it can be mapped as a whole, and with an argsz of 40 the capability stands at 32. A BAR of less than a page is taken to share its page, and a ROM to be there.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'device', request: 0x3b6c },
  guards: everywhere<Info>(...structure<Info>('device.region_info', 32, citation), {
    id: 'device.region_info.index',
    words: 'the device has no such region',
    errno: 'EINVAL',
    citation,
    applies: (world, _state, op, { device }) => {
      const index = op.index >>> 0;
      return index > region.vga || (index === region.vga && world.hardware[device]?.vga !== true);
    },
  }),
  effect: (world, _state, op, { device }) => {
    const hardware = world.hardware[device];
    if (hardware === undefined) return zero;
    const { whole, short } = answersOf(world, hardware)[op.index >>> 0] ?? nothing;
    return (op.argsz ?? 0) >= structureSize + headerSize ? whole : short;
  },
  undo: () => ({ none: 'it only asks' }),
};

function shown(
  world: World,
  hardware: Hardware,
  index: number,
): { readonly size: number; readonly flags: number } {
  if (index === region.config) return { size: hardware.configSize, flags: readable | writable };
  if (index === region.vga) return { size: 0xc0000, flags: readable | writable };
  const bar = barOf(hardware, index);
  if (bar === undefined || bar.size === 0) return { size: 0, flags: 0 };
  if (index === region.rom) return { size: bar.size, flags: readable };
  const maps = mappable(hardware, index) ? mmap : 0;
  const says = saysMsixMappable(world, hardware, index) ? caps : 0;
  return { size: bar.size, flags: readable | writable | maps | says };
}

/** What there is to say of a region: with room for its capability, if it has one, and without. */
interface Answers {
  readonly whole: Done;
  readonly short: Done;
}

const nothing: Answers = { whole: zero, short: zero };

const answersOf = perDevice((world, hardware): readonly Answers[] =>
  Array.from({ length: region.count }, (_, index): Answers => {
    const { size, flags } = shown(world, hardware, index);
    const out = { flags, cap_offset: 0, size: BigInt(size), offset: BigInt(index) << 40n };
    const short = { value: 0, out };
    return (flags & caps) === 0
      ? { whole: short, short }
      : { whole: { value: 0, out: { ...out, cap_offset: structureSize } }, short };
  }),
);
