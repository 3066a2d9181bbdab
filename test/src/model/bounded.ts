import type { PciFunction } from '../../../src/machine/snapshot.ts';
import type { Moves, Section } from '../../../src/model/explore/learned.ts';
import { fileOf } from '../../../src/model/files.ts';
import type { Op } from '../../../src/model/op.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Hardware, OpenFile, Process, State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { snapshotOf, user } from './machine.ts';

/**
 * Small worlds for exhaustive exploration: ROOT with every capability, and a process without CAP_SYS_RAWIO that may open
 * every node. Every device matches its host driver and vfio-pci without an override, as after `ids=`.
 */
export function boundedWorld(
  profile: ProfileId,
  functions: readonly PciFunction[],
  real: boolean,
  users: readonly Process[] = [user],
): Bounded {
  const snapshot = snapshotOf(
    functions,
    real ? {} : { iommu: { units: [], interruptRemapping: false, groups: [] } },
  );
  const made = worldFrom(snapshot, { profile, processes: users });
  const hardware = made.world.hardware.map(
    (device): Hardware => ({ ...device, drivers: ['e1000e', 'vfio-pci'] }),
  );
  const devices = new Map(hardware.map((device) => [device.address, device]));
  // Nobody unloads a module here: then nobody sees in which order drivers took their devices.
  const drivers = new Map([...made.world.drivers].map(([name, its]) => [name, { ...its, module: null }]));
  const initial = { ...made.state, bus: { ...made.state.bus, bound: [] } };
  return { world: { ...made.world, hardware, devices, drivers }, initial };
}

export interface Bounded {
  readonly world: World;
  readonly initial: State;
}

/** The same, where ROOT has a virtual machine's VFIO device open, and nothing else of it. */
export function withGuest({ world, initial }: Bounded): Bounded {
  const ops: readonly Op[] = [
    { op: 'open', pid: ROOT, path: '/dev/kvm' },
    { op: 'kvm.create_vm', pid: ROOT, fd: 3 },
    { op: 'kvm.create_device', pid: ROOT, fd: 4 },
    { op: 'close', pid: ROOT, fd: 3 },
    { op: 'close', pid: ROOT, fd: 4 },
  ];
  return { world, initial: ops.reduce((state, op) => step(world, state, op).state, initial) };
}

/** What is left out of a world to keep it small. */
export interface Bounds {
  /** Containers that exist at once. */
  readonly containers: number;
  /** Descriptors of groups, all processes together. */
  readonly groupFiles: number;
  /** Descriptors of devices, all processes together. */
  readonly deviceFiles: number;
  /** Processes that act beside ROOT, who alone binds. */
  readonly others: readonly number[];
  /** Whether ROOT hands containers and groups to the others. */
  readonly passes: boolean;
  readonly maps: boolean;
  /** Whether SET_CONTAINER is tried with a negative descriptor. */
  readonly negative?: boolean;
  /** Whether groups are given to a virtual machine of ROOT's, which has to be made or is `there` (`withGuest`). */
  readonly guests?: 'made' | 'there';
}

const range = { iova: 0x1000n, size: 0x1000n } as const;

/**
 * Parameter flips, binding and unbinding of vfio-pci and the host driver, open and close of containers, groups and
 * devices, SET_CONTAINER, UNSET_CONTAINER, SET_IOMMU(1, 8), GET_DEVICE_FD, MAP and UNMAP of one range. Within the bounds
 * a process has at most one descriptor of each container, group and device. In sections and parts that each read little of a
 * state.
 */
export function alphabet(bounds: Bounds, world: World): readonly Section[] {
  return [
    [flip],
    ...world.hardware.map((hardware): Section => [(_world, state) => administer(hardware, state)]),
    ...[ROOT, ...bounds.others].map((pid) => uses(bounds, pid)),
  ];
}

function flip({ profile, vfioModule }: World, state: State): Op[] {
  const parameter = profile.noiommuParameter;
  const on = state.modules[vfioModule]?.[parameter] === 'Y';
  return [{ op: 'parameter.write', pid: ROOT, module: 'vfio', parameter, text: on ? 'N' : 'Y' }];
}

function administer({ address, index }: Hardware, state: State): Op[] {
  const driver = state.devices[index]?.driver ?? null;
  if (driver !== null) return [{ op: 'driver.unbind', pid: ROOT, driver, device: address }];
  return ['vfio-pci', 'e1000e'].map(
    (name): Op => ({ op: 'driver.bind', pid: ROOT, driver: name, device: address }),
  );
}

/** What one process may do with files. */
function uses(bounds: Bounds, pid: number): Section {
  const parts: Moves[] = [
    (_world, state) =>
      // A closed container that its groups keep alive is one still.
      state.containers.filter((container) => container !== null).length < bounds.containers
        ? [{ op: 'open', pid, path: '/dev/vfio/vfio' }]
        : [],
    (_world, state) => openGroups(state, bounds, pid),
  ];
  if (bounds.guests === 'made' && pid === ROOT)
    parts.push((_world, state) => (count(state, 'kvm') === 0 ? [{ op: 'open', pid, path: '/dev/kvm' }] : []));
  // A defect may bring more descriptors than the bounds: the last of these parts has whatever else is open.
  const machines = bounds.guests === undefined ? 0 : 3;
  const last = 3 + bounds.containers + bounds.groupFiles + bounds.deviceFiles + machines;
  const on = [
    onDescriptor,
    ontoContainers,
    toDevices,
    ...(bounds.guests !== undefined && pid === ROOT ? [guests] : []),
  ];
  for (let fd = 3; fd < last; fd += 1)
    for (const each of on) parts.push((world, state) => each({ world, state, bounds, pid, fd }));
  parts.push((world, state) => {
    const beyond = tableOf(state, pid).length - (last - 3);
    const fds = Array.from({ length: Math.max(0, beyond) }, (_, place) => last + place);
    return fds.flatMap((fd) => on.flatMap((each) => each({ world, state, bounds, pid, fd })));
  });
  return parts;
}

