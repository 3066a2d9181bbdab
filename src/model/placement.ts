import { isUnknown, type PciFunction } from '../machine/snapshot.ts';
import { virtualAddresses } from '../machine/virtual-functions.ts';
import type { DynamicId, Hardware } from './state.ts';

/** What of a device is known by its place among the others: bridges above it, virtual functions of it. */

export type Alone = Omit<Hardware, 'bridge' | 'virtualFunctions' | 'comesAlone'>;

/** Devices with their bridges and virtual functions; `functions` are the same devices as the snapshot tells them. */
export function placed(functions: readonly PciFunction[], devices: readonly Alone[]): readonly Hardware[] {
  const byWay = new Map<string, number>();
  const byAddress = new Map<string, number>();
  const listed = new Map<string, number[]>();
  for (const [index, { address, slot, physicalFunction }] of functions.entries()) {
    byAddress.set(address, index);
    if (isUnknown(physicalFunction)) continue;
    // A virtual function has the way of its physical one, and is no bridge.
    if (physicalFunction === null && !isUnknown(slot)) byWay.set(slot.join('/'), index);
    if (physicalFunction === null) continue;
    const known = listed.get(physicalFunction);
    if (known === undefined) listed.set(physicalFunction, [index]);
    else known.push(index);
  }
  return devices.map((device): Hardware => {
    const pci = functions[device.index];
    const slot = pci === undefined || isUnknown(pci.slot) ? [] : pci.slot;
    const told = (pci === undefined ? [] : virtualAddresses(pci)).flatMap((at) => byAddress.get(at) ?? []);
    const virtualFunctions = told.length > 0 ? told : (listed.get(device.address) ?? []);
    const bridge = (slot.length < 2 ? undefined : byWay.get(slot.slice(0, -1).join('/'))) ?? -1;
    return { ...device, bridge, virtualFunctions, comesAlone: comesAlone(devices, device, pci) };
  });
}

/** The first function needs no others to be there; who shares a group with a bridge joins that. */
function comesAlone(devices: readonly Alone[], { address, group }: Alone, pci?: PciFunction): boolean {
  if (group === null || pci?.multifunction !== false || address.endsWith('.0')) return false;
  const own = address.slice(0, -1);
  return devices.every((other) => other.group !== group || other.address.startsWith(own));
}

/** What drivers' ids are compared with; what is not known equals no id that says it. */
export function idsOf(pci: PciFunction): DynamicId {
  const word = (hex: string): number => Number.parseInt(hex, 16);
  return {
    vendor: word(pci.vendor),
    device: word(pci.device),
    subvendor: isUnknown(pci.subsystemVendor) ? -1 : word(pci.subsystemVendor),
    subdevice: isUnknown(pci.subsystemDevice) ? -1 : word(pci.subsystemDevice),
    class: word(pci.class),
    mask: 0,
  };
}
