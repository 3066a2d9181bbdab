import { detachContainer } from './attachment.ts';
import { lowestFree, put, replace } from './places.ts';
import type { Container, Device, OpenFile, State, VfioGroup, World } from './state.ts';

/**
 * Descriptors and open file descriptions. A description lives as long as a descriptor refers to it or a device file
 * holds it; its release is where VFIO lets go of containers and groups.
 */

/** Descriptors 0, 1 and 2 are taken and are nothing of VFIO's; the tables hold those from 3 on. */
const firstDescriptor = 3;

const standard: OpenFile = { kind: 'other', refs: 1, path: '/dev/null' };

/** What descriptor calls name. */
interface Descriptor {
  readonly pid: number;
  readonly fd: number;
}

/** The open file description behind a descriptor, or null when it is not open. */
export function fileOf(state: State, op: Descriptor): OpenFile | null {
  return fileAt(state, op.pid, op.fd);
}

export function fileAt(state: State, pid: number, fd: number): OpenFile | null {
  if (fd < firstDescriptor && (fd === 0 || fd === 1 || fd === 2)) return standard;
  const id = fileId(state, pid, fd);
  return id === -1 ? null : (state.files[id] ?? null);
}

export function containerOf(state: State, op: Descriptor): Container | null {
  const file = fileOf(state, op);
  return file?.kind === 'container' ? (state.containers[file.container] ?? null) : null;
}

export function groupOf(state: State, op: Descriptor): VfioGroup | null {
  const file = fileOf(state, op);
  return file?.kind === 'group' ? (state.groups[file.group] ?? null) : null;
}

/** Whether a process has as many descriptors as it may. */
export function tableFull(world: World, state: State, pid: number): boolean {
  const limit = world.processes.get(pid)?.nofile ?? 1024;
  return lowestDescriptor(tableOf(state, pid)) >= limit;
}

/** What a new descriptor changes of the state. */
interface Installed {
  readonly files: State['files'];
  readonly descriptors: State['descriptors'];
  readonly fd: number;
}

/** Gives a process the lowest free descriptor of a new open file description; the caller makes the state of it. */
export function install(state: State, pid: number, file: OpenFile): Installed {
  const id = lowestFree(state.files);
  const { descriptors, fd } = enter(state, pid, id);
  return { files: put(state.files, id, { ...file, refs: 1 }), descriptors, fd };
}

/** Gives a process a descriptor of a description that exists. */
export function refer(state: State, pid: number, id: number): { readonly state: State; readonly fd: number } {
  const { descriptors, fd } = enter(state, pid, id);
  return { state: changeRefs({ ...state, descriptors }, id, 1), fd };
}

/** A further entry in a process's table; the references are the caller's to count. */
function enter(state: State, pid: number, id: number): Omit<Installed, 'files'> {
  const files = tableOf(state, pid);
  const fd = lowestDescriptor(files);
  const table = { pid, files: replace(files, fd - firstDescriptor, id) };
  const place = placeOf(state, pid);
  const descriptors = place === -1 ? [...state.descriptors, table] : replace(state.descriptors, place, table);
  return { descriptors, fd };
}

/** Its place in `State.files`; -1 when it is not open, or is a standard descriptor. */
export function fileId(state: State, pid: number, fd: number): number {
  // Nearly every guard asks this, and a counted loop is what an interpreter runs fastest.
  const tables = state.descriptors;
  for (let place = 0; place < tables.length; place += 1) {
    const table = tables[place];
    if (table?.pid === pid) return table.files[fd - firstDescriptor] ?? -1;
  }
  return -1;
}

function placeOf({ descriptors }: State, pid: number): number {
  for (let place = 0; place < descriptors.length; place += 1)
    if (descriptors[place]?.pid === pid) return place;
  return -1;
}

/** Takes a descriptor away, and with the last one the file. */
export function closeDescriptor(world: World, state: State, { pid, fd }: Descriptor): State {
  const id = fileId(state, pid, fd);
  const place = placeOf(state, pid);
  if (id === -1 || place === -1) return state;
  const files = replace(tableOf(state, pid), fd - firstDescriptor, -1);
  while (files.length > 0 && files[files.length - 1] === -1) files.pop();
  return drop(world, state, id, replace(state.descriptors, place, { pid, files }));
}

