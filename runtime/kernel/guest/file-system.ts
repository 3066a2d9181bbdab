/** The one root directory, and the calls that take a path. */
import { fileId } from '../../../src/model/files.ts';
import { kvmPath } from '../../../src/model/nodes.ts';
import { fcntl } from '../../abi/fcntl.ts';
import { collection, directory, kept } from './build.ts';
import { ConfigurationFiles } from './configuration.ts';
import { KvmFile } from './kvm-file.ts';
import type { Machine } from './machine.ts';
import { moduleDirectory } from './module-directory.ts';
import { type DeviceNode, linkText, modeOf, type Node, Paths, type Place, permits } from './node.ts';
import {
  AttributeFile,
  DirectoryFile,
  DiskFile,
  MemoryFile,
  NullFile,
  type Opened,
  type OpenFile,
} from './open-file.ts';
import { PciBus } from './pci-bus.ts';
import { procDirectory } from './proc.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { classes, iommuGroups, iommuNode, kvmNode, vfioNodes, virtualDevices } from './vfio-class.ts';
import { type Kind, VfioFile } from './vfio-file.ts';

/** What lstat(2) tells. */
export interface Status {
  readonly type: 'file' | 'directory' | 'link' | 'character';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

export class FileSystem {
  private readonly machine: Machine;
  readonly configuration: ConfigurationFiles;
  private readonly paths: Paths;
  /** Who makes the call that is being answered: /proc/self. */
  private caller: Process | null = null;
  /** `Machine.moves` when the known ways were walked. */
  private moves = 0;

  constructor(machine: Machine, processes: ReadonlyMap<number, Process>) {
    this.machine = machine;
    const bus = new PciBus(machine);
    const proc = procDirectory(machine, processes, () => this.caller);
    const virtual = virtualDevices(machine);
    const devices = collection(
      () => [...bus.devices.names(), 'virtual'],
      (name) => (name === 'virtual' ? virtual : bus.devices.lookup(name)),
    );
    const sys = directory({
      bus: kept(directory({ pci: bus.bus })),
      class: classes(machine, bus),
      devices: kept(devices),
      kernel: directory({ iommu_groups: iommuGroups(machine, bus) }),
      module: moduleDirectory(machine),
    });
    const nothing: DeviceNode = { kind: 'character', driver: 'null', mode: 0o666, uid: 0, gid: 0 };
    const dev = directory({
      iommu: iommuNode(machine),
      kvm: kvmNode(machine),
      null: nothing,
      vfio: vfioNodes(machine),
    });
    this.configuration = new ConfigurationFiles(machine);
    const etc = this.configuration.directory;
    this.paths = new Paths(directory({ dev: kept(dev), etc, proc, sys: kept(sys) }));
  }

  open(process: Process, path: string, flags: number): number {
    const found = this.walk(process, path, (flags & fcntl.O_NOFOLLOW) === 0);
    const makes = found === refuse('ENOENT') && (flags & fcntl.O_CREAT) !== 0;
    const place = makes ? this.created(process, path) : found;
    if (typeof place === 'number') return place;
    const refused = makes ? 0 : mayOpen(process, place.node, flags);
    if (refused < 0) return refused;
    const isVfio = place.node.kind === 'character' && place.node.driver === 'vfio';
    // Every descriptor is one of the model's, whatever it refers to: so numbers agree and run out together.
    const fd = this.machine.value({ op: 'open', pid: process.pid, path: isVfio ? place.path : '/dev/null' });
    if (fd < 0) return fd;
    process.files[fd] = this.file(place, process.pid, fd, { path: place.path, asked: path, flags });
    return fd;
  }

  /** Only /etc has directories in which open(2) could create a file (fs/namei.c:lookup_open). */
  private created(process: Process, path: string): Place | number {
    if (!path.startsWith('/etc/')) return refuse('EACCES');
    const refused = this.configuration.create(process, path);
    return refused < 0 ? refused : this.walk(process, path, false);
  }

  close(process: Process, fd: number): number {
    if (process.files[fd] === undefined) return refuse('EBADF');
    process.files[fd] = undefined;
    return this.machine.value({ op: 'close', pid: process.pid, fd });
  }

  status(process: Process, path: string): Status | number {
    const place = this.walk(process, path, false);
    if (typeof place === 'number') return place;
    const { node } = place;
    const type =
      node.kind === 'attribute' || node.kind === 'memory' || node.kind === 'plain' ? 'file' : node.kind;
    return {
      type,
      mode: modeOf(node),
      uid: 'uid' in node ? (node.uid ?? 0) : 0,
      gid: 'gid' in node ? node.gid : 0,
      size: sizeOf(node),
    };
  }

