/**
 * One process's view of a kernel: the only interface through which deeds are done. Two kernels implement it, the
 * simulated one and Linux. Every call answers as the system call does: a value, or the negative errno.
 */
export interface Backend {
  /** Whether this acts on a real machine. */
  readonly kind: 'simulated' | 'linux';
  /** `flags` as fcntl.h on x86-64 has them (see `runtime/abi`). */
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** At most `length` bytes from the file's position. */
  read(fd: number, length: number): Uint8Array | number;
  write(fd: number, bytes: Uint8Array): number;
  pread(fd: number, length: number, offset: bigint): Uint8Array | number;
  pwrite(fd: number, bytes: Uint8Array, offset: bigint): number;
  lseek(fd: number, offset: bigint, whence: number): number;
  /** `argument` by value, or memory that the kernel reads and writes in place; `null` is the null pointer. */
  ioctl(fd: number, request: number, argument: number | bigint | Uint8Array | null): number;
  /** Maps memory and answers its address in this process; `fd` -1 is anonymous memory. */
  mmap(length: number, protection: number, flags: number, fd: number, offset: bigint): bigint | number;
  munmap(address: bigint, length: number): number;
  /** A new counter for signals, eventfd2(2); answers its descriptor. */
  eventfd(initial: number, flags: number): number;
  /** Names in a directory, sorted. */
  list(path: string): readonly string[] | number;
  readlink(path: string): string | number;
  stat(path: string): FileStatus | number;
  chown(path: string, uid: number, gid: number): number;
  chmod(path: string, mode: number): number;
  /** What was written to the file, or to the directory, is on disk when this answers. */
  fsync(fd: number): number;
  /** `to` is replaced at once if it is there. */
  rename(from: string, to: string): number;
  unlink(path: string): number;
  mkdir(path: string, mode: number): number;
  rmdir(path: string): number;
  /**
   * Loads a kernel module, what it needs and what its soft dependencies name, as modprobe does; 0 or a negative errno.
   * `parameters` are for the module itself: `name=text`, or `name` alone.
   */
  loadModule(name: string, parameters?: readonly string[]): number;
  /** delete_module(2) without waiting: this module alone, EAGAIN while something uses it; 0 or a negative errno. */
  unloadModule(name: string): number;
}

/**
 * Thrown by the simulated kernel where Linux would not return until others let go, such as a write to `unbind` while
 * descriptors of the device are open. The caller goes on, as if another thread had made the call: what Linux has begun by
 * then is done, and after the last close of the device the rest is (src/model/step.ts says for which calls). The real
 * kernel blocks there, so whoever acts looks first (under /proc/PID/fd, on both) and takes this for a failure. The message
 * names the processes that hold it up.
 */
export class WouldBlock extends Error {
  override readonly name = 'WouldBlock';
}

export interface FileStatus {
  readonly type: 'file' | 'directory' | 'link' | 'character' | 'block' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** Who a process is: what the kernel's permission checks look at. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Effective capabilities in the initial user namespace, by name: `CAP_SYS_RAWIO`. */
  readonly capabilities: readonly string[];
  /** Soft RLIMIT_MEMLOCK in bytes; `null` is unlimited. */
  readonly memlock?: number | null;
}
