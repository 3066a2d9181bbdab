import type { Guard, Rule } from '../guard.ts';
import { untilLeft } from '../leaving.ts';
import type { Op } from '../op.ts';
import { deviceFile, handler, notNumber, onDevice } from '../sysfs-file.ts';
import { taken, wholeNumber } from '../text.ts';

type Reset = Extract<Op, { op: 'device.sysfs_reset' }>;

const store = 'drivers/pci/pci-sysfs.c:reset_store';

const guards: readonly Guard<Reset>[] = [
  // The file is made when the device comes, and stays when reset_method leaves no way.
  ...deviceFile<Reset>('device.sysfs_reset', 'reset', (_hardware, { settings }) => settings.resettable),
  notNumber<Reset>('device.sysfs_reset', store),
  onDevice<Reset>({
    id: 'device.sysfs_reset.number',
    words: 'the number is not 1',
    errno: 'EINVAL',
    citation: store,
    test: (_world, _state, _hardware, _device, op) => wholeNumber(op.text) !== 1n,
  }),
];

const none = onDevice<Reset>({
  id: 'device.sysfs_reset.none',
  words: 'every way to reset the function was taken away',
  errno: 'ENOTTY',
  citation: 'drivers/pci/pci.c:pci_reset_function',
  test: (_world, _state, _hardware, { settings }) => settings.resetMethods.length === 0,
});

const leaving = handler(
  untilLeft<Reset>('device.sysfs_reset', 'drivers/pci/pci.c:pci_reset_function, pci_dev_lock'),
);

export const deviceSysfsReset: Rule<Reset> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/reset, text)',
    arguments: { device: 'whose file', text: 'the number 1' },
    effect:
      'The function is reset, under the feet of whoever has it open; nothing that the model knows changes.',
    undo: 'none: a reset is not taken back',
  },
  guards: { seed: [...guards, leaving], '6.1': [...guards, none, leaving] },
  effect: (_world, _state, op) => ({ value: taken(op.text) }),
  undo: () => ({ none: 'a reset is not taken back' }),
};
