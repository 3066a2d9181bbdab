import { detachContainer } from './attachment.ts';
import { draftOf, set } from './draft.ts';
import { candidates, matches } from './matching.ts';
import { noiommuAllowed, parameterOf } from './modules.ts';
import { lowestFree, put, replace } from './places.ts';
import type {
  Device,
  Driver,
  Hardware,
  IommuGroup,
  Node,
  State,
  VfioDevice,
  VfioGroup,
  World,
} from './state.ts';

/**
 * The driver core and VFIO's side of it: which driver matches, what a probe refuses, and what binding and unbinding do to
 * groups, nodes and taint.
 */

/** TAINT_USER: a userspace driver without an IOMMU. */
export const taintUser = 64;

/** What devtmpfs gives a node whose driver says nothing of it. */
export const ownNode = { uid: 0, gid: 0, mode: 0o600 } as const;

/** drivers/iommu/iommu.c:iommu_device_use_default_domain: a host driver may not join a group that userspace owns. */
export function ownedByUser(world: World, state: State, hardware: Hardware, driver: Driver): boolean {
  if (driver.managesDma || world.profile.viability === 'walk') return false;
  const group = iommuGroupOf(state, state.devices[hardware.index]?.group ?? null);
  return group !== undefined && (group.owner !== null || group.iommufd !== null);
}

/** drivers/vfio/pci/vfio_pci.c vfio_pci_dev_in_denylist: QAT of the first generation, DSA and IAX. */
export const denylist: ReadonlySet<string> = new Set([
  '8086:19e2',
  '8086:19e3',
  '8086:37c8',
  '8086:37c9',
  '8086:0435',
  '8086:0443',
  '8086:0b25',
  '8086:0cfe',
]);

/** drivers/vfio/pci/vfio_pci.c:vfio_pci_is_denylisted. */
export function denylisted(world: World, state: State, hardware: Hardware): boolean {
  return (
    denylist.has(`${hardware.vendor}:${hardware.device}`) &&
    parameterOf(world, state, 'vfio_pci', 'disable_denylist') === 'N'
  );
}

/** No IOMMU group, and none may be made up. */
export function groupless(world: World, state: State, hardware: Hardware): boolean {
  if ((state.devices[hardware.index]?.group ?? null) !== null) return false;
  if (!noiommuAllowed(world, state)) return true;
  return world.profile.fakeGroup === 'no-iommu-on-bus' && world.iommuPresent;
}

/** A real group behind an IOMMU that does not enforce cache coherency. */
export function incoherent(world: World, state: State, hardware: Hardware): boolean {
  return !world.coherent && (state.devices[hardware.index]?.group ?? null) !== null;
}

/**
 * drivers/pci/pci-driver.c:pci_device_can_probe: a virtual function whose physical one has sriov_drivers_autoprobe off
 * is for drivers that its override names.
 */
export function withheld(world: World, state: State, hardware: Hardware): boolean {
  const owner = hardware.physicalFunction === null ? undefined : world.devices.get(hardware.physicalFunction);
  if (owner === undefined || state.devices[hardware.index]?.override !== null) return false;
  return state.devices[owner.index]?.settings.probesVirtual === false;
}

/** A physical function with virtual functions enabled, which a VFIO driver does not take. */
export function hasVirtualFunctions(state: State, hardware: Hardware): boolean {
  return (state.devices[hardware.index]?.settings.virtualFunctions ?? 0) > 0;
}

/** Why a driver's probe fails; the guards of `driver.bind` have the same names. */
export type ProbeRefusal =
  | 'withheld'
  | 'denylisted'
  | 'bridge'
  | 'virtual-functions'
  | 'no-group'
  | 'incoherent';

/** The first test of a driver's probe that fails, null when it takes the device. */
export function probeRefusal(
  world: World,
  state: State,
  hardware: Hardware,
  driver: Driver,
): ProbeRefusal | null {
  if (withheld(world, state, hardware)) return 'withheld';
  if (!driver.vfio) return null;
  const seed = world.profile.viability === 'walk';
  if (!seed && denylisted(world, state, hardware)) return 'denylisted';
  if (hardware.headerType !== 0) return 'bridge';
  if (!seed && hasVirtualFunctions(state, hardware)) return 'virtual-functions';
  if (groupless(world, state, hardware)) return 'no-group';
  return !seed && incoherent(world, state, hardware) ? 'incoherent' : null;
}

