import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { Address } from '../../src/machine/snapshot.ts';
import type { JournalRecord } from '../../src/wire/journal.ts';
import { readJournal } from '../../src/wire/read.ts';
import type { Backend } from '../backend.ts';
import { type Deed, perform } from '../lower/deeds.ts';
import { awaits, type History, historyOf } from './history.ts';
import { type Failure, isFailure, type JournalSink, type JournalStore } from './store.ts';
import { agrees, type Shows } from './verify.ts';

/** What the caller gives, so that nothing here reads a clock or another process. */
export interface RunOptions {
  /** ISO 8601; written to the journal and into the lock. */
  readonly time: string;
  /** /proc/sys/kernel/random/boot_id, or null where there is none. */
  readonly bootId: string | null;
  /**
   * Who has the function open, through one of these nodes or otherwise: "qemu-system-x86 (process 4711)". Asked
   * before every unbind, because Linux would wait in it without end. Leave out where nobody else can be.
   */
  readonly holders?: (device: Address, nodes: readonly string[]) => readonly string[];
  /** Seconds that what was done waits for `confirm`; left out: it stays. */
  readonly confirmWithin?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Called for each operation that was done, with the name of its errno; null: it succeeded. */
  readonly onDeed?: (op: Deed, errno: string | null) => void;
}

export interface Progress {
  readonly kind: 'step' | 'undo';
  readonly step: number;
  readonly sentence: string;
}

/**
 * How a run ended, and what it did. Exit codes: done and reverted 0, refused 1, rolled back 3, incomplete 4. What is held was
 * done and waits to be confirmed: whoever began it sees to it that it is taken back otherwise.
 */
export interface Ending {
  readonly verdict: 'done' | 'held' | 'reverted' | 'refused' | 'rolled back' | 'incomplete';
  /** The journal that tells it; null: none was begun. */
  readonly generation: number | null;
  /** How many predictions were compared with what the machine showed, and how many were right. */
  readonly predictions: { readonly compared: number; readonly equal: number };
  readonly diagnostics: readonly Diagnostic[];
}

/** One run at work: the machine, the journal that it writes, and what it has seen so far. */
export class Run {
  readonly backend: Backend;
  readonly #sink: JournalSink;
  readonly #options: RunOptions;
  #compared = 0;
  #equal = 0;

  constructor(backend: Backend, sink: JournalSink, options: RunOptions) {
    this.backend = backend;
    this.#sink = sink;
    this.#options = options;
  }

  append(record: JournalRecord): Failure | null {
    return this.#sink.append(record);
  }

  perform(op: Deed): string | null {
    const errno = perform(this.backend, op);
    this.#options.onDeed?.(op, errno);
    return errno;
  }

  holders(device: Address, nodes: readonly string[]): readonly string[] {
    if (nodes.length === 0 || this.#options.holders === undefined) return [];
    return this.#options.holders(device, nodes);
  }

  tell(progress: Progress): void {
    this.#options.onProgress?.(progress);
  }

  /** Counts predictions against what was seen. */
  count(predicted: Shows, observed: Shows): void {
    for (const [path, value] of Object.entries(predicted)) {
      this.#compared += 1;
      if (agrees(path, value, observed[path] ?? null)) this.#equal += 1;
    }
  }

  /** As `RunOptions` has it. */
  get confirmWithin(): number | undefined {
    return this.#options.confirmWithin;
  }

  get predictions(): Ending['predictions'] {
    return { compared: this.#compared, equal: this.#equal };
  }
}

/** Why nothing new is begun: the generation is neither finished nor undone. */
export function unfinished(history: History): Diagnostic {
  const { generation } = history.header;
  const cures = awaits(history)
    ? ['it waits to be confirmed: `vfioplan confirm` lets it stay, `vfioplan recover` takes it back']
    : ['run `vfioplan recover` first'];
  return report('VP6010', placeOf(generation), { generation }, { cures });
}

/** Does its work with the lock held, or says who holds it. */
export function locked(store: JournalStore, time: string, place: Place, work: () => Ending): Ending {
  const lock = store.lock(time);
  if (isFailure(lock)) return refused([unusable(place, lock)]);
  if ('pid' in lock) {
    const cures = [
      `wait for process ${lock.pid} to end; a lock whose process is gone is taken over by itself`,
    ];
    return refused([report('VP6001', place, { pid: lock.pid, since: lock.since }, { cures })]);
  }
  try {
    return work();
  } finally {
    lock.release();
  }
}

export function refused(diagnostics: readonly Diagnostic[]): Ending {
  return { verdict: 'refused', generation: null, predictions: { compared: 0, equal: 0 }, diagnostics };
}

export function unusable(place: Place, { path, errno }: Failure): Diagnostic {
  const cures = [
    errno === 'EACCES' || errno === 'EPERM'
      ? "run as root, or give another directory with `--state-dir`: one that is root's, where nobody else may write"
      : 'make room or give another directory with `--state-dir`',
  ];
  return report('VP6002', place, { path, errno }, { cures });
}

/** Where journals are kept, of which something is to be said. */
export function placeOfStore({ place }: JournalStore): Place {
  return { file: place, span: { start: 0, end: 0 } };
}

export function placeOf(generation: number): Place {
  return { file: `journal:${generation}`, span: { start: 0, end: 0 } };
}

export type Reading = { readonly history?: History } | { readonly diagnostics: readonly Diagnostic[] };

/** The history of a generation; without one when its run stopped before anything was done. */
export function readHistory(store: JournalStore, generation: number): Reading {
  const place = placeOf(generation);
  const text = store.read(generation);
  if (typeof text !== 'string') return { diagnostics: [unusable(place, text)] };
  const { records, diagnostics } = readJournal(place.file, text);
  if (records === undefined) return { diagnostics };
  const read = historyOf(records, place);
  if (read.diagnostics.length > 0) return { diagnostics: read.diagnostics };
  return read.history === undefined ? {} : { history: read.history };
}
