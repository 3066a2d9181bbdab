import type { Iommufd } from './iommufd-state.ts';
import { copyOf } from './places.ts';
import type {
  Container,
  DescriptorTable,
  Device,
  IommuGroup,
  OpenFile,
  State,
  VfioDevice,
  VfioGroup,
} from './state.ts';
import type { VirtualMachine } from './virtual-machine.ts';

/**
 * The next state while one effect makes it. Its tables and their entries are the old state's until they are changed, and
 * what another state shows is never changed in place: `groupIn`, `setGroup` and their like copy what is not the draft's own yet.
 *
 * One state may be taken out of that (`changeInPlace`): the one that a simulated kernel lives in, which nobody else looks
 * at. Copies are more than half of what a step costs there.
 */
export type Draft = { -readonly [Part in keyof State]: State[Part] };

type Changeable<T> = T extends object ? { -readonly [Field in keyof T]: T[Field] } : T;

/** The state that is changed in place, and the one that the latest draft was made of. */
let live: State | null = null;
let base: State | null = null;
let latest: Draft | null = null;

/** From now on drafts of this state are the state itself; null: of none. Answers of which it was so before. */
export function changeInPlace(state: State | null): State | null {
  const before = live;
  live = state;
  return before;
}

/** A draft of a state. It takes changes until the next one is made. */
export function draftOf(state: State): Draft {
  if (state === live) return state;
  base = state;
  latest = {
    modules: state.modules,
    taint: state.taint,
    devices: state.devices,
    bus: state.bus,
    iommuGroups: state.iommuGroups,
    groups: state.groups,
    containers: state.containers,
    containerNode: state.containerNode,
    iommufds: state.iommufds,
    iommuNode: state.iommuNode,
    files: state.files,
    descriptors: state.descriptors,
    locked: state.locked,
    kvmNode: state.kvmNode,
    kvm: state.kvm,
    configuration: state.configuration,
  };
  return latest;
}

/*
 * How an entry of a table, which must be there, is had to be changed. What it refers to is replaced, not changed. Each table
 * has a function of its own with all fields written out: a member whose name varies, and a copy of whatever comes, cost
 * several times as much.
 */

export function deviceIn(draft: Draft, place: number): Changeable<Device> {
  const there = entry(draft.devices[place]);
  if (draft === live || baseOf(draft).devices[place] !== there) return there;
  const { present, driver, override, group, vfio, leaving, settings } = there;
  const own = { present, driver, override, group, vfio, leaving, settings };
  if (draft.devices === baseOf(draft).devices) draft.devices = copyOf(draft.devices);
  (draft.devices as Device[])[place] = own;
  return own;
}

export function iommuGroupIn(draft: Draft, place: number): Changeable<IommuGroup> {
  const there = entry(draft.iommuGroups[place]);
  // Groups that come and go leave the others at other places.
  if (draft === live || !baseOf(draft).iommuGroups.includes(there)) return there;
  const { id, name, type, fake, devices, ownerCount, owner, iommufd } = there;
  const own = { id, name, type, fake, devices, ownerCount, owner, iommufd };
  if (draft.iommuGroups === baseOf(draft).iommuGroups) draft.iommuGroups = copyOf(draft.iommuGroups);
  (draft.iommuGroups as IommuGroup[])[place] = own;
  return own;
}

export function groupIn(draft: Draft, minor: number): Changeable<VfioGroup> {
  const there = entry(draft.groups[minor]);
  if (draft === live || baseOf(draft).groups[minor] !== there) return there;
  const { name, noiommu, iommuGroup, devices, file, container, containerUsers, iommufd, cdevOpens, node } =
    there;
  const own = {
    minor,
    name,
    noiommu,
    iommuGroup,
    devices,
    file,
    container,
    containerUsers,
    iommufd,
    cdevOpens,
    node,
  };
  ownGroups(draft)[minor] = own;
  return own;
}

export function containerIn(draft: Draft, place: number): Changeable<Container> {
  const there = entry(draft.containers[place]);
  if (draft === live || baseOf(draft).containers[place] !== there) return there;
  const { index, file, groups, noiommu, iommu } = there;
  const own = { index, file, groups, noiommu, iommu };
  ownContainers(draft)[place] = own;
  return own;
}

export function machineIn(draft: Draft, place: number): Changeable<VirtualMachine> {
  const there = entry(draft.kvm[place]);
  if (draft === live || baseOf(draft).kvm[place] !== there) return there;
  const { index, pid, file, vfio, device, held } = there;
  const own = { index, pid, file, vfio, device, held };
  ownMachines(draft)[place] = own;
  return own;
}

