import { detach } from './attachment.ts';
import { forgetEventfd } from './core-device.ts';
import {
  addTable,
  containerIn,
  type Draft,
  draftOf,
  fileIn,
  groupIn,
  machineIn,
  setContainer,
  setDescriptor,
  setFile,
  setGroup,
  setIommufd,
  setMachine,
  vfioOf,
} from './draft.ts';
import { isOpen } from './going.ts';
import { goOn } from './going-on.ts';
import { boundOf, contextAt, unbindDevice } from './iommufd.ts';
import type { Iommufd } from './iommufd-state.ts';
import { lowestFree } from './places.ts';
import type { Container, DeviceFile, OpenFile, State, VfioGroup, World } from './state.ts';

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
  if (fd === 0 || fd === 1 || fd === 2) return standard;
  // Nearly every step asks this, and to an interpreter a call of another function costs as much as the loop.
  const tables = state.descriptors;
  for (let place = 0; place < tables.length; place += 1) {
    const table = tables[place];
    if (table?.pid !== pid) continue;
    const id = table.files[fd - firstDescriptor];
    return id === undefined || id === -1 ? null : (state.files[id] ?? null);
  }
  return null;
}

export function containerOf(state: State, op: Descriptor): Container | null {
  const file = fileOf(state, op);
  return file?.kind === 'container' ? (state.containers[file.container] ?? null) : null;
}

export function groupOf(state: State, op: Descriptor): VfioGroup | null {
  const file = fileOf(state, op);
  return file?.kind === 'group' ? (state.groups[file.group] ?? null) : null;
}

export function iommufdOf(state: State, op: Descriptor): Iommufd | null {
  return contextAt(state, placeOfIommufd(state, op));
}

/** Its place in `State.iommufds`; -1 when the descriptor is of something else. */
export function placeOfIommufd(state: State, op: Descriptor): number {
  const file = fileOf(state, op);
  return file?.kind === 'iommufd' ? file.iommufd : -1;
}

/** Whether a process has as many descriptors as it may. */
export function tableFull(world: World, state: State, pid: number): boolean {
  const limit = world.processes.get(pid)?.nofile ?? 1024;
  const files = tableOf(state, pid);
  return files.length + firstDescriptor >= limit && lowestDescriptor(files) >= limit;
}

/** The descriptor that a process gets next. */
export function nextDescriptor(state: State, pid: number): number {
  return lowestDescriptor(tableOf(state, pid));
}

/** Gives a process the lowest free descriptor of a new open file description, and answers its number. */
export function install(draft: Draft, pid: number, file: OpenFile): number {
  const id = lowestFree(draft.files);
  setFile(draft, id, file);
  return enter(draft, pid, id);
}

/** Gives a process a descriptor of a description that exists, and answers its number. */
export function refer(draft: Draft, pid: number, id: number): number {
  changeRefs(draft, id, 1);
  return enter(draft, pid, id);
}

/** A further entry in a process's table; the references are the caller's to count. */
function enter(draft: Draft, pid: number, id: number): number {
  let place = placeOf(draft, pid);
  if (place === -1) place = addTable(draft, pid);
  const fd = lowestDescriptor(draft.descriptors[place]?.files ?? none);
  setDescriptor(draft, place, fd - firstDescriptor, id);
  return fd;
}

/** Its place in `State.files`; -1 when it is not open, or is a standard descriptor. */
export function fileId(state: State, pid: number, fd: number): number {
  const tables = state.descriptors;
  for (let place = 0; place < tables.length; place += 1) {
    const table = tables[place];
    if (table?.pid === pid) return table.files[fd - firstDescriptor] ?? -1;
  }
  return -1;
}

function placeOf({ descriptors }: Pick<State, 'descriptors'>, pid: number): number {
  for (let place = 0; place < descriptors.length; place += 1)
    if (descriptors[place]?.pid === pid) return place;
  return -1;
}

/** Takes a descriptor away, and with the last one the file. */
export function closeDescriptor(world: World, state: State, { pid, fd }: Descriptor): State {
  const id = fileId(state, pid, fd);
  const place = placeOf(state, pid);
  if (id === -1 || place === -1) return state;
  const draft = draftOf(state);
  const devices = devicesOf(state, id);
  setDescriptor(draft, place, fd - firstDescriptor, -1);
  drop(world, draft, id);
  // The call that waited for this goes on (vfio_device_put_registration).
  for (let place = 0; place < devices.length; place += 1) {
    const its = draft.devices[devices[place] as number];
    if (its?.leaving != null && !isOpen(its)) return goOn(world, draft);
  }
  return draft;
}

