/**
 * Loading and unloading kernel modules with their dependencies, through modprobe (kmod), which alone knows them and
 * the administrator's modprobe.d. It ends with 1 for every failure, so the errno is read from what it says:
 *
 * | modprobe says | answer |
 * |---|---|
 * | `could not insert 'x': WORDS`, `could not remove 'x': WORDS` | the errno whose strerror is WORDS |
 * | `Unknown symbol in module, or unknown parameter` | ENOENT, as finit_module(2) answers |
 * | `Module x not found`, `Module x is builtin` (unload) | ENOENT, as delete_module(2) answers for the latter |
 * | `Module x is in use` | EAGAIN, as delete_module(2) answers with O_NONBLOCK |
 * | anything else, or killed after two minutes | EIO |
 * | there is no modprobe | ENOSYS |
 */
import { spawnSync } from 'node:child_process';
import { errno } from '../abi/errno.ts';
import type { LibC } from './libc.ts';

/** EHWPOISON, the last of asm-generic/errno.h. */
const LAST_ERRNO = 133;

export interface ModuleTool {
  load(name: string): number;
  unload(name: string): number;
}

export function modprobe(libc: Pick<LibC, 'strerror'>): ModuleTool {
  return {
    load: (name) => run([], name, libc),
    unload: (name) => run(['--remove'], name, libc),
  };
}

function run(options: readonly string[], name: string, libc: Pick<LibC, 'strerror'>): number {
  // The name becomes an argument of a program that root runs.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name)) return -errno.EINVAL;
  const done = spawnSync('modprobe', [...options, name], {
    encoding: 'utf8',
    // kmod lives in sbin, which the PATH of a login through su may lack.
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
  });
  if (done.error !== undefined && 'code' in done.error && done.error.code === 'ENOENT') return -errno.ENOSYS;
  return done.status === 0 ? 0 : errnoFromWords(done.stderr ?? '', libc);
}

/** The negative errno that modprobe's message stands for. */
export function errnoFromWords(words: string, libc: Pick<LibC, 'strerror'>): number {
  if (/ not found in directory | is builtin/.test(words)) return -errno.ENOENT;
  if (/ is in use/.test(words)) return -errno.EAGAIN;
  const said = /could not (?:insert|remove) '[^']*': (.*)/.exec(words)?.[1]?.trim();
  if (said === undefined) return -errno.EIO;
  if (said.startsWith('Unknown symbol in module')) return -errno.ENOENT;
  for (let number = 1; number <= LAST_ERRNO; number += 1) if (libc.strerror(number) === said) return -number;
  return -errno.EIO;
}
