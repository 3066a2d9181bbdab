import { expect, test } from 'vitest';
import { asking } from '../../src/model/ops.ts';
import { profileIds } from '../../src/model/profiles.ts';
import { implied } from './implied.ts';
import { judge, mutantsOf } from './mutation.ts';
import { isMissed } from './report.ts';

const told = new Set<string>();

// A guard that is named here wants a provocation, a call in `two-wrongs.ts` that shows the order, or a reason in `implied.ts`.
test.each(profileIds)('%s: every defect of every guard is caught', { timeout: 120_000 }, (profile) => {
  const verdicts = judge(profile);
  expect(verdicts.filter(isMissed).map(({ mutant }) => `${mutant.guard.id} ${mutant.defect}`)).toEqual([]);
  const guards = Object.values(asking[profile]).flatMap(({ guards }) => guards);
  expect(new Set(verdicts.map(({ mutant }) => mutant.guard.id)).size).toBe(
    new Set(guards.map(({ id }) => id)).size,
  );
  expect(verdicts.filter(({ laws }) => laws.length > 0).length).toBeGreaterThan(20);
  for (const { mutant, equivalent } of verdicts) {
    if (equivalent !== null && mutant.defect !== 'swapped') told.add(mutant.guard.id);
  }
});

test('every guard that another speaks for is still there, and still silent', () => {
  expect([...told].sort()).toEqual(Object.keys(implied).sort());
});

test('a defect that no input shows is not taken for caught', () => {
  const [first] = mutantsOf('6.12').filter(({ guard }) => guard.id === 'open.busy');
  if (first === undefined) throw new Error('no such guard');
  const harmless = { ...first, asked: asking['6.12'].open.guards };
  expect(judge('6.12', [harmless]).map((verdict) => isMissed(verdict))).toEqual([true]);
});
