import { expect, it } from 'vitest';
import { type Differences, declared, mustDiffer, needed } from './differences.ts';
import { recordedRuns } from './runs.ts';

it('every declared difference was needed by a recorded run on a real kernel', () => {
  const runs = recordedRuns();
  const idle = Object.keys(declared).filter((name) => !runs.some(({ needed }) => (needed[name] ?? 0) > 0));
  expect(idle, 'no run needs them any more: take them out').toEqual([]);
});

it('an entry covers what it says, and counts that', () => {
  const table: Differences = {
    sizes: { what: 'sizes', why: 'a test', covers: ({ field }) => field === 'size' },
  };
  const op = { op: 'device.region_info', pid: 1, fd: 3, index: 0 } as const;
  expect(mustDiffer({ op, field: 'flags', is: 1, said: 2 }, table)).toBe(false);
  expect(mustDiffer({ op, field: 'size', is: 1, said: 2 }, table)).toBe(true);
  expect(needed.get('sizes')).toBe(1);
});
