/**
 * Loading and unloading kernel modules.
 *
 * Loading is modprobe's (kmod), which alone knows dependencies and the administrator's modprobe.d. It ends with 1 for
 * every failure, so the errno is read from what it says:
 *
 * | modprobe says | answer |
 * |---|---|
 * | `could not insert 'x': WORDS` | the errno whose strerror is WORDS |
 * | `Unknown symbol in module, or unknown parameter` | ENOENT, as finit_module(2) answers |
 * | `Module x not found` | ENOENT |
 * | anything else (an install command that failed), or killed after two minutes | EIO |
 * | there is no modprobe | ENOSYS |
 *
 * Unloading is the bare system call: modprobe -r would also take along what nobody uses any more, which may have been
 * there before us.
 */
import { spawnSync } from 'node:child_process';
import { errno } from '../abi/errno.ts';
import { fcntl } from '../abi/fcntl.ts';
import type { LibC } from './libc.ts';

/** EHWPOISON, the last of asm-generic/errno.h. */
const LAST_ERRNO = 133;

/** The name becomes an argument of a program that root runs. */
const moduleName = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** The same for what stands behind it: none of them is an option of modprobe's. */
const parameterText = /^[A-Za-z0-9_][^\0]*$/;

export function loadModule(
  libc: Pick<LibC, 'strerror'>,
  name: string,
  parameters: readonly string[] = [],
): number {
  if (!moduleName.test(name) || !parameters.every((text) => parameterText.test(text))) return -errno.EINVAL;
  const done = spawnSync('modprobe', [name, ...parameters], {
    encoding: 'utf8',
    // kmod lives in sbin, which the PATH of a login through su may lack.
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
  });
  if (done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT') return -errno.ENOSYS;
  return done.status === 0 ? 0 : errnoFromWords(done.stderr ?? '', libc);
}

/** The kernel knows modules by the name with underscores. O_NONBLOCK: EAGAIN at once, where it could wait for users. */
export function unloadModule(libc: Pick<LibC, 'delete_module' | 'errno'>, name: string): number {
  if (!moduleName.test(name)) return -errno.EINVAL;
  return libc.delete_module(name.replaceAll('-', '_'), fcntl.O_NONBLOCK) === -1 ? -libc.errno() : 0;
}

/** The negative errno that modprobe's message stands for. */
export function errnoFromWords(words: string, libc: Pick<LibC, 'strerror'>): number {
  if (/ not found in directory /.test(words)) return -errno.ENOENT;
  const said = /could not insert '[^']*': (.*)/.exec(words)?.[1]?.trim();
  if (said === undefined) return -errno.EIO;
  if (said.startsWith('Unknown symbol in module')) return -errno.ENOENT;
  for (let number = 1; number <= LAST_ERRNO; number += 1) if (libc.strerror(number) === said) return -number;
  return -errno.EIO;
}
