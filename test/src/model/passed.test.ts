import { describe, expect, test } from 'vitest';
import { generate } from './generate.ts';
import { passed, search, without } from './passed.ts';

/** How many operations it takes at least, in the first kernel that does not keep the law. */
const shortest: Readonly<Record<string, number>> = {
  S1: 8,
  S2: 3,
  S3: 3,
  S4: 10,
  S5: 5,
  S6: 4,
  S7: 3,
  P37: 3,
};

describe.each(passed.map((law) => [law.id, law] as const))('%s', (id, law) => {
  test.each([...law.profiles])('holds in %s', { timeout: 60_000 }, (profile) => {
    const explored = search(law, profile);
    expect(explored.broken).toBeNull();
    expect(explored.complete).toBe(true);
    expect(explored.states).toBeGreaterThan(50);
  });

  test.each([...without(law)])('is broken in %s, in the fewest operations', (profile) => {
    const { broken } = search(law, profile);
    expect(broken?.law.id).toBe(id);
    expect(broken?.trace).toHaveLength(shortest[id] ?? Number.NaN);
  });
});

test('docs/laws.md shows each of them broken', () => {
  const { 'docs/laws.md': page = '' } = generate();
  for (const { id, statement } of passed) {
    const trace = page.split(`## ${id}: ${statement}`)[1]?.split('```')[1]?.trim() ?? '';
    expect(trace.split('\n')).toHaveLength(shortest[id] ?? Number.NaN);
  }
});

test('S1 to S7 are all there, and P37', () => {
  expect(passed.map(({ id }) => id).sort()).toEqual(Object.keys(shortest).sort());
});
