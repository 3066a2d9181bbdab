import { afterEach, describe, expect, test } from 'vitest';
import { execute } from '../../../runtime/execute/execute.ts';
import { recover, revert } from '../../../runtime/execute/revert.ts';
import { type Fault, ProcessKilled } from '../../../runtime/kernel/faults.ts';
import { bootSandbox, type Sandbox } from '../../../runtime/kernel/sandbox.ts';
import { lower } from '../../../runtime/lower/lower.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import { ownPaths, usualDirectories } from '../../../src/machine/configuration.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { TestJournals } from './journals.ts';
import { type Scenario, scenarios } from './scenarios.ts';

/**
 * The same deeds on the simulated kernel: paths, bytes, descriptors and errnos instead of the model's words. That a
 * plan succeeds here proves no fact of VFIO, since both ask the one model; it proves that lowering and observing say
 * the same as the model, and that a run survives what happens to its process.
 */
const options = { time: '2026-11-22T12:00:00Z', bootId: 'boot-1' };
const root = {
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
    'CAP_SYS_ADMIN',
    'CAP_SYS_MODULE',
    'CAP_SYS_RAWIO',
  ],
};

let sandbox: Sandbox | undefined;
afterEach(() => {
  sandbox?.dispose();
  sandbox = undefined;
});

async function boot({ snapshot }: Scenario, faults: readonly Fault[] = []): Promise<Sandbox> {
  sandbox?.dispose();
  sandbox = await bootSandbox(snapshot, { faults });
  return sandbox;
}

describe.each(scenarios)('$name', (scenario) => {
  const { plan } = scenario;

  test('all that the plan predicts is seen, and revert goes back exactly', async () => {
    const machine = await boot(scenario);
    const store = new TestJournals();
    const start = showing(machine, plan);
    const ending = execute(plan, machine.process(root), store, options);
    expect(ending).toMatchObject({ verdict: 'done', diagnostics: [] });
    expect(ending.predictions.equal).toBe(ending.predictions.compared);
    const back = revert(machine.process(root), store, options);
    expect(back).toMatchObject({ verdict: 'reverted', diagnostics: [] });
    expect(back.predictions.equal).toBe(back.predictions.compared);
    expect(showing(machine, plan)).toEqual(start);
  });

  test('a write that is refused is noticed, and all before it taken back', async () => {
    for (let nth = 1; ; nth += 1) {
      const machine = await boot(scenario, [{ on: { call: 'write' }, nth, answer: 'EBUSY' }]);
      const start = showing(machine, plan);
      const ending = execute(plan, machine.process(root), new TestJournals(), options);
      if (ending.verdict === 'done') {
        expect(nth).toBeGreaterThan(2);
        return;
      }
      expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6005' }] });
      expect(showing(machine, plan)).toEqual(start);
    }
  });

  test.each([false, true])(
    'a process that is killed (after its call: %s) is recovered from',
    async (after) => {
      for (let nth = 1; ; nth += 1) {
        const machine = await boot(scenario, [{ on: { call: 'write' }, nth, answer: 'kill', after }]);
        const start = showing(machine, plan);
        const store = new TestJournals();
        const killed = wasKilled(() => execute(plan, machine.process(root), store, options));
        if (!killed) return;
        const ending = recover(machine.process(root), store, options);
        expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [] });
        expect(showing(machine, plan)).toEqual(start);
      }
    },
  );
});

