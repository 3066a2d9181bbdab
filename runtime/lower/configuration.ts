import { parentOf } from '../../src/machine/configuration.ts';
import { besideOf } from '../../src/model/configuration.ts';
import type { Op } from '../../src/model/op.ts';
import { errno } from '../abi/errno.ts';
import { fcntl } from '../abi/fcntl.ts';
import type { Backend } from '../backend.ts';

/**
 * A configuration file as system calls: the new text is written beside the old one and flushed, then takes its name. Who
 * reads the file, and who finds the machine after a crash, has the old text or the new one. 0, or the first refusal; what
 * was written beside is then taken away again.
 */
export function writeConfiguration(
  backend: Backend,
  { path, text }: Extract<Op, { op: 'config.write' }>,
): number {
  const beside = besideOf(path);
  // Left by a run that was stopped in the middle: nobody else gives a file this name.
  const stale = backend.unlink(beside);
  if (stale < 0 && stale !== -errno.ENOENT) return stale;
  const flags = fcntl.O_WRONLY | fcntl.O_CREAT | fcntl.O_EXCL | fcntl.O_NOFOLLOW | fcntl.O_CLOEXEC;
  const fd = backend.open(beside, flags);
  if (fd < 0) return fd;
  let answer = writeAll(backend, fd, new TextEncoder().encode(text));
  if (answer === 0) answer = backend.fsync(fd);
  const closed = backend.close(fd);
  if (answer === 0) answer = closed;
  if (answer === 0) answer = backend.chmod(beside, 0o644);
  if (answer === 0) answer = backend.rename(beside, path);
  if (answer < 0) {
    backend.unlink(beside);
    return answer;
  }
  return settled(backend, path, 0);
}

/** What was done to a name in a directory is on disk when this answers 0; `answer` is what the deed itself answered. */
export function settled(backend: Backend, path: string, answer: number): number {
  if (answer < 0) return answer;
  const fd = backend.open(parentOf(path), fcntl.O_RDONLY | fcntl.O_DIRECTORY | fcntl.O_CLOEXEC);
  if (fd < 0) return fd;
  const flushed = backend.fsync(fd);
  backend.close(fd);
  return flushed;
}

function writeAll(backend: Backend, fd: number, bytes: Uint8Array): number {
  for (let done = 0; done < bytes.length; ) {
    const written = backend.write(fd, bytes.subarray(done));
    if (written <= 0) return written < 0 ? written : -errno.EIO;
    done += written;
  }
  return 0;
}
