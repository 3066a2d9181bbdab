import { structure } from '../argument.ts';
import { type Done, everywhere, type Rule, zero } from '../guard.ts';
import { irq, vectorsOf } from '../interrupts.ts';
import type { Op } from '../op.ts';
import { perDevice } from '../per-device.ts';
import type { World } from '../state.ts';

type Info = Extract<Op, { op: 'device.irq_info' }>;

const citation = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_irq_info',
  '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_irq_info',
} as const;

const eventfd = 1;
const maskable = 2;
const automasked = 4;
const noResize = 8;

export const deviceIrqInfo: Rule<Info> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_GET_IRQ_INFO, &info)',
    arguments: { index: 'INTX 0, MSI 1, MSIX 2, ERR 3, REQ 4' },
    effect: 'Answers the flags and how many vectors there are.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'device', request: 0x3b6d },
  guards: everywhere<Info>(
    ...structure<Info>('device.irq_info', 16, citation),
    {
      id: 'device.irq_info.index',
      words: 'there is no such kind of interrupt',
      errno: 'EINVAL',
      citation,
      applies: (_world, _state, op) => op.index >>> 0 >= irq.count,
    },
    {
      id: 'device.irq_info.error',
      words: 'only PCI Express devices report errors by interrupt',
      errno: 'EINVAL',
      citation,
      applies: (world, _state, op, { device }) =>
        op.index >>> 0 === irq.error && world.hardware[device]?.express === false,
    },
  ),
  effect: (world, _state, op, { device }) => {
    const hardware = world.hardware[device];
    return hardware === undefined ? zero : (answersOf(world, hardware)[op.index >>> 0] ?? zero);
  },
  undo: () => ({ none: 'it only asks' }),
};

function flagsOf(world: World, index: number): number {
  if (index === irq.intx) return eventfd | maskable | automasked;
  return index === irq.msix && world.profile.dynamicMsix ? eventfd : eventfd | noResize;
}

/** What there is to say of each kind of interrupt. */
const answersOf = perDevice((world, hardware): readonly Done[] =>
  Array.from({ length: irq.count }, (_, index) => ({
    value: 0,
    out: { flags: flagsOf(world, index), count: vectorsOf(world, hardware, index) },
  })),
);
