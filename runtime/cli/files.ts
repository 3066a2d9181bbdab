import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * Files by name, as the command line needs them: read whole under a limit, written whole or not at all. Nothing here
 * throws for what a file system may say; the answer names the problem, and the caller knows the place to blame.
 */
export interface Files {
  /**
   * Reads at most `limit` bytes. A pipe, and `-` for standard input, is read only where `pipes` says so: one named by
   * a policy could block for ever.
   */
  read(path: string, limit: number, pipes: boolean): FileRead;
  /**
   * Replaces the file in one step, or makes it; answers why it could not, and then nothing was written. A file that is
   * there keeps its mode, and its owner as far as the caller may give files away; of a symbolic link, what it leads to
   * is replaced.
   */
  write(path: string, text: string): string | null;
  /** Files below a folder, as paths relative to it with `/`; empty when there is no such folder. */
  list(folder: string): readonly string[];
}

export type FileRead =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly identity: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'not-a-file'; readonly what: string }
  | { readonly kind: 'too-large'; readonly size: number }
  | { readonly kind: 'unreadable'; readonly reason: string };

export const nodeFiles: Files = { read, write, list };

function read(path: string, limit: number, pipes: boolean): FileRead {
  const input = pipes && path === '-';
  let fd: number;
  try {
    // O_NONBLOCK: to open a FIFO without a writer must not wait.
    fd = input ? standardInput : openSync(path, pipes ? 'r' : 0o4000);
  } catch (error) {
    return problem(error);
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile() && !(pipes && status.isFIFO()) && !(input && status.isSocket())) {
      return { kind: 'not-a-file', what: kindOf(status) };
    }
    if (status.size > limit) return { kind: 'too-large', size: status.size };
    const bytes = readUpTo(fd, limit + 1, status.size);
    if (bytes.length > limit) return { kind: 'too-large', size: bytes.length };
    return { kind: 'bytes', bytes, identity: `${status.dev}:${status.ino}` };
  } catch (error) {
    return problem(error);
  } finally {
    if (!input) closeSync(fd);
  }
}

const standardInput = 0;

/** The size is only a first guess: files of /proc and pipes say 0, and a file can grow while it is read. */
function readUpTo(fd: number, limit: number, guess: number): Uint8Array {
  let buffer = new Uint8Array(Math.min(limit, guess + 4096));
  let length = 0;
  for (;;) {
    if (length === buffer.length) {
      if (length === limit) return buffer;
      const larger = new Uint8Array(Math.min(limit, length * 2));
      larger.set(buffer);
      buffer = larger;
    }
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
  }
}

function write(path: string, text: string): string | null {
  let temporary: string | undefined;
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile()) return `it is ${kindOf(there)}`;
    // To put another in its place asks only for leave to write to the folder.
    if (there !== undefined) closeSync(openSync(path, constants.O_WRONLY));
    const target = there === undefined ? path : realpathSync(path);
    const beside = `${target}.${process.pid}.new`;
    const fd = openSync(beside, 'wx', there === undefined ? 0o644 : 0o600);
    temporary = beside;
    try {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(fd, bytes, written);
      }
      if (there !== undefined) keepOwnerAndMode(fd, there);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
    return null;
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    return reasonOf(error);
  }
}

/** The mode last: to give a file away takes its set-id bits (chown(2)). */
function keepOwnerAndMode(fd: number, { uid, gid, mode }: Stats): void {
  const made = fstatSync(fd);
  try {
    if (made.uid !== uid || made.gid !== gid) fchownSync(fd, uid, gid);
  } catch (error) {
    // Only root may give files away: then it is the writer's, as any file that an editor replaces.
    if (codeOf(error) !== 'EPERM') throw error;
  }
  fchmodSync(fd, mode & 0o7777);
}

function list(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

function kindOf(status: { isDirectory(): boolean; isFIFO(): boolean; isSocket(): boolean }): string {
  if (status.isDirectory()) return 'a directory';
  if (status.isFIFO()) return 'a pipe';
  return status.isSocket() ? 'a socket' : 'a device';
}

function problem(error: unknown): FileRead {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  if (code === 'EISDIR') return { kind: 'not-a-file', what: 'a directory' };
  // A socket cannot be opened, a FIFO can; this is what open(2) says of the former.
  if (code === 'ENXIO') return { kind: 'not-a-file', what: 'a socket or a device without a driver' };
  return { kind: 'unreadable', reason: reasonOf(error) };
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk answered with an error',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is not a directory',
  EISDIR: 'it is a directory',
  ERR_INVALID_ARG_VALUE: 'the name holds a zero byte',
};

/** A file system's error in words, with the name of the errno. Anything else is a bug and is thrown on. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === undefined) throw error;
  const words = reasons[code];
  return words === undefined ? code : `${words} (${code})`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
