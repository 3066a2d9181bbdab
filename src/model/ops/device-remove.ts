import { everywhere, type Rule } from '../guard.ts';
import { held, holders } from '../held.ts';
import type { Op } from '../op.ts';
import { deviceAt, goingWith, remove } from '../presence.ts';
import type { Hardware, State, World } from '../state.ts';
import { asks, deviceFile, notNumber } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type Remove = Extract<Op, { op: 'device.remove' }>;

export const deviceRemove: Rule<Remove> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/remove, text)',
    arguments: { device: 'whose file', text: 'a number; 0 does nothing' },
    effect:
      'The device loses its driver and is gone, with what is behind it and its virtual functions; an IOMMU group without devices is gone too.',
    undo: '`bus.rescan`, where the device comes back as it was',
  },
  guards: everywhere<Remove>(
    ...deviceFile<Remove>('device.remove', 'remove'),
    notNumber<Remove>('device.remove', 'drivers/pci/pci-sysfs.c:remove_store'),
    {
      id: 'device.remove.held',
      words:
        'the call would not return before every descriptor of the device, and of what goes with it, is closed',
      errno: null,
      citation:
        'drivers/vfio/vfio_main.c:vfio_unregister_group_dev (drivers/pci/pci-sysfs.c:remove_store; seed: drivers/vfio/vfio.c:vfio_del_group_dev)',
      applies: (world, state, op) => held(state, going(world, state, op)),
      waitsFor: (world, state, op) => holders(state, going(world, state, op)),
    },
  ),
  effect: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const value = taken(op.text);
    if (hardware === undefined || !asks(op.text)) return { value };
    return { state: remove(world, state, hardware), value };
  },
  undo: (world, before, op) => {
    const hardware = deviceAt(world, before, op.device);
    if (hardware === undefined || !asks(op.text)) return { none: 'it removed nothing' };
    return { op: 'bus.rescan', pid: op.pid, text: '1' };
  },
};

function going(world: World, state: State, op: Remove): readonly Hardware[] {
  const hardware = deviceAt(world, state, op.device);
  if (hardware === undefined || !asks(op.text)) return [];
  return [...goingWith(world, state, hardware), hardware];
}
