import type { Address, PciFunction } from '../machine/snapshot.ts';

/**
 * Lines of udev(7). A function is named by its address and by what it is, so that another card in its place is left alone,
 * and no rule takes a function from a driver: what a driver has by then is not known to be idle.
 */

type Identity = Pick<PciFunction, 'address' | 'vendor' | 'device'>;

/**
 * The override is written while no driver is bound, and then the drivers that are there are asked; one that is loaded later
 * asks by itself (drivers/base/bus.c:bus_rescan_devices_helper, bus_add_driver).
 */
export function bindRule(its: Identity, driver: string): string {
  return line(
    'ACTION=="add"',
    ...isFunction(its),
    'DRIVER!="?*"',
    `ATTR{driver_override}="${driver}"`,
    `ATTR{[subsystem/pci]drivers_probe}="${its.address}"`,
  );
}

/** As a plan does it: no driver is asked for the moment of their coming. `driver`: the one that can make them; null: any. */
export function createRule(its: Identity, driver: string | null, count: number): string {
  return line(
    'ACTION=="add|bind"',
    ...isFunction(its),
    `DRIVER=="${driver ?? '?*'}"`,
    'ATTR{sriov_numvfs}=="0"',
    'ATTR{sriov_drivers_autoprobe}="0"',
    `ATTR{sriov_numvfs}="${count}"`,
    'ATTR{sriov_drivers_autoprobe}="1"',
  );
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: string;
}

/**
 * The number of a group is whatever was free, so the node is known by a function that is in the group: a VFIO group is called
 * like it (`12`, `noiommu-0`), and has no link to it.
 */
export function groupRule(its: Identity, way: 'group' | 'noiommu', owner: Owner): string {
  const [name, number] = way === 'group' ? ['[0-9]*', '%k'] : ['noiommu-*', '%n'];
  return line(
    'ACTION=="add"',
    'SUBSYSTEM=="vfio"',
    `KERNEL=="${name}"`,
    `TEST=="/sys/kernel/iommu_groups/${number}/devices/${its.address}"`,
    `ATTR{[pci/${its.address}]vendor}=="0x${its.vendor}"`,
    `ATTR{[pci/${its.address}]device}=="0x${its.device}"`,
    ...given(owner),
  );
}

/** A device's own node is below its function in sysfs. */
export function cdevRule({ address, vendor, device }: Identity, owner: Owner): string {
  return line(
    'ACTION=="add"',
    'SUBSYSTEM=="vfio-dev"',
    'SUBSYSTEMS=="pci"',
    `KERNELS=="${address}"`,
    `ATTRS{vendor}=="0x${vendor}"`,
    `ATTRS{device}=="0x${device}"`,
    ...given(owner),
  );
}

export function iommufdRule(owner: Owner): string {
  return line('ACTION=="add"', 'SUBSYSTEM=="misc"', 'KERNEL=="iommu"', ...given(owner));
}

function isFunction({ address, vendor, device }: Identity): readonly string[] {
  return [
    'SUBSYSTEM=="pci"',
    `KERNEL=="${address}"`,
    `ATTR{vendor}=="0x${vendor}"`,
    `ATTR{device}=="0x${device}"`,
  ];
}

function given({ uid, gid, mode }: Owner): readonly string[] {
  return [`OWNER="${uid}"`, `GROUP="${gid}"`, `MODE="${mode}"`];
}

function line(...keys: readonly string[]): string {
  return keys.join(', ');
}

/** Names and addresses that stand in a rule for what they are. */
export function isPlain(name: string | Address): boolean {
  return /^[A-Za-z0-9_.:-]{1,64}$/.test(name);
}
