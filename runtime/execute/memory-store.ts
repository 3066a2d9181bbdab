import type { Failure, JournalSink, JournalStore } from './store.ts';

/** Journals in memory, for a rehearsal: nothing outlives it, and nobody else can be at work on its machine. */
export function memoryStore(): JournalStore {
  const journals = new Map<number, string>();
  const fails = (generation: number, errno: string): Failure => ({ path: `memory/${generation}`, errno });
  const sink = (generation: number): JournalSink => ({
    append: (record) => {
      journals.set(generation, `${journals.get(generation) ?? ''}${JSON.stringify(record)}\n`);
      return null;
    },
    close: () => {},
  });
  return {
    place: 'memory',
    lock: () => ({ release: () => {} }),
    generations: () => [...journals.keys()].sort((a, b) => a - b),
    read: (generation) => journals.get(generation) ?? fails(generation, 'ENOENT'),
    create: (generation) => {
      if (journals.has(generation)) return fails(generation, 'EEXIST');
      journals.set(generation, '');
      return sink(generation);
    },
    resume: (generation) => {
      const text = journals.get(generation);
      if (text === undefined) return fails(generation, 'ENOENT');
      journals.set(generation, text.slice(0, text.lastIndexOf('\n') + 1));
      return sink(generation);
    },
  };
}
