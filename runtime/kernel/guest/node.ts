/**
 * What a path can lead to, and how a path is walked. Directories answer from the machine's state when they are asked;
 * nothing is built ahead, so that the cost of a path does not grow with the machine.
 */
import type { Credentials } from '../../backend.ts';
import type { AddressSpace } from './memory.ts';
import { refuse } from './refuse.ts';

export interface Directory {
  readonly kind: 'directory';
  /**
   * Its name leads to it for as long as the machine runs, or as long as it has entries, and everybody may search it.
   */
  readonly kept?: true;
  readonly mode?: number;
  readonly uid?: number;
  lookup(name: string): Node | undefined;
  names(): readonly string[];
}

export interface Link {
  readonly kind: 'link';
  /** As a directory's. */
  readonly kept?: true;
  /** Absolute, without links in its middle. */
  readonly target: string;
  /** The directory that it lies in, for the relative path that readlink(2) says; left out: it says `target`. */
  readonly from?: string;
}

/** A file of sysfs or proc whose text comes from a function. */
export interface Attribute {
  readonly kind: 'attribute';
  /** As a directory's. */
  readonly kept?: true;
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

/** /proc/PID/mem: the memory of a process, byte by byte. */
export interface MemoryNode {
  readonly kind: 'memory';
  readonly mode: number;
  readonly uid: number;
  readonly memory: AddressSpace;
}

/** A file of a disk; whoever has it open sees what is written to it. */
export interface PlainFile {
  readonly kind: 'plain';
  mode: number;
  readonly uid: number;
  readonly gid: number;
  bytes: Uint8Array;
}

export type Node = Directory | Link | Attribute | DeviceNode | MemoryNode | PlainFile;

export interface Place {
  readonly node: Node;
  /** Without links, `.` and `..`. */
  readonly path: string;
}

const longestPath = 4095;
const longestName = 255;
const mostLinks = 40;
/** Paths come from outside, so how many are remembered has an end. */
const mostKnown = 1024;

/**
 * The ways that were walked to directories and files which stay: they need not be walked again. What a caller may do has no part
 * in them, for nobody is kept from searching such a directory.
 */
export class Paths {
  private readonly root: Directory;
  private readonly known = new Map<string, Place>();
  /** Files apart, so that a reader of many does not push directories out. */
  private readonly files = new Map<string, Place>();

  constructor(root: Directory) {
    this.root = root;
  }

  /** Nothing is known any more: some directory that stayed until now is gone. */
  forget(): void {
    this.known.clear();
    this.files.clear();
  }

  /** As `walk`, from the root. */
  walk(path: string, who: Credentials, follow: boolean): Place | number {
    return this.files.get(path) ?? this.search(path, who, follow);
  }

  private search(path: string, who: Credentials, follow: boolean): Place | number {
    const cut = path.lastIndexOf('/');
    const name = path.slice(cut + 1);
    if (cut <= 0 || name === '' || name === '.' || name === '..' || path.length > longestPath) {
      return walk(this.root, path, who, follow);
    }
    const before = path.slice(0, cut);
    const known = this.known.get(before);
    const place = known ?? this.parent(before, who);
    if (typeof place === 'number') return place;
    const { node: parent } = place;
    if (parent.kind !== 'directory') return refuse('ENOTDIR');
    if (parent.mode !== undefined && !permits(parent, who, 1)) return refuse('EACCES');
    if (name.length > longestName) return refuse('ENAMETOOLONG');
    const node = parent.lookup(name);
    if (node === undefined) return refuse('ENOENT');
    if (node.kind === 'link' && follow) return walk(this.root, path, who, follow);
    const found = { node, path: place.path === '/' ? `/${name}` : `${place.path}/${name}` };
    // In a directory that is known, so on a way that stays.
    if (known !== undefined && node.kind === 'attribute' && node.kept === true && this.files.size < mostKnown)
      this.files.set(path, found);
    return found;
  }

  private parent(path: string, who: Credentials): Place | number {
    const walked = new Walk(this.root, path);
    while (walked.at < walked.todo.length) {
      const refused = walked.step(who, true);
      if (refused < 0) return refused;
    }
    const place = { node: walked.node, path: `/${walked.names.join('/')}` };
    // What is not there any more has no entries, but `..` would still lead out of it.
    if (walked.kept && !path.includes('/..') && this.known.size < mostKnown) this.known.set(path, place);
    return place;
  }
}

/** Follows `path` from the root, the last component's link too if `follow`; a negative errno when it leads nowhere. */
function walk(root: Directory, path: string, who: Credentials, follow: boolean): Place | number {
  if (path.length === 0) return refuse('ENOENT');
  if (path.length > longestPath) return refuse('ENAMETOOLONG');
  const walked = new Walk(root, path);
  while (walked.at < walked.todo.length) {
    const refused = walked.step(who, follow);
    if (refused < 0) return refused;
  }
  if (path.endsWith('/') && walked.node.kind !== 'directory') return refuse('ENOTDIR');
  return { node: walked.node, path: `/${walked.names.join('/')}` };
}

/** One walk on its way. Processes of the simulated kernel stand in the root directory. */
class Walk {
  node: Node;
  at = 0;
  todo: readonly string[];
  readonly names: string[] = [];
  /** Whether all that was passed stays as it is. */
  kept = true;
  private readonly root: Directory;
  private readonly nodes: Node[] = [];
  private readonly through: boolean;
  private links = 0;

  constructor(root: Directory, path: string) {
    this.root = root;
    this.node = root;
    this.todo = path.split('/');
    this.through = path.endsWith('/');
  }

  /** Takes the next component; 0 or a negative errno. */
  step(who: Credentials, follow: boolean): number {
    const name = this.todo[this.at] ?? '';
    this.at += 1;
    if (name === '' || name === '.') return 0;
    const { node } = this;
    if (node.kind !== 'directory') return refuse('ENOTDIR');
    if (node.mode !== undefined && !permits(node, who, 1)) return refuse('EACCES');
    if (name === '..') return this.up();
    if (name.length > longestName) return refuse('ENAMETOOLONG');
    const found = node.lookup(name);
    if (found === undefined) return refuse('ENOENT');
    if (!('kept' in found)) this.kept = false;
    if (found.kind === 'link' && (follow || this.through || this.at < this.todo.length))
      return this.jump(found);
    this.names.push(name);
    this.nodes.push(found);
    this.node = found;
    return 0;
  }

  private up(): number {
    this.names.pop();
    this.nodes.pop();
    this.node = this.nodes.at(-1) ?? this.root;
    return 0;
  }

  private jump({ target }: Link): number {
    this.links += 1;
    if (this.links > mostLinks) return refuse('ELOOP');
    this.todo = [...target.split('/'), ...this.todo.slice(this.at)];
    this.at = 0;
    this.names.length = 0;
    this.nodes.length = 0;
    this.node = this.root;
    return 0;
  }
}

/** What readlink(2) says: from the link's directory to its target, as sysfs writes its links (fs/sysfs/symlink.c). */
export function linkText({ from, target }: Link): string {
  if (from === undefined) return target;
  const here = from.split('/');
  const there = target.split('/');
  let same = 0;
  while (same < here.length && same < there.length && here[same] === there[same]) same += 1;
  return [...Array<string>(here.length - same).fill('..'), ...there.slice(same)].join('/');
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
