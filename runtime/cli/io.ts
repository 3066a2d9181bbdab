import type { SandboxOptions } from '../kernel/sandbox.ts';
import type { Files } from './files.ts';
import type { Machine } from './machine.ts';

/**
 * What the command line touches of the world outside, gathered so that a test can put its own in place: streams,
 * environment, clock, files. Everything below `run()` reaches these through `Io` alone.
 */
export interface Io {
  /** Results, and nothing else. */
  readonly stdout: Sink;
  /** Progress, warnings about results, help after a mistake. */
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that holds the running program: pages and editor are found beside it. */
  readonly home: URL;
  /** Standard input and output as they are, for a protocol. */
  readonly pipes: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream };
  readonly files: Files;
  readonly machine: Machine;
  /** What a rehearsal may use; the sandbox's own limits when left out. */
  readonly sandboxLimits?: Pick<SandboxOptions, 'memoryLimitBytes' | 'deadlineMs'>;
  /** Where a thread that runs tests begins, and how many at once are of use; left out: tests run in this thread. */
  readonly threads?: { readonly tests: URL; readonly count: number };
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment; never set back, as a clock may be. */
  elapsed(): number;
  /** Settles when the person asks the program to end. */
  interrupted(): Promise<void>;
  /** Does the work whole: a signal that asks the process to end does not end it before. */
  uninterrupted<T>(work: () => T): T;
  /**
   * Does work that must come to its end by itself, and that a person may answer to. A session that is lost does not end it, nor
   * does anybody who asks the process to end: the work is told so.
   */
  attended<T>(work: (person: Person) => Promise<T>): Promise<T>;
}

/** Who sits at the terminal, if anybody does. */
export interface Person {
  /**
   * Settles after so many milliseconds, or as soon as the person has typed `yes` and Enter, or has asked the program to
   * end. What is said between two questions is the answer to the next.
   */
  answer(milliseconds: number): Promise<'nothing' | 'yes' | 'end'>;
}

export interface Sink {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** Colour is for terminals whose owner did not forbid it (https://no-color.org: set and not empty). */
export function wantsColor(io: Io, sink: Sink): boolean {
  return sink.isTerminal && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
}

/** The machine's date where it stands, `YYYY-MM-DD`. */
export function dateOf(io: Io): string {
  const date = new Date(io.now());
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
