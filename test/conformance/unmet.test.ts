import { describe, expect, it, test } from 'vitest';
import { guardsOf } from '../../src/model/guards.ts';
import { type ProfileId, profiles } from '../../src/model/profiles.ts';
import { guardsMet } from './runs.ts';
import { faultsOf, unmet } from './unmet.ts';

describe.each(Object.entries(guardsMet()))('of Linux %s', (kernel, met) => {
  const all = [...guardsOf(profiles[kernel as ProfileId]).keys()];

  it('every guard was met on a real kernel, or it is told why not', () => {
    expect(faultsOf(kernel, all, met)).toEqual([]);
  });
});

test('a reason is for guards that there are, that were not met, and that have no other one', () => {
  const table = [
    { guards: ['a', 'b'], why: 'a test' },
    { guards: ['c'], kernel: '6.1', why: 'another kernel' },
    { guards: ['d'], kernel: '6.12', why: 'no such guard' },
  ] as const;
  expect(faultsOf('6.12', ['a', 'b', 'c'], ['b'], table)).toEqual([
    'b was met: it has no reason any more',
    '6.12 has no guard d',
    'c was not met, and has no reason',
  ]);
  const named = unmet.flatMap(({ guards, kernel = 'all' }) => guards.map((id) => `${id} ${kernel}`));
  expect(new Set(named).size).toBe(named.length);
});