describe('a configuration file', () => {
  const scenario = scenarios.find(({ name }) => name.startsWith('files for limits'));
  if (scenario === undefined) throw new Error('no scenario');
  const calls = ['open', 'write', 'fsync', 'rename', 'unlink', 'mkdir', 'rmdir', 'chmod'] as const;
  const path = '/etc/*';

  test.each(calls.flatMap((call) => [false, true].map((after) => [call, after] as const)))(
    'a process that is killed at %s (after it: %s) leaves the start or the end, and nothing beside',
    async (call, after) => {
      const start = showing(await boot(scenario), scenario.plan);
      for (let nth = 1; ; nth += 1) {
        const machine = await boot(scenario, [{ on: { call, path }, nth, answer: 'kill', after }]);
        const store = new TestJournals();
        if (!wasKilled(() => execute(scenario.plan, machine.process(root), store, options))) {
          expect(nth).toBeGreaterThan(1);
          return;
        }
        const ending = recover(machine.process(root), store, options);
        expect(ending.diagnostics).toEqual([]);
        if (ending.verdict === 'rolled back') expect(showing(machine, scenario.plan)).toEqual(start);
        expect(leftovers(machine)).toEqual([]);
      }
    },
  );

  test.each(calls.filter((call) => call !== 'open'))('a refused %s is taken back', async (call) => {
    for (let nth = 1; ; nth += 1) {
      const machine = await boot(scenario, [{ on: { call, path }, nth, answer: 'ENOSPC' }]);
      const start = showing(machine, scenario.plan);
      const ending = execute(scenario.plan, machine.process(root), new TestJournals(), options);
      if (ending.verdict === 'done') return;
      expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6005' }] });
      expect(showing(machine, scenario.plan)).toEqual(start);
      expect(leftovers(machine)).toEqual([]);
    }
  });

  test('that somebody changed since is not overwritten by a revert', async () => {
    const machine = await boot(scenario);
    const store = new TestJournals();
    expect(execute(scenario.plan, machine.process(root), store, options).verdict).toBe('done');
    const administrator = machine.process(root);
    const text = 'dpdk - memlock unlimited\n';
    const limits = ownPaths.limits;
    expect(lower(administrator, { op: 'config.write', pid: 0, path: limits, text })).toMatchObject({
      ok: true,
    });
    const ending = revert(machine.process(root), store, options);
    expect(ending).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6014' }] });
    expect(observe(administrator, limits)).toBe('dpdk - memlock unlimited');
  });
});

function leftovers(machine: Sandbox): readonly string[] {
  const process = machine.process(root);
  return usualDirectories.flatMap((directory) => {
    const names = process.list(directory);
    return typeof names === 'number' ? [] : names.filter((name) => name.endsWith('.new'));
  });
}

test('an unbind that would wait without end is not waited for; once the device has left its driver, recover binds it again', async () => {
  const [, , back] = scenarios;
  if (back === undefined) throw new Error('no scenario');
  const machine = await boot(back);
  const start = showing(machine, back.plan);
  const user = machine.process(root);
  const use = (op: Parameters<typeof lower>[1]): number => {
    const reply = lower(user, op);
    if (!reply.ok) throw new Error(`${op.op}: ${reply.errno}`);
    return reply.value;
  };
  const container = use({ op: 'open', pid: 0, path: '/dev/vfio/vfio' });
  const fd = use({ op: 'open', pid: 0, path: '/dev/vfio/7' });
  use({ op: 'group.set_container', pid: 0, fd, container });
  use({ op: 'container.set_iommu', pid: 0, fd: container, type: 1 });
  use({ op: 'group.get_device_fd', pid: 0, fd, name: '0000:03:00.0' });
  const store = new TestJournals();
  const ending = execute(back.plan, machine.process(root), store, options);
  expect(ending).toMatchObject({
    verdict: 'incomplete',
    diagnostics: [{ code: 'VP6005' }, { code: 'VP6009' }],
  });
  expect(ending.diagnostics[0]?.message).toContain('blocked');
  expect(ending.diagnostics[1]?.causes).toEqual([expect.stringContaining('the kernel answered blocked')]);
  user.exit();
  expect(recover(machine.process(root), store, options)).toMatchObject({
    verdict: 'rolled back',
    diagnostics: [],
  });
  expect(showing(machine, back.plan)).toEqual(start);
});

function wasKilled(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof ProcessKilled) return true;
    throw error;
  }
}

function showing(machine: Sandbox, plan: Plan): Readonly<Record<string, string | null>> {
  const backend = machine.process(root);
  const paths = new Set(plan.steps.flatMap(({ after }) => Object.keys(after)));
  paths.delete('/proc/sys/kernel/tainted');
  return Object.fromEntries([...paths].map((path) => [path, observe(backend, path)]));
}
