import type { Address } from '../machine/snapshot.ts';
import { cdevPath } from '../model/nodes.ts';
import type { State, World } from '../model/state.ts';
import { show } from '../model/view.ts';
import type { Allow } from '../policy/policy.ts';
import { groupPath } from './paths.ts';

/** How a function is used: through its group and a container, through its own node and an iommufd, or without an IOMMU. */
export type Way = 'group' | 'iommufd' | 'noiommu';

/**
 * The way that an allow means: what it names; for `any` the safest that machine and principal can use. That is iommufd,
 * whose node leads to the one function and not to all of its group, and which charges locked memory to the user and not
 * to each process anew; where the kernel has it, it is told which vfioX is whose, and it is for us to hand the nodes over.
 * What starts a virtual machine, a service or a container knows groups for sure. Without an IOMMU group nothing but
 * no-IOMMU mode is left.
 */
export function wayOf(world: World, { who, via }: Pick<Allow, 'who' | 'via'>, address: Address): Way {
  if (via !== 'any') return via;
  if ((world.devices.get(address)?.group ?? null) === null) return 'noiommu';
  const { cdev, iommufd, group, container } = world.profile.build;
  const can = cdev && iommufd !== 'n' && world.strangers !== null;
  const ours = who.kind === 'user' || who.kind === 'group';
  return can && (ours || !group || !container) ? 'iommufd' : 'group';
}

/** What a machine shows: of paths, and of devices whose paths have a number. */
export interface View {
  /** As `show` of the model. */
  shows(path: string): string | null;
  /** The function's own node, `/dev/vfio/devices/vfio3`; null: it has none. */
  cdevOf(address: Address): string | null;
}

export function viewOf(world: World, state: State): View {
  return {
    shows: (path) => show(world, state, path),
    cdevOf: (address) => {
      const vfio = state.devices[world.devices.get(address)?.index ?? -1]?.vfio;
      return vfio?.node ? cdevPath(vfio) : null;
    },
  };
}

/**
 * The node through which a process uses the function on this way, once it is bound: `/dev/vfio/7`,
 * `/dev/vfio/noiommu-0`, `/dev/vfio/devices/vfio3`. Null: it has none of that kind.
 */
export function nodeOf(view: View, address: Address, way: Way): string | null {
  if (way === 'iommufd') return view.cdevOf(address);
  const group = view.shows(groupPath(address));
  if (group === null) return null;
  const node = way === 'noiommu' ? `/dev/vfio/noiommu-${group}` : `/dev/vfio/${group}`;
  return view.shows(node) === null ? null : node;
}

/** Every node through which the function can be used, each with its way. */
export function nodesOf(view: View, address: Address): readonly (readonly [Way, string])[] {
  const ways = ['group', 'noiommu', 'iommufd'] as const;
  return ways.flatMap((way) => {
    const node = nodeOf(view, address, way);
    return node === null ? [] : [[way, node] as const];
  });
}
