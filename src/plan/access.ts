import type { State, World } from '../model/state.ts';
import { show } from '../model/view.ts';
import type { Allow, HostPolicy } from '../policy/policy.ts';
import { nodeOf } from '../script/nodes.ts';
import type { Plan } from './plan.ts';

type Access = Plan['access'][number];

/**
 * Who can use what once the plan is done, on which nodes, and what the process has to bring itself: a plan gives
 * nodes away, but capabilities and limits come from how the process is started.
 */
export function accessOf(policy: HostPolicy, world: World, end: State): readonly Access[] {
  const shows = (path: string): string | null => show(world, end, path);
  const access: Access[] = [];
  for (const allow of policy.allows) {
    const nodes = new Set<string>();
    for (const address of allow.functions) {
      const node = nodeOf({ shows }, address, allow.via);
      if (node !== null) nodes.add(node);
    }
    if (nodes.size === 0) continue;
    const path = [...nodes].some((node) => node.startsWith('/dev/vfio/noiommu-')) ? 'noiommu' : 'group';
    const { kind, name } = allow.who;
    const who = kind === 'anyone' ? 'anyone' : `${kind} ${name}`;
    access.push({ who, device: allow.device, path, nodes: [...nodes].sort(), needs: needsOf(allow, path) });
  }
  return access.sort((a, b) => compare(`${a.who}\0${a.device}`, `${b.who}\0${b.device}`));
}

function needsOf({ who }: Allow, path: Access['path']): readonly string[] {
  if (path === 'noiommu') {
    // Asked at open, at SET_CONTAINER, at SET_IOMMU and at the device's first open (drivers/vfio, 6.1 and 6.12).
    return ['CAP_SYS_RAWIO'];
  }
  const limit = 'RLIMIT_MEMLOCK of at least the memory that it maps for DMA, or CAP_IPC_LOCK';
  const heirless =
    who.kind === 'user' || who.kind === 'group' ? [] : ['the nodes, handed over by what starts it'];
  return [...heirless, limit];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
