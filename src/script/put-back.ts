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

function workOut(policy: HostPolicy): PutBack {
  const { established } = policy.snapshot;
  const told = established === undefined || isUnknown(established) ? [] : established;
  const marks = new Map(told.map((mark) => [mark.path, mark]));
  const kept: Kept[] = [];
  const functions = marks.size === 0 ? [] : returns(policy, marks, kept);
  const virtual = marks.size === 0 ? [] : virtualReturns(policy, marks, functions, kept);
  return {
    functions,
    overrides: marks.size === 0 ? new Map() : overridesBefore(policy, marks),
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
  kept: Kept[],
): readonly Return[] {
  const bound = new Set(policy.binds.flatMap((bind) => bind.functions));
  const guarded = guardedBy(policy);
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
    } else if (guarded.has(address))
      kept.push({ address, generation, reason: 'it, or what shares its group, is protected' });
    else {
      const text = overrideThen.text === '(null)' ? null : overrideThen.text;
      found.push({ address, driver: driverThen.text, override: text, generation });
    }
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

/** What a plan must not come to: what is protected, what shares its IOMMU group, and the physical function of a virtual one. */
function guardedBy({ protects, snapshot }: HostPolicy): ReadonlySet<Address> {
  const guarded = new Set(protects.flatMap(({ functions }) => functions));
  if (guarded.size === 0) return guarded;
  const groups = new Set<number>();
  for (const { address, iommuGroup, physicalFunction } of snapshot.functions) {
    if (!guarded.has(address)) continue;
    if (typeof iommuGroup === 'number') groups.add(iommuGroup);
    if (typeof physicalFunction === 'string') guarded.add(physicalFunction);
  }
  for (const { address, iommuGroup } of snapshot.functions)
    if (typeof iommuGroup === 'number' && groups.has(iommuGroup)) guarded.add(address);
  return guarded;
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
  kept: Kept[],
): readonly VirtualReturn[] {
  const drivers = new Map(returned.map(({ address, driver }) => [address, driver]));
  const named = new Set([...policy.binds, ...policy.allows].flatMap(({ functions }) => functions));
  const created = new Set(policy.creates.flatMap(({ functions }) => functions));
  const guarded = guardedBy(policy);
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
    if (guarded.has(address) || virtual.some((each) => guarded.has(each.address)))
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
