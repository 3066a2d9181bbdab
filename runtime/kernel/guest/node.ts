/**
 * What a path can lead to, and how a path is walked. Directories answer from the machine's state when they are asked;
 * nothing is built ahead, so that the cost of a path does not grow with the machine.
 */
import type { Credentials } from '../../backend.ts';
import { refuse } from './refuse.ts';

export interface Directory {
  readonly kind: 'directory';
  readonly mode?: number;
  readonly uid?: number;
  lookup(name: string): Node | undefined;
  names(): readonly string[];
}

export interface Link {
  readonly kind: 'link';
  /** Absolute, without links in its middle. */
  readonly target: string;
  /** What readlink(2) says. */
  readonly text: string;
}

/** A file of sysfs or proc whose text comes from a function. */
export interface Attribute {
  readonly kind: 'attribute';
  readonly mode: number;
  /** What stat(2) says of its size: 4096 in sysfs, 0 in proc. */
  readonly size: number;
  /** The whole content, or null when its object is gone. Absent: root too gets EACCES for opening it to read. */
  read?(): string | Uint8Array | null;
  /** One write call's text; the answer is 0 or a negative errno. Absent: as for `read`. */
  write?(text: string, pid: number): number;
  /** Bytes that a process without CAP_SYS_ADMIN may read; all when left out. */
  readonly unprivilegedSize?: number;
}

/** A character device under /dev. */
export interface DeviceNode {
  readonly kind: 'character';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whose driver answers: VFIO's nodes are the model's. */
  readonly driver: 'vfio' | 'null';
}

export type Node = Directory | Link | Attribute | DeviceNode;

export interface Place {
  readonly node: Node;
  /** Without links, `.` and `..`. */
  readonly path: string;
}

const longestPath = 4095;
const longestName = 255;
const mostLinks = 40;

/** Follows `path` from the root, the last component's link too if `follow`; a negative errno when it leads nowhere. */
export function walk(root: Directory, path: string, who: Credentials, follow: boolean): Place | number {
  if (path.length === 0) return refuse('ENOENT');
  if (path.length > longestPath) return refuse('ENAMETOOLONG');
  // Processes of the simulated kernel stand in the root directory.
  let todo = path.split('/').filter((part) => part !== '' && part !== '.');
  let trail: { readonly node: Node; readonly name: string }[] = [];
  let links = 0;
  let node: Node = root;
  for (let at = 0; at < todo.length; at++) {
    const name = todo[at] ?? '';
    if (node.kind !== 'directory') return refuse('ENOTDIR');
    if (!permits(node, who, 1)) return refuse('EACCES');
    if (name === '..') {
      trail.pop();
      node = trail.at(-1)?.node ?? root;
      continue;
    }
    if (name.length > longestName) return refuse('ENAMETOOLONG');
    const found: Node | undefined = node.lookup(name);
    if (found === undefined) return refuse('ENOENT');
    if (found.kind === 'link' && (follow || at < todo.length - 1 || path.endsWith('/'))) {
      links += 1;
      if (links > mostLinks) return refuse('ELOOP');
      todo = [...found.target.split('/').filter((part) => part !== ''), ...todo.slice(at + 1)];
      at = -1;
      trail = [];
      node = root;
      continue;
    }
    trail.push({ node: found, name });
    node = found;
  }
  if (path.endsWith('/') && node.kind !== 'directory') return refuse('ENOTDIR');
  return { node, path: `/${trail.map((step) => step.name).join('/')}` };
}

/** Permission bits of any node. */
export function modeOf(node: Node): number {
  if (node.kind === 'link') return 0o777;
  return node.kind === 'directory' ? (node.mode ?? 0o755) : node.mode;
}

/** Whether `who` has all of `wanted` (4 read, 2 write, 1 search) on a node (fs/namei.c:generic_permission). */
export function permits(node: Node, who: Credentials, wanted: number): boolean {
  const uid = 'uid' in node ? (node.uid ?? 0) : 0;
  const gid = 'gid' in node ? node.gid : 0;
  const shift = who.uid === uid ? 6 : who.gid === gid || who.groups.includes(gid) ? 3 : 0;
  if (((modeOf(node) >> shift) & wanted) === wanted) return true;
  if (who.capabilities.includes('CAP_DAC_OVERRIDE')) return true;
  const reads = node.kind === 'directory' ? (wanted & 2) === 0 : wanted === 4;
  return reads && who.capabilities.includes('CAP_DAC_READ_SEARCH');
}
