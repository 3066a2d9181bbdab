import type { Address } from '../machine/snapshot.ts';
import { draftOf, groupIn, vfioOf } from './draft.ts';
import type { Node, State, VfioDevice, World } from './state.ts';

/** Character devices under /dev/vfio, /dev/iommu and /dev/kvm, by path. */

type NodePlace =
  | { readonly kind: 'container'; readonly node: Node }
  | { readonly kind: 'group'; readonly node: Node; readonly minor: number }
  /** `device` is its place in `State.devices`. */
  | { readonly kind: 'cdev'; readonly node: Node; readonly device: number }
  | { readonly kind: 'iommufd'; readonly node: Node }
  | { readonly kind: 'kvm'; readonly node: Node };

const directory = '/dev/vfio/';
const container = `${directory}vfio`;
const iommu = '/dev/iommu';
export const kvmPath = '/dev/kvm';
/** What iommufd asks for when it registers its node (drivers/iommu/iommufd/main.c:iommu_misc_dev). */
export const freshIommuNode: Node = { uid: 0, gid: 0, mode: 0o660 };

const cdevs = `${directory}devices/`;

/** The path of a device's cdev (drivers/vfio/device_cdev.c:vfio_device_devnode). */
export function cdevPath({ name }: Pick<VfioDevice, 'name'>): string {
  return `${cdevs}${name}`;
}

/** The node that stands at `path`, or null. */
export function nodeAt(state: State, path: string): NodePlace | null {
  if (path === container) return state.containerNode && { kind: 'container', node: state.containerNode };
  if (path === iommu) return state.iommuNode && { kind: 'iommufd', node: state.iommuNode };
  if (path === kvmPath) return state.kvmNode && { kind: 'kvm', node: state.kvmNode };
  if (!path.startsWith(directory)) return null;
  if (path.startsWith(cdevs)) return cdevAt(state, path);
  const name = path.slice(directory.length);
  for (let minor = 0; minor < state.groups.length; minor += 1) {
    const group = state.groups[minor];
    if (group?.node && group.name === name) return { kind: 'group', node: group.node, minor };
  }
  return null;
}

/** The path by which the node of `path`'s kind that belongs to function `of` stands now; null: it has none. */
export function presentPath(world: World, state: State, path: string, of: Address): string | null {
  const device = state.devices[world.devices.get(of)?.index ?? -1];
  if (path.startsWith(cdevs)) return device?.vfio?.node ? cdevPath(device.vfio) : null;
  const group = device?.vfio == null ? null : state.groups[device.vfio.group];
  return group?.node ? directory + group.name : null;
}

/** The function that a node of `presentPath` belongs to; null: the path has no number of its own, or nothing is there. */
export function functionOf(world: World, state: State, path: string): Address | null {
  const place = nodeAt(state, path);
  if (place?.kind === 'cdev') return world.hardware[place.device]?.address ?? null;
  if (place?.kind !== 'group' || state.groups[place.minor]?.noiommu !== true) return null;
  return world.hardware[state.groups[place.minor]?.devices[0] ?? -1]?.address ?? null;
}

function cdevAt(state: State, path: string): NodePlace | null {
  // Thousands of devices may be asked, so numbers are compared and not texts.
  const index = Number(path.slice(path.lastIndexOf('o') + 1));
  for (let device = 0; device < state.devices.length; device += 1) {
    const vfio = state.devices[device]?.vfio;
    if (!vfio?.node || vfio.index !== index) continue;
    return cdevPath(vfio) === path ? { kind: 'cdev', node: vfio.node, device } : null;
  }
  return null;
}

/** Paths of all nodes of VFIO and iommufd, sorted. */
export function nodePaths(state: State): readonly string[] {
  const paths: string[] = state.containerNode === null ? [] : [container];
  for (const group of state.groups) if (group?.node) paths.push(directory + group.name);
  for (const { vfio } of state.devices) if (vfio?.node) paths.push(cdevPath(vfio));
  if (state.iommuNode !== null) paths.push(iommu);
  return paths.sort();
}

export function changeNode(state: State, place: NodePlace, node: Node): State {
  const draft = draftOf(state);
  if (place.kind === 'container') draft.containerNode = node;
  else if (place.kind === 'iommufd') draft.iommuNode = node;
  else if (place.kind === 'kvm') draft.kvmNode = node;
  else if (place.kind === 'cdev') vfioOf(draft, place.device).node = node;
  else groupIn(draft, place.minor).node = node;
  return draft;
}
