/** The guest's files for the product's own probe, and what many paths show at once. */
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import type { FileStatus } from '../../../runtime/backend.ts';
import { type Files, observe } from '../../../runtime/lower/observe.ts';
import type { MachineFiles, Missing } from '../../../runtime/probe/files.ts';
import { calls, type Port } from './port.ts';
import { type GuestProcess, statusOf } from './process.ts';

/** Less than what the port takes at once. */
const piece = 32_768;

export function guestFiles(guest: GuestProcess): MachineFiles {
  const reading = <T>(path: string, read: (fd: number) => T | number): T | Missing => {
    const fd = guest.open(path, fcntl.O_RDONLY | fcntl.O_NONBLOCK | fcntl.O_CLOEXEC);
    if (fd < 0) return missing(path, fd);
    const got = read(fd);
    guest.close(fd);
    return typeof got === 'number' ? missing(path, got) : got;
  };
  return {
    kind: 'live',
    architecture: 'x86_64',
    bytes: (path) => {
      const found = guest.follow(path);
      if (typeof found === 'number') return missing(path, found);
      if (found.type !== 'file') return { absent: false, unknown: `${path} is no file` };
      return reading(path, (fd) => all((length) => guest.read(fd, length)));
    },
    part: (path, offset, length) => reading(path, (fd) => guest.pread(fd, length, BigInt(offset))),
    list: (path) => orMissing(path, guest.list(path)),
    link: (path) => orMissing(path, guest.readlink(path)),
    status: (path) => {
      const found = guest.follow(path);
      if (typeof found === 'number') return missing(path, found);
      const { type, mode, uid, gid, size } = found;
      return {
        device: type === 'character' || type === 'block',
        directory: type === 'directory',
        ...{ uid, gid, mode, size },
      };
    },
  };
}

function all(read: (length: number) => Uint8Array | number): Uint8Array | number {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const bytes = read(piece);
    if (typeof bytes === 'number') return bytes;
    if (bytes.length === 0) return Buffer.concat(pieces);
    pieces.push(bytes);
  }
}

function orMissing<T extends object | string>(path: string, answer: T | number): T | Missing {
  return typeof answer === 'number' ? missing(path, answer) : answer;
}

function missing(path: string, answer: number): Missing {
  const code = errnoOf(answer) ?? `${answer}`;
  const absent = code === 'ENOENT' || code === 'ENOTDIR';
  return { absent, unknown: absent ? `there is no ${path}` : `${path} cannot be read (${code})` };
}

/** What each path shows, as `observe` words it, in one request. */
export function glimpse(port: Port, paths: readonly string[]): ReadonlyMap<string, string | null> {
  port.call(0, calls.glimpse, [], new TextEncoder().encode(paths.map((path) => `${path}\0`).join('')));
  const bytes = port.bytes();
  const view = new DataView(bytes.buffer);
  const shows = new Map<string, string | null>();
  let at = 0;
  for (const path of paths) {
    const found = Number(view.getBigInt64(at, true));
    at += 8;
    if (found < 0) {
      shows.set(path, observe(seen(found, 0, bytes), path));
      continue;
    }
    const status = statusOf(bytes.slice(at, at + 32));
    const held = Number(view.getBigInt64(at + 32, true));
    at += 40;
    const content = bytes.slice(at, at + Math.max(held, 0));
    at += content.length;
    shows.set(path, observe(seen(status, held, content), path));
  }
  return shows;
}

/** One file as it was seen, for `observe` to put into words. */
function seen(status: FileStatus | number, held: number, content: Uint8Array): Files {
  return {
    stat: () => status,
    readlink: () => (held < 0 ? held : new TextDecoder().decode(content)),
    open: () => (held < 0 ? held : 0),
    read: () => content,
    close: () => 0,
  };
}
