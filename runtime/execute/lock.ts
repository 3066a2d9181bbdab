import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import type { Failure, LockHold, LockHolder } from './store.ts';

/**
 * One vfioplan at a time on a machine: a file that says which process holds it. It is written whole under another
 * name and then linked (`link` fails when the name is taken, and nobody ever reads half of it). A lock is stale when
 * its process is gone: another boot, no such process, or one that began at another time.
 *
 * A stale lock is taken away while a second file, made with O_EXCL, keeps other takers out; should a process die in
 * those few instructions, that file remains, and the failure names it.
 */
export function takeLock(
  directory: string,
  time: string,
  processes: Processes,
): LockHold | LockHolder | Failure {
  const path = `${directory}/lock`;
  const mine = `${path}.${processes.pid}`;
  try {
    writeWhole(mine, JSON.stringify(contentOf(processes, time)));
    try {
      return linkOrTakeOver(path, mine, processes);
    } finally {
      unlinkSync(mine);
    }
  } catch (error) {
    return failureOf(error, path);
  }
}

/** What the lock has to know about processes; the real ones are in /proc (`linuxProcesses`). */
export interface Processes {
  readonly pid: number;
  readonly bootId: string | null;
  /** When the process began, in words that no later process of the same number has; null: there is none. */
  startOf(pid: number): string | null;
}

interface Content {
  readonly pid: number;
  readonly bootId: string | null;
  readonly start: string | null;
  readonly time: string;
}

/** Processes of the machine that this runs on. */
export function linuxProcesses(): Processes {
  const read = (path: string): string | null => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      // No /proc, or no such process: both mean that nothing is known of it.
      return null;
    }
  };
  return {
    pid: process.pid,
    bootId: read('/proc/sys/kernel/random/boot_id'),
    startOf: (pid) => {
      const stat = read(`/proc/${pid}/stat`);
      // Field 22, counted after the command's closing parenthesis, which may itself hold spaces and parentheses.
      return stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null);
    },
  };
}

/** The errno of what node:fs threw; anything else is a bug and goes on. */
export function failureOf(error: unknown, path: string): Failure {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const where = 'path' in error && typeof error.path === 'string' ? error.path : path;
    return { path: where, errno: error.code };
  }
  throw error;
}

function linkOrTakeOver(path: string, mine: string, processes: Processes): LockHold | LockHolder | Failure {
  const held = link(mine, path);
  if (held) return { release: () => unlinkSync(path) };
  const holder = holderOf(path);
  if (holder !== null && isAlive(holder, processes)) return { pid: holder.pid, since: holder.time };
  const gate = `${path}.takeover`;
  closeSync(openSync(gate, 'wx', 0o600));
  try {
    const now = holderOf(path);
    if (now !== null && isAlive(now, processes)) return { pid: now.pid, since: now.time };
    unlinkSync(path);
    return link(mine, path) ? { release: () => unlinkSync(path) } : { path, errno: 'EEXIST' };
  } finally {
    unlinkSync(gate);
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (failureOf(error, to).errno === 'EEXIST') return false;
    throw error;
  }
}

/** Null: the file tells nothing that a lock of ours would say, so nobody alive wrote it. */
function holderOf(path: string): Content | null {
  const text = readFileSync(path, 'utf8');
  try {
    const value: Partial<Content> | null = JSON.parse(text);
    if (typeof value !== 'object' || value === null || typeof value.pid !== 'number') return null;
    const { pid, bootId = null, start = null, time = 'an unknown time' } = value;
    return { pid, bootId, start, time: String(time) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isAlive({ pid, bootId, start }: Content, processes: Processes): boolean {
  if (bootId !== processes.bootId) return false;
  const now = processes.startOf(pid);
  return now !== null && (start === null || now === start);
}

function contentOf({ pid, bootId, startOf }: Processes, time: string): Content {
  return { pid, bootId, start: startOf(pid), time };
}

function writeWhole(path: string, text: string): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
