import { fileAt } from './files.ts';
import type { Hardware, State, World } from './state.ts';

/**
 * The functions that a reset of a device's bus resets: all that are there on the bus, and all behind bridges on it
 * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_for_each_slot_or_bus). A slot that can be reset by itself is taken to hold
 * the whole bus, as it does on PCI Express.
 */
export function resetDomain(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  return world.hardware.filter(
    (other) => state.devices[other.index]?.present === true && isBelow(hardware, other),
  );
}

/** The same in the order in which the kernel walks them: on each bus by when they came, behind a bridge right after it. */
export function walkedDomain(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  const domain = resetDomain(world, state, hardware);
  const came = ({ index }: Hardware): number => state.bus.arrived.indexOf(index);
  const above = ({ bridge }: Hardware): number =>
    domain.some(({ index }) => index === bridge) ? bridge : -1;
  const walk = (bridge: number): readonly Hardware[] =>
    domain
      .filter((other) => above(other) === bridge)
      .sort((one, other) => came(one) - came(other))
      .flatMap((other) => [other, ...walk(other.index)]);
  return walk(-1);
}

function isBelow({ address, bridges }: Hardware, other: Hardware): boolean {
  if (bridges === null || other.bridges === null) return busOf(address) === busOf(other.address);
  return (
    bridges.every((bridge, place) => other.bridges?.[place] === bridge) && sameDomain(address, other.address)
  );
}

function busOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function sameDomain(one: string, other: string): boolean {
  return one.slice(0, one.indexOf(':')) === other.slice(0, other.indexOf(':'));
}

/**
 * Whether every function of the domain is with VFIO and shares the device's set: those of one bus do, a virtual function
 * is alone in its own (vfio_pci_core_register_device, vfio_pci_dev_set_resettable).
 */
export function allWithVfio(world: World, state: State, hardware: Hardware): boolean {
  return resetDomain(world, state, hardware).every((other) => {
    if (other !== hardware && (hardware.physicalFunction !== null || other.physicalFunction !== null))
      return false;
    if (busOf(other.address) !== busOf(hardware.address)) return false;
    return (state.devices[other.index]?.vfio ?? null) !== null;
  });
}

/** Whether the groups behind these descriptors hold every function of the domain that is with VFIO. */
export function heldBy(
  world: World,
  state: State,
  hardware: Hardware,
  pid: number,
  groups: readonly number[],
): boolean {
  const minors = groups.map((fd) => {
    const file = fileAt(state, pid, fd | 0);
    return file?.kind === 'group' ? file.group : -1;
  });
  return resetDomain(world, state, hardware).every(({ index }) => {
    const vfio = state.devices[index]?.vfio ?? null;
    return vfio === null || minors.includes(vfio.group);
  });
}
