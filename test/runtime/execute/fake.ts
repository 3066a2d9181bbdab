import { fcntl } from '../../../runtime/abi/fcntl.ts';
import type { Backend, FileStatus } from '../../../runtime/backend.ts';
import { parentOf } from '../../../src/machine/configuration.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { disabledVirtualFunctions } from '../../../src/machine/virtual-functions.ts';
import { errnoNumbers } from '../../../src/model/errno.ts';
import type { Op } from '../../../src/model/op.ts';
import type { State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { show } from '../../../src/model/view.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';

/**
 * The model as a backend, without sandbox, bytes or descriptors of VFIO's own: only what a plan needs. It is here to
 * stop at any call, to fail at any call and to be run ten thousand times; it proves nothing about VFIO.
 */
export class FakeKernel {
  readonly world: World;
  state: State;
  /** Deeds done so far: what changes the machine, not what looks at it. */
  deeds = 0;
  /** Called before each deed; a negative number is its answer, a throw is the end of the process. */
  before: (deed: number) => number | undefined = () => undefined;
  /** Called after each deed. */
  after: (deed: number) => void = () => {};
  readonly #identities: ReadonlyMap<string, string>;
  /** Files that have not got their names yet. */
  readonly #beside = new Map<string, string>();

  constructor(snapshot: Snapshot) {
    const { world, state } = worldFrom(snapshot, { virtualFunctions: true });
    this.world = world;
    this.state = state;
    this.#identities = new Map(
      [...snapshot.functions, ...disabledVirtualFunctions(snapshot)].flatMap(
        ({ address, vendor, device }) => [
          [`/sys/bus/pci/devices/${address}/vendor`, `0x${vendor}`],
          [`/sys/bus/pci/devices/${address}/device`, `0x${device}`],
        ],
      ),
    );
  }

  shows(path: string): string | null {
    const beside = this.#beside.get(path);
    if (beside !== undefined) return beside;
    const identity = this.#identities.get(path);
    if (identity === undefined) return show(this.world, this.state, path);
    const directory = path.slice(0, path.lastIndexOf('/'));
    return show(this.world, this.state, directory) === null ? null : identity;
  }

  /** A new process: descriptors of its own. */
  backend(): Backend {
    const open = new Map<number, string>();
    const read = new Map<number, number>();
    const no = (): number => -errnoNumbers.ENOSYS;
    return {
      kind: 'simulated',
      open: (path, flags) => {
        if ((flags & fcntl.O_CREAT) !== 0) {
          if (this.shows(parentOf(path)) !== 'directory') return -errnoNumbers.ENOENT;
          this.#beside.set(path, '');
        }
        const writable = /\/(bind|unbind|drivers_probe)$/.test(path);
        if (!writable && this.shows(path) === null) return -errnoNumbers.ENOENT;
        const fd = open.size + 3;
        open.set(fd, path);
        read.delete(fd);
        return fd;
      },
      close: (fd) => (open.delete(fd) ? 0 : -errnoNumbers.EBADF),
      read: (fd, length) => {
        const text = new TextEncoder().encode(`${this.shows(open.get(fd) ?? '') ?? ''}\n`);
        const from = read.get(fd) ?? 0;
        read.set(fd, from + length);
        return text.subarray(from, from + length);
      },
      write: (fd, bytes) => this.#write(open.get(fd) ?? '', new TextDecoder().decode(bytes)),
      stat: (path) => this.#stat(path),
      readlink: (path) => `../${this.shows(path)}`,
      chown: (path, uid, gid) => this.#own(path, (mode) => ({ uid, gid, mode })),
      chmod: (path, mode) =>
        path.startsWith('/etc/') ? 0 : this.#own(path, (_, uid, gid) => ({ uid, gid, mode })),
      fsync: () => 0,
      rename: (from, path) => {
        const text = this.#beside.get(from);
        if (text === undefined) return -errnoNumbers.ENOENT;
        return this.#do({ op: 'config.write', pid: ROOT, path, text }, () => this.#beside.delete(from));
      },
      unlink: (path) => {
        if (this.#beside.delete(path)) return 0;
        if (this.shows(path) === null) return -errnoNumbers.ENOENT;
        return this.#do({ op: 'config.remove', pid: ROOT, path });
      },
      mkdir: (path) => this.#do({ op: 'config.make_directory', pid: ROOT, path }),
      rmdir: (path) => this.#do({ op: 'config.remove_directory', pid: ROOT, path }),
      loadModule: (module) => this.#do({ op: 'module.load', pid: ROOT, module }),
      unloadModule: (module) => this.#do({ op: 'module.unload', pid: ROOT, module }),
      pread: no,
      pwrite: no,
      lseek: no,
      ioctl: no,
      mmap: no,
      munmap: no,
      eventfd: no,
      list: (path) => this.#list(path),
    };
  }

  /** Only the one directory of which a plan wants to know what is in it. */
  #list(path: string): readonly string[] | number {
    const address = /^\/sys\/bus\/pci\/devices\/([^/]+)\/vfio-dev$/.exec(path)?.[1];
    const device = this.state.devices[this.world.devices.get(address ?? '')?.index ?? -1];
    return device?.vfio ? [device.vfio.name] : -errnoNumbers.ENOENT;
  }

  #stat(path: string): FileStatus | number {
    const shown = this.shows(path);
    if (shown === null) return -errnoNumbers.ENOENT;
    const [mode = '0', owner = '0:0'] = shown.split(' ');
    const [uid = 0, gid = 0] = owner.split(':').map(Number);
    const owned = { mode: Number.parseInt(mode, 8), uid, gid, size: 0 };
    if (path.startsWith('/dev/')) return { type: 'character', ...owned };
    const plain = { mode: 0o644, uid: 0, gid: 0, size: 4096 };
    if (shown === 'directory') return { type: 'directory', ...plain };
    return { type: /\/(driver|iommu_group)$/.test(path) ? 'link' : 'file', ...plain };
  }

  #write(path: string, text: string): number {
    const beside = this.#beside.get(path);
    if (beside !== undefined) {
      this.#beside.set(path, beside + text);
      return new TextEncoder().encode(text).length;
    }
    const parts = path.split('/');
    const line = text.replace(/\n$/, '');
    const last = parts[parts.length - 1] ?? '';
    const driver = parts[5] ?? '';
    if (last === 'bind') return this.#do({ op: 'driver.bind', pid: ROOT, driver, device: line });
    if (last === 'unbind') return this.#do({ op: 'driver.unbind', pid: ROOT, driver, device: line });
    if (last === 'drivers_probe') return this.#do({ op: 'drivers.probe', pid: ROOT, device: line });
    if (last === 'driver_override') {
      return this.#do({ op: 'override.write', pid: ROOT, device: driver, text: line });
    }
    if (last === 'sriov_numvfs' || last === 'sriov_drivers_autoprobe') {
      const op = last === 'sriov_numvfs' ? 'device.sriov_numvfs' : 'device.sriov_autoprobe';
      return this.#do({ op, pid: ROOT, device: driver, text: line });
    }
    return this.#do({
      op: 'parameter.write',
      pid: ROOT,
      module: parts[3] ?? '',
      parameter: last,
      text: line,
    });
  }

  /** chown and chmod are each a deed of their own: a process can stop between them. */
  #own(
    path: string,
    change: (mode: number, uid: number, gid: number) => { uid: number; gid: number; mode: number },
  ): number {
    const status = this.#stat(path);
    if (typeof status === 'number') return status;
    return this.#do({ op: 'node.own', pid: ROOT, path, ...change(status.mode, status.uid, status.gid) });
  }

  /** `done` belongs to the deed: no process stops between the two. */
  #do(op: Op, done: () => unknown = () => {}): number {
    this.deeds += 1;
    const answer = this.before(this.deeds);
    if (answer !== undefined) return answer;
    const { result, state } = step(this.world, this.state, op);
    if (!result.ok) return 'errno' in result ? -errnoNumbers[result.errno] : -errnoNumbers.EINTR;
    this.state = state;
    done();
    this.after(this.deeds);
    return result.value;
  }
}
