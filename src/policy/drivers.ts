import { isVariant, isVfioDriver } from '../machine/drivers.ts';
import { isUnknown, known, type PciFunction } from '../machine/snapshot.ts';

/**
 * The driver that a bind means for one function; `null`: none. `vfio` is a variant driver made for the device where
 * the kernel has one, else vfio-pci. `default` is what the kernel would choose by itself: the first driver whose id
 * table matches; when the snapshot does not list them, the host driver that is bound now.
 */
export function driverFor(to: string, fn: PciFunction): string | null {
  if (to === 'none') return null;
  if (to === 'vfio') return known(fn.drivers, []).find(isVariant) ?? 'vfio-pci';
  if (to !== 'default') return to;
  if (!isUnknown(fn.drivers)) return fn.drivers.find((name) => !isVfioDriver(name)) ?? null;
  const bound = known(fn.driver, null);
  return bound !== null && !isVfioDriver(bound) ? bound : null;
}

/**
 * Whether `with its group` brings a function along. Bridges of every kind stay where they are: vfio-pci refuses those
 * with a bridge's header, and host, ISA and SMBus bridges are part of the platform. What is not known is brought, so
 * that the checks of a bind look at it.
 */
export function comesWithGroup(fn: PciFunction): boolean {
  return !fn.class.startsWith('06') && known(fn.headerType, 0) === 0;
}
