import { expect, test } from 'vitest';
import { type Outcome, runInThreads } from '../../../runtime/cli/test-threads.ts';
import { casesOf } from '../../../runtime/tests/cases.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { machine } from '../../machines.ts';

const snapshot = machine({ hostname: 'h', functions: [] });

/** A test that has to wait until a thread is given up does not wait long; whatever else a thread does may take its time. */
function patienceFor(names: readonly string[]): number {
  return names.some((name) => name === 'hangs' || name === 'takes its time') ? 4000 : 25_000;
}

/** What became of tests of these names, in threads that do what the names say. */
async function outcomes(
  names: readonly string[],
  count: number,
  program = 'thread.mjs',
): Promise<readonly string[]> {
  const text = names.map((name) => `test "${name}" on h { expect machine unchanged }`).join('\n');
  const machines = [{ name: 'h', snapshot }];
  const hosts = { names: ['h'], machines, snapshotOf: () => undefined };
  const cases = casesOf([readDocument('p.vfio', text).document], hosts);
  const assignment = { cases, sources: [], today: '2026-11-22', limits: {} };
  const begun: number[] = [];
  const ended: Outcome[] = [];
  await runInThreads(
    assignment,
    { program: new URL(program, import.meta.url), count, patienceMs: patienceFor(names) },
    {
      begins: (index) => begun.push(index),
      ends: (index, outcome) => {
        expect(ended[index]).toBeUndefined();
        ended[index] = outcome;
      },
    },
  );
  expect(begun).toEqual(names.map((_, index) => index));
  expect(ended).toHaveLength(names.length);
  return ended.map((outcome) => ('lost' in outcome ? outcome.lost : outcome.result.name));
}

const misdeeds: readonly (readonly [string, RegExp])[] = [
  ['ends', /^its thread ended with 7$/],
  ['throws', /^a bug$/],
  ['hangs', /^its thread gave no sign of life for 4 s$/],
];

test.each(misdeeds)('a thread that %s costs one test, whichever others are with it', async (name, why) => {
  for (const count of [1, 3]) {
    const [first, lost, ...others] = await outcomes(['a', name, 'b', 'c', 'd'], count);
    expect(first).toBe('a');
    expect(lost).toMatch(why);
    expect(others).toEqual(['b', 'c', 'd']);
  }
});

test('when all threads are lost, each of their tests says so', async () => {
  const all = await outcomes(['hangs', 'ends', 'throws', 'ends'], 4);
  expect(all).toEqual([
    'its thread gave no sign of life for 4 s',
    'its thread ended with 7',
    'a bug',
    'its thread ended with 7',
  ]);
});

test('two threads run two tests at once', async () => {
  const both = ['meets another', 'meets another'];
  expect(await outcomes(both, 2)).toEqual(both);
});

test('a test that gives signs of life may take longer than the patience with one that gives none', async () => {
  expect(await outcomes(['takes its time', 'a'], 1)).toEqual(['takes its time', 'a']);
});

test('a program that cannot be started is said of every test', async () => {
  const [one, two] = await outcomes(['a', 'b'], 2, 'no-such-thread.mjs');
  expect(one).toMatch(/Cannot find module/);
  expect(two).toMatch(/Cannot find module/);
});
