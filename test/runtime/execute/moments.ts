import { expect } from 'vitest';
import { execute } from '../../../runtime/execute/execute.ts';
import type { RunOptions } from '../../../runtime/execute/run.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { FakeKernel } from './fake.ts';
import { TestJournals } from './journals.ts';
import type { Scenario } from './scenarios.ts';

/** Runs on a kernel of our own, stopped at any moment, and what the kernel shows before and after. */

export const options: RunOptions = { time: '2026-11-22T12:00:00Z', bootId: 'boot-1' };

/** The process ends here: nothing after this runs, and no handler may catch it. */
export class Crash extends Error {}

export function fresh({ snapshot }: Scenario): { kernel: FakeKernel; store: TestJournals } {
  return { kernel: new FakeKernel(snapshot), store: new TestJournals() };
}

function pathsOf(plan: Plan): readonly string[] {
  return [...new Set(plan.steps.flatMap(({ after }) => Object.keys(after)))];
}

export function showing(kernel: FakeKernel, plan: Plan): ReadonlyMap<string, string | null> {
  return new Map(pathsOf(plan).map((path) => [path, kernel.shows(path)]));
}

/** Every touched path as it was, but taint, which the plan declares to last. */
export function expectStart(kernel: FakeKernel, plan: Plan, start: ReadonlyMap<string, string | null>): void {
  const now = showing(kernel, plan);
  for (const path of pathsOf(plan)) {
    if (path !== '/proc/sys/kernel/tainted') expect([path, now.get(path)]).toEqual([path, start.get(path)]);
  }
}

export function expectEnd(kernel: FakeKernel, plan: Plan): void {
  const last = new Map(plan.steps.flatMap(({ after }) => Object.entries(after)));
  for (const [path, value] of last) expect([path, kernel.shows(path)]).toEqual([path, value]);
}

export function deedsOf(scenario: Scenario): number {
  const { kernel, store } = fresh(scenario);
  execute(scenario.plan, kernel.backend(), store, options);
  return kernel.deeds;
}

export function recordsOf(scenario: Scenario): number {
  const { kernel, store } = fresh(scenario);
  execute(scenario.plan, kernel.backend(), store, options);
  return store.records;
}

/** Before and after each deed; before, in the middle of and after each record. */
interface Moment {
  readonly of: 'deed' | 'record';
  readonly number: number;
  readonly when: 'before' | 'torn' | 'after';
}

export function* momentsOf(scenario: Scenario): Generator<Moment> {
  for (let number = 1; number <= deedsOf(scenario); number += 1) {
    for (const when of ['before', 'after'] as const) yield { of: 'deed', number, when };
  }
  for (let number = 1; number <= recordsOf(scenario); number += 1) {
    for (const when of ['before', 'torn', 'after'] as const) yield { of: 'record', number, when };
  }
}

export function crashAt(kernel: FakeKernel, store: TestJournals, moment: Moment, work: () => unknown): void {
  const at = (of: Moment['of'], when: Moment['when'], number: number): boolean =>
    moment.of === of && moment.when === when && moment.number === number;
  const crash = (): never => {
    throw new Crash();
  };
  kernel.before = (number) => (at('deed', 'before', number) ? crash() : undefined);
  kernel.after = (number) => (at('deed', 'after', number) ? crash() : undefined);
  store.before = (number) => (at('record', 'before', number) ? crash() : null);
  store.torn = (number) => at('record', 'torn', number);
  store.stop = crash;
  store.after = (number) => (at('record', 'after', number) ? crash() : undefined);
  try {
    work();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  kernel.before = () => undefined;
  kernel.after = () => {};
  store.before = () => null;
  store.torn = () => false;
  store.after = () => {};
}
