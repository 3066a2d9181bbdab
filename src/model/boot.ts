import { parentOf, usualDirectories } from '../machine/configuration.ts';
import { isUnknown, type PciFunction, type Snapshot } from '../machine/snapshot.ts';
import { fakeGroup, freshVfio, isNoiommu, newGroup } from './binding.ts';
import { type FactReader, isFake, textsOf } from './facts.ts';
import { loaded, loadOrder } from './modules.ts';
import { cdevPath, freshIommuNode, kvmPath } from './nodes.ts';
import { replace } from './places.ts';
import { absentDevice, freshSettings } from './presence.ts';
import type { Device, Driver, Hardware, IommuGroup, Node, State, VfioGroup, World } from './state.ts';

/** The state that a snapshot shows: what is loaded, bound and owned at the moment it was taken. */
export function bootState(
  world: World,
  snapshot: Snapshot,
  reader: FactReader,
  absent: ReadonlySet<string>,
): State {
  const taint = reader.read('/kernel/taint', snapshot.kernel.taint, 0, '0');
  const modules = modulesAtBoot(world, snapshot);
  const nodes = new Map<string, Node>();
  for (const { path, uid, gid, mode } of isUnknown(snapshot.nodes) ? [] : snapshot.nodes) {
    nodes.set(path, { uid, gid, mode });
  }
  const vfio = loaded(world, { modules }, 'vfio') !== null;
  const bound = functionsOf(world, snapshot).flatMap(([{ index }, pci]) =>
    (driverAtBoot(world, pci)?.module ?? null) === null ? [] : [index],
  );
  const node = nodes.get('/dev/vfio/vfio') ?? { uid: 0, gid: 0, mode: 0o666 };
  return {
    modules,
    taint,
    bus: {
      autoprobe: true,
      ids: [],
      registered: [],
      arrived: [],
      bound,
      unbinding: [],
      removing: [],
      unloading: [],
    },
    ...registeredAtBoot(world, snapshot, nodes, {
      devices: devicesAtBoot(world, snapshot, reader, absent),
      iommuGroups: groupsAtBoot(world, snapshot),
    }),
    containers: [],
    containerNode: vfio || world.staticContainerNode ? node : null,
    iommufds: [],
    iommuNode:
      loaded(world, { modules }, 'iommufd') === null ? null : (nodes.get('/dev/iommu') ?? freshIommuNode),
    files: [],
    descriptors: Array.from(world.processes.keys(), (pid) => ({ pid, files: [] })),
    locked: [],
    kvmNode: nodes.get(kvmPath) ?? null,
    kvm: [],
    configuration: configurationAtBoot(snapshot),
  };
}

/**
 * Where the snapshot does not tell, the directories are there that a distribution brings, none of them empty, and no file of
 * ours. A file whose text is not known counts as an entry: who would change it has to know it.
 */
function configurationAtBoot({ configuration }: Snapshot): State['configuration'] {
  if (configuration === undefined || isUnknown(configuration)) {
    return { directories: Object.fromEntries(usualDirectories.map((path) => [path, true])), files: {} };
  }
  const { directories, files } = configuration;
  const dark = new Set(files.flatMap(({ path, text }) => (isUnknown(text) ? [parentOf(path)] : [])));
  return {
    directories: Object.fromEntries(
      directories.map(({ path, others }) => [path, others || dark.has(path)] as const),
    ),
    files: Object.fromEntries(
      files.flatMap(({ path, text }) => (isUnknown(text) ? [] : [[path, text] as const])),
    ),
  };
}

