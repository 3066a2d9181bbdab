import { coreKey } from './core-device.ts';
import { iommufdKeys } from './iommufd-key.ts';
import { Lists } from './lists.ts';
import type { Container, Device, IommuGroup, Node, OpenFile, State, VfioGroup } from './state.ts';
import type { VirtualMachine } from './virtual-machine.ts';

/** What the kernel has open and for whom. */
export type Opened = Pick<State, 'iommufds' | 'kvm' | 'groups' | 'containers' | 'files' | 'descriptors'>;

/**
 * States as numbers in which names that the kernel hands out do not matter: two states that differ only in numbers of
 * descriptors, containers, minors and vfioX have the same key, and behave the same up to these numbers. Keys compare only
 * with keys of the same `Keys`: what a key says of a thing is a number given at first sight.
 */
export class Keys {
  private readonly lists = new Lists();
  private readonly texts = new Map<string, number>();
  /** By file: room for who holds it, how many numbers that are, and the number of all. */
  private readonly heldBy: number[][] = [];
  private readonly sizes: number[] = [];
  private readonly holders: number[] = [];
  private readonly modules = new Told<State['modules']>((modules) => this.told(JSON.stringify(modules)));
  private readonly configuration = new Told<State['configuration']>((its) => this.told(JSON.stringify(its)));
  private readonly bus = new Told<State['bus']>((bus) => this.told(JSON.stringify(bus)));
  private readonly devices = new Told<Device>((device) => this.told(deviceKey(device)));
  private readonly iommuGroups = new Told<IommuGroup>((group) => this.told(iommuGroupKey(group)));
  private readonly groups = new Told<VfioGroup>((group) => this.told(groupText(group)));
  private readonly names = new Told<VfioGroup>((group) => this.told(groupName(group)));
  private readonly containers = new Told<Container>((container) => this.told(containerText(container)));
  private readonly files = new Told<OpenFile>((file) => this.told(fileText(file)));

  of(state: State): number {
    return this.lists.number([this.ofMachine(state), this.ofFiles(state)]);
  }

  /** What is true of the machine: modules, taint, nodes, the bus, configuration files, devices and their IOMMU groups. Nothing else is asked. */
  ofMachine(state: State): number {
    const { taint, containerNode, iommuNode, kvmNode } = state;
    const nodes = [containerNode, iommuNode, kvmNode].map(nodeKey);
    const key = [this.told(`${taint} ${nodes.join(' ')}`)];
    key.push(
      this.modules.of(state.modules),
      this.bus.of(state.bus),
      this.configuration.of(state.configuration),
    );
    for (const device of state.devices) key.push(this.devices.of(device));
    for (const group of state.iommuGroups) key.push(this.iommuGroups.of(group));
    return this.lists.number(key);
  }

  /** What is true of groups, containers, iommufds and virtual machines, and of who has them open. Nothing else is asked. */
  ofFiles(state: Opened): number {
    const holders = this.holdersByFile(state);
    const key = [state.iommufds.length > 0 ? this.told(iommufdKeys(state, holders)) : -1];
    const machines: number[] = [];
    for (const machine of state.kvm)
      if (machine !== null) machines.push(this.machineKey(state, machine, holders));
    add(machines, key);
    const groups: number[] = [];
    for (const group of state.groups) if (group !== null) groups.push(this.groupKey(group, holders));
    add(groups, key);
    const containers: number[] = [];
    for (const container of state.containers) {
      if (container !== null) containers.push(this.containerKey(state, container, holders));
    }
    add(containers, key);
    add(this.others(state, holders), key);
    return this.lists.number(key);
  }

  private told(text: string): number {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    this.texts.set(text, this.texts.size);
    return this.texts.size - 1;
  }

  /** For every file, by place: its references, and the processes that have descriptors of it. */
  private holdersByFile(state: Opened): readonly number[] {
    const { holders, heldBy, sizes } = this;
    const count = state.files.length;
    for (let id = 0; id < count; id += 1) {
      heldBy[id] ??= [];
      (heldBy[id] as number[])[0] = state.files[id]?.refs ?? 0;
      sizes[id] = state.files[id] === null ? 0 : 1;
    }
    for (const { pid, files } of byProcess(state.descriptors)) {
      for (const id of files) {
        if (id < 0 || id >= count) continue;
        (heldBy[id] as number[])[sizes[id] as number] = pid;
        sizes[id] = (sizes[id] as number) + 1;
      }
    }
    if (holders.length > count) holders.length = count;
    for (let id = 0; id < count; id += 1)
      holders[id] = this.lists.number(heldBy[id] as number[], sizes[id] as number);
    return holders;
  }

  private groupKey(group: VfioGroup, holders: readonly number[]): number {
    return this.lists.number([this.groups.of(group), holderOf(group.file, holders)]);
  }

  /** A virtual machine: what it holds is what it is beside whose it is. */
  private machineKey(
    state: Opened,
    { pid, file, vfio, device, held }: VirtualMachine,
    holders: readonly number[],
  ): number {
    const key = [pid, vfio ? 1 : 0, holderOf(file, holders), holderOf(device, holders)];
    add(
      held.map((id) => this.fileKey(state, id, holders)),
      key,
    );
    return this.lists.number(key);
  }

  private fileKey(state: Opened, id: number, holders: readonly number[]): number {
    const file = state.files[id];
    if (!file) return -1;
    const group = file.kind === 'group' ? state.groups[file.group] : null;
    const name = group ? this.names.of(group) : -1;
    return this.lists.number([this.files.of(file), name, holders[id] as number]);
  }

