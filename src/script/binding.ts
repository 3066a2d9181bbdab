import type { Place } from '../diagnostics/diagnostic.ts';
import { type Address, isUnknown, type PciFunction } from '../machine/snapshot.ts';
import { ROOT } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';
import type { Draft } from './draft.ts';
import { overridePath } from './paths.ts';

/** What one function shall be bound to, and the statement that wants it. */
export interface Wanted {
  readonly address: Address;
  /** `null`: no driver. */
  readonly driver: string | null;
  /** The kernel shall choose, as it does for a function that no one has touched: `bind … to default`. */
  readonly byKernel: boolean;
  readonly place: Place;
}

/** One entry for each function that a `bind` names. Two statements that differ are refused by the checker. */
export function wantedOf(policy: HostPolicy): readonly Wanted[] {
  const wanted = new Map<Address, Wanted>();
  for (const bind of policy.binds) {
    for (const address of bind.functions) {
      if (wanted.has(address)) continue;
      const byKernel = bind.to === 'default';
      wanted.set(address, { address, driver: bind.driver(address), byKernel, place: bind.place });
    }
  }
  return [...wanted.values()];
}

/** Sorted by address, but the functions of an IOMMU group together, where its first one stands. */
export function inGroups(draft: Draft, wanted: readonly Wanted[]): readonly Wanted[] {
  const sorted = [...wanted].sort((a, b) => compare(a.address, b.address));
  const groups = new Map<string, Wanted[]>();
  for (const each of sorted) {
    const group = draft.world.devices.get(each.address)?.group ?? null;
    const key = group === null ? each.address : String(group);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [each]);
    else members.push(each);
  }
  return [...groups.values()].flat();
}

/**
 * Binds by name, so that nothing but the named driver can take the function; only `default` asks the kernel to
 * choose. `none` leaves the override alone: with no driver to match it has no effect, and it is not ours to clear.
 */
export function bindFunction(draft: Draft, wanted: Wanted): void {
  const { address, driver, byKernel, place } = wanted;
  const bound = draft.boundTo(address);
  const override = overrideFor(draft, wanted, bound);
  relyOnBinding(draft, wanted, bound);
  if (override !== null) {
    draft.add({ op: 'override.write', pid: ROOT, device: address, text: override }, [place]);
  }
  if (bound === driver) return;
  if (bound !== null) {
    draft.add({ op: 'driver.unbind', pid: ROOT, driver: bound, device: address }, [place]);
  }
  if (byKernel) draft.add({ op: 'drivers.probe', pid: ROOT, device: address }, [place]);
  else if (driver !== null) draft.add({ op: 'driver.bind', pid: ROOT, driver, device: address }, [place]);
}

/**
 * The text to write to driver_override, or null when it is right. A driver whose id table names the function binds it
 * without an override; any other one, vfio-pci above all, only when the override names it (drivers/pci/pci-driver.c
 * pci_match_device, 6.12). A bound function is not looked at again: the override matters at the next match only.
 */
function overrideFor(draft: Draft, { address, driver, byKernel }: Wanted, bound: string | null) {
  const shown = draft.shows(overridePath(address));
  const override = shown === '(null)' ? null : shown;
  if (byKernel) return override === null ? null : '';
  if (driver === null || driver === bound || override === driver) return null;
  const matches = draft.world.devices.get(address)?.drivers.includes(driver) === true;
  const overrideOnly = draft.world.drivers.get(driver)?.overrideOnly === true;
  if (override === null && matches && !overrideOnly) return null;
  return driver;
}

/** What the steps take for granted and the snapshot could not tell. */
function relyOnBinding(draft: Draft, wanted: Wanted, bound: string | null): void {
  const { address, driver, byKernel, place } = wanted;
  const device = draft.functions.get(address);
  if (device === undefined) return;
  relyOn(draft, device, 'driver', `${address} is bound to no driver`, [place]);
  if (byKernel || (driver !== null && driver !== bound)) {
    relyOn(draft, device, 'driverOverride', `${address} has no driver override`, [place]);
  }
  if (isUnknown(device.iommuGroup)) {
    draft.need({
      fact: `/functions/${address}/iommuGroup`,
      sentence: `the IOMMU group of ${address} is known`,
      unknown: device.iommuGroup.unknown,
      why: [place],
    });
  }
}

function relyOn(
  draft: Draft,
  device: PciFunction,
  fact: 'driver' | 'driverOverride',
  sentence: string,
  why: readonly Place[],
): void {
  const value = device[fact];
  if (!isUnknown(value)) return;
  draft.need({
    fact: `/functions/${device.address}/${fact}`,
    sentence,
    unknown: value.unknown,
    expects: [null],
    why,
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
