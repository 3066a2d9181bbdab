import {
  bind,
  denylisted,
  groupless,
  hasVirtualFunctions,
  incoherent,
  ownedByUser,
  withheld,
} from '../binding.ts';
import { driverFile } from '../driver-directory.ts';
import type { Guard, Rule } from '../guard.ts';
import { untilLeft } from '../leaving.ts';
import { matches } from '../matching.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { deviceAt } from '../presence.ts';
import type { Device, Driver, Hardware, State, World } from '../state.ts';

type Bind = Extract<Op, { op: 'driver.bind' }>;

/** What is to be bound to what. */
interface Pair {
  readonly driver: Driver;
  readonly hardware: Hardware;
  readonly device: Device;
}

const pairOf = once<Bind, Pair | null>((world, state, op) => {
  const driver = world.drivers.get(op.driver);
  const hardware = world.devices.get(op.device);
  const device = hardware && state.devices[hardware.index];
  if (driver === undefined || hardware === undefined || device === undefined) return null;
  return { driver, hardware, device };
});

type Test = (pair: Pair, world: World, state: State, op: Bind) => boolean;

/** A test of the two; where one is not there, an earlier guard has answered. */
function on(test: Test): Guard<Bind>['applies'] {
  return (world, state, op) => {
    const pair = pairOf(world, state, op);
    return pair !== null && test(pair, world, state, op);
  };
}

/** A test of VFIO's drivers alone. */
function onVfio(test: Test): Guard<Bind>['applies'] {
  return on((pair, world, state, op) => pair.driver.vfio && test(pair, world, state, op));
}

const asked: readonly Guard<Bind>[] = [
  ...driverFile<Bind>('driver.bind', 'bind'),
  {
    id: 'driver.bind.device',
    words: 'there is no such device',
    errno: 'ENODEV',
    citation: 'drivers/base/bus.c:bind_store',
    applies: (world, state, op) => deviceAt(world, state, op.device) === undefined,
  },
  {
    id: 'driver.bind.unmatched',
    words: 'the driver does not match the device: neither its ids nor driver_override name it',
    errno: 'ENODEV',
    citation: 'drivers/base/bus.c:bind_store (drivers/pci/pci-driver.c:pci_match_device)',
    applies: on((its, _world, state, op) => !matches(state, its.device, its.hardware, op.driver)),
  },
];

/** Before 4.20 the driver was looked at without the lock. */
const leaving = untilLeft<Bind>(
  'driver.bind',
  'drivers/base/dd.c:device_driver_attach, __device_driver_lock (drivers/base/bus.c:bind_store)',
);

const bound: Guard<Bind> = {
  id: 'driver.bind.bound',
  words: 'the device is bound to a driver already',
  errno: 'EBUSY',
  citation: 'drivers/base/dd.c:really_probe, __device_driver_lock',
  applies: on(({ device }) => device.driver !== null),
};

const owned: Guard<Bind> = {
  id: 'driver.bind.group-owned',
  words: 'a userspace driver owns the IOMMU group, and a host driver may not join it',
  errno: 'EBUSY',
  citation:
    'drivers/iommu/iommu.c:iommu_device_use_default_domain (drivers/pci/pci-driver.c:pci_dma_configure)',
  applies: on(({ hardware, driver }, world, state) => ownedByUser(world, state, hardware, driver)),
};

const virtualWithheld: Guard<Bind> = {
  id: 'driver.bind.withheld',
  words: 'the physical function has sriov_drivers_autoprobe off, and no override names the driver',
  errno: 'ENODEV',
  citation: 'drivers/pci/pci-driver.c:pci_device_probe, pci_device_can_probe',
  applies: on(({ hardware }, world, state) => withheld(world, state, hardware)),
};

const listed: Guard<Bind> = {
  id: 'driver.bind.denylisted',
  words: 'vfio-pci refuses this model of device',
  errno: 'EINVAL',
  citation: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_probe, vfio_pci_is_denylisted',
  applies: onVfio(({ hardware }, world, state) => denylisted(world, state, hardware)),
};

const bridge: Guard<Bind> = {
  id: 'driver.bind.bridge',
  words: 'the device is a bridge, not an endpoint',
  errno: 'EINVAL',
  citation: {
    seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_probe',
    '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device',
    '6.12': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device',
  },
  applies: onVfio(({ hardware }) => hardware.headerType !== 0),
};

const virtual: Guard<Bind> = {
  id: 'driver.bind.virtual-functions',
  words: 'the device is a physical function with virtual functions enabled',
  errno: 'EBUSY',
  citation: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device',
  applies: onVfio(({ hardware }, _world, state) => hasVirtualFunctions(state, hardware)),
};

const group: Guard<Bind> = {
  id: 'driver.bind.no-group',
  words: 'the device has no IOMMU group and the kernel may not make up one',
  errno: 'EINVAL',
  citation: {
    seed: 'drivers/vfio/vfio.c:vfio_iommu_group_get (drivers/vfio/pci/vfio_pci.c:vfio_pci_probe)',
    '6.1': 'drivers/vfio/vfio_main.c:vfio_group_find_or_alloc',
    '6.12': 'drivers/vfio/group.c:vfio_group_find_or_alloc',
  },
  applies: onVfio(({ hardware }, world, state) => groupless(world, state, hardware)),
};

const caches: Guard<Bind> = {
  id: 'driver.bind.incoherent',
  words: "the device's IOMMU does not keep DMA coherent with the caches",
  errno: 'EINVAL',
  citation: 'drivers/vfio/vfio_main.c:__vfio_register_dev (6.1: vfio_group_find_or_alloc)',
  applies: onVfio(({ hardware }, world, state) => incoherent(world, state, hardware)),
};

const now = [...asked, leaving, bound, owned, virtualWithheld, listed, bridge, virtual, group, caches];

export const driverBind: Rule<Bind> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers/DRIVER/bind, device)',
    arguments: { driver: 'whose directory', device: 'the address that is written' },
    effect:
      'The device is bound. A host driver raises the owner count of the IOMMU group; a VFIO driver registers the device and, if it is the first of its group, the group with its node. Where that group is made up, the kernel is tainted (bit 6).',
    undo: '`driver.unbind`',
  },
  guards: { seed: [...asked, bound, bridge, group], '6.1': now },
  effect: (world, state, op) => {
    const pair = pairOf(world, state, op);
    const value = op.device.length;
    return pair === null ? { value } : { state: bind(world, state, pair.hardware, pair.driver), value };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'driver.unbind' }),
};
