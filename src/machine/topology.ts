import type { Address, Fact, PciFunction, Snapshot } from './snapshot.ts';
import { isUnknown } from './snapshot.ts';

/**
 * What a snapshot says by being put in order: functions by address, groups by number, bridges above, virtual functions
 * below. What a function holds for the host is in `holdings.ts`. Each snapshot is indexed once, in linear time.
 */
export interface Topology {
  readonly functions: ReadonlyMap<Address, PciFunction>;
  /** Members of each IOMMU group, bridges included, in the order of the snapshot. */
  readonly groups: ReadonlyMap<number, readonly PciFunction[]>;
  /** Virtual functions by the address of their physical function. */
  readonly virtualFunctions: ReadonlyMap<Address, readonly PciFunction[]>;
  /** Functions by their slot path, joined by `/`. */
  readonly slots: ReadonlyMap<string, PciFunction>;
  /** The first function of which the group is not known; then no group is known to be complete. */
  readonly withoutKnownGroup: PciFunction | undefined;
}

const topologies = new WeakMap<Snapshot, Topology>();

export function topologyOf(snapshot: Snapshot): Topology {
  let topology = topologies.get(snapshot);
  if (topology === undefined) {
    topology = indexed(snapshot);
    topologies.set(snapshot, topology);
  }
  return topology;
}

/** Every other member of the function's IOMMU group, bridges included; none when it has no group. */
export function siblingsOf(snapshot: Snapshot, pci: PciFunction): Fact<readonly PciFunction[]> {
  const { groups, withoutKnownGroup } = topologyOf(snapshot);
  const group = pci.iommuGroup;
  if (group === null) return [];
  if (isUnknown(group)) return group;
  if (withoutKnownGroup !== undefined && isUnknown(withoutKnownGroup.iommuGroup)) {
    const { unknown } = withoutKnownGroup.iommuGroup;
    return { unknown: `the group of ${withoutKnownGroup.address} is not known: ${unknown}` };
  }
  return (groups.get(group) ?? []).filter((member) => member !== pci);
}

/**
 * Whether it can be bound to a VFIO driver at all: vfio-pci refuses anything but header type 0
 * (drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_register_device: `pdev->hdr_type != PCI_HEADER_TYPE_NORMAL`).
 * A function whose header type is not known is judged by its class.
 */
export function isEndpoint(pci: PciFunction): boolean {
  return isUnknown(pci.headerType) ? !pci.class.startsWith('0604') : pci.headerType === 0;
}

/** The bridges between the root bus and the function, nearest to the root first. */
export function bridgesAbove(snapshot: Snapshot, pci: PciFunction): Fact<readonly PciFunction[]> {
  const { slots } = topologyOf(snapshot);
  const { slot } = pci;
  if (isUnknown(slot)) return slot;
  const bridges: PciFunction[] = [];
  for (let length = 2; length < slot.length; length += 1) {
    const bridge = slots.get(slot.slice(0, length).join('/'));
    if (bridge === undefined)
      return { unknown: `the snapshot has no bridge at ${slot.slice(0, length).join('/')}` };
    bridges.push(bridge);
  }
  return bridges;
}

function indexed(snapshot: Snapshot): Topology {
  const functions = new Map<Address, PciFunction>();
  const groups = new Map<number, PciFunction[]>();
  const virtualFunctions = new Map<Address, PciFunction[]>();
  const slots = new Map<string, PciFunction>();
  let withoutKnownGroup: PciFunction | undefined;
  for (const pci of snapshot.functions) {
    functions.set(pci.address, pci);
    if (isUnknown(pci.iommuGroup)) withoutKnownGroup ??= pci;
    else if (pci.iommuGroup !== null) append(groups, pci.iommuGroup, pci);
    if (typeof pci.physicalFunction === 'string') append(virtualFunctions, pci.physicalFunction, pci);
    if (!isUnknown(pci.slot)) slots.set(pci.slot.join('/'), pci);
  }
  return { functions, groups, virtualFunctions, slots, withoutKnownGroup };
}

function append<Key>(lists: Map<Key, PciFunction[]>, key: Key, pci: PciFunction): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [pci]);
  else list.push(pci);
}
