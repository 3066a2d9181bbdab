import { describe, expect, test } from 'vitest';
import { execute } from '../../../runtime/execute/execute.ts';
import { recover, revert } from '../../../runtime/execute/revert.ts';
import { agrees } from '../../../runtime/execute/verify.ts';
import { machine } from '../../machines.ts';
import { planOf } from '../../src/plan/policies.ts';
import { FakeKernel } from './fake.ts';
import { TestJournals } from './journals.ts';
import {
  Crash,
  crashAt,
  deedsOf,
  expectEnd,
  expectStart,
  fresh,
  momentsOf,
  options,
  recordsOf,
  showing,
} from './moments.ts';
import { scenarios } from './scenarios.ts';

describe.each(scenarios)('$name', (scenario) => {
  const { plan, snapshot } = scenario;
  const start = showing(new FakeKernel(snapshot), plan);

  test('every step does what was predicted, and revert goes back exactly', () => {
    const { kernel, store } = fresh(scenario);
    const ending = execute(plan, kernel.backend(), store, options);
    expect(ending).toMatchObject({ verdict: 'done', generation: 1, diagnostics: [] });
    expect(ending.predictions.compared).toBeGreaterThan(plan.steps.length);
    expect(ending.predictions.equal).toBe(ending.predictions.compared);
    expectEnd(kernel, plan);
    const back = revert(kernel.backend(), store, options);
    expect(back).toMatchObject({ verdict: 'reverted', generation: 1, diagnostics: [] });
    expect(back.predictions.equal).toBe(back.predictions.compared);
    expectStart(kernel, plan, start);
    expect(revert(kernel.backend(), store, options).diagnostics[0]?.code).toBe('VP6011');
  });

  test('whichever deed fails, all that was done is taken back', () => {
    const deeds = deedsOf(scenario);
    for (let failing = 1; failing <= deeds; failing += 1) {
      const { kernel, store } = fresh(scenario);
      kernel.before = (deed) => (deed === failing ? -16 : undefined);
      const ending = execute(plan, kernel.backend(), store, options);
      expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6005' }] });
      expectStart(kernel, plan, start);
    }
    expect(deeds).toBeGreaterThanOrEqual(plan.steps.length);
  });

  test('whichever deed has no effect, it is noticed and taken back', () => {
    for (let idle = 1; idle <= deedsOf(scenario); idle += 1) {
      const { kernel, store } = fresh(scenario);
      kernel.before = (deed) => (deed === idle ? 5 : undefined);
      const ending = execute(plan, kernel.backend(), store, options);
      // A chmod to the mode that the node has already may be left out without anybody noticing.
      if (ending.verdict === 'done') expectEnd(kernel, plan);
      else {
        expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6006' }] });
        expectStart(kernel, plan, start);
      }
    }
  });

  test('stopped at any moment, recover leads to the end or to the start, never between', () => {
    let moments = 0;
    for (const moment of momentsOf(scenario)) {
      const { kernel, store } = fresh(scenario);
      crashAt(kernel, store, moment, () => execute(plan, kernel.backend(), store, options));
      const ending = recover(kernel.backend(), store, options);
      expect(['done', 'rolled back']).toContain(ending.verdict);
      expect(ending.diagnostics).toEqual([]);
      const ended = ending.generation === null && String(store.read(1)).includes('"verdict":"done"');
      if (ended || (ending.verdict === 'done' && ending.generation !== null)) expectEnd(kernel, plan);
      else expectStart(kernel, plan, start);
      expect(recover(kernel.backend(), store, options)).toMatchObject({ verdict: 'done', generation: null });
      moments += 1;
    }
    expect(moments).toBeGreaterThan(4 * plan.steps.length);
  });

  test('a revert that is stopped at any moment is finished by recover', () => {
    for (const moment of momentsOf(scenario)) {
      const { kernel, store } = fresh(scenario);
      execute(plan, kernel.backend(), store, options);
      kernel.deeds = 0;
      store.records = 0;
      crashAt(kernel, store, moment, () => revert(kernel.backend(), store, options));
      const ending = recover(kernel.backend(), store, options);
      expect(ending.diagnostics).toEqual([]);
      if (ending.generation === null) {
        // Stopped before the first record of the revert, or after the last: nothing is unfinished.
        const [verdict] = [revert(kernel.backend(), store, options).diagnostics[0]?.code];
        expect([undefined, 'VP6011']).toContain(verdict);
      } else expect(ending.verdict).toBe('reverted');
      expectStart(kernel, plan, start);
    }
  });

  test('a disk that is full at any record stops the run and leaves the start', () => {
    const records = recordsOf(scenario);
    for (let full = 1; full <= records; full += 1) {
      const { kernel, store } = fresh(scenario);
      store.before = (number) => (number >= full ? { path: 'journal', errno: 'ENOSPC' } : null);
      const ending = execute(plan, kernel.backend(), store, options);
      store.before = () => null;
      expect(ending.diagnostics[0]?.code).toBe(full === 1 ? 'VP6002' : 'VP6003');
      expect(ending.verdict).toBe(full === 1 ? 'refused' : 'rolled back');
      expectStart(kernel, plan, start);
      expect(recover(kernel.backend(), store, options).diagnostics).toEqual([]);
      expectStart(kernel, plan, start);
    }
  });

  test('a step whose intent cannot be written is not done', () => {
    for (const { number, after, before } of plan.steps) {
      const { kernel, store } = fresh(scenario);
      store.before = (_, record) =>
        record.record === 'intent' && record.step === number ? { path: 'journal', errno: 'EIO' } : null;
      const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
      // A step that puts back what an earlier one changed is no other than its undo.
      if (changed.every((path) => kernel.shows(path) === after[path])) continue;
      kernel.after = () => {
        expect(changed.every((path) => kernel.shows(path) === after[path])).toBe(false);
      };
      const ending = execute(plan, kernel.backend(), store, options);
      expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6003' }] });
    }
  });

  test('no deed is done without its intent on disk', () => {
    const { kernel, store } = fresh(scenario);
    let intents = 0;
    let deedsOfStep = 0;
    kernel.before = () => {
      deedsOfStep += 1;
      expect(intents).toBeGreaterThan(0);
      return undefined;
    };
    store.before = (_, record) => {
      if (record.record === 'intent') {
        expect(deedsOfStep > 0).toBe(intents > 0);
        intents += 1;
        deedsOfStep = 0;
      }
      return null;
    };
    execute(plan, kernel.backend(), store, options);
    expect(intents).toBe(plan.steps.length);
  });
});

