import type { Place } from '../diagnostics/diagnostic.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import { type Address, isUnknown, type PciFunction } from '../machine/snapshot.ts';
import type { Op } from '../model/op.ts';
import { ROOT } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';
import type { Draft } from './draft.ts';
import { overridePath } from './paths.ts';
import { type PutBack, putBackOf } from './put-back.ts';
import { asBefore } from './sentence.ts';

/** What one function shall be bound to. */
export interface Wanted {
  readonly address: Address;
  /** `null`: no driver. */
  readonly driver: string | null;
  /** The kernel shall choose, as it does for a function that no one has touched: `bind … to default`. */
  readonly byKernel: boolean;
  /** The override that it shall have in the end, whatever binds it; left out: the one that the binding takes. */
  readonly override?: string | null;
  /** The override that an earlier plan found, where the one that is there is that plan's. */
  readonly before?: string | null;
  /** The statement that wants it; none: an earlier plan found it so. */
  readonly why: readonly Place[];
  /** What its steps say behind what they do. */
  readonly because?: string;
}

/** One entry for each function that a `bind` names. Two statements that differ are refused by the checker. */
export function wantedOf(policy: HostPolicy): readonly Wanted[] {
  const { overrides } = putBackOf(policy);
  const wanted = new Map<Address, Wanted>();
  for (const bind of policy.binds) {
    for (const address of bind.functions) {
      if (wanted.has(address)) continue;
      const byKernel = bind.to === 'default';
      const before = overrides.get(address);
      const found = before === undefined ? {} : { before };
      wanted.set(address, { address, driver: bind.driver(address), byKernel, ...found, why: [bind.place] });
    }
  }
  return [...wanted.values()];
}

