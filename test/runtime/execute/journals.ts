import type { Failure, JournalSink, JournalStore } from '../../../runtime/execute/store.ts';
import type { JournalRecord } from '../../../src/wire/journal.ts';

/** Journals in memory whose writing can be watched, refused, torn and stopped, record by record. */
export class TestJournals implements JournalStore {
  readonly place = 'journals';
  readonly texts = new Map<number, string>();
  /** Records that were given to be written, from 1. */
  records = 0;
  /** Called before each record; a failure refuses it, a throw is the end of the process. */
  before: (number: number, record: JournalRecord) => Failure | null = () => null;
  /** How much of the line reaches the disk; less than all of it is the end of the process. */
  torn: (number: number) => boolean = () => false;
  after: (number: number) => void = () => {};
  /** Ends the process in the middle of a write. */
  stop: () => never = () => {
    throw new Error('stopped');
  };

  lock(): ReturnType<JournalStore['lock']> {
    return { release: () => {} };
  }

  generations(): readonly number[] {
    return [...this.texts.keys()];
  }

  read(generation: number): string | Failure {
    return this.texts.get(generation) ?? { path: `journals/${generation}`, errno: 'ENOENT' };
  }

  create(generation: number): JournalSink {
    this.texts.set(generation, '');
    return this.#sink(generation);
  }

  resume(generation: number): JournalSink {
    const text = this.texts.get(generation) ?? '';
    this.texts.set(generation, text.slice(0, text.lastIndexOf('\n') + 1));
    return this.#sink(generation);
  }

  #sink(generation: number): JournalSink {
    return {
      append: (record) => {
        this.records += 1;
        const failure = this.before(this.records, record);
        if (failure !== null) return failure;
        const line = `${JSON.stringify(record)}\n`;
        const torn = this.torn(this.records);
        const written = torn ? line.slice(0, line.length >> 1) : line;
        this.texts.set(generation, `${this.texts.get(generation) ?? ''}${written}`);
        if (torn) this.stop();
        this.after(this.records);
        return null;
      },
      close: () => {},
    };
  }
}
