import type { Held } from './holdings.ts';
import { contains, parseAddress, parsePrefix } from './networks.ts';
import { type Address, isUnknown, type Netdev, type Snapshot } from './snapshot.ts';
import { topologyOf } from './topology.ts';

/**
 * Whether the way in to the machine goes through the function: a default route, or the route to a peer of an SSH
 * session, over one of its network devices or over a bond, team, bridge, VLAN or macvlan above it. Routes are those of
 * the main table; a machine that is reached by policy routing alone shows only in its peers.
 */
export function carriesManagement(snapshot: Snapshot, address: Address): Held {
  const doubts: Doubt[] = [];
  const reached = reachedFrom(snapshot, address, doubts);
  if (reached.size === 0 && doubts.length === 0) return { is: 'free' };
  const { routes } = snapshot;
  if (isUnknown(routes)) return { is: 'unknown', fact: '/routes', unknown: routes.unknown };
  for (const { netdev, reason } of waysIn(snapshot, doubts)) {
    const chain = reached.get(netdev);
    if (chain !== undefined) return { is: 'held', chain: [...chain, `${netdev} carries ${reason}`] };
    if (reached.size > 0) doubts.push(...bottomless(snapshot, netdev, reason));
  }
  const [doubt] = doubts;
  return doubt === undefined ? { is: 'free' } : { is: 'unknown', ...doubt };
}

interface Doubt {
  readonly fact: string;
  readonly unknown: string;
}

/** Network devices of the function and all that stand on them, each with the chain that leads there. */
function reachedFrom(
  snapshot: Snapshot,
  address: Address,
  doubts: Doubt[],
): ReadonlyMap<string, readonly string[]> {
  const listed = topologyOf(snapshot).functions.get(address)?.netdevs ?? {
    unknown: 'the snapshot has no such function',
  };
  const names = isUnknown(listed) ? [] : listed;
  const reached = new Map(names.map((name) => [name, [`${name} is a network device of ${address}`]]));
  const { netdevs } = snapshot;
  if (isUnknown(netdevs)) {
    if (isUnknown(listed)) doubts.push({ fact: `/functions/${address}/netdevs`, unknown: listed.unknown });
    if (reached.size > 0) doubts.push({ fact: '/netdevs', unknown: netdevs.unknown });
    return reached;
  }
  for (const netdev of netdevs)
    if (isUnknown(netdev.function) && isUnknown(listed))
      doubts.push({ fact: `/netdevs/${netdev.name}/function`, unknown: netdev.function.unknown });
    else if (netdev.function === address && !reached.has(netdev.name))
      reached.set(netdev.name, [`${netdev.name} is a network device of ${address}`]);
  climb(netdevs, reached, doubts);
  return reached;
}

/** Adds to `reached` what stands on those already there: masters, and devices that name them as lower. */
function climb(netdevs: readonly Netdev[], reached: Map<string, readonly string[]>, doubts: Doubt[]): void {
  if (reached.size === 0) return;
  const { byName, above, undecided } = indexOf(netdevs);
  doubts.push(...undecided.filter(({ netdev }) => !reached.has(netdev)).map(({ doubt }) => doubt));
  // A Map's iteration visits what is added while it runs: this is the queue.
  for (const [name, chain] of reached) {
    const netdev = byName.get(name);
    if (netdev === undefined) {
      doubts.push({ fact: `/netdevs/${name}`, unknown: `the snapshot has no network device ${name}` });
      continue;
    }
    if (isUnknown(netdev.master))
      doubts.push({ fact: `/netdevs/${name}/master`, unknown: netdev.master.unknown });
    else if (netdev.master === 'ovs-system')
      // The datapath device of Open vSwitch (net/openvswitch): its internal ports are not above it in sysfs.
      doubts.push({
        fact: `/netdevs/${name}/master`,
        unknown: `${name} is a port of an Open vSwitch, and which device it carries is not told`,
      });
    else if (netdev.master !== null && !reached.has(netdev.master))
      reached.set(netdev.master, [...chain, `${name} is enslaved to ${called(byName, netdev.master)}`]);
    for (const upper of above.get(name) ?? [])
      if (!reached.has(upper)) reached.set(upper, [...chain, `${called(byName, upper)} stands on ${name}`]);
  }
}

