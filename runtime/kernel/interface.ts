/** A backend's methods as frames that enter the sandbox, and its answers back. */
import { type Credentials, type FileStatus, WouldBlock } from '../backend.ts';
import { ProcessKilled } from './faults.ts';
import { calls, endings, frame } from './frame.ts';
import type { Script } from './quickjs.ts';
import type { SimulatedProcess } from './sandbox.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);

type Argument = number | bigint;

export class SystemInterface {
  private readonly script: Script;

  constructor(script: Script) {
    this.script = script;
  }

  spawn(credentials: Credentials): SimulatedProcess {
    const pid = this.call(0, calls.spawn, [], json(credentials));
    return new ProcessInterface(this, pid);
  }

  log(skip = 0): string[] {
    const lines: string[] = [];
    for (;;) {
      const all = this.call(0, calls.log, [skip + lines.length]);
      if (skip + lines.length >= all) return lines;
      lines.push(...decoder.decode(this.taken()).split('\n').slice(0, -1));
    }
  }

  /** One system call; what it gave back lies in `taken` until the next. */
  call(pid: number, number: number, its: readonly Argument[], bytes: Uint8Array | string = nothing): number {
    const after = this.cross(pid, number, its, bytes);
    const wide = after.getUint32(frame.ending, true) === endings.answeredWide;
    return wide ? Number(after.getBigInt64(frame.answer, true)) : after.getInt32(frame.answer, true);
  }

  wide(pid: number, number: number, its: readonly Argument[], bytes: Uint8Array = nothing): bigint {
    const after = this.cross(pid, number, its, bytes);
    const wide = after.getUint32(frame.ending, true) === endings.answeredWide;
    return wide ? after.getBigInt64(frame.answer, true) : BigInt(after.getInt32(frame.answer, true));
  }

  /** The frame's fields once the call was answered. */
  private cross(pid: number, number: number, its: readonly Argument[], bytes: Uint8Array | string): DataView {
    const fields = this.script.fields();
    fields.setUint32(frame.number, number, true);
    fields.setUint32(frame.pid, pid, true);
    fields.setUint32(frame.ending, endings.answered, true);
    for (let index = 0; index < its.length; index++) setArgument(fields, index, its[index] ?? 0);
    if (typeof bytes === 'string') this.script.enter(bytes);
    else {
      fields.setUint32(frame.length, bytes.length, true);
      if (bytes.length > 0) this.script.bytes().set(bytes);
      this.script.enter();
    }
    const after = this.script.fields();
    switch (after.getUint32(frame.ending, true)) {
      case endings.wouldBlock:
        throw new WouldBlock(decoder.decode(this.taken()));
      case endings.killed:
        throw new ProcessKilled(`process ${pid} was killed`);
      default:
        return after;
    }
  }

  /** The bytes that the last call gave back; a view that the next call overwrites. */
  taken(): Uint8Array {
    return this.script.bytes().subarray(0, this.script.fields().getUint32(frame.length, true));
  }
}

class ProcessInterface implements SimulatedProcess {
  readonly kind = 'simulated';
  readonly pid: number;
  private readonly kernel: SystemInterface;

  constructor(kernel: SystemInterface, pid: number) {
    this.kernel = kernel;
    this.pid = pid;
  }

