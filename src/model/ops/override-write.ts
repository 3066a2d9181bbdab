import { deviceIn, draftOf } from '../draft.ts';
import type { Guard, Rule } from '../guard.ts';
import { untilLeft } from '../leaving.ts';
import type { Op } from '../op.ts';
import { rootOnly } from '../permission.ts';
import { deviceAt } from '../presence.ts';

type Write = Extract<Op, { op: 'override.write' }>;

const asked: readonly Guard<Write>[] = [
  {
    id: 'override.write.device',
    words: 'there is no such device',
    errno: 'ENOENT',
    citation: 'drivers/pci/pci-sysfs.c:driver_override_store (the file is in the device directory)',
    applies: (world, state, op) => deviceAt(world, state, op.device) === undefined,
  },
  rootOnly('override.write', 'driver_override'),
  {
    id: 'override.write.length',
    words: 'the name is longer than a page',
    errno: 'EINVAL',
    citation: {
      seed: 'drivers/pci/pci-sysfs.c:driver_override_store',
      '6.1': 'drivers/base/driver.c:driver_set_override',
      '6.12': 'drivers/base/dd.c:__device_set_driver_override',
    },
    // The text travels with its newline, and the kernel wants room for a final zero in the page.
    applies: (_world, _state, op) => op.text.length + 1 >= 4095,
  },
];

/** The device's lock guarded the text from 4.14 on; in the stable trees of 6.12 that is a lock of its own. */
const leaving = untilLeft<Write>('override.write', 'drivers/base/driver.c:driver_set_override');

export const overrideWrite: Rule<Write> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/driver_override, text)',
    arguments: { device: 'whose file', text: 'the name without its newline; none clears the override' },
    effect: 'Only the driver of this name matches the device from now on; a driver that is bound stays.',
    undo: '`override.write` with what was before',
  },
  guards: { seed: asked, '6.1': [...asked, leaving], '6.12': asked },
  effect: (world, state, op) => {
    const value = op.text.length + 1;
    const hardware = world.devices.get(op.device);
    const device = hardware && state.devices[hardware.index];
    const end = op.text.indexOf('\n');
    const line = end === -1 ? op.text : op.text.slice(0, end);
    const override = line === '' ? null : line;
    if (hardware === undefined || device === undefined || device.override === override) return { value };
    const draft = draftOf(state);
    deviceIn(draft, hardware.index).override = override;
    return { state: draft, value };
  },
  undo: (world, before, op) => {
    const hardware = world.devices.get(op.device);
    return { ...op, text: (hardware && before.devices[hardware.index]?.override) ?? '' };
  },
};