describe('what a run refuses', () => {
  const [, scenario] = scenarios;
  if (scenario === undefined) throw new Error('no scenario');
  const { plan } = scenario;

  test('a machine that is not as the plan expects: nothing is written, nothing done', () => {
    const { kernel, store } = fresh(scenario);
    execute(plan, kernel.backend(), store, options);
    const deeds = kernel.deeds;
    const again = execute(plan, kernel.backend(), store, options);
    expect(again).toMatchObject({ verdict: 'refused', generation: null });
    expect(new Set(again.diagnostics.map(({ code }) => code))).toEqual(new Set(['VP6004']));
    expect(kernel.deeds).toBe(deeds);
    expect(store.generations()).toEqual([1]);
  });

  test('another device at the address', () => {
    const { kernel, store } = fresh(scenario);
    const other = { ...plan, steps: plan.steps.map((each) => ({ ...each, identity: '1af4:1000' })) };
    const ending = execute(other, kernel.backend(), store, options);
    expect(ending.verdict).toBe('refused');
    expect(ending.diagnostics.map(({ code }) => code)).toEqual(['VP6007', 'VP6007', 'VP6007']);
    expect(kernel.deeds).toBe(0);
  });

  test('a device that changes its identity right before the bind', () => {
    const { kernel, store } = fresh(scenario);
    const real = kernel.shows.bind(kernel);
    kernel.shows = (path) => (kernel.deeds >= 2 && path.endsWith('/device') ? '0xffff' : real(path));
    const ending = execute(plan, kernel.backend(), store, options);
    expect(ending.diagnostics[0]?.code).toBe('VP6007');
    // Its old driver cannot be given to a stranger either.
    expect(ending.verdict).toBe('incomplete');
    expect(ending.diagnostics[1]?.code).toBe('VP6009');
    kernel.shows = real;
    expect(recover(kernel.backend(), store, options).verdict).toBe('rolled back');
    expectStart(kernel, plan, showing(new FakeKernel(scenario.snapshot), plan));
  });

  test('an unbind of a device that a process has open', () => {
    const [, , back] = scenarios;
    if (back === undefined) throw new Error('no scenario');
    const { kernel, store } = fresh(back);
    const asked: (readonly string[])[] = [];
    const holders = (_: string, nodes: readonly string[]) => {
      asked.push(nodes);
      return ['qemu-system-x86 (process 4711)'];
    };
    const ending = execute(back.plan, kernel.backend(), store, { ...options, holders });
    expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6008' }] });
    expect(ending.diagnostics[0]?.message).toContain('qemu-system-x86 (process 4711)');
    expect(asked).toEqual([['/dev/vfio/7', '/dev/vfio/devices/vfio0']]);
    expectStart(kernel, back.plan, showing(new FakeKernel(back.snapshot), back.plan));
  });

  test('a change that somebody else makes after the step it belongs to', () => {
    const { kernel, store } = fresh(scenario);
    const last = deedsOf(scenario);
    kernel.after = (deed) => {
      if (deed !== last) return;
      kernel.after = () => {};
      // The last step gives another node away; this one was right when its own step was looked at.
      kernel.backend().chown('/dev/vfio/8', 0, 44);
    };
    const ending = execute(plan, kernel.backend(), store, options);
    expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6006' }] });
    expect(ending.diagnostics[0]?.message).toContain('`/dev/vfio/8` shows `660 0:44` instead of `660 0:36`');
    expectStart(kernel, plan, showing(new FakeKernel(scenario.snapshot), plan));
  });

  test('an unfinished generation, until it is recovered', () => {
    const { kernel, store } = fresh(scenario);
    kernel.after = () => {
      throw new Crash();
    };
    expect(() => execute(plan, kernel.backend(), store, options)).toThrow(Crash);
    kernel.after = () => {};
    expect(execute(plan, kernel.backend(), store, options).diagnostics[0]?.code).toBe('VP6010');
    expect(revert(kernel.backend(), store, options).diagnostics[0]?.code).toBe('VP6010');
    expect(recover(kernel.backend(), store, options).verdict).toBe('rolled back');
    expect(execute(plan, kernel.backend(), store, options)).toMatchObject({ verdict: 'done', generation: 2 });
  });

  test('a lock that is held', () => {
    const { kernel, store } = fresh(scenario);
    store.lock = () => ({ pid: 4711, since: '2026-11-22T11:59:00Z' });
    const ending = execute(plan, kernel.backend(), store, options);
    expect(ending).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6001' }] });
    expect(ending.diagnostics[0]?.message).toContain('4711');
    expect(kernel.deeds).toBe(0);
  });

  test('a generation that is not there, not in effect, or not the last', () => {
    const { kernel, store } = fresh(scenario);
    expect(revert(kernel.backend(), store, options).diagnostics[0]?.code).toBe('VP6011');
    expect(revert(kernel.backend(), store, options, 3).diagnostics[0]?.code).toBe('VP6012');
  });

  test('a machine that somebody changed since', () => {
    const { kernel, store } = fresh(scenario);
    execute(plan, kernel.backend(), store, options);
    const deeds = kernel.deeds;
    kernel.backend().chown('/dev/vfio/7', 1234, 0);
    const ending = revert(kernel.backend(), store, options);
    expect(ending).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6014' }] });
    expect(kernel.deeds).toBe(deeds + 1);
  });

  test('a journal that contradicts itself', () => {
    const { kernel, store } = fresh(scenario);
    execute(plan, kernel.backend(), store, options);
    const text = String(store.read(1));
    const lines = text.split('\n');
    const swapped = [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n');
    store.texts.set(1, swapped);
    const ending = revert(kernel.backend(), store, options);
    expect(ending).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6013' }] });
  });
});

test.each([revert, recover])(
  'after a reboot that does not load VFIO again, what went with it is undone (%o)',
  (how) => {
    const nic = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'e1000e', drivers: ['e1000e'] };
    const loaded = machine({ iommu: 'none', functions: [nic] });
    const bind = { '03:00.0': 'vfio-pci' };
    const plan = planOf({ snapshot: loaded, bind, noiommu: 'allowed' });
    const store = new TestJournals();
    const kernel = new FakeKernel(loaded);
    if (how === recover)
      kernel.before = (deed) => {
        if (deed === 2) throw new Error('power loss');
        return undefined;
      };
    try {
      execute(plan, kernel.backend(), store, { ...options, bootId: 'boot-1' });
    } catch (error) {
      expect(error).toMatchObject({ message: 'power loss' });
    }
    const anew = machine({
      iommu: 'none',
      functions: [nic],
      replace: { modules: {}, nodes: [], drivers: ['e1000e'] },
    });
    const after = new FakeKernel(anew);
    const same = how(after.backend(), store, { ...options, bootId: 'boot-2' });
    expect(same).toMatchObject({ verdict: how === revert ? 'reverted' : 'rolled back', diagnostics: [] });
    expect(after.deeds).toBe(0);
  },
);

test('after a reboot there is nothing left to undo, and revert says so by being done', () => {
  for (const scenario of scenarios) {
    const { kernel, store } = fresh(scenario);
    execute(scenario.plan, kernel.backend(), store, options);
    const booted = new FakeKernel(scenario.snapshot);
    const ending = revert(booted.backend(), store, { ...options, bootId: 'boot-2' });
    expect(ending).toMatchObject({ verdict: 'reverted', diagnostics: [] });
    expect(booted.deeds).toBe(0);
  }
});

test('taint that others add in the meantime is no difference', () => {
  expect(agrees('/proc/sys/kernel/tainted', '64', '4160')).toBe(true);
  expect(agrees('/proc/sys/kernel/tainted', '64', '4096')).toBe(false);
  expect(agrees('/sys/x', '64', '4160')).toBe(false);
});
