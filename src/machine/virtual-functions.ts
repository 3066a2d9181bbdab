import { type Address, isUnknown, type PciFunction, type Snapshot } from './snapshot.ts';
import { topologyOf } from './topology.ts';

/** No physical function known to date has more; the bound is for snapshots that nobody wrote in earnest. */
const most = 256;

/**
 * Virtual functions that physical ones could have and that are not enabled, as far as the snapshot tells where they
 * would be (drivers/pci/iov.c:pci_iov_virtfn_bus, pci_iov_virtfn_devfn). What only a function that is there shows stays
 * unknown; that it resets by FLR is the specification's demand.
 */
export function disabledVirtualFunctions(snapshot: Snapshot): readonly PciFunction[] {
  const known = new Set(snapshot.functions.map(({ address }) => address));
  return snapshot.functions.flatMap((pci) =>
    virtualAddresses(pci).flatMap((address) => {
      if (known.has(address)) return [];
      known.add(address);
      return [virtualFunction(snapshot, pci, address)];
    }),
  );
}

/**
 * The virtual functions that come when physical ones are given so many as `counts` says; none for one that has some, or
 * of which the snapshot does not tell where they would be.
 */
export function arrivingFunctions(
  snapshot: Snapshot,
  counts: ReadonlyMap<Address, number>,
): readonly PciFunction[] {
  return disabledVirtualFunctions(snapshot).filter((fn) => {
    const owner = isUnknown(fn.physicalFunction) ? null : fn.physicalFunction;
    const count = owner === null ? undefined : counts.get(owner);
    const sriov = topologyOf(snapshot).functions.get(owner ?? '')?.sriov;
    const without = sriov !== undefined && sriov !== null && !isUnknown(sriov) && sriov.numVfs === 0;
    return count !== undefined && without && numberOf(snapshot, fn) < count;
  });
}

/** Whether no virtual function of it is there, and none can be foretold: it has no SR-IOV, or nobody told where they would be. */
export function isBarren(fn: PciFunction | undefined): boolean {
  if (fn === undefined || isUnknown(fn.sriov)) return false;
  return fn.sriov === null || (fn.sriov.numVfs === 0 && virtualAddresses(fn).length === 0);
}

/** Addresses of all virtual functions that a function could have, in their order; none where they are not told. */
export function virtualAddresses({ address, sriov }: PciFunction): readonly string[] {
  if (isUnknown(sriov) || sriov?.routing === undefined) return [];
  const { offset, stride } = sriov.routing;
  const [, domain = '', bus = '', slot = '', fn = ''] =
    /^([\da-f]+):([\da-f]{2}):([\da-f]{2})\.([0-7])$/.exec(address) ?? [];
  const first = Number.parseInt(bus, 16) * 256 + Number.parseInt(slot, 16) * 8 + Number(fn) + offset;
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return Array.from({ length: Math.min(sriov.totalVfs, most) }, (_, place) => first + stride * place)
    .filter((id) => id < 0x10000)
    .map((id) => `${domain}:${hex(id >> 8)}:${hex((id >> 3) & 31)}.${id & 7}`);
}

/**
 * The number of a virtual function among those of its physical one, X of `virtfnX`: the kernel counts them from 0, in the
 * order of their addresses (drivers/pci/iov.c:pci_iov_virtfn_bus). Where the snapshot does not tell where they would be,
 * those that it lists are counted. -1: not a virtual function.
 */
export function numberOf(snapshot: Snapshot, { address, physicalFunction }: PciFunction): number {
  if (isUnknown(physicalFunction) || physicalFunction === null) return -1;
  const { functions, virtualFunctions } = topologyOf(snapshot);
  const owner = functions.get(physicalFunction);
  const told = owner === undefined ? [] : virtualAddresses(owner);
  if (told.length > 0) return told.indexOf(address);
  return (virtualFunctions.get(physicalFunction) ?? []).filter((other) => other.address < address).length;
}

function virtualFunction(snapshot: Snapshot, pf: PciFunction, address: string): PciFunction {
  const device = isUnknown(pf.sriov) ? undefined : pf.sriov?.routing?.device;
  const unknown = { unknown: 'the virtual function is not enabled' };
  const id = device ?? pf.device;
  const alike = snapshot.functions.find(
    (pci) => pci.vendor === pf.vendor && pci.device === id && pci.physicalFunction !== null,
  );
  return {
    address,
    vendor: pf.vendor,
    device: id,
    subsystemVendor: alike?.subsystemVendor ?? pf.subsystemVendor,
    subsystemDevice: alike?.subsystemDevice ?? pf.subsystemDevice,
    class: alike?.class ?? pf.class,
    revision: alike?.revision ?? pf.revision,
    headerType: 0,
    driver: null,
    driverOverride: null,
    drivers: alike?.drivers ?? unknown,
    iommuGroup: pf.iommuGroup === null ? null : unknown,
    slot: isUnknown(pf.slot)
      ? pf.slot
      : [...pf.slot.slice(0, -1), address.slice(address.lastIndexOf(':') + 1)],
    serial: null,
    numaNode: pf.numaNode,
    resetMethods: ['flr'],
    bars: alike?.bars ?? unknown,
    capabilities: alike?.capabilities ?? unknown,
    sriov: null,
    physicalFunction: pf.address,
    netdevs: [],
    blockDevices: [],
  };
}
