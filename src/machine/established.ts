import { type Address, isUnknown, type Snapshot } from './snapshot.ts';

/**
 * Drivers that functions were found with by earlier plans, before there was an override: evidently they match. A driver that
 * is built into the kernel may tell so in no other way (modpost writes aliases of modules alone before 6.17).
 */
export function matchedBefore({ established, functions }: Snapshot): ReadonlyMap<Address, string> {
  const matched = new Map<Address, string>();
  if (established === undefined || isUnknown(established) || established.length === 0) return matched;
  const marks = new Map(established.map((mark) => [mark.path, mark]));
  for (const { address, vendor, device, driverOverride } of functions) {
    const directory = `/sys/bus/pci/devices/${address}`;
    const driver = marks.get(`${directory}/driver`);
    const override = marks.get(`${directory}/driver_override`);
    const same = driver?.identity === `${vendor}:${device}`;
    const alone = override === undefined ? driverOverride === null : override.found === '(null)';
    if (same && alone && driver.found !== null) matched.set(address, driver.found);
  }
  return matched;
}