/** The devices that VFIO has, with their groups: at once, since a machine may have thousands. */
function registeredAtBoot(
  world: World,
  snapshot: Snapshot,
  nodes: ReadonlyMap<string, Node>,
  bound: Pick<State, 'devices' | 'iommuGroups'>,
): Pick<State, 'devices' | 'iommuGroups' | 'groups'> {
  const devices = [...bound.devices];
  const iommuGroups = [...bound.iommuGroups];
  const members = new Map<number, { readonly group: VfioGroup; readonly devices: number[] }>();
  const numbers = numbersAtBoot(snapshot);
  let count = 0;
  for (const [hardware, pci] of functionsOf(world, snapshot)) {
    const device = devices[hardware.index];
    const fake = isFake(snapshot, pci) && typeof pci.iommuGroup === 'number';
    const id = fake ? Number(pci.iommuGroup) : hardware.group;
    if (device === undefined || id === null || driverAtBoot(world, pci)?.vfio !== true) continue;
    if (fake) iommuGroups.push(fakeGroup(id, hardware.index));
    const fresh = newGroup(members.size, id, isNoiommu(world, fake));
    const node = nodes.get(`/dev/vfio/${fresh.name}`) ?? fresh.node;
    const entry = members.get(id) ?? { group: { ...fresh, node }, devices: [] };
    members.set(id, entry);
    entry.devices.unshift(hardware.index);
    const index = numbers?.get(pci.address) ?? count;
    const vfio = freshVfio(world, index, entry.group);
    const cdev = vfio.node && (nodes.get(cdevPath(vfio)) ?? vfio.node);
    devices[hardware.index] = { ...device, group: id, vfio: { ...vfio, node: cdev } };
    count += 1;
  }
  const groups = Array.from(members.values(), ({ group, devices: inIt }) => ({ ...group, devices: inIt }));
  return { devices, iommuGroups: iommuGroups.sort((a, b) => a.id - b.id), groups };
}

/** X of vfioX by function, where the snapshot tells it; otherwise they are counted. */
function numbersAtBoot({ vfioDevices }: Snapshot): ReadonlyMap<string | null, number> | null {
  if (vfioDevices === undefined || isUnknown(vfioDevices)) return null;
  return new Map(vfioDevices.map(({ index, function: address }) => [address, index]));
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
    for (const module of loadOrder(world, { modules }, driverAtBoot(world, pci)?.module ?? '')) {
      modules = replace(modules, module.index, module.parameters);
    }
  }
  return modules;
}

/** VFIO's devices are registered afterwards, since each may make a group. */
function devicesAtBoot(
  world: World,
  snapshot: Snapshot,
  reader: FactReader,
  absent: ReadonlySet<string>,
): readonly Device[] {
  return functionsOf(world, snapshot).map(([hardware, pci]) => {
    const { address, group } = hardware;
    if (absent.has(address)) return absentDevice(hardware);
    const fact = `/functions/${address}/driverOverride`;
    const override = reader.read<string | null>(fact, pci.driverOverride, null, 'none');
    const virtualFunctions = isUnknown(pci.sriov) ? 0 : (pci.sriov?.numVfs ?? 0);
    const probesVirtual = isUnknown(pci.sriov) || (pci.sriov?.driversAutoprobe ?? true);
    const settings = { ...freshSettings(hardware), virtualFunctions, probesVirtual };
    return {
      present: true,
      driver: driverAtBoot(world, pci)?.name ?? null,
      override,
      group,
      vfio: null,
      leaving: null,
      settings,
    };
  });
}

function groupsAtBoot(world: World, snapshot: Snapshot): readonly IommuGroup[] {
  const types = new Map<number, string>();
  for (const { id, type } of isUnknown(snapshot.iommu.groups) ? [] : snapshot.iommu.groups) {
    if (!isUnknown(type)) types.set(id, type);
  }
  const members = new Map<number, number[]>();
  const owners = new Map<number, number>();
  for (const [{ index, group }, pci] of functionsOf(world, snapshot)) {
    if (group === null || group < 0) continue;
    if (driverAtBoot(world, pci)?.managesDma === false) owners.set(group, (owners.get(group) ?? 0) + 1);
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
      ownerCount: owners.get(id) ?? 0,
      owner: null,
      iommufd: null,
    }));
}

function driverAtBoot(world: World, pci: PciFunction): Driver | undefined {
  return isUnknown(pci.driver) || pci.driver === null ? undefined : world.drivers.get(pci.driver);
}

/** The world's devices, each with what the snapshot says of it. */
function functionsOf(world: World, snapshot: Snapshot): readonly (readonly [Hardware, PciFunction])[] {
  const byAddress = new Map(snapshot.functions.map((pci) => [pci.address, pci]));
  return world.hardware.flatMap((hardware) => {
    const pci = byAddress.get(hardware.address);
    return pci === undefined ? [] : [[hardware, pci] as const];
  });
}
