/** A process of the guest as a `Backend`. */
import { errno } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { type Backend, type FileStatus, WouldBlock } from '../../../runtime/backend.ts';
import { calls, neverCame, type Port } from './port.ts';

/** What to load for a module, in order, each a file of the guest. */
export type ModuleFiles = (name: string) => readonly { readonly name: string; readonly file: string }[];

type Argument = number | bigint;

const encoder = new TextEncoder();

export class GuestProcess implements Backend {
  readonly kind = 'linux';
  /** Its number among the agent's children. */
  readonly number: number;
  private readonly port: Port;
  private readonly modules: ModuleFiles;
  /** Shorter for a call that is known to wait. */
  milliseconds: number | undefined;
  /** A call of its did not return yet, so it can make no other. */
  private waits = false;

  constructor(port: Port, number: number, modules: ModuleFiles) {
    this.port = port;
    this.number = number;
    this.modules = modules;
  }

  open(path: string, flags: number): number {
    return path.includes('\0') ? -errno.EINVAL : this.onPath(calls.open, path, flags);
  }
  close(fd: number): number {
    return this.ask(calls.close, [fd]);
  }
  read(fd: number, length: number): Uint8Array | number {
    return this.fill(calls.read, [fd, length]);
  }
  write(fd: number, bytes: Uint8Array): number {
    return this.ask(calls.write, [fd], bytes);
  }
  pread(fd: number, length: number, offset: bigint): Uint8Array | number {
    return this.fill(calls.pread, [fd, length, offset]);
  }
  pwrite(fd: number, bytes: Uint8Array, offset: bigint): number {
    return this.ask(calls.pwrite, [fd, offset], bytes);
  }
  lseek(fd: number, offset: bigint, whence: number): number {
    return this.ask(calls.lseek, [fd, offset, whence]);
  }
  eventfd(initial: number, flags: number): number {
    return this.ask(calls.eventfd, [initial, flags]);
  }
  ioctl(fd: number, request: number, argument: number | bigint | Uint8Array | null): number {
    if (!(argument instanceof Uint8Array)) return this.ask(calls.ioctl, [fd, request, 0, argument ?? 0]);
    const answer = this.ask(calls.ioctl, [fd, request, 1], argument);
    argument.set(this.port.bytes());
    return answer;
  }
  mmap(length: number, protection: number, flags: number, fd: number, offset: bigint): bigint | number {
    const answer = this.wide(calls.mmap, [length, protection, flags, fd, offset]);
    return answer < 0n && answer > -4096n ? Number(answer) : BigInt.asUintN(64, answer);
  }
  munmap(address: bigint, length: number): number {
    return this.ask(calls.munmap, [address, length]);
  }
  list(path: string): readonly string[] | number {
    const answer = this.onPath(calls.list, path);
    return answer < 0 ? answer : this.port.text().split('\0').slice(0, -1).sort();
  }
  readlink(path: string): string | number {
    const answer = this.onPath(calls.readlink, path);
    return answer < 0 ? answer : this.port.text();
  }
  stat(path: string): FileStatus | number {
    const answer = this.onPath(calls.lstat, path);
    return answer < 0 ? answer : statusOf(this.port.bytes());
  }
  /** What a link leads to, which `Backend` does not ask. */
  follow(path: string): FileStatus | number {
    const answer = this.onPath(calls.stat, path);
    return answer < 0 ? answer : statusOf(this.port.bytes());
  }
  chown(path: string, uid: number, gid: number): number {
    return this.onPath(calls.chown, path, uid, gid);
  }
  chmod(path: string, mode: number): number {
    return this.onPath(calls.chmod, path, mode);
  }
  fsync(fd: number): number {
    return this.ask(calls.fsync, [fd]);
  }
  rename(from: string, to: string): number {
    return this.onPath(calls.rename, `${from}\0${to}`);
  }
  unlink(path: string): number {
    return this.onPath(calls.unlink, path);
  }
  mkdir(path: string, mode: number): number {
    return this.onPath(calls.mkdir, path, mode);
  }
  rmdir(path: string): number {
    return this.onPath(calls.rmdir, path);
  }
  /** As modprobe, which looks first what is there (libkmod/libkmod-module.c:kmod_module_probe_insert_module). */
  loadModule(name: string, parameters: readonly string[] = []): number {
    const files = this.modules(name);
    const loaded = (module: string) =>
      typeof this.stat(`/sys/module/${module}`) !== 'number' && !this.isGoing(module);
    if (files.length === 0) return -errno.ENOENT;
    if (loaded(name.replaceAll('-', '_'))) return 0;
    for (const each of files) {
      const options = each.name === name.replaceAll('-', '_') ? parameters.join(' ') : '';
      const answer = loaded(each.name) ? 0 : this.onPath(calls.insertModule, `${each.file}\0${options}`);
      if (answer < 0) return answer;
    }
    return 0;
  }
  /** What somebody unloads is not loaded any more, and asked for (kmod_module_is_inkernel). */
  private isGoing(module: string): boolean {
    const fd = this.open(`/sys/module/${module}/initstate`, fcntl.O_RDONLY);
    if (fd < 0) return false;
    const text = this.read(fd, 16);
    this.close(fd);
    return typeof text !== 'number' && new TextDecoder().decode(text) === 'going\n';
  }
  unloadModule(name: string): number {
    return this.onPath(calls.removeModule, name.replaceAll('-', '_'));
  }
  pass(fd: number, to: GuestProcess): number {
    const posted = this.ask(calls.pass, [fd]);
    return posted < 0 ? posted : to.ask(calls.take, []);
  }

  /** What its call that did not return has answered within so many milliseconds; null: nothing. */
  hear(milliseconds: number): number | null {
    const answer = this.port.call(this.number, calls.hear, [], undefined, milliseconds);
    this.waits = answer === BigInt(neverCame);
    return this.waits ? null : Number(answer);
  }

  private onPath(number: number, path: string, ...its: Argument[]): number {
    return this.ask(number, its, encoder.encode(`${path}\0`));
  }

  private ask(number: number, its: readonly Argument[], bytes?: Uint8Array): number {
    return Number(this.wide(number, its, bytes));
  }

  private wide(number: number, its: readonly Argument[], bytes?: Uint8Array): bigint {
    if (this.waits) throw new WouldBlock(`call ${number} comes after one that did not return`);
    const answer = this.port.call(this.number, number, its, bytes, this.milliseconds);
    this.waits = answer === BigInt(neverCame);
    if (this.waits) throw new WouldBlock(`call ${number} did not return`);
    return answer;
  }

  private fill(number: number, its: readonly Argument[]): Uint8Array | number {
    const answer = this.ask(number, its);
    return answer < 0 ? answer : this.port.bytes();
  }
}

/** Mode, uid, gid and size, eight bytes each. */
export function statusOf(bytes: Uint8Array): FileStatus {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const field = (index: number) => Number(view.getBigUint64(8 * index, true));
  const mode = field(0);
  return {
    type: fileTypes.get(mode & fcntl.S_IFMT) ?? 'other',
    mode: mode & 0o7777,
    uid: field(1),
    gid: field(2),
    size: field(3),
  };
}

const fileTypes = new Map<number, FileStatus['type']>([
  [fcntl.S_IFREG, 'file'],
  [fcntl.S_IFDIR, 'directory'],
  [fcntl.S_IFLNK, 'link'],
  [fcntl.S_IFCHR, 'character'],
  [fcntl.S_IFBLK, 'block'],
]);
