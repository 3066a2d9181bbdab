/**
 * Linux itself behind the Backend interface: the system calls of this very process, and modprobe.
 *
 * Calls on descriptors go through the C library (koffi), because their errno is the whole point and node:fs has no
 * ioctl. Calls on paths go through node:fs, which gives the same errno back. Nothing here knows what VFIO is, retries,
 * or hides a failure: EINTR is answered like any other.
 *
 * Invariant: the only room with FFI; the library is optional and loaded on first use.
 */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { errno } from '../abi/errno.ts';
import { fcntl } from '../abi/fcntl.ts';
import { MAP_FAILED } from '../abi/mman.ts';
import type { Backend, FileStatus } from '../backend.ts';
import { type LibC, loadLibC } from './libc.ts';
import { loadModule, unloadModule } from './modules.ts';

/**
 * The kernel that this process runs on, as the user it runs as. Rejects with `NativeUnavailable` when there is no way
 * to call it (not Linux on x86-64, or koffi is not installed). It does not ask for root or VFIO: see `nativeObstacle`.
 */
export async function linuxBackend(): Promise<Backend> {
  const libc = await loadLibC();
  return {
    kind: 'linux',
    ...descriptorCalls(libc),
    ...memoryCalls(libc),
    ...pathCalls(),
    ...moduleCalls(libc),
  };
}

type Descriptors = Pick<
  Backend,
  'open' | 'close' | 'read' | 'write' | 'pread' | 'pwrite' | 'lseek' | 'ioctl' | 'eventfd' | 'fsync'
>;

function descriptorCalls(libc: LibC): Descriptors {
  /** -1 becomes the negative errno. */
  const answer = (returned: number | bigint) => (Number(returned) === -1 ? -libc.errno() : Number(returned));
  const filled = (memory: Uint8Array, returned: number | bigint) => {
    const count = answer(returned);
    if (count < 0) return count;
    return count === memory.length ? memory : memory.slice(0, count);
  };
  return {
    open: (path, flags) => (path.includes('\0') ? -errno.EINVAL : answer(libc.open(path, flags, 0o600))),
    close: (fd) => answer(libc.close(fd)),
    read: (fd, length) => {
      const memory = new Uint8Array(length);
      return filled(memory, libc.read(fd, memory, length));
    },
    write: (fd, bytes) => answer(libc.write(fd, bytes, bytes.length)),
    pread: (fd, length, offset) => {
      const memory = new Uint8Array(length);
      return filled(memory, libc.pread(fd, memory, length, offset));
    },
    pwrite: (fd, bytes, offset) => answer(libc.pwrite(fd, bytes, bytes.length, offset)),
    lseek: (fd, offset, whence) => answer(libc.lseek(fd, offset, whence)),
    fsync: (fd) => answer(libc.fsync(fd)),
    eventfd: (initial, flags) => answer(libc.eventfd(initial >>> 0, flags)),
    ioctl: (fd, request, argument) =>
      answer(
        libc.ioctl(
          fd,
          request,
          // A number or bigint is the unsigned long itself; koffi takes a pointer's value as a bigint.
          typeof argument === 'number' || typeof argument === 'bigint'
            ? BigInt.asUintN(64, BigInt(argument))
            : argument,
        ),
      ),
  };
}

function memoryCalls(libc: LibC): Pick<Backend, 'mmap' | 'munmap'> {
  return {
    mmap: (length, protection, flags, fd, offset) => {
      const address = BigInt.asUintN(64, BigInt(libc.mmap(null, length, protection, flags, fd, offset)));
      return address === MAP_FAILED ? -libc.errno() : address;
    },
    munmap: (address, length) => (libc.munmap(address, length) === -1 ? -libc.errno() : 0),
  };
}

type Paths = Pick<
  Backend,
  'list' | 'readlink' | 'stat' | 'chown' | 'chmod' | 'rename' | 'unlink' | 'mkdir' | 'rmdir'
>;

function pathCalls(): Paths {
  return {
    list: (path) => orErrno(() => readdirSync(path).sort()),
    readlink: (path) => orErrno(() => readlinkSync(path)),
    // The link itself, not what it points to: sysfs is full of links, and 'link' is one of the answers.
    stat: (path) => orErrno(() => statusOf(lstatSync(path))),
    chown: (path, uid, gid) => zeroOrErrno(() => chownSync(path, uid, gid)),
    chmod: (path, mode) => zeroOrErrno(() => chmodSync(path, mode)),
    rename: (from, to) => zeroOrErrno(() => renameSync(from, to)),
    unlink: (path) => zeroOrErrno(() => unlinkSync(path)),
    mkdir: (path, mode) => zeroOrErrno(() => void mkdirSync(path, mode)),
    rmdir: (path) => zeroOrErrno(() => rmdirSync(path)),
  };
}

function moduleCalls(libc: LibC): Pick<Backend, 'loadModule' | 'unloadModule'> {
  return {
    loadModule: (name, parameters) => loadModule(libc, name, parameters),
    unloadModule: (name) => unloadModule(libc, name),
  };
}

function zeroOrErrno(call: () => void): number {
  return orErrno(() => {
    call();
    return 0;
  });
}

/** What node:fs threw, as the negative errno that it carries. Anything without one is a bug and goes on. */
function orErrno<T>(call: () => T): T | number {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return error.errno;
    // node refuses a path with a NUL byte before any system call.
    if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_ARG_VALUE')
      return -errno.EINVAL;
    throw error;
  }
}

function statusOf(stats: Stats): FileStatus {
  return {
    type: fileTypes.get(stats.mode & fcntl.S_IFMT) ?? 'other',
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
  };
}

const fileTypes = new Map<number, FileStatus['type']>([
  [fcntl.S_IFREG, 'file'],
  [fcntl.S_IFDIR, 'directory'],
  [fcntl.S_IFLNK, 'link'],
  [fcntl.S_IFCHR, 'character'],
  [fcntl.S_IFBLK, 'block'],
]);
