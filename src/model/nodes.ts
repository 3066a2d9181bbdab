import { put } from './places.ts';
import type { Node, State } from './state.ts';

/** Character devices under /dev/vfio, by path. */

type NodePlace =
  | { readonly kind: 'container'; readonly node: Node }
  | { readonly kind: 'group'; readonly node: Node; readonly minor: number };

const directory = '/dev/vfio/';
const container = `${directory}vfio`;

/** The node that stands at `path`, or null. */
export function nodeAt(state: State, path: string): NodePlace | null {
  if (path === container) return state.containerNode && { kind: 'container', node: state.containerNode };
  if (!path.startsWith(directory)) return null;
  const name = path.slice(directory.length);
  for (let minor = 0; minor < state.groups.length; minor += 1) {
    const group = state.groups[minor];
    if (group?.node && group.name === name) return { kind: 'group', node: group.node, minor };
  }
  return null;
}

/** Paths of all nodes, sorted. */
export function nodePaths(state: State): readonly string[] {
  const paths: string[] = state.containerNode === null ? [] : [container];
  for (const group of state.groups) if (group?.node) paths.push(directory + group.name);
  return paths.sort();
}

export function changeNode(state: State, place: NodePlace, node: Node): State {
  if (place.kind === 'container') return { ...state, containerNode: node };
  const group = state.groups[place.minor];
  return group ? { ...state, groups: put(state.groups, place.minor, { ...group, node }) } : state;
}