/** What an earlier plan found, and no policy names any more. */
export function returnedOf({ functions }: PutBack): readonly Wanted[] {
  return functions.map(({ address, driver, override, generation }) => ({
    address,
    driver,
    byKernel: false,
    override,
    why: [],
    because: asBefore(generation),
  }));
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
 * choose. The override is written while no driver is bound, because an override that names another driver would
 * refuse the way back. `none` leaves the override alone: with no driver to match it has no effect, and it is not ours
 * to clear, unless an earlier plan wrote it.
 */
export function bindFunction(draft: Draft, wanted: Wanted): void {
  const { address, driver } = wanted;
  const bound = draft.boundTo(address);
  const found = overrideOf(draft, address);
  relyOnBinding(draft, wanted, bound);
  if (bound !== null && bound !== driver) unbind(draft, wanted, bound);
  const override = overrideFor(draft, wanted, bound, found);
  if (override !== null) writeOverride(draft, wanted, override);
  if (bound !== driver) bind(draft, wanted);
  // An override that names another driver, which somebody wrote behind the binding, goes back behind it.
  const last = wanted.override;
  if (last !== undefined && overrideOf(draft, address) !== last) writeOverride(draft, wanted, last ?? '');
}

function bind(draft: Draft, wanted: Wanted): void {
  const { address, driver, byKernel } = wanted;
  if (byKernel) add(draft, wanted, { op: 'drivers.probe', pid: ROOT, device: address });
  else if (driver !== null) add(draft, wanted, { op: 'driver.bind', pid: ROOT, driver, device: address });
}

function add(draft: Draft, { why, because = '' }: Wanted, op: Op): void {
  draft.add(op, why, `${draft.sentence(op)}${because}`);
}

/**
 * A driver that the function would not match again (the override was changed under it, or it came by a dynamic id)
 * could not be given back. Its name as the override makes it match whatever happens.
 */
function unbind(draft: Draft, wanted: Wanted, bound: string): void {
  const { address, why, because = '' } = wanted;
  const override = overrideOf(draft, address);
  const matches = override === null ? idTableNames(draft, address, bound) : override === bound;
  if (!matches) writeOverride(draft, wanted, bound);
  const op = { op: 'driver.unbind', pid: ROOT, driver: bound, device: address } as const;
  // A node goes away with its owner, and comes back as root's: taking it back first is what can be undone.
  for (const path of draft.nodesLostBy(op)) {
    if (draft.shows(path) === '600 0:0') continue;
    const sentence = `take ${path} back (0:0, mode 0600)${because}`;
    const of = draft.ownerOf(path);
    const node = { path, ...(of === null ? {} : { of }) };
    draft.add({ op: 'node.own', pid: ROOT, ...node, uid: 0, gid: 0, mode: 0o600 }, why, sentence);
  }
  add(draft, wanted, op);
}

/**
 * The text to write to driver_override, or null when it is right. A driver whose id table names the function binds it
 * without an override; any other one, vfio-pci above all, only when the override names it (drivers/pci/pci-driver.c
 * pci_match_device, 6.12). A bound function is not looked at again: the override matters at the next match only.
 * `found`: what it was before the unbind, which may have named the driver for the way back.
 */
function overrideFor(
  draft: Draft,
  wanted: Wanted,
  bound: string | null,
  found: string | null,
): string | null {
  const { address, driver, byKernel } = wanted;
  const override = overrideOf(draft, address);
  if (wanted.override !== undefined) {
    const matches =
      wanted.override === null ? idTableNames(draft, address, driver ?? '') : wanted.override === driver;
    const text = driver === null || driver === bound || matches ? wanted.override : driver;
    return text === override ? null : (text ?? '');
  }
  if (byKernel) return override === null ? null : '';
  if (driver !== null && driver === bound) return null;
  const own = wanted.before === undefined ? found : wanted.before;
  const needed =
    driver === null || own === driver || (own === null && idTableNames(draft, address, driver))
      ? own
      : driver;
  return needed === override ? null : (needed ?? '');
}

function writeOverride(draft: Draft, wanted: Wanted, text: string): void {
  add(draft, wanted, { op: 'override.write', pid: ROOT, device: wanted.address, text });
}

function overrideOf(draft: Draft, address: Address): string | null {
  const shown = draft.shows(overridePath(address));
  return shown === '(null)' ? null : shown;
}

function idTableNames({ world }: Draft, address: Address, driver: string): boolean {
  return (
    world.devices.get(address)?.drivers.includes(driver) === true &&
    world.drivers.get(driver)?.overrideOnly !== true
  );
}

function hostDrivers(names: readonly string[]): readonly string[] {
  return names.filter((name) => !isVfioDriver(name));
}

/** What the steps take for granted and the snapshot could not tell. */
function relyOnBinding(draft: Draft, wanted: Wanted, bound: string | null): void {
  const { address, driver, byKernel, why } = wanted;
  const device = draft.functions.get(address);
  if (device === undefined) return;
  relyOn(draft, device, 'driver', `${address} is bound to no driver`, why);
  if (byKernel && isUnknown(device.drivers) && (bound === null || isVfioDriver(bound))) {
    draft.need({
      fact: `/functions/${address}/drivers`,
      sentence: `it is known which driver the kernel chooses for ${address}`,
      unknown: device.drivers.unknown,
      why,
    });
  }
  const others =
    byKernel && bound !== driver && !isUnknown(device.drivers) ? hostDrivers(device.drivers) : [];
  if (others.length > 1) {
    draft.need({
      fact: `/functions/${address}/drivers`,
      sentence: `of ${others.join(' and ')}, the kernel asks ${driver} first for ${address}`,
      unknown: 'nothing shows in which order drivers registered',
      why,
    });
  }
  // Also where nothing is bound in the end: whether the driver can be given back rests on the override.
  if (byKernel || driver !== bound) {
    relyOn(draft, device, 'driverOverride', `${address} has no driver override`, why);
  }
  // The group of what is not there yet is the model's to foretell.
  if (isUnknown(device.iommuGroup) && !draft.arrives(address)) {
    draft.need({
      fact: `/functions/${address}/iommuGroup`,
      sentence: `the IOMMU group of ${address} is known`,
      unknown: device.iommuGroup.unknown,
      why,
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
