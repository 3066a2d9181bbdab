import { isDenylisted, ownedByUser, type ProbeRefusal, probeRefusal } from './binding.ts';
import { errnoNumbers } from './errno.ts';
import { candidates, matches, registered } from './matching.ts';
import type { Op } from './op.ts';
import { withdrawsVirtual } from './presence.ts';
import { inProfile, type PerProfile } from './profiles.ts';
import type { Device, Driver, Hardware, State, World } from './state.ts';
import { detachOrder, unloadedBy } from './unloading.ts';

/** What the driver core, the IOMMU code and VFIO log of devices that come, go, and are probed. */

/** A step with the state before and after it. */
export interface Change {
  readonly world: World;
  readonly before: State;
  readonly after: State;
  readonly op: Op;
}

/** Lines for every device that the step changed, in the order of the bus, or in that in which their driver lets go of them. */
export function deviceLines(change: Change): readonly string[] {
  const { world, before, after, op } = change;
  const lines: string[] = [];
  const { arrived } = after.bus;
  const order = world.hardware.filter(({ index }) => !arrived.includes(index));
  const going = unloadedBy(op, before).flatMap((module) => detachOrder(world, before, module));
  const bus = [...order, ...arrived.flatMap((index) => world.hardware[index] ?? [])];
  const all = going.length === 0 ? bus : new Set([...going, ...bus]);
  // A rescan adds all devices before it offers the first one to a driver.
  if (op.op === 'bus.rescan') {
    for (const hardware of all) lines.push(...groupLines(change, hardware));
    for (const hardware of all) lines.push(...probeLines(change, hardware));
    return lines;
  }
  if (before === after && op.op !== 'drivers.probe' && op.op !== 'driver.bind') return lines;
  for (const hardware of all) lines.push(...groupLines(change, hardware), ...probeLines(change, hardware));
  return lines;
}

/** drivers/iommu/iommu.c:iommu_group_add_device, iommu_group_remove_device; the device says its driver or its bus. */
function groupLines({ world, before, after }: Change, { index, address }: Hardware): readonly string[] {
  const was = before.devices[index];
  const is = after.devices[index];
  if (was === undefined || is === undefined || was === is) return [];
  const lines = [...leftBehind(world, was, is, address)];
  const leaves = was.group !== null && was.group !== is.group;
  if (leaves && (fake(before, was) || world.profile.logsLeaving)) {
    lines.push(`${placeOf(before, was, address)}: Removing from iommu group ${was.group}`);
  }
  if (is.group !== null && was.group !== is.group) {
    const place = placeOf(after, is, address);
    lines.push(`${place}: Adding to iommu group ${is.group}`);
    if (fake(after, is)) {
      lines.push(`${place}: Adding kernel taint for vfio-noiommu group on device`);
      // __vfio_register_dev, of the device beside its group.
      if (world.profile.build.noiommuCdev) lines.push(`${place}: Adding kernel taint for vfio-noiommu cdev`);
    }
  }
  return [...lines, ...capturedLine({ world, before, after }, index)];
}

/** drivers/pci/iov.c:pci_iov_remove, which the oldest kernels have not. */
function leftBehind({ profile }: World, was: Device, is: Device, address: string): readonly string[] {
  const left = was.driver !== null && is.driver === null && was.settings.virtualFunctions > 0;
  if (!left || withdrawsVirtual(was) || profile.viability === 'walk') return [];
  return [`${was.driver} ${address}: driver left SR-IOV enabled after remove`];
}

/** A group that VFIO makes up comes and goes while the driver has the device, a real one while no driver has. */
function placeOf(state: State, device: Device, address: string): string {
  return `${fake(state, device) ? device.driver : 'pci'} ${address}`;
}

function fake(state: State, device: Device): boolean {
  return state.iommuGroups.some(({ id, fake: made }) => made && id === device.group);
}

/** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_bus_notifier, at BUS_NOTIFY_ADD_DEVICE. */
function capturedLine({ world, before, after }: Omit<Change, 'op'>, index: number): readonly string[] {
  const owner = ownerOf(world, after, index);
  const came = before.devices[index]?.present === false && after.devices[index]?.present === true;
  if (!came || owner === null) return [];
  return [
    `${owner.driver} ${owner.address}: Captured SR-IOV VF ${world.hardware[index]?.address} driver_override`,
  ];
}

