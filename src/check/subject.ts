import type { Place } from '../diagnostics/diagnostic.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import { type Address, type Fact, isUnknown, type PciFunction, type Snapshot } from '../machine/snapshot.ts';
import type { State, World } from '../model/state.ts';
import type { Allow, Bind, DmaClaim, HostPolicy, WhoMay } from '../policy/policy.ts';
import { putBackOf, type Return } from '../script/put-back.ts';
import { type Way, wayOf } from '../script/ways.ts';
import { worldOf } from '../script/world.ts';

/** The place of what no statement says. */
export const nowhere: Place = { file: 'machine', span: { start: 0, end: 0 } };

/** What a function shall be bound to, by the first statement that says so. */
export interface Wanted {
  readonly fn: PciFunction;
  readonly driver: string | null;
  readonly bind: Bind;
}

/** What every rule looks at: a host's policy, its machine, and what follows from both. Built once for a host. */
export interface Subject {
  readonly policy: HostPolicy;
  readonly snapshot: Snapshot;
  readonly world: World;
  readonly state: State;
  readonly functions: ReadonlyMap<Address, PciFunction>;
  readonly wanted: ReadonlyMap<Address, Wanted>;
  /** What goes back to the driver that an earlier plan found, as no policy names it any more. */
  readonly returning: ReadonlyMap<Address, Return>;
  /** Those of `wanted` that go to a VFIO driver. */
  readonly taken: readonly Wanted[];
  /** By real IOMMU group. */
  readonly members: ReadonlyMap<number, readonly PciFunction[]>;
  /** Virtual functions that the policy creates: they are not there yet. */
  readonly arriving: ReadonlySet<Address>;
  /** Functions that are claimed to do no DMA. */
  readonly claims: ReadonlyMap<Address, DmaClaim>;
}

export function subjectOf(policy: HostPolicy): Subject {
  const { snapshot } = policy;
  const { world, state } = worldOf(policy);
  const all = [...snapshot.functions, ...policy.arriving];
  const functions = new Map(all.map((fn) => [fn.address, fn]));
  const wanted = new Map<Address, Wanted>();
  for (const bind of policy.binds) {
    for (const address of bind.functions) {
      const fn = functions.get(address);
      if (fn && !wanted.has(address)) wanted.set(address, { fn, driver: bind.driver(address), bind });
    }
  }
  const members = new Map<number, PciFunction[]>();
  for (const fn of all) {
    const group = world.devices.get(fn.address)?.group ?? null;
    if (group === null) continue;
    const list = members.get(group);
    if (list) list.push(fn);
    else members.set(group, [fn]);
  }
  const taken = [...wanted.values()].filter(({ driver }) => driver !== null && isVfioDriver(driver));
  const arriving = new Set(policy.arriving.map(({ address }) => address));
  const claims = new Map<Address, DmaClaim>();
  for (const { dmaNone, functions: claimed } of policy.devices.values())
    for (const address of dmaNone ? claimed : [])
      if (dmaNone && !claims.has(address)) claims.set(address, dmaNone);
  const returning = new Map(putBackOf(policy).functions.map((each) => [each.address, each]));
  return { policy, snapshot, world, state, functions, wanted, returning, taken, members, arriving, claims };
}

/**
 * The real IOMMU group; null: none, so that VFIO would make a fake one; unknown: the snapshot does not tell. A virtual
 * function that is not there yet has a number below 0: it will get a group of its own.
 */
export function groupOf(subject: Subject, fn: PciFunction): Fact<number | null> {
  if (isUnknown(fn.iommuGroup) && !subject.arriving.has(fn.address)) return fn.iommuGroup;
  return subject.world.devices.get(fn.address)?.group ?? null;
}

/** A group as messages have it. */
export function groupText(group: number): string {
  return group < 0 ? 'an IOMMU group of its own' : `IOMMU group ${group}`;
}

/** The driver that a function has when the policy is established. */
export function finalDriver(subject: Subject, fn: PciFunction): Fact<string | null> {
  const wanted = subject.wanted.get(fn.address);
  if (wanted) return wanted.driver;
  const back = subject.returning.get(fn.address);
  return back === undefined ? fn.driver : back.driver;
}

/** Whether the policy takes a function away from the driver that has it; null: its driver is not known. */
export function leavesDriver({ fn, driver }: Wanted): boolean | null {
  if (isUnknown(fn.driver)) return null;
  return fn.driver !== null && fn.driver !== driver;
}

/** The way by which an allowed function is used; null: the statement leaves it open, and its group is not known. */
export function pathOf(subject: Subject, allow: Allow, fn: PciFunction): Way | null {
  if (allow.via === 'any' && isUnknown(groupOf(subject, fn))) return null;
  return wayOf(subject.world, allow, fn.address);
}

/** Every allowed use of a function that is, or will be, bound to a VFIO driver. */
export function* uses(subject: Subject): Iterable<{ readonly allow: Allow; readonly fn: PciFunction }> {
  for (const allow of subject.policy.allows) {
    for (const address of allow.functions) {
      const fn = subject.functions.get(address);
      if (!fn) continue;
      const driver = finalDriver(subject, fn);
      if (!isUnknown(driver) && driver !== null && isVfioDriver(driver)) yield { allow, fn };
    }
  }
}

export function describeWho({ kind, name }: WhoMay): string {
  return kind === 'anyone' ? 'anyone' : `${kind} ${name}`;
}

/** `a`, `a and b`, `a, b and c`; beyond four, how many more. */
export function listed(items: readonly string[]): string {
  const shown = items.length > 4 ? [...items.slice(0, 3), `${items.length - 3} more`] : items;
  return shown.length < 2
    ? shown.join('')
    : `${shown.slice(0, -1).join(', ')} and ${shown[shown.length - 1]}`;
}

/** One statement that is wrong about twenty functions is one thing wrong: wanted functions by the bind that wants them. */
export function byBind(wanted: Iterable<Wanted>): { bind: Bind; addresses: Address[] }[] {
  const groups = new Map<Bind, Address[]>();
  for (const { bind, fn } of wanted) {
    const addresses = groups.get(bind);
    if (addresses) addresses.push(fn.address);
    else groups.set(bind, [fn.address]);
  }
  return [...groups].map(([bind, addresses]) => ({ bind, addresses }));
}

/** The same for allowed uses. */
export function byAllow(
  used: Iterable<{ readonly allow: Allow; readonly fn: PciFunction }>,
): { allow: Allow; addresses: Address[] }[] {
  const groups = new Map<Allow, Address[]>();
  for (const { allow, fn } of used) {
    const addresses = groups.get(allow);
    if (addresses) addresses.push(fn.address);
    else groups.set(allow, [fn.address]);
  }
  return [...groups].map(([allow, addresses]) => ({ allow, addresses }));
}
