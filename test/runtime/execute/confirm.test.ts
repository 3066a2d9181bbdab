import { describe, expect, test } from 'vitest';
import { execute } from '../../../runtime/execute/execute.ts';
import { confirm, expire, recover, revert } from '../../../runtime/execute/revert.ts';
import { FakeKernel } from './fake.ts';
import { crashAt, expectEnd, expectStart, fresh, momentsOf, options, showing } from './moments.ts';
import { type Scenario, scenarios } from './scenarios.ts';

const held = { ...options, confirmWithin: 120 };

/** A plan that was carried out and waits. */
function waiting(scenario: Scenario): ReturnType<typeof fresh> {
  const { kernel, store } = fresh(scenario);
  expect(execute(scenario.plan, kernel.backend(), store, held)).toMatchObject({
    verdict: 'held',
    generation: 1,
    diagnostics: [],
  });
  expectEnd(kernel, scenario.plan);
  return { kernel, store };
}

describe.each(scenarios)('$name, to be confirmed', (scenario) => {
  const { plan, snapshot } = scenario;
  const start = showing(new FakeKernel(snapshot), plan);

  test('what somebody confirms stays, and can be reverted', () => {
    const { kernel, store } = waiting(scenario);
    const kept = confirm(kernel.backend(), store, options);
    expect(kept).toMatchObject({ verdict: 'done', generation: 1, diagnostics: [] });
    expect(kept.predictions.equal).toBe(kept.predictions.compared);
    expectEnd(kernel, plan);
    expect(confirm(kernel.backend(), store, options).diagnostics[0]?.code).toBe('VP6017');
    // Who waited finds that it was confirmed a moment before.
    expect(expire(kernel.backend(), store, options, 1)).toMatchObject({ verdict: 'done', diagnostics: [] });
    expectEnd(kernel, plan);
    expect(revert(kernel.backend(), store, options).verdict).toBe('reverted');
    expectStart(kernel, plan, start);
  });

  test('what nobody confirms is taken back', () => {
    const { kernel, store } = waiting(scenario);
    const back = expire(kernel.backend(), store, options, 1);
    expect(back).toMatchObject({ verdict: 'rolled back', generation: 1, diagnostics: [] });
    expectStart(kernel, plan, start);
    expect(confirm(kernel.backend(), store, options).diagnostics[0]?.code).toBe('VP6017');
    expect(expire(kernel.backend(), store, options, 1).verdict).toBe('rolled back');
    expect(execute(plan, kernel.backend(), store, options)).toMatchObject({ verdict: 'done', generation: 2 });
  });

  test('while it waits nothing new is begun and nothing reverted, and recover takes it back', () => {
    const { kernel, store } = waiting(scenario);
    for (const refused of [
      execute(plan, kernel.backend(), store, options),
      revert(kernel.backend(), store, options),
    ]) {
      expect(refused).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6010' }] });
      expect(refused.diagnostics[0]?.cures.join()).toContain('vfioplan confirm');
    }
    expectEnd(kernel, plan);
    expect(recover(kernel.backend(), store, options).verdict).toBe('rolled back');
    expectStart(kernel, plan, start);
  });

  test('stopped at any moment before it was confirmed, recover leads to the start', () => {
    for (const moment of momentsOf(scenario)) {
      const { kernel, store } = fresh(scenario);
      crashAt(kernel, store, moment, () => execute(plan, kernel.backend(), store, held));
      const ending = recover(kernel.backend(), store, options);
      expect(ending.diagnostics).toEqual([]);
      expectStart(kernel, plan, start);
    }
  });

  test('stopped while it is taken back, it is taken back by recover', () => {
    for (const moment of momentsOf(scenario)) {
      const { kernel, store } = waiting(scenario);
      kernel.deeds = 0;
      store.records = 0;
      crashAt(kernel, store, moment, () => expire(kernel.backend(), store, options, 1));
      expect(confirm(kernel.backend(), store, options).verdict).toMatch(/^(refused|done)$/);
      if (String(store.read(1)).includes('"verdict":"done"')) continue;
      recover(kernel.backend(), store, options);
      expectStart(kernel, plan, start);
    }
  });

  test('a full disk does not let stay what nobody confirmed', () => {
    const { kernel, store } = waiting(scenario);
    store.before = () => ({ path: 'journal', errno: 'ENOSPC' });
    const back = expire(kernel.backend(), store, options, 1);
    expect(back).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6002' }] });
    expectStart(kernel, plan, start);
  });
});

test('what has changed since is not confirmed', () => {
  const [, scenario] = scenarios;
  if (scenario === undefined) throw new Error('there is one');
  const { kernel, store } = waiting(scenario);
  const before = store.read(1);
  kernel.backend().chown('/dev/vfio/7', 1234, 0);
  const refused = confirm(kernel.backend(), store, options);
  expect(refused).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6018' }] });
  expect(store.read(1)).toBe(before);
});
