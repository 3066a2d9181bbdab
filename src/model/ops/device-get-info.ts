import { structure } from '../argument.ts';
import { type Done, everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Info = Extract<Op, { op: 'device.get_info' }>;

const citation = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_info',
  '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_info',
} as const;

const resets = 1;
const pci = 2;

function saying(flags: number): Done {
  return { value: 0, out: { flags, num_regions: 9, num_irqs: 5, cap_offset: 0 } };
}

const plain = saying(pci);
const resettable = saying(pci | resets);

export const deviceGetInfo: Rule<Info> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_GET_INFO, &info)',
    arguments: {},
    effect:
      'Answers the flags (PCI, and RESET where the function has one), 9 regions and 5 kinds of interrupt. Whether the way to the root completes atomic operations, for which 6.12 has a capability, no snapshot tells: none is shown. Regions of a vendor (the graphics of some Intel processors) are not modelled.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'device', request: 0x3b6b },
  guards: everywhere<Info>(...structure<Info>('device.get_info', 16, citation)),
  effect: (_world, state, _op, { device }) =>
    state.devices[device]?.vfio?.resetWorks === true ? resettable : plain,
  undo: () => ({ none: 'it only asks' }),
};