const none: readonly number[] = [];

/** The devices that an open file keeps open: its own, or those that its virtual machine was told of. */
function devicesOf(state: Pick<State, 'files' | 'kvm'>, id: number): readonly number[] {
  const file = state.files[id];
  if (file?.kind === 'device') return [file.device];
  if (file?.kind !== 'vm' && file?.kind !== 'kvm-device') return none;
  return (state.kvm[file.machine]?.held ?? []).flatMap((held) => devicesOf(state, held));
}

/** A new device file of a device in a group, which it keeps open (vfio_group_use_container's get_file). */
export function openDevice(
  world: World,
  state: State,
  pid: number,
  { iommufd, file: opened }: VfioGroup,
  index: number,
): { state: State; fd: number } {
  const groupFile = iommufd === null ? opened : null;
  const counts = countsOpen(world, state, index);
  const draft = draftOf(state);
  changeVfio(draft, index, 1, 0);
  if (groupFile !== null && counts) pin(draft, index, groupFile, 1);
  const file = { kind: 'device', refs: 1, device: index, groupFile, cdev: false, iommufd } as const;
  const fd = install(draft, pid, file);
  return { state: draft, fd };
}

/** Pids that have a descriptor of the device, or of a virtual machine that was told of it, ascending. */
export function holdersOf(state: State, device: number): readonly number[] {
  const holds = (id: number): boolean => devicesOf(state, id).includes(device);
  return state.descriptors
    .filter(({ files }) => files.some(holds))
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
}

/** One reference more, which is no descriptor. */
export function hold(draft: Draft, id: number): void {
  changeRefs(draft, id, 1);
}

/** One reference less; the last one releases the file. */
function drop(world: World, draft: Draft, id: number): void {
  const file = draft.files[id];
  if (file === null || file === undefined) return;
  if (file.refs > 1) {
    changeRefs(draft, id, -1);
    return;
  }
  setFile(draft, id, null);
  if (file.kind === 'container') releaseContainer(draft, file.container);
  else if (file.kind === 'group') releaseGroup(world, draft, file.group);
  else if (file.kind === 'device') releaseDevice(world, draft, file);
  else if (file.kind === 'iommufd') setIommufd(draft, file.iommufd, null);
  else if (file.kind === 'fault-queue') releaseFaults(world, draft, file.iommufd);
  else if (file.kind === 'eventfd') draft.devices = forgetEventfd(draft.devices, id);
  else if (file.kind === 'vm') releaseMachine(world, draft, file.machine, 'file');
  else if (file.kind === 'kvm-device') releaseMachine(world, draft, file.machine, 'device');
}

/**
 * One of its two files is closed. Its VFIO device ends with its own file (kvm_vfio_release); until 6.2 it lasted as long as the
 * machine (kvm_vfio_destroy), which is there while one of the two is open.
 */
function releaseMachine(world: World, draft: Draft, index: number, part: 'file' | 'device'): void {
  if (!draft.kvm[index]) return;
  const machine = machineIn(draft, index);
  machine[part] = null;
  const { held } = machine;
  const over = machine.file === null && machine.device === null;
  const ends = over || (part === 'device' && world.profile.viability !== 'walk');
  if (ends) {
    machine.vfio = false;
    machine.held = [];
  }
  if (over) setMachine(draft, index, null);
  if (ends) for (const id of held) letGoOfFile(world, draft, id);
}

/** A virtual machine lets a file go that it was told of. */
export function letGoOfFile(world: World, draft: Draft, id: number): void {
  if (world.profile.viability === 'walk') useContainer(draft, id, -1);
  drop(world, draft, id);
}

/** One user of the group's container more or less: until 5.19 KVM was one (vfio_group_get_external_user). */
export function useContainer(draft: Draft, id: number, by: 1 | -1): void {
  const file = draft.files[id];
  if (file?.kind === 'group' && draft.groups[file.group]) groupIn(draft, file.group).containerUsers += by;
}

/** Its hold on the iommufd; the queue stays there until DESTROY (drivers/iommu/iommufd/fault.c:iommufd_fault_fops_release). */
function releaseFaults(world: World, draft: Draft, iommufd: number): void {
  const context = contextAt(draft, iommufd);
  if (context !== null) drop(world, draft, context.file);
}

