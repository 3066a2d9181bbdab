import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { maxDocumentBytes } from '../../src/wire/document.ts';
import { failureOf, type Processes, takeLock } from './lock.ts';
import type { Failure, JournalSink, JournalStore } from './store.ts';

/** Where journals are kept unless the caller says otherwise. */
export const defaultStateDirectory = '/var/lib/vfioplan';

/**
 * Journals in a directory, `journal-1.jsonl` and so on, readable by root alone: they tell who may use what. A record
 * is written and flushed to disk (fsync) before the deed that it announces; a new file's name is flushed as well.
 */
export function stateDirectory(directory: string, processes: Processes): JournalStore {
  const pathOf = (generation: number): string => `${directory}/journal-${generation}.jsonl`;
  return {
    place: directory,
    lock: (time) =>
      attempt(directory, () => {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        if (!isOurs(directory)) return { path: directory, errno: 'EPERM' };
        return takeLock(directory, time, processes);
      }),
    generations: () =>
      attempt(directory, () => {
        const numbers = readdirSync(directory).flatMap((name) => {
          const number = /^journal-([1-9]\d{0,9})\.jsonl$/.exec(name)?.[1];
          return number === undefined ? [] : [Number(number)];
        });
        return numbers.sort((a, b) => a - b);
      }),
    read: (generation) =>
      attempt(pathOf(generation), () => {
        const path = pathOf(generation);
        if (statSync(path).size > maxDocumentBytes) return { path, errno: 'EFBIG' };
        return readFileSync(path, 'utf8');
      }),
    create: (generation) =>
      attempt(pathOf(generation), () => {
        const path = pathOf(generation);
        const fd = openSync(path, 'wx', 0o600);
        flushName(directory);
        return fileSink(fd, path, 0);
      }),
    resume: (generation) =>
      attempt(pathOf(generation), () => {
        const path = pathOf(generation);
        const whole = Buffer.byteLength(wholeLines(readFileSync(path, 'utf8')));
        const fd = openSync(path, 'r+');
        ftruncateSync(fd, whole);
        return fileSink(fd, path, whole);
      }),
  };
}

/**
 * What is undone is what the journals say, as root: nobody else may have put a journal there, or lead us elsewhere by a
 * link of his.
 */
function isOurs(directory: string): boolean {
  const owners = [0, process.geteuid?.() ?? 0];
  const { uid, mode } = statSync(directory);
  return owners.includes(uid) && owners.includes(lstatSync(directory).uid) && (mode & 0o022) === 0;
}

/** A sink that never leaves half a record behind: what could not be written and flushed is cut off again. */
function fileSink(fd: number, path: string, start: number): JournalSink {
  let end = start;
  let broken: Failure | null = null;
  return {
    append: (record) => {
      if (broken !== null) return broken;
      const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
      try {
        writeAll(fd, bytes, end);
        fsyncSync(fd);
        end += bytes.length;
        return null;
      } catch (error) {
        const failure = failureOf(error, path);
        broken = attempt(path, () => ftruncateSync(fd, end)) ?? null;
        return failure;
      }
    },
    close: () => closeSync(fd),
  };
}

/** write(2) may write less than asked, above all when the disk is about full; the next call then says why. */
function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

function flushName(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function attempt<T>(path: string, work: () => T): T | Failure {
  try {
    return work();
  } catch (error) {
    return failureOf(error, path);
  }
}
