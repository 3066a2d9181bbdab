import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { machine } from 'node:os';
import { basename, dirname } from 'node:path';
import type { Unknown } from '../../src/machine/snapshot.ts';

/**
 * The files of a machine, read-only: of the one that this runs on, or of a captured tree. What is not there or may not
 * be read is an answer with its reason, never an exception.
 */
export interface MachineFiles {
  readonly kind: 'live' | 'sysroot';
  /** As `uname -m` says, when the machine is this one. */
  readonly architecture?: string;
  /** All bytes of a file, at most 16 MiB. */
  bytes(path: string): Uint8Array | Missing;
  /** At most `length` bytes from `offset` of a file or device; fewer at its end. */
  part(path: string, offset: number, length: number): Uint8Array | Missing;
  /** Names in a directory, sorted. */
  list(path: string): readonly string[] | Missing;
  /** A symbolic link's target, as written. */
  link(path: string): string | Missing;
  status(path: string): NodeStatus | Missing;
}

/** Why something could not be read. `absent`: there is nothing of that name, as against something that is kept from us. */
export interface Missing extends Unknown {
  readonly absent: boolean;
}

export interface NodeStatus {
  readonly device: boolean;
  readonly directory: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  readonly size: number;
}

export function isMissing(answer: object | string): answer is Missing {
  return typeof answer === 'object' && 'absent' in answer;
}

/** The machine that this program runs on. */
export function liveFiles(): MachineFiles {
  return { kind: 'live', architecture: machine(), ...filesBelow('', (path) => path) };
}

/**
 * A captured tree: `root` holds sys, proc, dev, etc and boot. Links are followed inside the tree only; one that leads
 * out of it would show this machine in place of the captured one, so it counts as absent.
 */
export function sysrootFiles(root: string): MachineFiles {
  const inside = existsSync(root) ? realpathSync(root) : root;
  const resolve = (path: string): string => {
    const real = realpathSync(path);
    if (real === inside || real.startsWith(`${inside}/`)) return real;
    throw Object.assign(new Error('leads out of the captured tree'), { code: 'ENOENT' });
  };
  return { kind: 'sysroot', ...filesBelow(inside, resolve) };
}

/** Text of a file, without its final newline. */
export function textOf(files: MachineFiles, path: string): string | Missing {
  const bytes = files.bytes(path);
  if (isMissing(bytes)) return bytes;
  return Buffer.from(bytes).toString('utf8').replace(/\n$/, '');
}

/** The last component of a link's target. */
export function linkName(files: MachineFiles, path: string): string | Missing {
  const target = files.link(path);
  return isMissing(target) ? target : (target.split('/').at(-1) ?? '');
}

const maxBytes = 16_777_216;

type FileReads = Omit<MachineFiles, 'kind' | 'architecture'>;

function filesBelow(root: string, resolve: (path: string) => string): FileReads {
  const attempt = <T>(path: string, read: (real: string) => T): T | Missing => {
    try {
      return read(`${root}${path}`);
    } catch (error) {
      return missing(path, error);
    }
  };
  // A link itself is not followed, the directories above it are.
  const inDirectory = (full: string) => `${resolve(dirname(full))}/${basename(full)}`;
  return {
    bytes: (path) =>
      attempt(path, (full) => {
        const real = resolve(full);
        // Sysfs and procfs report sizes of 4096 and 0: only a plain file can be too large by its size.
        const found = statSync(real);
        // A pipe without a writer, or a device without an end, would be read for ever.
        if (!found.isFile()) throw Object.assign(new Error('no file'), { code: 'not a file' });
        const { size } = found;
        if (size > maxBytes) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
        return readFileSync(real);
      }),
    part: (path, offset, length) => attempt(path, (full) => readPart(resolve(full), offset, length)),
    list: (path) => attempt(path, (full) => readdirSync(resolve(full)).sort()),
    link: (path) => attempt(path, (full) => readlinkSync(inDirectory(full), 'utf8')),
    status: (path) =>
      attempt(path, (full) => {
        const found = statSync(resolve(full));
        return {
          device: found.isCharacterDevice() || found.isBlockDevice(),
          directory: found.isDirectory(),
          uid: found.uid,
          gid: found.gid,
          mode: found.mode & 0o7777,
          size: found.size,
        };
      }),
  };
}

function readPart(path: string, offset: number, length: number): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  } finally {
    closeSync(fd);
  }
}

function missing(path: string, error: unknown): Missing {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
  const absent = code === 'ENOENT' || code === 'ENOTDIR';
  return { absent, unknown: absent ? `there is no ${path}` : `${path} cannot be read (${code})` };
}