  open(path: string, flags: number): number {
    return this.onPath(calls.open, path, flags);
  }
  close(fd: number): number {
    return this.kernel.call(this.pid, calls.close, [fd]);
  }
  read(fd: number, length: number): Uint8Array | number {
    return this.fill(calls.read, [fd, clamp(length)]);
  }
  write(fd: number, bytes: Uint8Array): number {
    return this.kernel.call(this.pid, calls.write, [fd], bytes.subarray(0, frame.bytesMaximum));
  }
  pread(fd: number, length: number, offset: bigint): Uint8Array | number {
    return this.fill(calls.pread, [fd, clamp(length), BigInt.asUintN(64, offset)]);
  }
  pwrite(fd: number, bytes: Uint8Array, offset: bigint): number {
    const its = [fd, bytes.length, BigInt.asUintN(64, offset)];
    return this.kernel.call(this.pid, calls.pwrite, its, bytes.subarray(0, frame.bytesMaximum));
  }
  lseek(fd: number, offset: bigint, whence: number): number {
    return this.kernel.call(this.pid, calls.lseek, [fd, BigInt.asUintN(64, offset), whence]);
  }
  ioctl(fd: number, request: number, argument: number | bigint | Uint8Array | null): number {
    if (!(argument instanceof Uint8Array)) {
      return this.kernel.call(this.pid, calls.ioctl, [fd, request, 0, argument ?? 0]);
    }
    const memory = argument.subarray(0, frame.bytesMaximum);
    const answer = this.kernel.call(this.pid, calls.ioctl, [fd, request, 1], memory);
    memory.set(this.kernel.taken());
    return answer;
  }
  mmap(length: number, protection: number, flags: number, fd: number, offset: bigint): bigint | number {
    const its = [length, protection, flags, BigInt.asUintN(64, BigInt(fd))];
    const place = new BigUint64Array([BigInt.asUintN(64, offset)]);
    const answer = this.kernel.wide(this.pid, calls.mmap, its, new Uint8Array(place.buffer));
    return answer < 0n ? Number(answer) : answer;
  }
  munmap(address: bigint, length: number): number {
    return this.kernel.call(this.pid, calls.munmap, [address, length]);
  }
  eventfd(initial: number, flags: number): number {
    return this.kernel.call(this.pid, calls.eventfd, [initial >>> 0, flags]);
  }
  list(path: string): readonly string[] | number {
    const names: string[] = [];
    for (;;) {
      const all = this.onPath(calls.list, path, names.length);
      if (all < 0) return all;
      const some = decoder.decode(this.kernel.taken()).split('\0').slice(0, -1);
      names.push(...some);
      if (names.length >= all || some.length === 0) return names;
    }
  }
  readlink(path: string): string | number {
    const answer = this.onPath(calls.readlink, path);
    return answer < 0 ? answer : decoder.decode(this.kernel.taken());
  }
  stat(path: string): FileStatus | number {
    const answer = this.onPath(calls.lstat, path);
    return answer < 0 ? answer : (JSON.parse(decoder.decode(this.kernel.taken())) as FileStatus);
  }
  chown(path: string, uid: number, gid: number): number {
    return this.onPath(calls.chown, path, uid >>> 0, gid >>> 0);
  }
  chmod(path: string, mode: number): number {
    return this.onPath(calls.chmod, path, mode);
  }
  fsync(fd: number): number {
    return this.kernel.call(this.pid, calls.fsync, [fd]);
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
  loadModule(name: string, parameters: readonly string[] = []): number {
    return this.onPath(calls.loadModule, [name, ...parameters].join('\0'));
  }
  unloadModule(name: string): number {
    return this.onPath(calls.unloadModule, name);
  }
  become(credentials: Credentials): void {
    this.kernel.call(this.pid, calls.become, [], json(credentials));
  }
  pass(fd: number, to: SimulatedProcess): number {
    return this.kernel.call(this.pid, calls.pass, [fd, to.pid]);
  }
  exit(): void {
    this.kernel.call(this.pid, calls.exit, []);
  }

  /** A text longer than the frame is cut; it is far beyond what any path or name may have. */
  private onPath(number: number, path: string, ...its: Argument[]): number {
    const bytes = plain.test(path) ? path : encoder.encode(path).subarray(0, frame.bytesMaximum);
    return this.kernel.call(this.pid, number, its, bytes);
  }

  private fill(number: number, its: readonly Argument[]): Uint8Array | number {
    const answer = this.kernel.call(this.pid, number, its);
    return answer < 0 ? answer : this.kernel.taken().slice();
  }
}

/** Paths that mean the same as text and as bytes; all others go as bytes. */
const plain = /^[ -~]{1,4096}$/;

function setArgument(fields: DataView, index: number, value: Argument): void {
  const at = frame.argument[index] ?? 0;
  if (typeof value === 'number' && (value | 0) === value) {
    fields.setInt32(at, value, true);
    fields.setInt32(at + 4, value < 0 ? -1 : 0, true);
  } else fields.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
}

function clamp(length: number): number {
  return Math.min(Math.max(0, Math.trunc(length)), frame.bytesMaximum);
}

function json(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
