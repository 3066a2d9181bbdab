import { detach } from './attachment.ts';
import { type Draft, deviceIn, draftOf, groupIn, iommuGroupIn, setGroup } from './draft.ts';
import { candidates, matches } from './matching.ts';
import { noiommuAllowed, parameterOf } from './modules.ts';
import { byId, inserted, lowestFree, placeOfId } from './places.ts';
import type { Device, Driver, Hardware, IommuGroup, State, VfioDevice, VfioGroup, World } from './state.ts';

/**
 * The driver core and VFIO's side of it: which driver matches, what a probe refuses, and what binding and unbinding do to
 * groups, nodes and taint.
 */

/** TAINT_USER: a userspace driver without an IOMMU. */
export const taintUser = 64;

/** What devtmpfs gives a node whose driver says nothing of it. */
const ownNode = { uid: 0, gid: 0, mode: 0o600 } as const;

/** drivers/iommu/iommu.c:iommu_device_use_default_domain: a host driver may not join a group that userspace owns. */
export function ownedByUser(world: World, state: State, hardware: Hardware, driver: Driver): boolean {
  if (driver.managesDma || world.profile.viability === 'walk') return false;
  const group = iommuGroupOf(state, state.devices[hardware.index]?.group ?? null);
  return group !== undefined && (group.owner !== null || group.iommufd !== null);
}

/** drivers/vfio/pci/vfio_pci.c vfio_pci_dev_in_denylist: QAT of the first generation, DSA and IAX. */
export function isDenylisted({ vendor, device }: Pick<Hardware, 'vendor' | 'device'>): boolean {
  return vendor === '8086' && denylist.has(device);
}

const denylist: ReadonlySet<string> = new Set([
  '19e2',
  '19e3',
  '37c8',
  '37c9',
  '0435',
  '0443',
  '0b25',
  '0cfe',
]);

/** drivers/vfio/pci/vfio_pci.c:vfio_pci_is_denylisted. */
export function denylisted(world: World, state: State, hardware: Hardware): boolean {
  return isDenylisted(hardware) && parameterOf(world, state, 'vfio_pci', 'disable_denylist') === 'N';
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
  const draft = draftOf(state);
  const device = deviceIn(draft, hardware.index);
  device.driver = driver.name;
  if (driver.module !== null) draft.bus = { ...draft.bus, bound: [...draft.bus.bound, hardware.index] };
  if (driver.vfio) register(world, draft, hardware);
  else if (!driver.managesDma) countOwner(draft, device.group, 1);
  return draft;
}

/** Unbinds a device whose descriptors are all closed. */
export function unbind(world: World, state: State, hardware: Hardware): State {
  const { driver, vfio, group } = deviceOf(state, hardware);
  const draft = draftOf(state);
  const device = deviceIn(draft, hardware.index);
  device.driver = null;
  device.leaving = null;
  const { bound, unbinding } = draft.bus;
  if (bound.includes(hardware.index)) {
    const others = (its: readonly number[]) => its.filter((index) => index !== hardware.index);
    draft.bus = { ...draft.bus, bound: others(bound), unbinding: others(unbinding) };
  }
  if (vfio !== null) unregister(draft, hardware.index, vfio.group);
  else if (driver !== null && world.drivers.get(driver)?.managesDma === false) countOwner(draft, group, -1);
  return draft;
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
  return byId(state.iommuGroups, id);
}

/** One host driver more or less in the device's group, if it has one. */
function countOwner(draft: Draft, id: number | null, by: 1 | -1): void {
  const place = placeOfId(draft.iommuGroups, id);
  if (place !== -1) iommuGroupIn(draft, place).ownerCount += by;
}

function deviceOf(state: State, hardware: Hardware): Device {
  const device = state.devices[hardware.index];
  if (device === undefined) throw new Error(`no state for device ${hardware.address}`);
  return device;
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
function register(world: World, draft: Draft, hardware: Hardware): void {
  const its = draft.devices[hardware.index]?.group ?? null;
  const id = its ?? makeUp(draft, hardware);
  const known = minorOf(draft, id);
  const minor = known === -1 ? lowestFree(draft.groups) : known;
  if (known === -1) {
    const noiommu = isNoiommu(world, iommuGroupOf(draft, id)?.fake === true);
    setGroup(draft, minor, newGroup(minor, id, noiommu));
  }
  const index = lowestFreeIndex(world, draft);
  const group = groupIn(draft, minor);
  group.devices = [hardware.index, ...group.devices];
  const device = deviceIn(draft, hardware.index);
  if (its === null) device.group = id;
  device.vfio = freshVfio(world, index, group);
}

/** The VFIO group of an IOMMU group; -1: there is none yet. */
function minorOf({ groups }: State, id: number): number {
  for (let minor = 0; minor < groups.length; minor += 1) if (groups[minor]?.iommuGroup === id) return minor;
  return -1;
}

/** IOMMU groups with one more, by id. */
export function withGroup(groups: readonly IommuGroup[], made: IommuGroup): readonly IommuGroup[] {
  let place = groups.length;
  while (place > 0 && (groups[place - 1]?.id ?? 0) > made.id) place -= 1;
  return inserted(groups, place, made);
}

/** A group for a device without one, which taints the kernel. */
function makeUp(draft: Draft, hardware: Hardware): number {
  const id = lowestFreeGroup(draft);
  draft.iommuGroups = withGroup(draft.iommuGroups, fakeGroup(id, hardware.index));
  if (Math.floor(draft.taint / taintUser) % 2 === 0) draft.taint += taintUser;
  return id;
}

/**
 * A vfio device that nobody has opened yet. Without an IOMMU it has a cdev only since the series of 2026
 * (drivers/vfio/vfio.h:vfio_device_add), and then another name (vfio_main.c:vfio_device_set_noiommu_and_name).
 */
export function freshVfio(
  { profile }: World,
  index: number,
  { minor, noiommu }: Pick<VfioGroup, 'minor' | 'noiommu'>,
): VfioDevice {
  const { cdev, noiommuCdev } = profile.build;
  return {
    index,
    name: `${noiommu && noiommuCdev ? 'noiommu-' : ''}vfio${index}`,
    group: minor,
    opens: 0,
    unbound: 0,
    node: cdev && (noiommuCdev || !noiommu) ? ownNode : null,
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
function unregister(draft: Draft, index: number, minor: number): void {
  const device = deviceIn(draft, index);
  const id = device.group;
  const fake = iommuGroupOf(draft, id)?.fake === true;
  device.vfio = null;
  if (fake) device.group = null;
  const group = draft.groups[minor];
  if (group === null || group === undefined) return;
  const { file } = group;
  const left = group.devices.filter((other) => other !== index);
  if (left.length > 0) {
    groupIn(draft, minor).devices = left;
    return;
  }
  detach(draft, minor);
  if (file === null) setGroup(draft, minor, null);
  else {
    const revoked = groupIn(draft, minor);
    revoked.devices = left;
    revoked.iommuGroup = null;
    revoked.node = null;
  }
  if (fake) draft.iommuGroups = draft.iommuGroups.filter((other) => other.id !== id);
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
  const taken: (true | undefined)[] = [];
  for (const index of world.strangers ?? []) taken[index] = true;
  for (const { vfio } of state.devices) if (vfio !== null) taken[vfio.index] = true;
  let free = 0;
  while (taken[free] === true) free += 1;
  return free;
}