  private containerKey(state: Opened, container: Container, holders: readonly number[]): number {
    const key = [this.containers.of(container), holderOf(container.file, holders)];
    for (const minor of container.groups) {
      const group = state.groups[minor];
      key.push(group ? this.names.of(group) : -1);
    }
    return this.lists.number(key);
  }

  /** Files that no container and no group names as its own: those of devices, of other things, and strays of a defect. */
  private others(state: Opened, holders: readonly number[]): number[] {
    const others: number[] = [];
    for (let id = 0; id < state.files.length; id += 1) {
      const file = state.files[id];
      if (!file || isOwn(state, file, id)) continue;
      // A device's key may name an eventfd by its place.
      const place = file.kind === 'eventfd' ? id : -1;
      const group = file.kind === 'group' ? state.groups[file.group] : null;
      const name = group ? this.names.of(group) : -1;
      others.push(this.lists.number([this.files.of(file), place, name, holders[id] as number]));
    }
    return others;
  }
}

/** What was worked out of an entry: a state and the one that a step leads to share most of theirs. */
class Told<T extends object> {
  private readonly known = new WeakMap<T, number>();
  private readonly work: (entry: T) => number;

  constructor(work: (entry: T) => number) {
    this.work = work;
  }

  of(entry: T): number {
    let number = this.known.get(entry);
    if (number === undefined) {
      number = this.work(entry);
      this.known.set(entry, number);
    }
    return number;
  }
}

/** Adds to a key some more, which stand in no order, and how many they are. */
function add(some: number[], key: number[]): void {
  const first = key.push(some.length);
  for (const each of some) {
    // They are few, and soonest sorted as they come.
    let at = key.push(each) - 1;
    for (; at > first && (key[at - 1] as number) > each; at -= 1) key[at] = key[at - 1] as number;
    key[at] = each;
  }
}

function holderOf(file: number | null, holders: readonly number[]): number {
  return file === null ? -1 : (holders[file] ?? -1);
}

function nodeKey(node: Node | null): string {
  return node === null ? '' : `${node.mode} ${node.uid}:${node.gid}`;
}

function groupText(group: VfioGroup): string {
  const { node, containerUsers, cdevOpens } = group;
  return `${groupName(group)},${nodeKey(node)},${containerUsers}${cdevOpens > 0 ? `c${cdevOpens}` : ''}`;
}

function iommuGroupKey({ id, fake, devices, ownerCount, owner, iommufd }: IommuGroup): string {
  const claimed = owner !== null ? 'owned' : iommufd !== null ? 'bound' : '';
  return `${id},${fake},${devices},${ownerCount}${claimed}`;
}

function deviceKey({ present, driver, override, group, vfio, leaving, settings }: Device): string {
  const { resettable, resetMethods, enables, virtualFunctions, probesVirtual } = settings;
  const files = `${resettable},${resetMethods},${enables},${virtualFunctions},${probesVirtual}`;
  const key = `${present},${driver},${override},${group},${files},${vfio && `${vfio.opens}-${vfio.unbound}@${nodeKey(vfio.node)}`}`;
  if (vfio === null) return leaving === null ? key : `${key},${leaving}`;
  const { core, token } = vfio;
  // Asked only of an open device, and worked out anew by the first open.
  const resetWorks = vfio.opens > 0 && vfio.resetWorks;
  return core === null && token === null && leaving === null
    ? `${key},${resetWorks}`
    : `${key},${resetWorks},${token},${core === null ? '' : coreKey(core)},${leaving}`;
}

/** Tables stand in the order in which processes first opened something, which nobody can see. */
export function byProcess(tables: State['descriptors']): State['descriptors'] {
  for (let place = 1; place < tables.length; place += 1) {
    if ((tables[place]?.pid ?? 0) < (tables[place - 1]?.pid ?? 0))
      return [...tables].sort((a, b) => a.pid - b.pid);
  }
  return tables;
}

function containerText({ noiommu, iommu }: Container): string {
  let key = noiommu ? 'n' : 'r';
  if (iommu?.driver !== 'type1') return iommu === null ? key : `${key}:8`;
  key += `:${iommu.type},${iommu.available}${iommu.dirtyTracking ? 'd' : ''}`;
  for (const { iova, size, vaddr, flags, invalid, pid } of iommu.mappings) {
    key += `,${iova}+${size}@${vaddr}^${flags}${invalid ? '!' : ''}${pid}`;
  }
  return key;
}

/** A revoked group may have the name of one that lives. */
function groupName(group: VfioGroup | null | undefined): string {
  return `${group?.iommuGroup ?? `-${group?.name}`}`;
}

/** Whether a container, a group or an iommufd names the file as its own. */
function isOwn(state: Opened, file: OpenFile, id: number): boolean {
  switch (file.kind) {
    case 'container':
      return state.containers[file.container]?.file === id;
    case 'group':
      return state.groups[file.group]?.file === id;
    case 'iommufd':
      return state.iommufds[file.iommufd]?.file === id;
    case 'vm':
      return state.kvm[file.machine]?.file === id;
    case 'kvm-device':
      return state.kvm[file.machine]?.device === id;
    default:
      return false;
  }
}

/** What a file is by itself. */
function fileText(file: OpenFile): string {
  switch (file.kind) {
    case 'device':
      return `${file.device}${file.cdev ? (file.iommufd === null ? 'u' : 'b') : ''}`;
    case 'other':
      return file.path;
    default:
      return file.kind;
  }
}