/** The state with the device bound, or null when its probe fails. */
function tryBind(world: World, state: State, hardware: Hardware, driver: Driver): State | null {
  return probeRefusal(world, state, hardware, driver) === null ? bind(world, state, hardware, driver) : null;
}

/** Binds without asking anything: the guards were asked before. */
export function bind(world: World, state: State, hardware: Hardware, driver: Driver): State {
  if (driver.vfio) return register(world, state, hardware, driver);
  const device = deviceOf(state, hardware);
  const bound = replaceDevice(state, hardware, { ...device, driver: driver.name });
  if (driver.managesDma || device.group === null) return bound;
  return changeIommuGroup(bound, device.group, (group) => ({ ...group, ownerCount: group.ownerCount + 1 }));
}

/** Unbinds a device whose descriptors are all closed. */
export function unbind(world: World, state: State, hardware: Hardware): State {
  const device = deviceOf(state, hardware);
  if (device.vfio !== null) return unregister(state, hardware);
  const freed = replaceDevice(state, hardware, { ...device, driver: null });
  const driver = device.driver === null ? undefined : world.drivers.get(device.driver);
  if (driver === undefined || driver.managesDma || device.group === null) return freed;
  return changeIommuGroup(freed, device.group, (group) => ({ ...group, ownerCount: group.ownerCount - 1 }));
}

/** Offers a newly registered driver every unbound device that it matches; failures are ignored (driver_attach). */
export function attachDriver(world: World, state: State, driver: Driver): State {
  let now = state;
  const offer = (hardware: Hardware | undefined): void => {
    const device = hardware && now.devices[hardware.index];
    if (hardware === undefined || device?.present !== true || device.driver !== null) return;
    if (!matches(now, device, hardware, driver.name) || ownedByUser(world, now, hardware, driver)) return;
    now = tryBind(world, now, hardware, driver) ?? now;
  };
  const { arrived } = state.bus;
  for (const hardware of world.hardware) if (!arrived.includes(hardware.index)) offer(hardware);
  for (const index of arrived) offer(world.hardware[index]);
  return now;
}

/**
 * Offers the device to every matching driver in registration order. A probe's own failure is swallowed and the next
 * driver asked; a refusal before the probe stops the walk (drivers/base/dd.c:__device_attach).
 */
export function attachDevice(world: World, state: State, hardware: Hardware): State | 'refused' {
  const device = state.devices[hardware.index];
  if (device === undefined || device.driver !== null) return state;
  for (const driver of candidates(world, state, hardware)) {
    if (ownedByUser(world, state, hardware, driver)) return 'refused';
    const bound = tryBind(world, state, hardware, driver);
    if (bound !== null) return bound;
  }
  return state;
}

function iommuGroupOf(state: State, id: number | null): IommuGroup | undefined {
  return id === null ? undefined : state.iommuGroups.find((group) => group.id === id);
}

function changeIommuGroup(state: State, id: number, change: (group: IommuGroup) => IommuGroup): State {
  const place = state.iommuGroups.findIndex((group) => group.id === id);
  const group = state.iommuGroups[place];
  if (group === undefined) return state;
  return { ...state, iommuGroups: replace(state.iommuGroups, place, change(group)) };
}

function deviceOf(state: State, hardware: Hardware): Device {
  const device = state.devices[hardware.index];
  if (device === undefined) throw new Error(`no state for device ${hardware.address}`);
  return device;
}

function replaceDevice(state: State, hardware: Hardware, device: Device): State {
  const draft = draftOf(state);
  set(draft, 'devices', hardware.index, device);
  return draft;
}

/** The IOMMU group that VFIO makes up for a device without one. */
export function fakeGroup(id: number, device: number): IommuGroup {
  const made = { name: 'vfio-noiommu', type: 'unknown', fake: true } as const;
  return { id, ...made, devices: [device], ownerCount: 0, owner: null, iommufd: null };
}

