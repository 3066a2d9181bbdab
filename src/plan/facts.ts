import { configurationOf, textAt } from '../machine/configuration.ts';
import { type Fact, isUnknown, type Snapshot, type Unknown } from '../machine/snapshot.ts';

/** What a fact can be: a JSON value, `null` when there is no such thing, or unknown. */
type FactValue = Fact<
  string | number | boolean | null | readonly unknown[] | { readonly [key: string]: unknown }
>;

/**
 * Reads facts of a snapshot by path: `/functions/0000:03:00.0/driver`, `/users/dpdk/uid`, `/drivers/vfio-pci`,
 * `/nodes//dev/vfio/7`, `/configuration//etc/modprobe.d/vfioplan.conf`. Members of a list are named by what identifies them. Indexes once, so that thousands of facts
 * cost thousands of look-ups.
 */
export function factsOf(snapshot: Snapshot): (path: string) => FactValue {
  const lists = new Map<string, ReadonlyMap<string, unknown> | Unknown>([
    ['functions', byKey(snapshot.functions, (each) => each.address)],
    ['users', byKey(snapshot.users, (each) => each.name)],
    ['userGroups', byKey(snapshot.userGroups, (each) => each.name)],
    ['blockDevices', byKey(snapshot.blockDevices, (each) => each.name)],
    ['netdevs', byKey(snapshot.netdevs, (each) => each.name)],
    ['drivers', byKey(snapshot.drivers, (each) => each)],
    ['iommuMembers', membersOf(snapshot)],
  ]);
  const nodes = byKey(snapshot.nodes, (each) => each.path);
  return (path) => {
    const [, first = '', second = '', ...rest] = path.split('/');
    if (first === 'configuration') return configured(snapshot, path.slice('/configuration/'.length));
    if (first === 'nodes') return nodeText(nodes, path.slice('/nodes/'.length));
    const list = lists.get(first);
    if (list === undefined) return walk(snapshot, path.split('/').slice(1));
    if (isUnknown(list as Fact<object>)) return list as Unknown;
    return walk((list as ReadonlyMap<string, unknown>).get(second), rest);
  };
}

/** A node as the model shows it: `600 1000:0`. */
function nodeText(
  nodes: ReadonlyMap<string, { readonly uid: number; readonly gid: number; readonly mode: number }> | Unknown,
  path: string,
): FactValue {
  if ('unknown' in nodes) return nodes;
  const node = nodes.get(path);
  return node === undefined ? null : `${node.mode.toString(8)} ${node.uid}:${node.gid}`;
}

/** A file's text, or `directory`. */
function configured(snapshot: Snapshot, path: string): FactValue {
  const told = configurationOf(snapshot);
  if (isUnknown(told)) return told;
  return told.directories.some((each) => each.path === path) ? 'directory' : textAt(snapshot, path);
}

/** The functions of each real IOMMU group: who else is in it decides whether it can be used. */
function membersOf(snapshot: Snapshot): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>();
  for (const { address, iommuGroup } of snapshot.functions) {
    if (isUnknown(iommuGroup) || iommuGroup === null) continue;
    const group = members.get(String(iommuGroup));
    if (group === undefined) members.set(String(iommuGroup), [address]);
    else group.push(address);
  }
  return members;
}

function byKey<T>(list: Fact<readonly T[]>, key: (each: T) => string): ReadonlyMap<string, T> | Unknown {
  return isUnknown(list) ? list : new Map(list.map((each) => [key(each), each]));
}

/** Follows object fields; what is unknown on the way is unknown at its end, what is missing is null. */
function walk(from: unknown, path: readonly string[]): FactValue {
  let value = from;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return null;
    if (isUnknown(value as Fact<object>)) return value as Unknown;
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
  }
  return (value ?? null) as FactValue;
}
