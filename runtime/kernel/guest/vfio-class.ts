/** /sys/kernel/iommu_groups, /sys/class/vfio, /sys/class/iommu and /dev/vfio: what VFIO and the IOMMU show of themselves. */
import { isUnknown, type Snapshot } from '../../../src/machine/snapshot.ts';
import { isListed } from '../../../src/model/leaving.ts';
import { nodeAt } from '../../../src/model/nodes.ts';
import { originOf } from '../../../src/model/origin.ts';
import type { IommuGroup, Node as Owned, VfioGroup } from '../../../src/model/state.ts';
import { collection, directory, kept, link, shows, takes } from './build.ts';
import { registersOf, unitNamed } from './iommu-units.ts';
import type { Machine } from './machine.ts';
import type { DeviceNode, Directory, Node } from './node.ts';
import type { PciBus } from './pci-bus.ts';

type Listed = Exclude<Snapshot['iommu']['groups'], { readonly unknown: string }>[number];

export function iommuGroups(machine: Machine, bus: PciBus): Directory {
  return collection(
    () => machine.state.iommuGroups.map(({ id }) => `${id}`),
    (name) => {
      const group = machine.state.iommuGroups.find(({ id }) => `${id}` === name);
      return group && iommuGroup(machine, bus, group);
    },
  );
}

/** drivers/iommu/iommu.c: `name` exists only where one was given, and a made-up group has no reserved regions. */
function iommuGroup(machine: Machine, bus: PciBus, group: IommuGroup): Directory {
  const here = `/sys/kernel/iommu_groups/${group.id}/devices`;
  const addresses = group.devices.flatMap((index) => machine.world.hardware[index]?.address ?? []);
  const listed = isUnknown(machine.snapshot.iommu.groups) ? [] : machine.snapshot.iommu.groups;
  const origin = group.fake ? null : originOf(machine.world, group);
  const known = listed.find(({ id }) => id === origin);
  return directory({
    devices: collection(
      () => addresses,
      (address) => {
        const path = addresses.includes(address) ? bus.pathOf(address) : undefined;
        return path === undefined ? undefined : link(here, path);
      },
    ),
    // A type that the snapshot does not tell is not told here either.
    type:
      !group.fake && (known === undefined ? (origin ?? 0) >= 0 : isUnknown(known.type))
        ? undefined
        : groupType(machine, group),
    name: shows(group.name ?? undefined),
    reserved_regions: reservedRegions(group.fake ? [] : known?.reserved),
  });
}

/** Written since 5.11, which the kernels that walk a group at every use have not seen. */
function groupType(machine: Machine, { id, type }: IommuGroup): Node | undefined {
  if (machine.world.profile.viability === 'walk') return shows(type);
  return takes(
    0o644,
    (text, pid) => machine.value({ op: 'iommu_group.type', pid, group: id, text }),
    () => `${machine.state.iommuGroups.find((its) => its.id === id)?.type ?? type}\n`,
  );
}

function reservedRegions(regions: Listed['reserved'] | undefined): Node | undefined {
  if (regions === undefined || isUnknown(regions)) return undefined;
  const wide = (hex: string) => `0x${hex.slice(2).padStart(16, '0')}`;
  const text = regions.map(({ start, end, type }) => `${wide(start)} ${wide(end)} ${type}\n`).join('');
  return { kind: 'attribute', mode: 0o444, size: 4096, read: () => text };
}

/** /sys/class. */
export function classes(machine: Machine, bus: PciBus): Directory {
  const { units } = machine.snapshot.iommu;
  const groups = groupDirectories(machine);
  return directory({
    vfio: collection(
      groups.names,
      (name) => groups.lookup(name) && link('/sys/class/vfio', `/sys/devices/virtual/vfio/${name}`),
    ),
    'vfio-dev': () => vfioDevices(machine, bus),
    iommu: isUnknown(units) ? undefined : iommuUnits(machine.snapshot, units),
  });
}