/** Whether VFIO's group is one without an IOMMU; the seed asks the bus, not the group. */
export function isNoiommu(world: World, fake: boolean): boolean {
  return world.profile.fakeGroup === 'no-iommu-on-bus' ? !world.iommuPresent : fake;
}

/** vfio_register_group_dev: the device's group, made up if need be, gets a VFIO group and that a node. */
function register(world: World, state: State, hardware: Hardware, driver: Driver): State {
  const device = deviceOf(state, hardware);
  let now = state;
  let id = device.group;
  if (id === null) {
    id = lowestFreeGroup(state);
    const iommuGroups = [...now.iommuGroups, fakeGroup(id, hardware.index)].sort((a, b) => a.id - b.id);
    const taint = Math.floor(now.taint / taintUser) % 2 === 1 ? now.taint : now.taint + taintUser;
    now = { ...now, taint, iommuGroups };
  }
  const known = now.groups.findIndex((group) => group?.iommuGroup === id);
  const minor = known === -1 ? lowestFree(now.groups) : known;
  const noiommu = isNoiommu(world, iommuGroupOf(now, id)?.fake === true);
  const group: VfioGroup = now.groups[known] ?? newGroup(minor, id, noiommu);
  const vfio = freshVfio(lowestFreeIndex(world, now), minor, hasCdev(world, group.noiommu) ? ownNode : null);
  return {
    ...replaceDevice(now, hardware, { ...device, driver: driver.name, group: id, vfio }),
    groups: put(now.groups, minor, { ...group, devices: [hardware.index, ...group.devices] }),
  };
}

/** Whether a device gets a cdev: those without an IOMMU do not (drivers/vfio/vfio.h:vfio_device_add). */
export function hasCdev({ profile }: World, noiommu: boolean): boolean {
  return profile.build.cdev && !noiommu;
}

/** A vfio device that nobody has opened yet. */
export function freshVfio(index: number, group: number, node: Node | null): VfioDevice {
  return {
    index,
    group,
    opens: 0,
    unbound: 0,
    node,
    bound: null,
    token: null,
    resetWorks: false,
    core: null,
  };
}

export function newGroup(minor: number, iommuGroup: number, noiommu: boolean): VfioGroup {
  return {
    minor,
    name: noiommu ? `noiommu-${iommuGroup}` : `${iommuGroup}`,
    noiommu,
    iommuGroup,
    devices: [],
    file: null,
    container: null,
    containerUsers: 0,
    iommufd: null,
    cdevOpens: 0,
    node: ownNode,
  };
}

/** vfio_unregister_group_dev: the last device of a group revokes it; a fake group dies with its device. */
function unregister(state: State, hardware: Hardware): State {
  const device = deviceOf(state, hardware);
  const minor = device.vfio?.group ?? -1;
  const fake = iommuGroupOf(state, device.group)?.fake === true;
  let now = replaceDevice(state, hardware, {
    ...device,
    driver: null,
    vfio: null,
    group: fake ? null : device.group,
  });
  const group = now.groups[minor];
  if (group === null || group === undefined) return now;
  const left = group.devices.filter((index) => index !== hardware.index);
  if (left.length > 0) return { ...now, groups: put(now.groups, minor, { ...group, devices: left }) };
  now = detachContainer(now, minor);
  const detached = now.groups[minor] ?? group;
  const revoked = { ...detached, devices: left, iommuGroup: null, node: null };
  return {
    ...now,
    groups: put(now.groups, minor, group.file === null ? null : revoked),
    iommuGroups: fake ? now.iommuGroups.filter(({ id }) => id !== device.group) : now.iommuGroups,
  };
}

/** The number that the next IOMMU group gets. */
export function lowestFreeGroup(state: State): number {
  let free = 0;
  for (const group of state.iommuGroups) {
    if (group.id > free) break;
    if (group.id === free) free += 1;
  }
  return free;
}

function lowestFreeIndex(world: World, state: State): number {
  const taken = new Set<number>(world.strangers);
  for (const device of state.devices) if (device.vfio !== null) taken.add(device.vfio.index);
  let free = 0;
  while (taken.has(free)) free += 1;
  return free;
}
