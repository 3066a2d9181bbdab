import type { Address } from '../machine/snapshot.ts';

/** The files that a script's operations change, by the names that Linux gives them. */
export const containerPath = '/dev/vfio/vfio';
export const iommuPath = '/dev/iommu';

/** Whether a path is the own node of a device; its number is whichever was free. */
export function isCdev(path: string): boolean {
  return path.startsWith('/dev/vfio/devices/');
}

/** The switch of no-IOMMU mode; what it is called depends on the kernel. */
export function parameterPath(parameter: string): string {
  return `/sys/module/vfio/parameters/${parameter}`;
}

export function driverPath(address: Address): string {
  return `/sys/bus/pci/devices/${address}/driver`;
}

export function overridePath(address: Address): string {
  return `/sys/bus/pci/devices/${address}/driver_override`;
}

export function groupPath(address: Address): string {
  return `/sys/bus/pci/devices/${address}/iommu_group`;
}

/** How many virtual functions a physical one has. */
export function virtualCountPath(address: Address): string {
  return `/sys/bus/pci/devices/${address}/sriov_numvfs`;
}

/** Whether drivers are asked to take the virtual functions of a physical one when they come. */
export function autoprobePath(address: Address): string {
  return `/sys/bus/pci/devices/${address}/sriov_drivers_autoprobe`;
}

/** The directory that is there while the driver is registered. */
export function registeredPath(driver: string): string {
  return `/sys/bus/pci/drivers/${driver}`;
}