/** Units with the registers that say what they can do, as drivers/iommu/intel/iommu.c shows them. */
function iommuUnits(snapshot: Snapshot, names: readonly string[]): Directory {
  return directory(
    Object.fromEntries(
      names.map((name) => {
        const unit = unitNamed(snapshot, name);
        if (name.startsWith('ivhd')) return [name, directory({ 'amd-iommu': empty })];
        const registers = unit === undefined ? null : registersOf(unit);
        if (registers === null) return [name, empty];
        const files = {
          cap: shows(registers.cap.toString(16)),
          ecap: shows(registers.ecap.toString(16)),
        };
        return [name, directory({ 'intel-iommu': directory(files) })];
      }),
    ),
  );
}

/** /sys/class/vfio-dev, there while module vfio is (drivers/vfio/vfio_main.c:vfio_init). */
function vfioDevices({ world, state }: Machine, bus: PciBus): Directory | undefined {
  if (!world.profile.vfioDev || (state.modules[world.vfioModule] ?? null) === null) return undefined;
  const numbered = (name: string) =>
    state.devices.findIndex((device) => device.vfio?.name === name && isListed(world, device));
  return collection(
    () =>
      state.devices.flatMap((device) => (isListed(world, device) && device.vfio ? [device.vfio.name] : [])),
    (name) => {
      const address = world.hardware[numbered(name)]?.address;
      const path = address === undefined ? undefined : bus.pathOf(address);
      return path === undefined ? undefined : link('/sys/class/vfio-dev', `${path}/vfio-dev/${name}`);
    },
  );
}

/** /sys/devices/virtual: VFIO's groups are devices without a parent. */
export function virtualDevices(machine: Machine): Directory {
  return directory({ vfio: groupDirectories(machine) });
}

/** /dev/vfio; not there before VFIO is. */
export function vfioNodes(machine: Machine): () => Directory | undefined {
  const cdevs = collection(
    () => cdevNames(machine),
    (name) => character(nodeAt(machine.state, `/dev/vfio/devices/${name}`)?.node),
  );
  const nodes = kept(
    collection(
      () => [
        ...(machine.state.containerNode === null ? [] : ['vfio']),
        ...groupNames(machine),
        ...(cdevNames(machine).length === 0 ? [] : ['devices']),
      ],
      (name) => {
        if (name === 'devices') return cdevNames(machine).length === 0 ? undefined : cdevs;
        return character(name === 'vfio' ? machine.state.containerNode : groupNamed(machine, name)?.node);
      },
    ),
  );
  const there = () => nodes.names().length > 0;
  return () => (there() ? nodes : undefined);
}

/** Names of device cdevs. */
function cdevNames({ state }: Machine): readonly string[] {
  return state.devices.flatMap(({ vfio }) => (vfio?.node ? [vfio.name] : []));
}

/** /dev/iommu; there while iommufd is. */
export function iommuNode(machine: Machine): () => DeviceNode | undefined {
  return () => character(machine.state.iommuNode);
}

/** /dev/kvm, where the snapshot tells of it. */
export function kvmNode(machine: Machine): () => DeviceNode | undefined {
  return () => character(machine.state.kvmNode);
}

const empty = directory({});

function groupDirectories(machine: Machine): Directory {
  return collection(
    () => groupNames(machine),
    (name) => groupNamed(machine, name) && empty,
  );
}

function groupNames(machine: Machine): readonly string[] {
  return machine.state.groups.flatMap((group) => (group === null || group.node === null ? [] : [group.name]));
}

/** A group that has its node: one that was revoked has none. */
function groupNamed(machine: Machine, name: string): VfioGroup | undefined {
  const { groups } = machine.state;
  for (let minor = 0; minor < groups.length; minor += 1) {
    const group = groups[minor];
    if (group?.name === name && group.node !== null) return group;
  }
  return undefined;
}

function character(node: Owned | null | undefined): DeviceNode | undefined {
  if (node === null || node === undefined) return undefined;
  return { kind: 'character', driver: 'vfio', uid: node.uid, gid: node.gid, mode: node.mode };
}
