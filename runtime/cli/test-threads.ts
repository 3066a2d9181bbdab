import { Worker } from 'node:worker_threads';
import type { CheckInput } from '../../src/check/checked.ts';
import type { SandboxOptions } from '../kernel/sandbox.ts';
import type { Case } from '../tests/cases.ts';
import type { TestResult } from '../tests/result.ts';

/** What a thread is given when it starts. Plain data: what tests share is sent once, and shared there too. */
export interface Assignment extends Pick<CheckInput, 'sources' | 'today'> {
  readonly cases: readonly Case[];
  readonly limits: Pick<SandboxOptions, 'memoryLimitBytes' | 'deadlineMs'>;
}

/** A sign of life, or the result of the test that the thread was told to run. */
export interface Reply {
  readonly result?: TestResult;
}

/** What came of a test that a thread was told to run: its result, or why there is none. */
export type Outcome = { readonly result: TestResult } | { readonly lost: string; readonly error?: Error };

export interface Threads {
  /** What a thread runs. */
  readonly program: URL;
  readonly count: number;
  /** Milliseconds without a sign of life after which a thread is given up, its start included. */
  readonly patienceMs: number;
}

/** Is told of each test, by its number, when it begins and when it ends: in whatever order, but each once. */
export interface Watcher {
  begins(index: number): void;
  ends(index: number, outcome: Outcome): void;
}

/** What came of a test that threw: a bug of vfioplan, and no verdict. */
export function lostBy(error: unknown): Outcome {
  if (!(error instanceof Error)) return { lost: String(error) };
  return { lost: error.message.split('\n')[0] ?? error.name, error };
}

/**
 * Runs every test in one of some threads. A thread that ends or gives no sign costs the one test that it was at: the next
 * gets a new one.
 */
export async function runInThreads(
  assignment: Assignment,
  { program, count, patienceMs }: Threads,
  watcher: Watcher,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    let thread: Thread | undefined;
    while (next < assignment.cases.length) {
      const index = next;
      next += 1;
      if (thread === undefined || thread.isGone) thread = new Thread(program, assignment, patienceMs);
      watcher.begins(index);
      watcher.ends(index, await thread.run(index));
    }
    await thread?.end();
  };
  await Promise.all(Array.from({ length: count }, work));
}

/** One thread, and the test that it is at. */
class Thread {
  readonly #worker: Worker;
  readonly #patienceMs: number;
  #gone: Outcome | undefined;
  #answer: ((outcome: Outcome) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(program: URL, assignment: Assignment, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#worker = new Worker(program, { workerData: assignment })
      .on('message', ({ result }: Reply) => {
        if (result === undefined) this.#timer?.refresh();
        else this.#ends({ result });
      })
      .on('messageerror', (error) => this.#leaves(lostBy(error)))
      .on('error', (error) => this.#leaves(lostBy(error)))
      .on('exit', (code) => this.#leaves({ lost: `its thread ended with ${code}` }));
  }

  get isGone(): boolean {
    return this.#gone !== undefined;
  }

  run(index: number): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#timer = setTimeout(() => {
        const seconds = Math.round(this.#patienceMs / 1000);
        this.#leaves({ lost: `its thread gave no sign of life for ${seconds} s` });
      }, this.#patienceMs);
      if (this.#gone !== undefined) this.#ends(this.#gone);
      else this.#worker.postMessage(index);
    });
  }

  async end(): Promise<void> {
    this.#gone ??= { lost: 'its thread was ended' };
    await this.#worker.terminate();
  }

  /** The first reason is the one: a thread that failed ends, too. */
  #leaves(why: Outcome): void {
    this.#gone ??= why;
    this.#ends(this.#gone);
    void this.#worker.terminate();
  }

  #ends(outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#answer?.(outcome);
    this.#answer = undefined;
  }
}
