import { isLocked } from '../device-lock.ts';
import { draftOf } from '../draft.ts';
import { driverFile } from '../driver-directory.ts';
import { letGo } from '../going.ts';
import { everywhere, type Rule } from '../guard.ts';
import { held } from '../held.ts';
import { lockHolders } from '../leaving.ts';
import type { Op } from '../op.ts';
import { deviceAt, goingWithDriver } from '../presence.ts';
import type { State, World } from '../state.ts';

type Unbind = Extract<Op, { op: 'driver.unbind' }>;

export const driverUnbind: Rule<Unbind> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers/DRIVER/unbind, device)',
    arguments: { driver: 'whose directory', device: 'the address that is written' },
    effect:
      'The device has no driver. The last VFIO device of a group takes its node along: who still has the group open holds a revoked one, out of its container. A made-up group is gone. While the device is open the call waits, and the device is leaving: sysfs links no driver, and since 6.6 GET_DEVICE_FD does not find it and its node is gone; the `close` of its last descriptor does the rest. It waits for a virtual function before that, and nothing but the link is gone by then.',
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
        const hardware = deviceAt(world, state, op.device);
        return hardware === undefined || state.devices[hardware.index]?.driver !== op.driver;
      },
    },
    {
      id: 'driver.unbind.held',
      words:
        'the call would not return before every descriptor of the device, and of virtual functions that go with it, is closed',
      errno: null,
      citation: {
        seed: 'drivers/vfio/vfio.c:vfio_del_group_dev',
        '6.1': 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev',
        '6.12': 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev',
      },
      applies: (world, state, op) => {
        const hardware = deviceAt(world, state, op.device);
        if (hardware === undefined) return false;
        const going = [...goingWithDriver(world, state, hardware), hardware];
        return held(state, going) || isLocked(world, state, hardware.index);
      },
      leaves: begin,
      waitsFor: (world, state, op) => {
        const hardware = deviceAt(world, state, op.device);
        return hardware === undefined ? [] : lockHolders(world, state, [hardware]);
      },
    },
  ),
  effect: (world, state, op) => {
    const hardware = world.devices.get(op.device);
    const value = op.device.length;
    return { state: hardware === undefined ? state : letGo(world, state, hardware, null).state, value };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'driver.bind' }),
};

/** The device on its way out, as far as it comes; nothing where another has its lock. */
function begin(world: World, state: State, op: Unbind): State {
  const hardware = deviceAt(world, state, op.device);
  if (hardware === undefined || isLocked(world, state, hardware.index)) return state;
  const now = letGo(world, state, hardware, op.pid).state;
  if (!now.bus.bound.includes(hardware.index)) return now;
  const draft = draftOf(now);
  draft.bus = { ...now.bus, unbinding: [...now.bus.unbinding, hardware.index] };
  return draft;
}
