import type { Iommufd, IommufdObject } from './iommufd-state.ts';
import { Keys } from './key.ts';
import type { Container, Device, IommuGroup, OpenFile, Process, State, VfioGroup, World } from './state.ts';

/**
 * Worlds hold things that are alike: devices of one kind in groups of one kind, processes with the same rights. States
 * that differ only in which of them is which behave alike, so of each such class an exploration needs one.
 */
export interface Renaming {
  /** By `Hardware.index`: whose place a device takes. */
  readonly devices: readonly number[];
  /** Ids of real IOMMU groups. */
  readonly groups: ReadonlyMap<number, number>;
  readonly pids: ReadonlyMap<number, number>;
}

/**
 * Every renaming but the one that changes nothing under which world and initial state stay as they are. Only `pids`
 * change places: who asks says which processes its alphabet treats alike.
 */
export function symmetriesOf(world: World, initial: State, pids: readonly number[]): readonly Renaming[] {
  const keys = new Keys();
  const first = keys.of(initial);
  const found: Renaming[] = [];
  for (const devices of permutations(world.hardware.map(({ index }) => index))) {
    const groups = groupsUnder(world, devices);
    if (groups === null) continue;
    for (const others of permutations(pids)) {
      const renaming = {
        devices,
        groups,
        pids: new Map(pids.map((pid, place) => [pid, others[place] ?? pid])),
      };
      const same =
        devices.every((to, from) => to === from) && others.every((pid, place) => pid === pids[place]);
      if (same || !pids.every((pid) => alikeProcesses(world, pid, renaming.pids.get(pid)))) continue;
      if (keys.of(renamed(initial, renaming)) === first) found.push(renaming);
    }
  }
  return found;
}

/** Where the groups go when the devices go there; null when devices or groups are not alike. */
function groupsUnder(world: World, devices: readonly number[]): ReadonlyMap<number, number> | null {
  const groups = new Map<number, number>();
  for (const from of world.hardware) {
    const to = world.hardware[devices[from.index] ?? -1];
    if (to === undefined || textOf(from) !== textOf(to) || (from.group === null) !== (to.group === null))
      return null;
    if (from.group === null || to.group === null) continue;
    if ((groups.get(from.group) ?? to.group) !== to.group) return null;
    groups.set(from.group, to.group);
  }
  const kept = [...groups].every(([from, to]) => {
    const [here, there] = [world.reserved.get(from) ?? [], world.reserved.get(to) ?? []];
    return (
      here.length === there.length &&
      here.every(({ start, end }, place) => there[place]?.start === start && there[place].end === end)
    );
  });
  return kept && new Set(groups.values()).size === groups.size ? groups : null;
}

/** What a device is but for its place. A virtual function belongs to one physical function, so it is like no other. */
function textOf({ index, address, group, physicalFunction, ...kind }: World['hardware'][number]): string {
  const place = physicalFunction === null ? null : [index, address, group];
  return JSON.stringify([kind, place], (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
}

function alikeProcesses(world: World, from: number, to: number | undefined): boolean {
  const rights = (process: Process | undefined) =>
    process && JSON.stringify({ ...process, pid: 0, capabilities: [...process.capabilities].sort() });
  return rights(world.processes.get(from)) === rights(world.processes.get(to ?? -1));
}

/** The state in which everything is called by its other name. Numbers that the kernel hands out stay. */
export function renamed(state: State, renaming: Renaming): State {
  const pid = (old: number) => renaming.pids.get(old) ?? old;
  return {
    ...state,
    devices: moved(state.devices, renaming, pid),
    bus: busOf(state.bus, renaming, pid),
    iommuGroups: state.iommuGroups.map((group) => iommuGroup(group, renaming)).sort((a, b) => a.id - b.id),
    groups: state.groups.map((group) => group && vfioGroup(group, renaming)),
    containers: state.containers.map((container) => container && containerOf(container, pid)),
    iommufds: state.iommufds.map((context) => context && contextOf(context, renaming, pid)),
    files: state.files.map((file) => file && fileOf(file, renaming)),
    descriptors: state.descriptors.map((table) => ({ ...table, pid: pid(table.pid) })),
    locked: state.locked.map((charge) => ({ ...charge, pid: pid(charge.pid) })),
    kvm: state.kvm.map((machine) => machine && { ...machine, pid: pid(machine.pid) }),
  };
}

function moved(
  devices: State['devices'],
  renaming: Renaming,
  pid: (old: number) => number,
): State['devices'] {
  const places: Device[] = [];
  devices.forEach((device, index) => {
    const leaving = device.leaving === null ? null : pid(device.leaving);
    places[renaming.devices[index] ?? index] = {
      ...device,
      group: groupId(device.group, renaming),
      leaving,
    };
  });
  return places;
}

function busOf(bus: State['bus'], { devices }: Renaming, pid: (old: number) => number): State['bus'] {
  const place = (old: number) => devices[old] ?? old;
  return {
    ...bus,
    arrived: bus.arrived.map(place),
    bound: bus.bound.map(place),
    unbinding: bus.unbinding.map(place),
    removing: bus.removing.map((its) => ({ ...its, device: place(its.device), pid: pid(its.pid) })),
    unloading: bus.unloading.map((its) => ({ ...its, pid: pid(its.pid) })),
  };
}

function groupId<T extends number | null>(id: T, { groups }: Renaming): T | number {
  return id === null ? id : (groups.get(id) ?? id);
}

function iommuGroup(group: IommuGroup, renaming: Renaming): IommuGroup {
  const devices = group.devices.map((index) => renaming.devices[index] ?? index).sort((a, b) => a - b);
  return { ...group, id: group.fake ? group.id : groupId(group.id, renaming), devices };
}

function vfioGroup(group: VfioGroup, renaming: Renaming): VfioGroup {
  const id = groupId(Number(group.name), renaming);
  return {
    ...group,
    name: group.noiommu ? group.name : `${id}`,
    iommuGroup: group.noiommu ? group.iommuGroup : groupId(group.iommuGroup, renaming),
    devices: group.devices.map((index) => renaming.devices[index] ?? index),
  };
}

function containerOf(container: Container, pid: (old: number) => number): Container {
  const { iommu } = container;
  if (iommu?.driver !== 'type1') return container;
  const mappings = iommu.mappings.map((mapping) => ({ ...mapping, pid: pid(mapping.pid) }));
  return { ...container, iommu: { ...iommu, mappings } };
}

function contextOf(context: Iommufd, renaming: Renaming, pid: (old: number) => number): Iommufd {
  const objectOf = (object: IommufdObject): IommufdObject => {
    if (object.kind === 'device')
      return { ...object, device: renaming.devices[object.device] ?? object.device };
    if (object.kind !== 'ioas') return object;
    const areas = object.areas.map((area) => ({
      ...area,
      pages: { ...area.pages, pid: pid(area.pages.pid) },
    }));
    return { ...object, areas };
  };
  return { ...context, objects: context.objects.map((object) => object && objectOf(object)) };
}

function fileOf(file: OpenFile, renaming: Renaming): OpenFile {
  return file.kind === 'device' ? { ...file, device: renaming.devices[file.device] ?? file.device } : file;
}

/** Every order of a few items. */
function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, place) =>
    permutations(items.filter((_, other) => other !== place)).map((rest) => [item, ...rest]),
  );
}
