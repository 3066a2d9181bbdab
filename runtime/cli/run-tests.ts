import { longestSilence } from '../kernel/sandbox.ts';
import type { Case } from '../tests/cases.ts';
import { Ground } from '../tests/ground.ts';
import type { TestResult } from '../tests/result.ts';
import { runTest, unfinished } from '../tests/run.ts';
import { sayStack } from './exit.ts';
import type { Invocation } from './invocation.ts';
import { progressOn } from './progress.ts';
import { type Assignment, lostBy, type Outcome, runInThreads, type Watcher } from './test-threads.ts';

/** A result, and how long it took to come to it. */
export interface TimedResult {
  readonly result: TestResult;
  readonly seconds: number;
}

/**
 * A thread takes about as long to start as so many tests on a small machine: to load the language, to evaluate the simulated
 * kernel, and to learn again what is run often (docs/performance.md).
 */
const testsPerStart = 40;

/** Milliseconds for what a thread does outside its sandbox without a sign of life: to start, to judge, to plan. */
const outsideMs = 20_000;

/** More threads for each processor would wait for one another longer than a sandbox may take to answer. */
const threadsPerProcessor = 4;

/** Runs tests, several at once where that is faster or was asked for. The results are in the order of the tests. */
export async function runTests(
  { io, options }: Invocation,
  cases: readonly Case[],
  sources: Assignment['sources'],
): Promise<readonly TimedResult[]> {
  const limits = io.sandboxLimits ?? {};
  const assignment = { cases, sources, today: options.today, limits };
  const progress = progressOn(io);
  const starts: number[] = [];
  const results: TimedResult[] = [];
  let done = 0;
  const watcher: Watcher = {
    begins: (index) => {
      starts[index] = io.now();
      progress.now(`${done} of ${cases.length}: ${cases[index]?.node.name.text}`);
    },
    ends: (index, outcome) => {
      const its = cases[index];
      if (its === undefined) throw new Error(`there is no test ${index}`);
      done += 1;
      if ('lost' in outcome && outcome.error) sayStack(io, outcome.error);
      const result = 'lost' in outcome ? unfinished(its, outcome.lost) : outcome.result;
      results[index] = { result, seconds: (io.now() - (starts[index] ?? 0)) / 1000 };
    },
  };
  const count = howMany(cases.length, io.threads?.count ?? 0, options.jobs);
  if (io.threads === undefined || count <= 1) await runHere(assignment, watcher);
  else {
    const patienceMs = longestSilence(limits) + outsideMs;
    await runInThreads(assignment, { program: io.threads.tests, count, patienceMs }, watcher);
  }
  progress.end();
  return results;
}

/** As many as are asked for; else one for each processor, where the tests that then wait for no other outweigh the start. */
function howMany(tests: number, processors: number, asked: number | undefined): number {
  if (asked !== undefined) return Math.min(asked, tests, threadsPerProcessor * processors);
  return tests - Math.ceil(tests / processors) > testsPerStart ? Math.min(processors, tests) : 1;
}

/** One after the other in this thread. What a test throws is its own failure here too. */
async function runHere({ cases, sources, today, limits }: Assignment, watcher: Watcher): Promise<void> {
  const ground = new Ground({ sources, today });
  for (const [index, its] of cases.entries()) {
    watcher.begins(index);
    let outcome: Outcome;
    try {
      outcome = { result: await runTest(its, ground, limits) };
    } catch (error) {
      outcome = lostBy(error);
    }
    watcher.ends(index, outcome);
  }
}
