import { isLocked } from '../device-lock.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';

type Reset = Extract<Op, { op: 'device.reset' }>;

const failed: Guard<Reset> = {
  id: 'device.reset.none',
  words: 'the reset that began the first open did not work',
  errno: 'EINVAL',
  citation: {
    seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
    '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_reset',
    '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_reset',
  },
  applies: (_world, state, _op, { device }) => state.devices[device]?.vfio?.resetWorks === false,
};

/** `reset_method` came with 5.15. */
const withoutMethods: Guard<Reset> = {
  id: 'device.reset.methods',
  words: 'since it was opened, somebody took all ways to reset it away (`reset_method`)',
  errno: 'ENOTTY',
  citation: 'drivers/pci/pci.c:pci_try_reset_function',
  applies: (_world, state, _op, { device }) => state.devices[device]?.settings.resetMethods.length === 0,
};

/** The process that takes it away, or its virtual functions, holds the lock that a reset takes only if it can. */
const leaving: Guard<Reset> = {
  id: 'device.reset.leaving',
  words: 'the device is about to leave its driver, or loses its virtual functions',
  errno: 'EAGAIN',
  citation: 'drivers/pci/pci.c:pci_try_reset_function, pci_dev_trylock',
  applies: (world, state, _op, { device }) => isLocked(world, state, device),
};

export const deviceReset: Rule<Reset> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_RESET)',
    arguments: {},
    effect: 'The function is reset; nothing that the model knows changes.',
    undo: 'none: a reset is not taken back',
  },
  ioctl: { on: 'device', request: 0x3b6f },
  guards: { seed: [failed, leaving], '6.1': [failed, withoutMethods, leaving] },
  effect: () => zero,
  undo: () => ({ none: 'a reset is not taken back' }),
};
