import { expect, test } from 'vitest';
import { nearest } from '../../grammar/nearest.ts';

test.each([
  ['hostnme', 'hostname'],
  ['hsotname', 'hostname'],
  ['HOSTNAME', 'hostname'],
  ['kernl', 'kernel'],
  ['users', 'users'],
  ['zzz', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('%s is a slip of %s', (word, meant) => {
  expect(nearest(word, ['hostname', 'kernel', 'users'])).toBe(meant);
});
