import type { Place } from '../diagnostics/diagnostic.ts';
import type { PciFunction } from '../machine/snapshot.ts';
import type { World } from '../model/state.ts';
import type { HostPolicy, Persist } from '../policy/policy.ts';
import { inOrder, type Owners, ownersOf } from './nodes.ts';
import { modeText } from './sentence.ts';
import { cdevRule, groupRule, iommufdRule } from './udev-rules.ts';
import { type Way, wayOf } from './ways.ts';
import { again, type Beyond } from './wishes.ts';

/** Nodes that shall belong to somebody after a boot, too. */
export interface KeptNodes {
  readonly rules: readonly string[];
  /** "user dpdk", each once. */
  readonly heirs: readonly string[];
  readonly why: readonly Place[];
  readonly beyond: readonly Beyond[];
}

/** Above it are no system users (SYS_UID_MAX), to whom udev of systemd 258 gives no node. */
const lastSystemNumber = 999;

/** One node: what leads to it, and who shall have it. */
interface Node {
  readonly fn: PciFunction;
  readonly way: Way;
  readonly owners: Owners;
}

export function keptNodes(policy: HostPolicy, world: World, kept: ReadonlyMap<string, Persist>): KeptNodes {
  const functions = new Map([...policy.snapshot.functions, ...policy.arriving].map((fn) => [fn.address, fn]));
  const nodes = new Map<string, Node>();
  const iommufd: Owners[] = [];
  const places = new Map<string, Place>();
  for (const allow of inOrder(policy.allows)) {
    const persist = kept.get(allow.policy);
    const its = ownersOf(policy.snapshot, allow.who);
    if (persist === undefined || its === null || 'unknown' in its) continue;
    for (const address of allow.functions) {
      const fn = functions.get(address);
      if (fn === undefined) continue;
      const way = wayOf(world, allow, address);
      const key = `${way} ${way === 'group' ? (world.devices.get(address)?.group ?? address) : address}`;
      const owners = nodes.get(key)?.owners ?? {};
      nodes.set(key, { fn, way, owners: { ...its, ...owners } });
      if (way === 'iommufd') iommufd.push(its);
      places.set(`${allow.who.kind} ${allow.who.name}`, persist.place);
    }
  }
  const high = new Map([...nodes.values()].flatMap(({ owners }) => [...tooHigh(owners, places)]));
  const rules = [...nodes.values()].flatMap(({ fn, way, owners }) => ruleOf(fn, way, owners));
  return {
    rules: [...iommufdNode(iommufd), ...rules],
    heirs: [...places.keys()].sort(),
    why: [...new Set(places.values())],
    beyond: [...high.values()],
  };
}

function ruleOf(fn: PciFunction, way: Way, owners: Owners): readonly string[] {
  const owner = ownerOf(owners);
  return [way === 'iommufd' ? cdevRule(fn, owner) : groupRule(fn, way, owner)];
}

function ownerOf({ user, group }: Owners) {
  const mode = modeText(group === undefined ? 0o600 : 0o660);
  return { uid: user?.uid ?? 0, gid: group?.gid ?? 0, mode };
}

/** As a plan gives it: to the one user and the one group that need it, or to everybody where they are several. */
function iommufdNode(of: readonly Owners[]): readonly string[] {
  const users = new Map(of.flatMap(({ user }) => (user === undefined ? [] : [[user.uid, user] as const])));
  const groups = new Map(
    of.flatMap(({ group }) => (group === undefined ? [] : [[group.gid, group] as const])),
  );
  if (of.length === 0) return [];
  if (users.size > 1 || groups.size > 1) return [iommufdRule({ uid: 0, gid: 0, mode: modeText(0o666) })];
  const [[user] = [], [group] = []] = [[...users.values()], [...groups.values()]];
  return [iommufdRule(ownerOf({ ...(user ? { user } : {}), ...(group ? { group } : {}) }))];
}

function* tooHigh(
  { user, group }: Owners,
  places: ReadonlyMap<string, Place>,
): Iterable<readonly [string, Beyond]> {
  const heirs = [
    ...(user === undefined ? [] : [[`user ${user.name}`, user.uid] as const]),
    ...(group === undefined ? [] : [[`group ${group.name}`, group.gid] as const]),
  ];
  for (const [who, number] of heirs) {
    const place = places.get(who);
    if (number <= lastSystemNumber || place === undefined) continue;
    yield [
      who,
      {
        what: 'persist',
        sentence: `${who} has its nodes after a boot`,
        cause: `its number ${number} is none of the system's: udev of systemd 258 gives it no node`,
        cure: `give it a number up to ${lastSystemNumber} (\`--system\`), or ${again}`,
        place,
      },
    ];
  }
}
