import type { JournalRecord } from '../../src/wire/journal.ts';

/**
 * Where journals are kept, as the executor sees it: a real directory (`state-directory.ts`), or memory for rehearsals
 * (`memory-store.ts`). Nothing here throws for what the world does: a failure says what could not be done and why.
 */
export interface JournalStore {
  /** What people know it by: the directory's path. */
  readonly place: string;
  /** Takes the lock, or says who has it. `time` is written into it, for whoever finds it held. */
  lock(time: string): LockHold | LockHolder | Failure;
  /** Ascending. */
  generations(): readonly number[] | Failure;
  /** The whole text of a journal. */
  read(generation: number): string | Failure;
  /** A new journal; fails when there is one of that number. */
  create(generation: number): JournalSink | Failure;
  /** An existing journal, to append to; a torn last line is taken off first. */
  resume(generation: number): JournalSink | Failure;
}

export interface JournalSink {
  /** The record is on disk when this returns `null`. After a failure the journal is as it was before. */
  append(record: JournalRecord): Failure | null;
  close(): void;
}

export interface LockHold {
  release(): void;
}

export interface LockHolder {
  readonly pid: number;
  readonly since: string;
}

export interface Failure {
  readonly path: string;
  /** Name of the errno. */
  readonly errno: string;
}

export function isFailure(value: object | string): value is Failure {
  return typeof value === 'object' && 'errno' in value;
}