/** A new device file of a device in a group, which it keeps open (vfio_group_use_container's get_file). */
export function openDevice(
  world: World,
  state: State,
  op: Descriptor,
  index: number,
): { state: State; fd: number } {
  const groupFile = fileId(state, op.pid, op.fd);
  const counted = changeOpens(state, index, 1);
  const pinned = countsOpen(world, state, index) ? pin(counted, index, groupFile, 1) : counted;
  const { files, descriptors, fd } = install(pinned, op.pid, {
    kind: 'device',
    refs: 0,
    device: index,
    groupFile,
  });
  return { state: { ...pinned, files, descriptors }, fd };
}

/** Pids that have a descriptor of the device, ascending. */
export function holdersOf(state: State, device: number): readonly number[] {
  const holds = (id: number): boolean => {
    const file = state.files[id];
    return file?.kind === 'device' && file.device === device;
  };
  return state.descriptors
    .filter(({ files }) => files.some(holds))
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
}

/** One reference less, and with it the tables that no longer have it; the last one releases the file. */
function drop(world: World, state: State, id: number, descriptors = state.descriptors): State {
  const file = state.files[id];
  if (file === null || file === undefined) return { ...state, descriptors };
  if (file.refs > 1) return changeRefs({ ...state, descriptors }, id, -1);
  const closed = { ...state, descriptors, files: put(state.files, id, null) };
  switch (file.kind) {
    case 'container':
      return releaseContainer(closed, file.container);
    case 'group':
      return releaseGroup(closed, file.group);
    case 'device':
      return releaseDevice(world, closed, file.device, file.groupFile);
    case 'other':
      return closed;
  }
}

function releaseContainer(state: State, index: number): State {
  const container = state.containers[index];
  if (container === null || container === undefined) return state;
  const left = container.groups.length === 0 ? null : { ...container, file: null };
  return { ...state, containers: put(state.containers, index, left) };
}

function releaseGroup(state: State, minor: number): State {
  const detached = detachContainer(state, minor);
  const group = detached.groups[minor];
  if (group === null || group === undefined) return detached;
  const left = group.iommuGroup === null ? null : { ...group, file: null };
  return { ...detached, groups: put(detached.groups, minor, left) };
}

function releaseDevice(world: World, state: State, index: number, groupFile: number): State {
  const counted = changeOpens(state, index, -1);
  if (!countsOpen(world, counted, index)) return counted;
  return drop(world, pin(counted, index, groupFile, -1), groupFile);
}

/** Whether a further descriptor counts: every one, or only the first open of a device. */
function countsOpen(world: World, state: State, index: number): boolean {
  return world.profile.containerUsers === 'device-fds' || state.devices[index]?.vfio?.opens === 0;
}

/** One user of the container more or less; a new one also holds the group's file (its end is left to `drop`). */
function pin(state: State, index: number, groupFile: number, by: 1 | -1): State {
  const minor = state.devices[index]?.vfio?.group ?? -1;
  const group = state.groups[minor];
  if (group === null || group === undefined) return state;
  const counted = { ...group, containerUsers: group.containerUsers + by };
  const now = { ...state, groups: put(state.groups, minor, counted) };
  return by === 1 ? changeRefs(now, groupFile, 1) : now;
}

function changeOpens(state: State, index: number, by: 1 | -1): State {
  const device = state.devices[index];
  if (!device?.vfio) return state;
  const changed: Device = { ...device, vfio: { ...device.vfio, opens: device.vfio.opens + by } };
  return { ...state, devices: replace(state.devices, index, changed) };
}

function changeRefs(state: State, id: number, by: 1 | -1): State {
  const file = state.files[id];
  return file ? { ...state, files: put(state.files, id, { ...file, refs: file.refs + by }) } : state;
}

function tableOf(state: State, pid: number): readonly number[] {
  return state.descriptors[placeOf(state, pid)]?.files ?? [];
}

function lowestDescriptor(files: readonly number[]): number {
  const free = files.indexOf(-1);
  return (free === -1 ? files.length : free) + firstDescriptor;
}
