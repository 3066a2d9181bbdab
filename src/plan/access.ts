import { isUnknown } from '../machine/snapshot.ts';
import type { State, World } from '../model/state.ts';
import { sizeText } from '../policy/describe.ts';
import type { Allow, HostPolicy } from '../policy/policy.ts';
import { limitGivers, limitOf } from '../script/limits.ts';
import { isCdev } from '../script/paths.ts';
import { nodeOf, viewOf, type Way, wayOf } from '../script/ways.ts';
import type { Plan } from './plan.ts';

type Access = Plan['access'][number];

/**
 * Who can use what once the plan is done, on which nodes, and what the process has to bring itself: a plan gives
 * nodes away, but capabilities and limits come from how the process is started.
 */
export function accessOf(policy: HostPolicy, world: World, end: State): readonly Access[] {
  const view = viewOf(world, end);
  const givers = limitGivers(policy, world);
  const access: Access[] = [];
  for (const allow of policy.allows) {
    const nodes = new Set<string>();
    const ways = new Set<Way>();
    for (const address of allow.functions) {
      const way = wayOf(world, allow, address);
      const node = nodeOf(view, address, way);
      if (node === null || (world.strangers === null && isCdev(node))) continue;
      nodes.add(node);
      ways.add(way);
    }
    // All of one statement are used together, in one container or one iommufd.
    const [path] = ways;
    if (path === undefined) continue;
    const { kind, name } = allow.who;
    const who = kind === 'anyone' ? 'anyone' : `${kind} ${name}`;
    access.push({
      who,
      device: allow.device,
      path,
      nodes: [...nodes].sort(),
      needs: needsOf(policy, givers.get(who), allow, path),
    });
  }
  const key = ({ who, device, path, nodes }: Access) => [who, device, path, ...nodes].join('\0');
  return access.sort((a, b) => compare(key(a), key(b)));
}

const given = {
  login: ' (its next login gives it)',
  unit: ' (its unit gives it from its next start on)',
} as const;

/** `giver`: who sets the limit, once the plan is done. */
function needsOf(
  policy: HostPolicy,
  giver: keyof typeof given | undefined,
  { who }: Allow,
  path: Access['path'],
): readonly string[] {
  const { snapshot } = policy;
  const needs: string[] = [];
  const numbers = who.kind === 'group' ? snapshot.userGroups : snapshot.users;
  if (who.kind !== 'user' && who.kind !== 'group') needs.push('the nodes, handed over by what starts it');
  else if (isUnknown(numbers)) needs.push('the nodes, which a plan gives it once its number is known');
  // Asked at open, at SET_CONTAINER, at SET_IOMMU and at the device's first open (drivers/vfio, 6.1 and 6.12).
  if (path === 'noiommu') needs.push('CAP_SYS_RAWIO');
  else {
    const limit = limitOf(policy, who);
    needs.push(
      limit === undefined
        ? 'RLIMIT_MEMLOCK of at least the memory that it maps for DMA, or CAP_IPC_LOCK'
        : `RLIMIT_MEMLOCK of ${sizeText(limit.bytes)}, for what it maps for DMA${giver === undefined ? '' : given[giver]}`,
    );
  }
  return needs;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