/** A tunnel carries traffic over another device, and nothing in sysfs says over which. */
function bottomless(snapshot: Snapshot, name: string, reason: string): readonly Doubt[] {
  const { netdevs } = snapshot;
  if (isUnknown(netdevs) || name === 'lo') return [];
  const netdev = indexOf(netdevs).byName.get(name);
  const stands =
    netdev !== undefined &&
    (typeof netdev.function === 'string' ||
      (!isUnknown(netdev.lower) && netdev.lower.length > 0) ||
      netdevs.some(({ master }) => master === name));
  if (stands) return [];
  return [
    { fact: `/netdevs/${name}`, unknown: `${name} carries ${reason}, and over which device is not told` },
  ];
}

interface NetdevIndex {
  readonly byName: ReadonlyMap<string, Netdev>;
  /** Names of the devices that name the key as lower. */
  readonly above: ReadonlyMap<string, readonly string[]>;
  /** Devices that may stand on any other. */
  readonly undecided: readonly { readonly netdev: string; readonly doubt: Doubt }[];
}

const indexes = new WeakMap<readonly Netdev[], NetdevIndex>();

function indexOf(netdevs: readonly Netdev[]): NetdevIndex {
  const made = indexes.get(netdevs);
  if (made !== undefined) return made;
  const byName = new Map(netdevs.map((netdev) => [netdev.name, netdev]));
  const above = new Map<string, string[]>();
  const undecided: { readonly netdev: string; readonly doubt: Doubt }[] = [];
  for (const { name, lower } of netdevs) {
    if (isUnknown(lower)) {
      undecided.push({ netdev: name, doubt: { fact: `/netdevs/${name}/lower`, unknown: lower.unknown } });
      continue;
    }
    for (const below of lower) {
      const list = above.get(below);
      if (list === undefined) above.set(below, [name]);
      else list.push(name);
    }
  }
  const index = { byName, above, undecided };
  indexes.set(netdevs, index);
  return index;
}

function called(byName: ReadonlyMap<string, Netdev>, name: string): string {
  const kind = byName.get(name)?.kind;
  return kind === undefined || name.startsWith(kind) ? name : `${kind} ${name}`;
}

interface WayIn {
  readonly netdev: string;
  readonly reason: string;
}

function waysIn(snapshot: Snapshot, doubts: Doubt[]): readonly WayIn[] {
  const { routes, managementPeers } = snapshot;
  if (isUnknown(routes)) return [];
  const ways: WayIn[] = routes
    .filter(({ destination }) => isDefault(destination))
    .map(({ netdev }) => ({ netdev, reason: 'the default route' }));
  if (isUnknown(managementPeers)) {
    doubts.push({ fact: '/managementPeers', unknown: managementPeers.unknown });
    return ways;
  }
  for (const peer of managementPeers) {
    const found = routesTo(routes, peer);
    if (found === null)
      doubts.push({
        fact: '/managementPeers',
        unknown: `\`${peer}\` is not an address, so its route is not known`,
      });
    else
      ways.push(
        ...found.map((netdev) => ({ netdev, reason: `the route to ${peer}, a peer of an SSH session` })),
      );
  }
  return ways;
}

function isDefault(destination: string): boolean {
  return destination === 'default' || destination === '0.0.0.0/0' || destination === '::/0';
}

/** Devices of the longest prefixes that hold the peer; metrics are not compared, so equal prefixes all count. */
function routesTo(
  routes: Exclude<Snapshot['routes'], { unknown: string }>,
  peer: string,
): readonly string[] | null {
  const address = parseAddress(peer);
  if (address === null) return null;
  let longest = -1;
  let devices: string[] = [];
  for (const { destination, netdev } of routes) {
    if (destination === 'default') continue;
    const prefix = parsePrefix(destination);
    if (prefix === null || prefix.length < longest || !contains(prefix, address)) continue;
    if (prefix.length > longest) devices = [];
    longest = prefix.length;
    devices.push(netdev);
  }
  return devices;
}
