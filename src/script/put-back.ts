import { isVfioDriver } from '../machine/drivers.ts';
import { holds } from '../machine/holdings.ts';
import {
  type Address,
  type Established,
  type Fact,
  isUnknown,
  type PciFunction,
} from '../machine/snapshot.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { driverPath, overridePath, virtualCountPath } from './paths.ts';

/**
 * What earlier plans established and no policy names any more: it goes back to what they found. The snapshot tells it, from
 * the journals of what is in effect. Only what still shows what a plan left is put back; whatever else it shows by now,
 * somebody else wanted it.
 */
export interface PutBack {
  readonly functions: readonly Return[];
  /** Overrides before earlier plans wrote theirs, of functions that the policy binds and that still show those. */
  readonly overrides: ReadonlyMap<Address, string | null>;
  readonly virtual: readonly VirtualReturn[];
  /** Files of /dev that were given to somebody, as they were found. Whose they shall be now is the policy's. */
  readonly nodes: readonly Established[];
  /** Parameters of modules. */
  readonly parameters: readonly Established[];
  /** `/sys/module/…` of what was loaded since the machine started. */
  readonly modules: readonly Established[];
  readonly kept: readonly Kept[];
}

/** A function that goes back to the driver and the override that it had. */
export interface Return {
  readonly address: Address;
  readonly driver: string | null;
  readonly override: string | null;
  readonly generation: number;
}

/** A physical function that gets back the number of virtual ones that it had. */
export interface VirtualReturn {
  readonly address: Address;
  readonly count: string;
  /** The virtual ones that are there. */
  readonly functions: readonly Address[];
  readonly generation: number;
}

/** What an earlier plan left and nobody puts back: why not. */
export interface Kept {
  readonly address: Address;
  readonly generation: number;
  readonly reason: string;
}

const known = new WeakMap<HostPolicy, PutBack>();

/** Asked by script, checker and proof of the same policy: worked out once. */
export function putBackOf(policy: HostPolicy): PutBack {
  let found = known.get(policy);
  if (found === undefined) {
    found = workOut(policy);
    known.set(policy, found);
  }
  return found;
}

const nothing: PutBack = {
  functions: [],
  overrides: new Map(),
  virtual: [],
  nodes: [],
  parameters: [],
  modules: [],
  kept: [],
};