function releaseContainer(draft: Draft, index: number): void {
  const container = draft.containers[index];
  if (container === null || container === undefined) return;
  if (container.groups.length === 0) setContainer(draft, index, null);
  else containerIn(draft, index).file = null;
}

function releaseGroup(world: World, draft: Draft, minor: number): void {
  detach(draft, minor);
  letGo(world, draft, minor);
  const group = draft.groups[minor];
  if (group === null || group === undefined) return;
  if (group.iommuGroup === null) setGroup(draft, minor, null);
  else groupIn(draft, minor).file = null;
}

/** A group without the iommufd that served it as a container. */
export function letGo(world: World, draft: Draft, minor: number): void {
  const group = draft.groups[minor];
  const context = contextAt(draft, group?.iommufd);
  if (!group || context === null) return;
  groupIn(draft, minor).iommufd = null;
  drop(world, draft, context.file);
}

function releaseDevice(world: World, draft: Draft, file: DeviceFile): void {
  if (file.cdev && file.iommufd === null) changeVfio(draft, file.device, 0, -1);
  else releaseOpened(world, draft, file);
}

function releaseOpened(world: World, draft: Draft, file: DeviceFile): void {
  const { device: index, groupFile, iommufd } = file;
  changeVfio(draft, index, -1, 0);
  if (iommufd !== null) {
    if (draft.devices[index]?.vfio?.opens === 0) releaseBound(world, draft, index);
    if (file.cdev) unblock(world, draft, index, iommufd);
  } else if (groupFile !== null && countsOpen(world, draft, index) && pinned(draft, index)) {
    pin(draft, index, groupFile, -1);
    drop(world, draft, groupFile);
  }
}

/** False for a device that was first opened with an iommufd: there the kernel warns, and lets go of one too many. */
function pinned(draft: Draft, index: number): boolean {
  return (draft.groups[draft.devices[index]?.vfio?.group ?? -1]?.containerUsers ?? 0) > 1;
}

/** The device's object goes, and with it the hold that it had on its iommufd (iommufd_device_destroy). */
function releaseBound(world: World, draft: Draft, index: number): void {
  const context = contextAt(draft, boundOf(draft, index)?.iommufd);
  if (context === null) return;
  unbindDevice(draft, index);
  drop(world, draft, context.file);
}

/** The end of a bound cdev: its hold on the iommufd, and the group may be opened again (vfio_df_unbind_iommufd). */
function unblock(world: World, draft: Draft, index: number, iommufd: number): void {
  const minor = draft.devices[index]?.vfio?.group ?? -1;
  const group = draft.groups[minor];
  const context = contextAt(draft, iommufd);
  if (group) groupIn(draft, minor).cdevOpens -= 1;
  if (context !== null) drop(world, draft, context.file);
}

/** Whether a further descriptor counts: every one, or only the first open of a device. */
function countsOpen(world: World, state: Pick<State, 'devices'>, index: number): boolean {
  return world.profile.containerUsers === 'device-fds' || state.devices[index]?.vfio?.opens === 0;
}

/** One user of the container more or less; a new one also holds the group's file (its end is left to `drop`). */
function pin(draft: Draft, index: number, groupFile: number, by: 1 | -1): void {
  const minor = draft.devices[index]?.vfio?.group ?? -1;
  if (!draft.groups[minor]) return;
  groupIn(draft, minor).containerUsers += by;
  if (by === 1) changeRefs(draft, groupFile, 1);
}

/** Counts descriptors of a device: those that use it, and those of its cdev that wait to be bound. */
export function changeVfio(draft: Draft, index: number, opens: 1 | 0 | -1, unbound: 1 | 0 | -1): void {
  const device = draft.devices[index];
  if (!device?.vfio) return;
  const vfio = vfioOf(draft, index);
  // The first open resets the function (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_enable).
  if (opens === 1 && vfio.opens === 0) vfio.resetWorks = device.settings.resetMethods.length > 0;
  vfio.opens += opens;
  vfio.unbound += unbound;
  if (vfio.opens === 0) vfio.core = null;
}

function changeRefs(draft: Draft, id: number, by: 1 | -1): void {
  if (draft.files[id]) fileIn(draft, id).refs += by;
}

function tableOf(state: State, pid: number): readonly number[] {
  return state.descriptors[placeOf(state, pid)]?.files ?? none;
}

function lowestDescriptor(files: readonly number[]): number {
  const free = files.indexOf(-1);
  return (free === -1 ? files.length : free) + firstDescriptor;
}
