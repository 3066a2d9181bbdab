import { isUnknown, type Snapshot } from '../machine/snapshot.ts';
import { attachedAtBoot } from './binding.ts';
import { type FactReader, isFake, textsOf } from './facts.ts';
import { loadOrder } from './modules.ts';
import { changeNode, nodeAt } from './nodes.ts';
import { replace } from './places.ts';
import type { Device, IommuGroup, State, World } from './state.ts';

/** The state that a snapshot shows: what is loaded, bound and owned at the moment it was taken. */
export function bootState(world: World, snapshot: Snapshot, reader: FactReader): State {
  const taint = reader.read('/kernel/taint', snapshot.kernel.taint, 0, '0');
  const empty: State = {
    modules: modulesAtBoot(world, snapshot),
    taint,
    devices: devicesAtBoot(world, snapshot, reader),
    iommuGroups: groupsAtBoot(world, snapshot),
    groups: [],
    containers: [],
    containerNode: null,
    files: [],
    descriptors: Array.from(world.processes.keys(), (pid) => ({ pid, files: [] })),
    locked: [],
  };
  const loaded = world.vfioModule !== -1 && empty.modules[world.vfioModule] !== null;
  const there = loaded || world.staticContainerNode;
  let state: State = { ...empty, containerNode: there ? { uid: 0, gid: 0, mode: 0o666 } : null };
  const byAddress = new Map(snapshot.functions.map((pci) => [pci.address, pci]));
  for (const hardware of world.hardware) {
    const pci = byAddress.get(hardware.address);
    const name = pci === undefined || isUnknown(pci.driver) ? null : pci.driver;
    const driver = name === null ? undefined : world.drivers.get(name);
    if (pci === undefined || driver === undefined) continue;
    const fake = isFake(snapshot, pci) && typeof pci.iommuGroup === 'number' ? pci.iommuGroup : null;
    state = attachedAtBoot(world, state, hardware, driver, fake);
  }
  for (const { path, uid, gid, mode } of isUnknown(snapshot.nodes) ? [] : snapshot.nodes) {
    const place = nodeAt(state, path);
    if (place !== null) state = changeNode(state, place, { uid, gid, mode });
  }
  return { ...state, taint };
}

/** Modules that the snapshot shows and those built in; where it shows none, those that the bound drivers need. */
function modulesAtBoot(world: World, snapshot: Snapshot): State['modules'] {
  if (!isUnknown(snapshot.modules)) {
    const here = snapshot.modules;
    return Array.from(world.modules.values(), ({ name, builtIn, parameters }) => {
      if (!Object.hasOwn(here, name)) return builtIn ? parameters : null;
      return { ...parameters, ...textsOf(here[name]?.parameters) };
    });
  }
  let modules: State['modules'] = Array.from(world.modules.values(), (module) =>
    module.builtIn ? module.parameters : null,
  );
  for (const pci of snapshot.functions) {
    const driver = isUnknown(pci.driver) || pci.driver === null ? undefined : world.drivers.get(pci.driver);
    for (const module of loadOrder(world, { modules }, driver?.module ?? '')) {
      modules = replace(modules, module.index, module.parameters);
    }
  }
  return modules;
}

function devicesAtBoot(world: World, snapshot: Snapshot, reader: FactReader): readonly Device[] {
  const byAddress = new Map(snapshot.functions.map((pci) => [pci.address, pci]));
  return world.hardware.map(({ address, group }) => {
    const pci = byAddress.get(address);
    const override =
      pci === undefined
        ? null
        : reader.read<string | null>(
            `/functions/${address}/driverOverride`,
            pci.driverOverride,
            null,
            'none',
          );
    return { driver: null, override, group, vfio: null };
  });
}

function groupsAtBoot(world: World, snapshot: Snapshot): readonly IommuGroup[] {
  const types = new Map<number, string>();
  for (const { id, type } of isUnknown(snapshot.iommu.groups) ? [] : snapshot.iommu.groups) {
    if (!isUnknown(type)) types.set(id, type);
  }
  const members = new Map<number, number[]>();
  for (const { index, group } of world.hardware) {
    if (group === null) continue;
    const devices = members.get(group);
    if (devices === undefined) members.set(group, [index]);
    else devices.push(index);
  }
  return [...members]
    .sort(([a], [b]) => a - b)
    .map(([id, devices]) => ({
      id,
      name: null,
      type: types.get(id) ?? 'DMA',
      fake: false,
      devices,
      ownerCount: 0,
      owner: null,
    }));
}
