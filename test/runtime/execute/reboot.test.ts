import { expect, test } from 'vitest';
import { execute } from '../../../runtime/execute/execute.ts';
import { revert } from '../../../runtime/execute/revert.ts';
import { FakeKernel } from './fake.ts';
import { TestJournals } from './journals.ts';
import { scenarios } from './scenarios.ts';

const options = { time: '2026-11-22T12:00:00Z', bootId: 'boot-1' };

test('what stands on a disk outlives a boot, and is taken back after it', () => {
  const lasting = scenarios.filter(({ plan }) =>
    plan.steps.some(({ operation }) => operation.op === 'config.remove'),
  );
  expect(lasting.length).toBeGreaterThan(1);
  for (const scenario of lasting) {
    const [kernel, store] = [new FakeKernel(scenario.snapshot), new TestJournals()];
    const { configuration } = kernel.state;
    execute(scenario.plan, kernel.backend(), store, options);
    const booted = new FakeKernel(scenario.snapshot);
    booted.state = { ...booted.state, configuration: kernel.state.configuration };
    const ending = revert(booted.backend(), store, { ...options, bootId: 'boot-2' });
    expect(ending).toMatchObject({ verdict: 'reverted', diagnostics: [] });
    expect(booted.state.configuration).toEqual(configuration);
    expect(booted.deeds).toBe(
      scenario.plan.steps.filter(({ operation }) => operation.op.startsWith('config.')).length,
    );
  }
});
