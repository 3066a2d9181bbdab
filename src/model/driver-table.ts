import { inProfile, type PerProfile } from './profiles.ts';
import type { DynamicId, World } from './state.ts';

/**
 * What is known of a driver's own table of ids (struct pci_driver.id_table), which nothing under /sys shows. That it
 * holds the vendor and device of what it matches without an override is true of every driver but those by class.
 */

/** Drivers whose table is empty: only ids of run time and overrides make them match. */
const withoutTable: ReadonlySet<string> = new Set(['pci-stub', 'uio_pci_generic', 'igb_uio']);

/** Drivers whose table names classes, not devices. */
const byClass: ReadonlySet<string> = new Set([
  'ahci',
  'ehci-pci',
  'nvme',
  'ohci-pci',
  'pcieport',
  'shpchp',
  'uhci_hcd',
  'xhci_hcd',
]);

/**
 * The highest driver_data of drivers whose tables number kinds of hardware, from 0 on. Others are taken to have no data
 * (drivers/net/ethernet/intel/e1000e/e1000.h:enum e1000_boards).
 */
const kinds: ReadonlyMap<string, PerProfile<bigint>> = new Map([['e1000e', { seed: 15n, '6.12': 16n }]]);

/** Whether new_id takes this driver_data: without a table any, else one that an entry has. */
export function takesData(world: World, driver: string, data: bigint): boolean {
  const its = kinds.get(driver);
  return !hasTable(world, driver) || data <= (its === undefined ? 0n : inProfile(its, world.profile.id));
}

function hasTable(world: World, driver: string): boolean {
  // vfio-pci has had its one entry, which matches by override only, since 5.15.
  if (world.drivers.get(driver)?.vfio === true) return world.profile.viability === 'claim';
  return !withoutTable.has(driver);
}

/** Whether an entry of the table covers the id, entries for overrides aside (pci-driver.c:do_pci_match_id). */
export function tableCovers(world: World, driver: string, id: DynamicId): boolean {
  const its = world.drivers.get(driver);
  if (its === undefined || its.vfio || its.overrideOnly || byClass.has(driver)) return false;
  return world.hardware.some(
    (hardware) =>
      hardware.id.vendor === id.vendor &&
      hardware.id.device === id.device &&
      hardware.drivers.includes(driver),
  );
}
