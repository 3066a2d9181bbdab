import { unbind } from '../binding.ts';
import { driverFile } from '../driver-directory.ts';
import { holdersOf } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Unbind = Extract<Op, { op: 'driver.unbind' }>;

export const driverUnbind: Rule<Unbind> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers/DRIVER/unbind, device)',
    arguments: { driver: 'whose directory', device: 'the address that is written' },
    effect:
      'The device has no driver. The last VFIO device of a group takes its node along: who still has the group open holds a revoked one, out of its container. A made-up group is gone.',
    undo: '`driver.bind`',
  },
  guards: everywhere<Unbind>(
    ...driverFile<Unbind>('driver.unbind', 'unbind'),
    {
      id: 'driver.unbind.not-bound',
      words: 'the device is not bound to this driver',
      errno: 'ENODEV',
      citation: 'drivers/base/bus.c:unbind_store',
      applies: (world, state, op) => {
        const hardware = world.devices.get(op.device);
        return hardware === undefined || state.devices[hardware.index]?.driver !== op.driver;
      },
    },
    {
      id: 'driver.unbind.held',
      words: 'the call would not return before every descriptor of the device is closed',
      errno: null,
      citation: {
        seed: 'drivers/vfio/vfio.c:vfio_del_group_dev',
        '6.1': 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev',
        '6.12': 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev',
      },
      applies: (world, state, op) => {
        const hardware = world.devices.get(op.device);
        const vfio = hardware === undefined ? null : state.devices[hardware.index]?.vfio;
        return (vfio?.opens ?? 0) + (vfio?.unbound ?? 0) > 0;
      },
      waitsFor: (world, state, op) => holdersOf(state, world.devices.get(op.device)?.index ?? -1),
    },
  ),
  effect: (world, state, op) => {
    const hardware = world.devices.get(op.device);
    const value = op.device.length;
    return { state: hardware === undefined ? state : unbind(world, state, hardware), value };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'driver.bind' }),
};