  readlink(process: Process, path: string): string | number {
    const place = this.walk(process, path, false);
    if (typeof place === 'number') return place;
    return place.node.kind === 'link' ? linkText(place.node) : refuse('EINVAL');
  }

  list(process: Process, path: string): readonly string[] | number {
    const place = this.walk(process, path, true);
    if (typeof place === 'number') return place;
    if (place.node.kind !== 'directory') return refuse('ENOTDIR');
    return permits(place.node, process.who, 4) ? [...place.node.names()].sort() : refuse('EACCES');
  }

  /** chown(2) and chmod(2) where ownership is part of the machine's state; elsewhere root may not either. */
  own(process: Process, path: string, change: { uid?: number; gid?: number; mode?: number }): number {
    const place = this.walk(process, path, true);
    if (typeof place === 'number') return place;
    const { node } = place;
    if (node.kind === 'plain' && change.mode !== undefined && process.who.uid === node.uid) {
      node.mode = change.mode;
      return 0;
    }
    // The model has all directories of /etc as mkdir(2) makes them here.
    const made = node.kind === 'directory' && place.path.startsWith('/etc/') && change.mode === modeOf(node);
    if (made && this.configuration.owns(process, place.path)) return 0;
    if (node.kind !== 'character' || node.driver !== 'vfio') return refuse('EPERM');
    const { uid, gid, mode } = { ...node, ...change };
    return this.machine.value({ op: 'node.own', pid: process.pid, path: place.path, uid, gid, mode });
  }

  /** The path without links, or as it is when it leads nowhere. */
  resolved(process: Process, path: string): string {
    const place = this.walk(process, path, true);
    return typeof place === 'number' ? path : place.path;
  }

  private walk(process: Process, path: string, follow: boolean): Place | number {
    this.caller = process;
    if (this.moves !== this.machine.moves) {
      this.moves = this.machine.moves;
      this.paths.forget();
    }
    return this.paths.walk(path, process.who, follow);
  }

  private file({ node, path }: Place, pid: number, fd: number, named: Opened): OpenFile {
    if (node.kind === 'attribute') return new AttributeFile(named, node);
    if (node.kind === 'directory') return new DirectoryFile(named);
    if (node.kind === 'memory') return new MemoryFile(named, node.memory);
    if (node.kind === 'plain') return new DiskFile(named, node);
    if (node.kind === 'link' || node.driver === 'null') return new NullFile(named);
    if (path === kvmPath) return new KvmFile(this.machine, fd, 'kvm', named);
    const id = fileId(this.machine.state, pid, fd);
    return new VfioFile(this.machine, { fd, id, kind: kindOf(path) }, named);
  }
}

function sizeOf(node: Node): number {
  switch (node.kind) {
    case 'attribute':
      return node.size;
    case 'link':
      return linkText(node).length;
    case 'plain':
      return node.bytes.length;
    default:
      return 0;
  }
}

function kindOf(path: string): Kind {
  if (path === '/dev/vfio/vfio') return 'container';
  if (path === '/dev/iommu') return 'iommufd';
  return path.startsWith('/dev/vfio/devices/') ? 'device' : 'group';
}

/** fs/namei.c:may_open, fs/kernfs/file.c:kernfs_fop_open; 0 or a negative errno. */
function mayOpen(process: Process, node: Node, flags: number): number {
  const mode = flags & fcntl.O_ACCMODE;
  const wanted = mode === fcntl.O_RDONLY ? 4 : mode === fcntl.O_WRONLY ? 2 : 6;
  const asked = (flags & fcntl.O_TRUNC) === 0 ? wanted : wanted | 2;
  if ((flags & fcntl.O_CREAT) !== 0 && (flags & fcntl.O_EXCL) !== 0) return refuse('EEXIST');
  if (node.kind === 'link') return refuse('ELOOP');
  if ((flags & fcntl.O_DIRECTORY) !== 0 && node.kind !== 'directory') return refuse('ENOTDIR');
  if (node.kind === 'directory' && ((asked & 2) !== 0 || (flags & fcntl.O_CREAT) !== 0))
    return refuse('EISDIR');
  // VFIO's own nodes: the model knows who may.
  if (node.kind === 'character' && node.driver === 'vfio') return 0;
  if (!permits(node, process.who, asked)) return refuse('EACCES');
  if (node.kind !== 'attribute') return 0;
  const lacks =
    ((wanted & 4) !== 0 && node.read === undefined) || ((wanted & 2) !== 0 && node.write === undefined);
  return lacks ? refuse('EACCES') : 0;
}
