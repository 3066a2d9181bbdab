import { structure } from '../argument.ts';
import { barOf } from '../bars.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { hardwareOf } from '../open-device.ts';
import type { Hardware } from '../state.ts';

type Info = Extract<Op, { op: 'device.region_info' }>;

const citation = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_region_info',
  '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_region_info',
} as const;

const readable = 1;
const writable = 2;
const mappable = 4;

const rom = 6;
const config = 7;
const vga = 8;

export const deviceRegionInfo: Rule<Info> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info)',
    arguments: { index: 'BARs 0 to 5, ROM 6, configuration space 7, VGA 8' },
    effect: 'Answers flags, size and offset in the file (the index, shifted by 40).',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'device', request: 0x3b6c },
  guards: everywhere<Info>(...structure<Info>('device.region_info', 32, citation), {
    id: 'device.region_info.index',
    words: 'the device has no such region',
    errno: 'EINVAL',
    citation,
    applies: (world, state, op) => {
      const index = op.index >>> 0;
      return index > vga || (index === vga && hardwareOf(world, state, op)?.vga !== true);
    },
  }),
  effect: (world, state, op) => {
    const index = op.index >>> 0;
    const hardware = hardwareOf(world, state, op);
    const { size, flags } = hardware === undefined ? { size: 0, flags: 0 } : region(hardware, index);
    return {
      state,
      value: 0,
      out: { flags, cap_offset: 0, size: BigInt(size), offset: BigInt(index) << 40n },
    };
  },
  undo: () => ({ none: 'it only asks' }),
};

/**
 * Memory of a page or more can be mapped; a smaller BAR only if its page is its own, which a snapshot does not tell. The
 * snapshot does not tell either which BAR holds the MSI-X table, so no capability is shown.
 */
function region(hardware: Hardware, index: number): { readonly size: number; readonly flags: number } {
  if (index === config) return { size: hardware.configSize, flags: readable | writable };
  if (index === vga) return { size: 0xc0000, flags: readable | writable };
  const bar = barOf(hardware, index);
  if (bar === undefined || bar.size === 0) return { size: 0, flags: 0 };
  if (index === rom) return { size: bar.size, flags: readable };
  const maps = bar.kind === 'memory' && bar.size >= 4096;
  return { size: bar.size, flags: readable | writable | (maps ? mappable : 0) };
}