function workOut(policy: HostPolicy): PutBack {
  const { established: told } = policy.snapshot;
  if (told === undefined || isUnknown(told) || told.length === 0) return nothing;
  const marks = new Map(told.map((mark) => [mark.path, mark]));
  const kept: Kept[] = [];
  const isGuarded = guardOf(policy);
  const candidates = returns(policy, marks, isGuarded, kept);
  const virtual = virtualReturns(policy, marks, candidates, isGuarded, kept);
  return {
    overrides: overridesBefore(policy, marks),
    functions: keepingVirtual(policy, candidates, virtual, kept),
    virtual,
    kept,
    nodes: told.filter(({ path }) => path.startsWith('/dev/')),
    parameters: told.filter(({ path }) => /^\/sys\/module\/[^/]+\/parameters\//.test(path)),
    // A module that is there since the start was loaded by somebody else, whatever was found before.
    modules: told.filter(
      ({ path, found, earlierBoot }) => /^\/sys\/module\/[^/]+$/.test(path) && found === null && !earlierBoot,
    ),
  };
}

function returns(
  policy: HostPolicy,
  marks: ReadonlyMap<string, Established>,
  isGuarded: (address: Address) => boolean,
  kept: Kept[],
): readonly Return[] {
  const bound = new Set(policy.binds.flatMap((bind) => bind.functions));
  const found: Return[] = [];
  for (const fn of policy.snapshot.functions) {
    const { address } = fn;
    const driver = markOf(marks, driverPath(address), fn);
    const override = markOf(marks, overridePath(address), fn);
    const first = driver ?? override;
    if (first === undefined || bound.has(address)) continue;
    const generation = Math.max(first.generation, override?.generation ?? 0);
    const [driverThen, overrideThen] = [before(driver, fn.driver), before(override, overrideText(fn))];
    if (driverThen.is === 'found' && overrideThen.is === 'found') continue;
    if (driverThen.is === 'changed' || overrideThen.is === 'changed') {
      const whose = 'it shows neither what the plan left nor what it found';
      if (!first.earlierBoot) kept.push({ address, generation, reason: whose });
      continue;
    }
    const guarded = isGuarded(address) ? 'it, or what shares its group, is protected' : null;
    const reason =
      guarded ?? withoutPermission(policy, fn, driverThen.text) ?? servesHost(policy, fn, driverThen.text);
    const text = overrideThen.text === '(null)' ? null : overrideThen.text;
    if (reason !== null) kept.push({ address, generation, reason });
    else found.push({ address, driver: driverThen.text, override: text, generation });
  }
  return found;
}

function overridesBefore(
  { binds, snapshot }: HostPolicy,
  marks: ReadonlyMap<string, Established>,
): ReadonlyMap<Address, string | null> {
  const bound = new Set(binds.flatMap(({ functions }) => functions));
  const found = new Map<Address, string | null>();
  for (const fn of snapshot.functions) {
    const mark = bound.has(fn.address) ? markOf(marks, overridePath(fn.address), fn) : undefined;
    if (mark === undefined || overrideText(fn) !== mark.left) continue;
    found.set(fn.address, mark.found === '(null)' ? null : mark.found);
  }
  return found;
}

/**
 * Whether a plan must not come to a function: it is protected, by its name or by what it holds, or something that shares its
 * IOMMU group is, or a virtual function of it.
 */
function guardOf({ protects, snapshot }: HostPolicy): (address: Address) => boolean {
  const guarded = new Set(protects.flatMap(({ functions }) => functions));
  const holding = new Set(protects.flatMap((protect) => protect.holding));
  if (guarded.size === 0 && holding.size === 0) return () => false;
  const members = new Map<number | Address, Address[]>();
  const groupOf = new Map<Address, number | Address>();
  for (const { address, iommuGroup, physicalFunction } of snapshot.functions) {
    const group = typeof iommuGroup === 'number' ? iommuGroup : address;
    groupOf.set(address, group);
    members.set(group, [...(members.get(group) ?? []), address]);
    if (guarded.has(address) && typeof physicalFunction === 'string') guarded.add(physicalFunction);
  }
  const isProtected = (address: Address): boolean =>
    guarded.has(address) || [...holding].some((kind) => holds(snapshot, address, kind).is === 'held');
  return (address) => (members.get(groupOf.get(address) ?? address) ?? [address]).some(isProtected);
}

/** Why a function does not go back to VFIO: without an IOMMU group that takes a permission. Null: it needs none, or has it. */
function withoutPermission({ noiommu }: HostPolicy, fn: PciFunction, then: string | null): string | null {
  if (then === null || then === fn.driver || !isVfioDriver(then) || fn.iommuGroup !== null) return null;
  return noiommu.allowed && !noiommu.expired
    ? null
    : 'it has no IOMMU group, and nothing permits no-IOMMU mode';
}

/**
 * Why a function is not taken from a driver of the host: it serves what the host runs on, or nobody tells that it does not.
 * Null: it may be taken.
 */
function servesHost({ snapshot }: HostPolicy, fn: PciFunction, then: string | null): string | null {
  const { address, driver } = fn;
  if (isUnknown(driver) || driver === null || driver === then || isVfioDriver(driver)) return null;
  for (const kind of ['any', 'management'] as const) {
    const held = holds(snapshot, address, kind);
    if (held.is === 'held') return `the host needs it: ${held.chain.join('; ')}`;
    if (held.is === 'unknown') return `nobody tells whether the host needs it: ${held.unknown}`;
  }
  return null;
}

/** Virtual functions go away with the driver of their physical one: it stays while any of them does. */
function keepingVirtual(
  { snapshot }: HostPolicy,
  candidates: readonly Return[],
  virtual: readonly VirtualReturn[],
  kept: Kept[],
): readonly Return[] {
  const going = new Set(virtual.map(({ address }) => address));
  const physical = new Set(snapshot.functions.map(({ physicalFunction }) => physicalFunction));
  const bound = new Map(snapshot.functions.map(({ address, driver }) => [address, driver]));
  return candidates.filter(({ address, driver, generation }) => {
    const stays = physical.has(address) && !going.has(address) && bound.get(address) !== driver;
    if (stays)
      kept.push({ address, generation, reason: 'its virtual functions stay, and go with its driver' });
    return !stays;
  });
}

/** What was said of a function of this address; another device at it has nothing to do with that. */
function markOf(
  marks: ReadonlyMap<string, Established>,
  path: string,
  { vendor, device }: PciFunction,
): Established | undefined {
  const mark = marks.get(path);
  return mark?.identity === null || mark?.identity === `${vendor}:${device}` ? mark : undefined;
}

function overrideText({ driverOverride }: PciFunction): Fact<string | null> {
  return driverOverride ?? '(null)';
}

type Then = { readonly is: 'left' | 'found'; readonly text: string | null } | { readonly is: 'changed' };

/** What it shall show, and whether it does. What is not known is taken to be as it was left: a precondition stands for it. */
function before(mark: Established | undefined, now: Fact<string | null>): Then {
  if (mark === undefined) return isUnknown(now) ? { is: 'changed' } : { is: 'found', text: now };
  if (isUnknown(now) || now === mark.left) return { is: 'left', text: mark.found };
  return now === mark.found ? { is: 'found', text: now } : { is: 'changed' };
}

/**
 * Virtual functions go only where nobody has anything of them: the policy names none, and none is with a driver that an
 * earlier plan did not give it.
 */
function virtualReturns(
  policy: HostPolicy,
  marks: ReadonlyMap<string, Established>,
  returned: readonly Return[],
  isGuarded: (address: Address) => boolean,
  kept: Kept[],
): readonly VirtualReturn[] {
  const drivers = new Map(returned.map(({ address, driver }) => [address, driver]));
  const named = new Set([...policy.binds, ...policy.allows].flatMap(({ functions }) => functions));
  const created = new Set(policy.creates.flatMap(({ functions }) => functions));
  const found: VirtualReturn[] = [];
  for (const fn of policy.snapshot.functions) {
    const { address, sriov } = fn;
    const mark = markOf(marks, virtualCountPath(address), fn);
    if (mark === undefined || created.has(address) || isUnknown(sriov) || sriov === null) continue;
    const now = `${sriov.numVfs}`;
    if (now !== mark.left || mark.found === null) continue;
    const { generation } = mark;
    const virtual = policy.snapshot.functions.filter((each) => each.physicalFunction === address);
    const used = virtual.filter((each) =>
      drivers.has(each.address) ? drivers.get(each.address) : each.driver,
    );
    if (virtual.some((each) => named.has(each.address))) continue;
    if (isGuarded(address) || virtual.some((each) => isGuarded(each.address)))
      kept.push({ address, generation, reason: 'it, or a virtual function of it, is protected' });
    else if (used.length > 0) {
      const names = used.map((each) => each.address).join(', ');
      kept.push({ address, generation, reason: `somebody else gave a driver to ${names}` });
    } else {
      const functions = virtual.map((each) => each.address);
      found.push({ address, count: mark.found, functions, generation });
    }
  }
  return found;
}
