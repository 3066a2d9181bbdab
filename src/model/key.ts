import { coreKey } from './core-device.ts';
import { iommufdKeys } from './iommufd-key.ts';
import { Pairs } from './pairs.ts';
import type { Container, Device, Node, OpenFile, State, VfioGroup } from './state.ts';

/**
 * States as numbers in which names that the kernel hands out do not matter: two states that differ only in numbers of
 * descriptors, containers, minors and vfioX have the same key, and behave the same up to these numbers. Keys compare only
 * with keys of the same `Keys`: what a key says of a table is a number given at first sight.
 */
export class Keys {
  private readonly numbers = new Map<string, number>();
  private readonly pairs = new Pairs();

  private readonly modules = new Latest<State['modules']>((modules) => this.told(JSON.stringify(modules)));
  private readonly bus = new Latest<State['bus']>((bus) => this.told(JSON.stringify(bus)));
  private readonly devices = new Latest<State['devices']>((devices) => this.told(devicesKey(devices)));
  private readonly iommuGroups = new Latest<State['iommuGroups']>((all) => this.told(iommuGroupsKey(all)));

  of(state: State): number {
    const { taint, containerNode, iommuNode } = state;
    let key = this.told(`${taint} ${nodeKey(containerNode)} ${nodeKey(iommuNode)}`);
    key = this.pairs.number(key, this.modules.of(state.modules));
    key = this.pairs.number(key, this.bus.of(state.bus));
    key = this.pairs.number(key, this.devices.of(state.devices));
    key = this.pairs.number(key, this.iommuGroups.of(state.iommuGroups));
    return this.pairs.number(key, this.told(filesKey(state)));
  }

  private told(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.numbers.set(text, this.numbers.size);
    return this.numbers.size - 1;
  }
}

/** What was worked out of the last two tables: a state and the one that a step leads to share most of theirs. */
class Latest<T> {
  private readonly compute: (table: T) => number;
  private one: T | null = null;
  private two: T | null = null;
  private ofOne = 0;
  private ofTwo = 0;

  constructor(compute: (table: T) => number) {
    this.compute = compute;
  }

  of(table: T): number {
    if (table === this.one) return this.ofOne;
    const number = table === this.two ? this.ofTwo : this.compute(table);
    // What is asked twice is a state's own table, and stays; what its steps make comes and goes.
    if (table === this.two || this.one === null) {
      [this.two, this.ofTwo] = [this.one, this.ofOne];
      [this.one, this.ofOne] = [table, number];
    } else [this.two, this.ofTwo] = [table, number];
    return number;
  }
}

function devicesKey(devices: State['devices']): string {
  let key = 'devices';
  for (const device of devices) key += ` ${deviceKey(device)}@${nodeKey(device.vfio?.node ?? null)}`;
  return key;
}

function iommuGroupsKey(groups: State['iommuGroups']): string {
  let key = 'groups';
  for (const { id, fake, devices, ownerCount, owner, iommufd } of groups) {
    const claimed = owner !== null ? 'owned' : iommufd !== null ? 'bound' : '';
    key += ` ${id},${fake},${devices},${ownerCount}${claimed}`;
  }
  return key;
}

function filesKey(state: State): string {
  const holders = holdersByFile(state);
  const groups: string[] = [];
  for (const group of state.groups) if (group !== null) groups.push(groupKey(group, holders));
  const containers: string[] = [];
  for (const container of state.containers) {
    if (container !== null) containers.push(containerKey(state, container, holders));
  }
  const contexts = state.iommufds.length > 0 ? `${iommufdKeys(state, holders)}#` : '';
  return `${contexts}${groups.sort().join('|')}#${containers.sort().join('|')}#${others(state, holders)}`;
}

function nodeKey(node: Node | null): string {
  return node === null ? '' : `${node.mode} ${node.uid}:${node.gid}`;
}

function groupKey(group: VfioGroup, holders: readonly string[]): string {
  const { node, file, containerUsers, cdevOpens } = group;
  const bound = cdevOpens > 0 ? `c${cdevOpens}` : '';
  return `${groupName(group)},${nodeKey(node)},${file === null ? '' : holders[file]},${containerUsers}${bound}`;
}

function deviceKey({ present, driver, override, group, vfio, settings }: Device): string {
  const { resetMethods, enables, virtualFunctions, probesVirtual } = settings;
  const files = `${resetMethods},${enables},${virtualFunctions},${probesVirtual}`;
  const key = `${present},${driver},${override},${group},${files},${vfio && `${vfio.opens}-${vfio.unbound}`}`;
  if (vfio === null) return key;
  const { core, token } = vfio;
  // Asked only of an open device, and worked out anew by the first open.
  const resetWorks = vfio.opens > 0 && vfio.resetWorks;
  return core === null && token === null
    ? `${key},${resetWorks}`
    : `${key},${resetWorks},${token},${core === null ? '' : coreKey(core)}`;
}

/** For every file, by place: its references, and the processes that have descriptors of it. */
function holdersByFile(state: State): readonly string[] {
  const holders: string[] = state.files.map((file) => (file === null ? '' : `${file.refs}`));
  for (const { pid, files } of byProcess(state.descriptors)) {
    for (const id of files) if (id !== -1) holders[id] += `/${pid}`;
  }
  for (const { pid, file } of state.kvm) holders[file] += `/kvm${pid}`;
  return holders;
}

/** Tables stand in the order in which processes first opened something, which nobody can see. */
function byProcess(tables: State['descriptors']): State['descriptors'] {
  for (let place = 1; place < tables.length; place += 1) {
    if ((tables[place]?.pid ?? 0) < (tables[place - 1]?.pid ?? 0))
      return [...tables].sort((a, b) => a.pid - b.pid);
  }
  return tables;
}

function containerKey(state: State, container: Container, holders: readonly string[]): string {
  const { file, groups, noiommu, iommu } = container;
  let key = `${file === null ? '' : holders[file]}${noiommu ? 'n' : 'r'}`;
  for (const minor of groups) key += `,${groupName(state.groups[minor])}`;
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

/** Files that no container and no group names as its own: those of devices, of other things, and strays of a defect. */
function others(state: State, holders: readonly string[]): string {
  const names: string[] = [];
  for (let id = 0; id < state.files.length; id += 1) {
    const file = state.files[id];
    const name = file ? otherName(state, file, id) : null;
    if (name !== null) names.push(`${name}:${holders[id]}`);
  }
  return names.sort().join();
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
