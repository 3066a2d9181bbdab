import type { Guard, Rule } from '../guard.ts';
import { untilLeft } from '../leaving.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { changeSettings, deviceAt } from '../presence.ts';
import { asks, deviceFile, handler, notNumber, onDevice } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type Enable = Extract<Op, { op: 'device.enable' }>;

const store = 'drivers/pci/pci-sysfs.c:enable_store';

const asked: readonly Guard<Enable>[] = [
  ...deviceFile<Enable>('device.enable', 'enable'),
  handler<Enable>({
    id: 'device.enable.capability',
    words: 'enabling a device needs CAP_SYS_ADMIN',
    errno: 'EPERM',
    citation: store,
    applies: (world, _state, op) => !capable(world, op.pid, 'CAP_SYS_ADMIN'),
  }),
  notNumber<Enable>('device.enable', store),
];

const leaving = handler(untilLeft<Enable>('device.enable', store));

const enabled: readonly Guard<Enable>[] = [
  onDevice<Enable>({
    id: 'device.enable.bound',
    words: 'a driver is bound to the device',
    errno: 'EBUSY',
    citation: store,
    test: (_world, _state, _hardware, { driver }) => driver !== null,
  }),
  onDevice<Enable>({
    id: 'device.enable.disabled',
    words: 'the device is not enabled, so it cannot be disabled',
    errno: 'EIO',
    citation: store,
    test: (_world, _state, _hardware, { settings }, op) => !asks(op.text) && settings.enables === 0,
  }),
];

export const deviceEnable: Rule<Enable> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/enable, text)',
    arguments: { device: 'whose file', text: 'a number; 0 disables' },
    effect: 'A device without a driver is enabled once more, or once less.',
    undo: '`device.enable` with the other number',
  },
  guards: { seed: [...asked, ...enabled], '6.1': [...asked, leaving, ...enabled] },
  effect: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const device = hardware && state.devices[hardware.index];
    const value = taken(op.text);
    if (hardware === undefined || device === undefined || op.text === '') return { value };
    const enables = device.settings.enables + (asks(op.text) ? 1 : -1);
    return { state: changeSettings(state, hardware, { enables }), value };
  },
  undo: (_world, _before, op) => ({ ...op, text: asks(op.text) ? '0' : '1' }),
};
