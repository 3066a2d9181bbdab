import { coreKey } from './core-device.ts';
import { iommufdKeys } from './iommufd-key.ts';
import type { Container, Device, Node, OpenFile, State, VfioGroup } from './state.ts';

/**
 * States as short texts in which names that the kernel hands out do not matter: two states that differ only in numbers
 * of descriptors, containers, minors and vfioX have the same key, and behave the same up to these numbers. Keys compare
 * only with keys of the same `Keys`: what a key says of an object that states share is a number given at first sight.
 */
export class Keys {
  private readonly numbers = new Map<string, number>();
  private readonly known = new WeakMap<object, number>();

  of(state: State): string {
    return `${this.settings(state)}#${this.devices(state)}#${this.iommuGroups(state)}#${this.files(state)}`;
  }

  private settings({ modules, taint, bus, containerNode, iommuNode }: State): string {
    const parameters = this.known.get(modules) ?? this.number(modules, JSON.stringify(modules));
    const switches = this.known.get(bus) ?? this.number(bus, JSON.stringify(bus));
    return `${parameters} ${taint} ${switches} ${this.node(containerNode)} ${this.node(iommuNode)}`;
  }

  private devices(state: State): string {
    let key = '';
    for (const device of state.devices) {
      key += ` ${this.known.get(device) ?? this.number(device, deviceKey(device))}@${this.node(device.vfio?.node ?? null)}`;
    }
    return key;
  }

  private iommuGroups(state: State): string {
    let key = '';
    for (const group of state.iommuGroups) {
      const { id, fake, devices, ownerCount, owner, iommufd } = group;
      const claimed = owner !== null ? 'owned' : iommufd !== null ? 'bound' : '';
      key += ` ${this.known.get(group) ?? this.number(group, `${id},${fake},${devices},${ownerCount}${claimed}`)}`;
    }
    return key;
  }

  private files(state: State): string {
    const holders = holdersByFile(state);
    const groups: string[] = [];
    for (const group of state.groups) if (group !== null) groups.push(this.group(group, holders));
    const containers: string[] = [];
    for (const container of state.containers) {
      if (container !== null) containers.push(containerKey(state, container, holders));
    }
    const contexts = state.iommufds.length > 0 ? `${iommufdKeys(state, holders)}#` : '';
    return `${contexts}${groups.sort().join('|')}#${containers.sort().join('|')}#${others(state, holders)}`;
  }

  private node(node: Node | null): number | string {
    return node === null
      ? ''
      : (this.known.get(node) ?? this.number(node, `${node.mode} ${node.uid}:${node.gid}`));
  }

  /** The text of an object that states share, as a number; objects with the same text have the same. */
  private number(object: object, name: string): number {
    const number = this.numbers.get(name) ?? this.numbers.size;
    this.numbers.set(name, number);
    this.known.set(object, number);
    return number;
  }

  private group(group: VfioGroup, holders: readonly string[]): string {
    const { node, file, containerUsers, cdevOpens } = group;
    return `${groupName(group)},${this.node(node)},${file === null ? '' : holders[file]},${containerUsers}${cdevOpens > 0 ? `c${cdevOpens}` : ''}`;
  }
}

function deviceKey({ present, driver, override, group, vfio, settings }: Device): string {
  const { resetMethods, enables, virtualFunctions, probesVirtual } = settings;
  const files = `${resetMethods},${enables},${virtualFunctions},${probesVirtual}`;
  const key = `${present},${driver},${override},${group},${files},${vfio && `${vfio.opens}-${vfio.unbound}`}`;
  if (vfio === null) return key;
  const { core, token, resetWorks } = vfio;
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
