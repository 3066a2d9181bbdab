/** Values that a machine has, or that the kernel knows, for each place that takes one. */
import { knownErrnos } from '../../src/check/errnos.ts';
import { explainAll } from '../../src/diagnostics/explain.ts';
import type { Fact, PciFunction, Snapshot } from '../../src/machine/snapshot.ts';
import { isUnknown, known } from '../../src/machine/snapshot.ts';
import { className, classNames } from '../../src/policy/classes.ts';
import { describeFunction } from '../../src/policy/describe.ts';
import { timeUnits, units } from '../../src/syntax/measures.ts';
import { capabilities, resetMethods } from '../../src/syntax/values.ts';

export interface Value {
  readonly label: string;
  readonly kind: 'name' | 'value';
  readonly detail: string;
  /** It stands in quotes whatever it is. */
  readonly quoted?: boolean;
}

/** A property of a function, and what it is on one: one value, several, or none that is known. */
const properties: Readonly<
  Record<string, (fn: PciFunction, snapshot: Snapshot) => readonly (string | null | undefined)[]>
> = {
  at: ({ address }) => [address],
  id: ({ vendor, device }) => [`${vendor}:${device}`],
  subsystem: ({ subsystemVendor, subsystemDevice }) =>
    isUnknown(subsystemVendor) || isUnknown(subsystemDevice) ? [] : [`${subsystemVendor}:${subsystemDevice}`],
  driver: ({ driver }) => [known(driver, null)],
  netdev: ({ netdevs }) => known(netdevs, []),
  block: ({ blockDevices }) => known(blockDevices, []),
  slot: ({ slot }) => (isUnknown(slot) ? [] : [slot.join('/')]),
  label: ({ firmwareLabel }) => [firmwareLabel === undefined ? null : known(firmwareLabel, null)],
  serial: ({ serial }) => [known(serial, null)],
  mac: ({ netdevs }, snapshot) => {
    const own: readonly string[] = known(netdevs, []);
    return known(snapshot.netdevs, [])
      .filter(({ name }) => own.includes(name))
      .map(({ mac }) => known(mac, null));
  },
  numa: ({ numaNode }) => (isUnknown(numaNode) || numaNode < 0 ? [] : [String(numaNode)]),
};

/** `place`: a property of a device, a kind of principal, or a role of the grammar. */
export function valuesFor(place: string, snapshots: readonly Snapshot[]): readonly Value[] {
  const property = Object.hasOwn(properties, place) ? properties[place] : undefined;
  if (property !== undefined) return ofFunctions(snapshots, property);
  switch (place) {
    case 'class':
      return classes(snapshots);
    case 'user':
      return named(snapshots, 'users', 'a user of the machine');
    case 'group':
      return named(snapshots, 'userGroups', 'a group of users of the machine');
    case 'DriverName':
      return drivers(snapshots);
    case 'Capability':
      return listed(capabilities, 'a capability');
    case 'Errno':
      return listed(knownErrnos, 'what a call may answer');
    case 'Code':
      return explainAll().map(({ code, title }) => ({ label: code, kind: 'value', detail: title }));
    case 'ResetMethod':
      return resets(snapshots);
    case 'Unit':
      return listed(Object.keys(units), 'a unit of memory');
    case 'TimeUnit':
      return listed(Object.keys(timeUnits), 'a unit of time');
    case 'Version':
      return versions(snapshots);
    default:
      return [];
  }
}

function listed(labels: Iterable<string>, detail: string): readonly Value[] {
  return [...labels].map((label) => ({ label, kind: 'value', detail }));
}

/** More than this a list cannot show; typing on narrows it down no further than the machine has. */
const limit = 1000;

function ofFunctions(
  snapshots: readonly Snapshot[],
  read: (fn: PciFunction, snapshot: Snapshot) => readonly (string | null | undefined)[],
): readonly Value[] {
  const found = new Map<string, Value>();
  for (const snapshot of snapshots) {
    for (const fn of snapshot.functions) {
      for (const label of read(fn, snapshot)) {
        if (label === null || label === undefined || label === '' || found.size >= limit) continue;
        const first = found.get(label);
        const detail = first === undefined ? describeFunction(fn) : `${first.detail.replace(/ …$/, '')} …`;
        found.set(label, { label, kind: 'value', detail });
      }
    }
  }
  return [...found.values()];
}

/** Those of the machine first. */
function classes(snapshots: readonly Snapshot[]): readonly Value[] {
  const here = new Set(snapshots.flatMap(({ functions }) => functions.map((fn) => className(fn.class))));
  return [
    ...listed(here, 'a class on this machine'),
    ...listed(
      classNames.filter((each) => !here.has(each)),
      'a class',
    ),
  ];
}

function named(
  snapshots: readonly Snapshot[],
  list: 'users' | 'userGroups',
  detail: string,
): readonly Value[] {
  const all = snapshots.flatMap((snapshot) => {
    const names: Fact<readonly { readonly name: string }[]> = snapshot[list];
    return known(names, []).map(({ name }) => name);
  });
  return listed(new Set(all), detail);
}

function drivers(snapshots: readonly Snapshot[]): readonly Value[] {
  const loaded = snapshots.flatMap((snapshot) => known(snapshot.drivers, []));
  const matching = snapshots.flatMap(({ functions }) => functions.flatMap((fn) => known(fn.drivers, [])));
  return listed(new Set(['vfio-pci', ...loaded, ...matching]), 'a driver');
}

function resets(snapshots: readonly Snapshot[]): readonly Value[] {
  const here = new Set<string>(
    snapshots.flatMap(({ functions }) => functions.flatMap((fn) => known(fn.resetMethods, []))),
  );
  return resetMethods.map((label) => ({
    label,
    kind: 'value',
    detail: here.has(label) ? 'a way to reset that functions here have' : 'a way to reset',
  }));
}

/** The first two parts of the machines' releases. */
function versions(snapshots: readonly Snapshot[]): readonly Value[] {
  const releases = snapshots.map(({ kernel }) => /^\d+\.\d+/.exec(known(kernel.release, ''))?.[0]);
  return listed(new Set(releases.filter((each) => each !== undefined)), "the machine's kernel");
}
