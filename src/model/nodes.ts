import { put, replace } from './places.ts';
import type { Node, State } from './state.ts';

/** Character devices under /dev/vfio, by path. */

export type NodePlace =
  | { readonly kind: 'container'; readonly node: Node }
  | { readonly kind: 'group'; readonly node: Node; readonly minor: number }
  | { readonly kind: 'device'; readonly node: Node; readonly device: number };

const directory = '/dev/vfio/';

/** The node that stands at `path`, or null. */
export function nodeAt(state: State, path: string): NodePlace | null {
  if (!path.startsWith(directory)) return null;
  const name = path.slice(directory.length);
  if (name === 'vfio') return state.containerNode && { kind: 'container', node: state.containerNode };
  if (name.startsWith('devices/vfio')) return deviceNode(state, name.slice('devices/vfio'.length));
  for (let minor = 0; minor < state.groups.length; minor += 1) {
    const group = state.groups[minor];
    if (group?.node && group.name === name) return { kind: 'group', node: group.node, minor };
  }
  return null;
}

/** Paths of all nodes, sorted. */
export function nodePaths(state: State): readonly string[] {
  const paths: string[] = state.containerNode === null ? [] : [`${directory}vfio`];
  for (const group of state.groups) if (group?.node) paths.push(directory + group.name);
  for (const { vfio } of state.devices) if (vfio?.node) paths.push(`${directory}devices/vfio${vfio.index}`);
  return paths.sort();
}

export function changeNode(state: State, place: NodePlace, node: Node): State {
  if (place.kind === 'container') return { ...state, containerNode: node };
  if (place.kind === 'group') {
    const group = state.groups[place.minor];
    return group ? { ...state, groups: put(state.groups, place.minor, { ...group, node }) } : state;
  }
  const device = state.devices[place.device];
  if (!device?.vfio) return state;
  const changed = { ...device, vfio: { ...device.vfio, node } };
  return { ...state, devices: replace(state.devices, place.device, changed) };
}

function deviceNode(state: State, index: string): NodePlace | null {
  const device = state.devices.findIndex(({ vfio }) => vfio !== null && `${vfio.index}` === index);
  const node = state.devices[device]?.vfio?.node;
  return node ? { kind: 'device', node, device } : null;
}
