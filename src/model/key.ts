import { coreKey } from './core-device.ts';
import { iommufdKeys } from './iommufd-key.ts';
import { Pairs } from './pairs.ts';
import type { Container, Device, IommuGroup, Node, OpenFile, State, VfioGroup } from './state.ts';

/**
 * States as numbers in which names that the kernel hands out do not matter: two states that differ only in numbers of
 * descriptors, containers, minors and vfioX have the same key, and behave the same up to these numbers. Keys compare only
 * with keys of the same `Keys`: what a key says of a thing is a number given at first sight.
 */
export class Keys {
  private readonly pairs = new Pairs();
  private readonly texts = new Map<string, number>();
  private readonly entries = new WeakMap<object, number>();

  of(state: State): number {
    return this.pairs.number(this.ofMachine(state), this.ofFiles(state));
  }

  /** What is true of the machine: modules, taint, nodes, the bus, devices and their IOMMU groups. Nothing else is asked. */
  ofMachine(state: State): number {
    const { taint, containerNode, iommuNode, modules, bus, devices, iommuGroups } = state;
    let key = this.told(`${taint} ${nodeKey(containerNode)} ${nodeKey(iommuNode)}`);
    key = this.pairs.number(key, this.entry(modules, JSON.stringify));
    key = this.pairs.number(key, this.entry(bus, JSON.stringify));
    for (const device of devices) key = this.pairs.number(key, this.entry(device, deviceKey));
    for (const group of iommuGroups) key = this.pairs.number(key, this.entry(group, iommuGroupKey));
    return key;
  }

  /** What is true of groups, containers and iommufds, and of who has them open. Nothing else is asked. */
  ofFiles(state: State): number {
    const holders = this.holdersByFile(state);
    let key = this.told(state.iommufds.length > 0 ? iommufdKeys(state, holders) : '');
    const groups: number[] = [];
    for (const group of state.groups) if (group !== null) groups.push(this.groupKey(group, holders));
    key = this.all(key, groups);
    const containers: number[] = [];
    for (const container of state.containers) {
      if (container !== null) containers.push(this.containerKey(state, container, holders));
    }
    return this.all(this.all(key, containers), this.others(state, holders));
  }

  private told(text: string): number {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    // As the second of a pair with nothing, so that no other pair has the number.
    const number = this.pairs.number(-1, this.texts.size);
    this.texts.set(text, number);
    return number;
  }

  /** What a text says of an entry of the state, which the states share that it did not change in. */
  private entry<T extends object>(entry: T, textOf: (entry: T) => string): number {
    const known = this.entries.get(entry);
    if (known !== undefined) return known;
    const number = this.told(textOf(entry));
    this.entries.set(entry, number);
    return number;
  }

  /** A key with some more, in whatever order these are. */
  private all(key: number, some: number[]): number {
    let all = this.pairs.number(key, -1 - some.length);
    if (some.length > 1) some.sort((a, b) => a - b);
    for (const each of some) all = this.pairs.number(all, each);
    return all;
  }

  /** For every file, by place: its references, and the processes that have descriptors of it. */
  private holdersByFile(state: State): readonly number[] {
    const holders: number[] = [];
    for (const file of state.files) holders.push(file === null ? -1 : this.pairs.number(-2, file.refs));
    for (const { pid, files } of byProcess(state.descriptors)) {
      for (const id of files) if (id !== -1) holders[id] = this.pairs.number(holders[id] ?? -1, pid);
    }
    for (const { pid, file } of state.kvm) holders[file] = this.pairs.number(holders[file] ?? -1, -2 - pid);
    return holders;
  }

  private groupKey(group: VfioGroup, holders: readonly number[]): number {
    const key = this.entry(group, groupText);
    return this.pairs.number(key, group.file === null ? -1 : (holders[group.file] ?? -1));
  }

  private containerKey(state: State, container: Container, holders: readonly number[]): number {
    let key = this.pairs.number(
      this.entry(container, containerText),
      container.file === null ? -1 : (holders[container.file] ?? -1),
    );
    for (const minor of container.groups)
      key = this.pairs.number(key, this.told(groupName(state.groups[minor])));
    return key;
  }

  /** Files that no container and no group names as its own: those of devices, of other things, and strays of a defect. */
  private others(state: State, holders: readonly number[]): number[] {
    const others: number[] = [];
    for (let id = 0; id < state.files.length; id += 1) {
      const file = state.files[id];
      const name = file ? otherName(state, file, id) : null;
      if (name !== null) others.push(this.pairs.number(this.told(name), holders[id] ?? -1));
    }
    return others;
  }
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

function deviceKey({ present, driver, override, group, vfio, settings }: Device): string {
  const { resetMethods, enables, virtualFunctions, probesVirtual } = settings;
  const files = `${resetMethods},${enables},${virtualFunctions},${probesVirtual}`;
  const key = `${present},${driver},${override},${group},${files},${vfio && `${vfio.opens}-${vfio.unbound}@${nodeKey(vfio.node)}`}`;
  if (vfio === null) return key;
  const { core, token } = vfio;
  // Asked only of an open device, and worked out anew by the first open.
  const resetWorks = vfio.opens > 0 && vfio.resetWorks;
  return core === null && token === null
    ? `${key},${resetWorks}`
    : `${key},${resetWorks},${token},${core === null ? '' : coreKey(core)}`;
}

/** Tables stand in the order in which processes first opened something, which nobody can see. */
function byProcess(tables: State['descriptors']): State['descriptors'] {
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

function otherName(state: State, file: OpenFile, id: number): string | null {
  switch (file.kind) {
    case 'device':
      return file.cdev ? `${file.device}${file.iommufd === null ? 'u' : 'b'}` : `${file.device}`;
    case 'eventfd':
      // By place, because a device's key may name it by that.
      return `eventfd ${id}`;
    case 'other':
      return file.path;
    case 'group':
      return state.groups[file.group]?.file === id ? null : `stray ${groupName(state.groups[file.group])}`;
    case 'iommufd':
      return state.iommufds[file.iommufd]?.file === id ? null : 'stray iommufd';
    case 'container':
      return state.containers[file.container]?.file === id ? null : 'stray container';
  }
}