/** The physical function of a virtual one, where VFIO has it. */
function ownerOf(
  world: World,
  state: State,
  index: number,
): { readonly driver: string; readonly address: string } | null {
  const address = world.hardware[index]?.physicalFunction ?? null;
  const owner = address === null ? undefined : world.devices.get(address);
  const device = owner && state.devices[owner.index];
  if (address === null || !device?.vfio || device.driver === null) return null;
  return { driver: device.driver, address };
}

/** Probes of the step that failed, and one that a physical function's vfio-pci does not like. */
function probeLines(change: Change, hardware: Hardware): readonly string[] {
  const { world, before, after } = change;
  const was = before.devices[hardware.index];
  const is = after.devices[hardware.index];
  if (is?.present !== true || (was?.present === true && was.driver !== null)) return [];
  const lines: string[] = triedOn(change, hardware, is).flatMap((driver) =>
    failedProbe(world, after, hardware, driver),
  );
  const owner = ownerOf(world, after, hardware.index);
  const { driver } = is;
  if (driver === null || was?.driver === driver) return lines;
  if (isDenylisted(hardware) && world.drivers.get(driver)?.vfio === true) {
    lines.push(
      `${driver} ${hardware.address}: device denylist disabled - allowing device ${hardware.vendor}:${hardware.device}.`,
    );
  }
  if (owner !== null && owner.driver !== driver) {
    lines.push(
      `${owner.driver} ${owner.address}: VF ${hardware.address} bound to driver ${driver} while PF bound to driver ${owner.driver}`,
    );
  }
  return lines;
}

/** The drivers that were offered the device in this step and did not take it, in their order. */
function triedOn({ world, before, after, op }: Change, hardware: Hardware, is: Device): readonly Driver[] {
  const tried: Driver[] = [];
  for (const driver of offeredIn(world, before, after, op, hardware)) {
    if (driver.name === is.driver || ownedByUser(world, after, hardware, driver)) break;
    tried.push(driver);
  }
  return tried;
}

function offeredIn(world: World, before: State, after: State, op: Op, hardware: Hardware): readonly Driver[] {
  const device = after.devices[hardware.index];
  if (device === undefined) return [];
  switch (op.op) {
    case 'drivers.probe':
      return op.device === hardware.address ? candidates(world, after, hardware) : [];
    case 'bus.rescan':
    case 'device.sriov_numvfs':
      return before.devices[hardware.index]?.present === false ? candidates(world, after, hardware) : [];
    case 'driver.new_id':
      return [...world.drivers.values()].filter(
        ({ name }) => name === op.driver && matches(after, device, hardware, name),
      );
    default:
      if (before.modules === after.modules || !after.bus.autoprobe) return [];
      return [...world.drivers.values()].filter(
        (driver) =>
          !registered(world, before, driver) &&
          registered(world, after, driver) &&
          matches(after, device, hardware, driver.name),
      );
  }
}

const errnos: Readonly<Record<ProbeRefusal, 'EINVAL' | 'EBUSY' | null>> = {
  // The driver core says nothing of ENODEV.
  withheld: null,
  denylisted: 'EINVAL',
  bridge: 'EINVAL',
  'virtual-functions': 'EBUSY',
  'no-group': 'EINVAL',
  incoherent: 'EINVAL',
};

/** drivers/base/dd.c:call_driver_probe. */
const failures: PerProfile<(driver: string, address: string, errno: number) => string> = {
  seed: (driver, address, errno) => `${driver}: probe of ${address} failed with error ${errno}`,
  '6.12': (driver, address, errno) =>
    `${driver} ${address}: probe with driver ${driver} failed with error ${errno}`,
};

/** What a probe that fails logs: the driver's reason, and that it failed. */
export function failedProbe(
  world: World,
  state: State,
  hardware: Hardware,
  driver: Driver,
): readonly string[] {
  const refusal = probeRefusal(world, state, hardware, driver);
  const errno = refusal === null ? null : errnos[refusal];
  if (errno === null) return [];
  const { address, vendor, device } = hardware;
  const prefix = `${driver.name} ${address}:`;
  const lines: string[] = [];
  if (refusal === 'denylisted') {
    lines.push(
      `${prefix} ${vendor}:${device} exists in vfio-pci device denylist, driver probing disallowed.`,
    );
  }
  if (refusal === 'virtual-functions') lines.push(`${prefix} Cannot bind to PF with SR-IOV enabled`);
  return [...lines, inProfile(failures, world.profile.id)(driver.name, address, -errnoNumbers[errno])];
}
