import { remove, takeAway } from '../going.ts';
import { everywhere, type Guard, type Rule } from '../guard.ts';
import { held, holders } from '../held.ts';
import { isRemoved, untilRemoved } from '../leaving.ts';
import type { Op } from '../op.ts';
import { deviceAt, goingWith } from '../presence.ts';
import type { Hardware, State, World } from '../state.ts';
import { asks, deviceFile, notNumber } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type Remove = Extract<Op, { op: 'device.remove' }>;

const [missing, ...others] = deviceFile<Remove>(
  'device.remove',
  'remove',
  ({ physicalFunction }) => physicalFunction === null,
);

/** The file goes first, so that nobody is asked twice. */
const removed: Guard<Remove> = {
  id: 'device.remove.again',
  words: 'somebody removes the device already, and waits: the file is gone',
  errno: 'ENOENT',
  citation: 'drivers/pci/pci-sysfs.c:remove_store (drivers/base/core.c:device_remove_file_self)',
  applies: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    return hardware !== undefined && isRemoved(state, hardware.index);
  },
};

export const deviceRemove: Rule<Remove> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/remove, text)',
    arguments: { device: 'whose file', text: 'a number; 0 does nothing' },
    effect:
      'The device loses its driver and is gone, with what is behind it and the virtual functions that its driver disables; an IOMMU group without devices is gone too. While something of it is open the call waits, and what is open is leaving, as with `driver.unbind`; nothing else is removed or found meanwhile, and the `close` of the last descriptor does the rest.',
    undo: '`bus.rescan`, where the device comes back as it was',
  },
  guards: everywhere<Remove>(
    ...(missing === undefined ? [] : [missing]),
    removed,
    ...others,
    notNumber<Remove>('device.remove', 'drivers/pci/pci-sysfs.c:remove_store'),
    untilRemoved<Remove>(
      'device.remove',
      'drivers/pci/remove.c:pci_stop_and_remove_bus_device_locked',
      (_world, _state, op) => asks(op.text),
    ),
    {
      id: 'device.remove.held',
      words:
        'the call would not return before every descriptor of the device, and of what goes with it, is closed',
      errno: null,
      citation:
        'drivers/vfio/vfio_main.c:vfio_unregister_group_dev (drivers/pci/pci-sysfs.c:remove_store; seed: drivers/vfio/vfio.c:vfio_del_group_dev)',
      applies: (world, state, op) => held(state, going(world, state, op)),
      leaves: begin,
      waitsFor: (world, state, op) => holders(state, going(world, state, op)),
    },
  ),
  effect: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const value = taken(op.text);
    if (hardware === undefined || !asks(op.text)) return { value };
    return { state: remove(world, state, hardware, null).state, value };
  },
  undo: (world, before, op) => {
    const hardware = deviceAt(world, before, op.device);
    if (hardware === undefined || !asks(op.text)) return { none: 'it removed nothing' };
    return { op: 'bus.rescan', pid: op.pid, text: '1' };
  },
};

/** The device on its way out, as far as it comes. */
function begin(world: World, state: State, op: Remove): State {
  const hardware = deviceAt(world, state, op.device);
  if (hardware === undefined || !asks(op.text)) return state;
  return takeAway(world, state, { op: op.op, device: hardware.index, pid: op.pid });
}

function going(world: World, state: State, op: Remove): readonly Hardware[] {
  const hardware = deviceAt(world, state, op.device);
  if (hardware === undefined || !asks(op.text)) return [];
  return [...goingWith(world, state, hardware), hardware];
}
