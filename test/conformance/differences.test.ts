import { expect, it } from 'vitest';
import { declared } from './differences.ts';
import { recordedRuns } from './runs.ts';

it('every declared difference was needed by a recorded run on a real kernel', () => {
  const runs = recordedRuns();
  const idle = Object.keys(declared).filter((name) => !runs.some(({ needed }) => (needed[name] ?? 0) > 0));
  expect(idle, 'no run needs them any more: take them out').toEqual([]);
});