export function fileIn(draft: Draft, id: number): Changeable<OpenFile> {
  const there = entry(draft.files[id]);
  if (draft === live || baseOf(draft).files[id] !== there) return there;
  const own = copyOfFile(there);
  ownFiles(draft)[id] = own;
  return own;
}

function copyOfFile(file: OpenFile): OpenFile {
  const { kind, refs } = file;
  switch (kind) {
    case 'container':
      return { kind, refs, container: file.container };
    case 'group':
      return { kind, refs, group: file.group };
    case 'device': {
      const { device, groupFile, cdev, iommufd } = file;
      return { kind, refs, device, groupFile, cdev, iommufd };
    }
    default:
      return { ...file };
  }
}

/** Puts a group into the table, or takes one away; a table has no free places at its end. */
export function setGroup(draft: Draft, minor: number, group: VfioGroup | null): void {
  place(ownGroups(draft), minor, group);
}

export function setContainer(draft: Draft, index: number, container: Container | null): void {
  place(ownContainers(draft), index, container);
}

export function setIommufd(draft: Draft, at: number, iommufd: Iommufd | null): void {
  if (draft !== live && draft.iommufds === baseOf(draft).iommufds) draft.iommufds = copyOf(draft.iommufds);
  place(draft.iommufds as (Iommufd | null)[], at, iommufd);
}

export function setMachine(draft: Draft, index: number, machine: VirtualMachine | null): void {
  place(ownMachines(draft), index, machine);
}

export function setFile(draft: Draft, id: number, file: OpenFile | null): void {
  place(ownFiles(draft), id, file);
}

/** A device of VFIO's, to be changed; the device is there and has one. */
export function vfioOf(draft: Draft, index: number): Changeable<VfioDevice> {
  const before = draft.devices[index]?.vfio;
  const device = deviceIn(draft, index);
  if (!before) throw new Error(`device ${index} is not VFIO's`);
  if (draft !== live && baseOf(draft).devices[index]?.vfio === before) device.vfio = copyOfVfio(before);
  return device.vfio as Changeable<VfioDevice>;
}

function copyOfVfio(vfio: VfioDevice): VfioDevice {
  const { index, name, group, opens, unbound, node, bound, token, resetWorks, core } = vfio;
  return { index, name, group, opens, unbound, node, bound, token, resetWorks, core };
}

/** A process that had no descriptor gets a table of them; answers its place. */
export function addTable(draft: Draft, pid: number): number {
  const at = draft.descriptors.length;
  ownTables(draft).push({ pid, files: [] });
  return at;
}

/** What a descriptor refers to from now on; -1: nothing. `at` is the table's place, `number` the descriptor's in it. */
export function setDescriptor(draft: Draft, at: number, number: number, file: number): void {
  const { pid, files: before } = entry(draft.descriptors[at]);
  let files = before as number[];
  if (draft !== live && baseOf(draft).descriptors[at]?.files === before) {
    files = copyOf(before);
    ownTables(draft)[at] = { pid, files };
  }
  files[number] = file;
  while (files.length > 0 && files[files.length - 1] === -1) files.pop();
}

function ownGroups(draft: Draft): (VfioGroup | null)[] {
  if (draft !== live && draft.groups === baseOf(draft).groups) draft.groups = copyOf(draft.groups);
  return draft.groups as (VfioGroup | null)[];
}

function ownContainers(draft: Draft): (Container | null)[] {
  if (draft !== live && draft.containers === baseOf(draft).containers)
    draft.containers = copyOf(draft.containers);
  return draft.containers as (Container | null)[];
}

function ownMachines(draft: Draft): (VirtualMachine | null)[] {
  if (draft !== live && draft.kvm === baseOf(draft).kvm) draft.kvm = copyOf(draft.kvm);
  return draft.kvm as (VirtualMachine | null)[];
}

function ownFiles(draft: Draft): (OpenFile | null)[] {
  if (draft !== live && draft.files === baseOf(draft).files) draft.files = copyOf(draft.files);
  return draft.files as (OpenFile | null)[];
}

function ownTables(draft: Draft): DescriptorTable[] {
  if (draft !== live && draft.descriptors === baseOf(draft).descriptors)
    draft.descriptors = copyOf(draft.descriptors);
  return draft.descriptors as DescriptorTable[];
}

function place<T>(table: (T | null)[], at: number, its: T | null): void {
  table[at] = its;
  while (table.length > 0 && table[table.length - 1] === null) table.pop();
}

function entry<T>(there: T | null | undefined): T {
  if (there === null || there === undefined) throw new Error('no such entry');
  return there;
}

function baseOf(draft: Draft): State {
  if (draft !== latest || base === null) throw new Error('a draft was changed after the next one was made');
  return base;
}
