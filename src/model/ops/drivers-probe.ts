import { attachDevice } from '../binding.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { rootOnly } from '../permission.ts';
import { deviceAt } from '../presence.ts';
import type { State, World } from '../state.ts';

type Probe = Extract<Op, { op: 'drivers.probe' }>;

const guards: readonly Guard<Probe>[] = [
  rootOnly('drivers.probe', 'drivers_probe'),
  {
    id: 'drivers.probe.device',
    words: 'there is no such device',
    errno: 'ENODEV',
    citation: 'drivers/base/bus.c:drivers_probe_store',
    applies: (world, state, op) => deviceAt(world, state, op.device) === undefined,
  },
  {
    id: 'drivers.probe.group-owned',
    words: 'a userspace driver owns the IOMMU group, and the first matching driver is a host driver',
    errno: 'EINVAL',
    citation:
      'drivers/base/bus.c:bus_rescan_devices_helper, drivers_probe_store (drivers/iommu/iommu.c:iommu_device_use_default_domain)',
    applies: (world, state, op) => walk(world, state, op) === 'refused',
  },
];

export const driversProbe: Rule<Probe> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers_probe, device)',
    arguments: { device: 'the address that is written' },
    effect:
      'The first driver that matches and whose probe succeeds is bound: that of driver_override alone if there is one, otherwise in the order of registration. Without one, nothing happens.',
    undo: '`driver.unbind` of the driver that it bound',
  },
  // Before the claim of DMA ownership there is nothing that could stop the walk.
  guards: { seed: guards.slice(0, 2), '6.1': guards },
  effect: (world, state, op) => {
    const walked = walk(world, state, op);
    return { state: walked === 'refused' ? state : walked, value: op.device.length };
  },
  undo: (world, before, op) => {
    const walked = walk(world, before, op);
    const hardware = world.devices.get(op.device);
    const driver =
      walked === 'refused' || hardware === undefined ? null : walked.devices[hardware.index]?.driver;
    if (walked === before || driver === null || driver === undefined) return { none: 'it bound nothing' };
    return { op: 'driver.unbind', pid: op.pid, driver, device: op.device };
  },
};

function walk(world: World, state: State, op: Probe): State | 'refused' {
  const hardware = deviceAt(world, state, op.device);
  return hardware === undefined ? state : attachDevice(world, state, hardware);
}