function openGroups(state: State, bounds: Bounds, pid: number): Op[] {
  const ops: Op[] = [];
  const more = count(state, 'group') < bounds.groupFiles;
  for (const group of state.groups) {
    // A group that is open is tried too: it must be refused.
    if (group?.node && (more || group.file !== null))
      ops.push({ op: 'open', pid, path: `/dev/vfio/${group.name}` });
  }
  return ops;
}

/** A number of a process at which there may be a descriptor. */
interface Place {
  readonly world: World;
  readonly state: State;
  readonly bounds: Bounds;
  readonly pid: number;
  readonly fd: number;
}

function onDescriptor({ state, bounds, pid, fd }: Place): Op[] {
  const file = fileOf(state, { pid, fd });
  if (file === null) return [];
  const ops: Op[] = [{ op: 'close', pid, fd }];
  if (file.kind === 'container') onContainer(bounds, pid, fd, ops);
  if (file.kind === 'group') onGroup(bounds, pid, fd, ops);
  const passes = file.kind === 'container' || file.kind === 'group';
  if (bounds.passes && pid === ROOT && passes) pass(state, bounds, fd, file, ops);
  return ops;
}

function onContainer(bounds: Bounds, pid: number, fd: number, ops: Op[]): void {
  for (const type of [1, 8]) ops.push({ op: 'container.set_iommu', pid, fd, type });
  if (!bounds.maps) return;
  ops.push({ op: 'container.map_dma', pid, fd, flags: 3, vaddr: 0x10000n, ...range, memory: 'writable' });
  ops.push({ op: 'container.unmap_dma', pid, fd, flags: 0, ...range });
}

function onGroup(bounds: Bounds, pid: number, fd: number, ops: Op[]): void {
  ops.push({ op: 'group.unset_container', pid, fd });
  if (bounds.negative === true) ops.push({ op: 'group.set_container', pid, fd, container: -1 });
}

/** One virtual machine in all, whose VFIO device is told of the groups that its process has open. */
function guests({ state, pid, fd }: Place): Op[] {
  const file = fileOf(state, { pid, fd });
  const none = state.kvm.every((machine) => machine === null);
  if (file?.kind === 'kvm') return none ? [{ op: 'kvm.create_vm', pid, fd }] : [];
  if (file?.kind === 'vm') return [{ op: 'kvm.create_device', pid, fd }];
  if (file?.kind !== 'kvm-device') return [];
  return heldBy(state, pid).flatMap(([other, { kind }]): Op[] =>
    kind === 'group'
      ? [
          { op: 'kvm.add_group', pid, fd, file: other },
          { op: 'kvm.del_group', pid, fd, file: other },
        ]
      : [],
  );
}

function ontoContainers({ state, pid, fd }: Place): Op[] {
  if (fileOf(state, { pid, fd })?.kind !== 'group') return [];
  return heldBy(state, pid).flatMap(([container, { kind }]) =>
    kind === 'container' ? [{ op: 'group.set_container', pid, fd, container }] : [],
  );
}

function toDevices({ world, state, bounds, pid, fd }: Place): Op[] {
  const file = fileOf(state, { pid, fd });
  if (file?.kind !== 'group' || count(state, 'device') >= bounds.deviceFiles) return [];
  const held = heldBy(state, pid);
  const ops: Op[] = [
    { op: 'group.get_device_fd', pid, fd, name: 'nope' },
    { op: 'group.get_status', pid, fd },
  ];
  for (const index of state.groups[file.group]?.devices ?? []) {
    const has = held.some(([, other]) => other.kind === 'device' && other.device === index);
    const name = world.hardware[index]?.address;
    if (!has && name !== undefined) ops.push({ op: 'group.get_device_fd', pid, fd, name });
  }
  return ops;
}

function pass(state: State, bounds: Bounds, fd: number, file: OpenFile, ops: Op[]): void {
  for (const to of bounds.others) {
    if (!heldBy(state, to).some(([, other]) => other === file))
      ops.push({ op: 'descriptor.pass', pid: ROOT, fd, to });
  }
}

function heldBy(state: State, pid: number): readonly (readonly [number, OpenFile])[] {
  return tableOf(state, pid).flatMap((_id, place) => {
    const file = fileOf(state, { pid, fd: place + 3 });
    return file === null ? [] : [[place + 3, file] as const];
  });
}

function tableOf(state: State, pid: number): readonly number[] {
  return state.descriptors.find((other) => other.pid === pid)?.files ?? [];
}

function count(state: State, kind: OpenFile['kind']): number {
  return state.files.filter((file) => file?.kind === kind).length;
}
