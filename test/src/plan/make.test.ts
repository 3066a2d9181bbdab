import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { step } from '../../../src/model/step.ts';
import { show } from '../../../src/model/view.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { makePlan } from '../../../src/plan/make.ts';
import { opOf } from '../../../src/plan/operation.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { prove } from '../../../src/plan/prove.ts';
import { readPlan } from '../../../src/wire/read.ts';
import { type FunctionWords, machine } from '../../machines.ts';
import { seed } from '../../seed.ts';
import { hostPolicy, type PolicyWords, planOf, soundly } from './policies.ts';

const nic = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'e1000e', drivers: ['e1000e'] } as const;
const noiommu: PolicyWords = {
  snapshot: machine({ iommu: 'none', functions: [nic] }),
  bind: { '03:00.0': 'vfio-pci' },
  allow: [['user dpdk', '03:00.0', 'noiommu']],
  noiommu: 'allowed',
};

describe('a plan', () => {
  const plan = planOf(noiommu);

  test('says for each step what it changes, how it is undone, what lasts and why', () => {
    expect(plan.steps.map(({ sentence }) => sentence)).toEqual([
      'set vfio.enable_unsafe_noiommu_mode to Y',
      'unbind 0000:03:00.0 (d0000:03:00.0) from e1000e',
      'let only vfio-pci bind 0000:03:00.0 (d0000:03:00.0)',
      'bind 0000:03:00.0 (d0000:03:00.0) to vfio-pci',
      'give /dev/vfio/noiommu-0 to user dpdk (1000:0, mode 0600)',
    ]);
    const bind = plan.steps[3];
    expect(bind).toMatchObject({
      identity: '8086:1572',
      before: { '/dev/vfio/noiommu-0': null, '/proc/sys/kernel/tainted': '0' },
      after: { '/dev/vfio/noiommu-0': '600 0:0', '/proc/sys/kernel/tainted': '64' },
      undo: { operation: { op: 'driver.unbind' }, after: { '/proc/sys/kernel/tainted': '64' } },
      why: [{ file: 'policy.vfio', line: 2, column: 1, text: 'bind 03:00.0 to vfio-pci' }],
    });
    expect(bind?.lasting.join()).toContain('tainted');
  });

  test('foretells the cdev of a device, where the snapshot tells which numbers are taken', () => {
    const bound = { ...nic, at: '05:00.0', driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
    const taken = [
      { index: 0, function: null },
      { index: 2, function: '0000:05:00.0' },
    ];
    const words = { functions: [nic, bound], options: { IOMMUFD: 'y', VFIO_DEVICE_CDEV: 'y' } } as const;
    const told = machine({ ...words, replace: { vfioDevices: taken } });
    const bindOf = (snapshot: Snapshot) =>
      planOf({ snapshot, bind: { '03:00.0': 'vfio-pci' } }).steps.find(
        ({ operation }) => operation.op === 'driver.bind',
      );
    const vfioDev = '/sys/bus/pci/devices/0000:03:00.0/vfio-dev/vfio1';
    expect(bindOf(told)).toMatchObject({
      before: { '/dev/vfio/devices/vfio1': null, [vfioDev]: null },
      after: { '/dev/vfio/devices/vfio1': '600 0:0', [vfioDev]: 'directory' },
    });
    // Another number may be the lowest that is free when it is taken back.
    expect(JSON.stringify(bindOf(told)?.undo)).not.toMatch(/vfio-dev|devices.vfio/);
    expect(planOf({ snapshot: told, bind: { '03:00.0': 'vfio-pci' } }).relies).toHaveProperty('/vfioDevices');
    const none = machine({ ...words, options: { IOMMUFD: 'n', VFIO_DEVICE_CDEV: 'n' } });
    expect(bindOf({ ...none, vfioDevices: taken })?.after).not.toHaveProperty('/dev/vfio/devices/vfio1');
    expect(JSON.stringify(bindOf(machine(words)))).not.toMatch(/vfio-dev|devices.vfio/);
  });

  test('foretells no number of a device that comes back', () => {
    const functions = [
      { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci' },
      { ...nic, at: '05:00.0', driver: 'vfio-pci', driverOverride: 'vfio-pci' },
    ] as const;
    const vfioDevices = [
      { index: 1, function: '0000:03:00.0' },
      { index: 2, function: '0000:05:00.0' },
    ];
    const snapshot = machine({ functions, replace: { vfioDevices } });
    const { steps } = planOf({ snapshot, bind: { '03:00.0': 'e1000e' } });
    const unbind = steps.find(({ operation }) => operation.op === 'driver.unbind');
    expect(unbind?.before).toHaveProperty('/dev/vfio/devices/vfio1', '600 0:0');
    expect(unbind?.after).toHaveProperty('/dev/vfio/devices/vfio1', null);
    expect(JSON.stringify(unbind?.undo)).not.toMatch(/vfio-dev|devices.vfio/);
  });

  test('ends with the permission that it uses', () => {
    expect(plan.until).toBe('2027-03-01');
    expect(planOf({ ...noiommu, snapshot: machine({ functions: [nic] }) }).until).toBeUndefined();
  });

  test('says who can use what, and what the process must bring', () => {
    expect(plan.access).toEqual([
      {
        who: 'user dpdk',
        device: 'd0000:03:00.0',
        path: 'noiommu',
        nodes: ['/dev/vfio/noiommu-0'],
        needs: ['CAP_SYS_RAWIO'],
      },
    ]);
  });

  test('does not say that a node is given to a user whose number nobody knows', () => {
    const snapshot = machine({
      iommu: 'none',
      functions: [nic],
      replace: { users: { unknown: 'not read' } },
    });
    const { access, steps } = planOf({ ...noiommu, snapshot });
    expect(steps.map(({ operation }) => operation.op)).not.toContain('node.own');
    expect(access[0]?.needs[0]).toContain('once its number is known');
  });

  test('is a document that its own reader takes', () => {
    expect(readPlan('plan.json', JSON.stringify(plan))).toEqual({ plan, diagnostics: [] });
  });

  test('is the same for the same policy and machine', () => {
    expect(planOf(noiommu)).toEqual(plan);
  });
});

describe('the proof', () => {
  const { policy } = hostPolicy(noiommu);
  const plan = planOf(noiommu);
  const with_ = (index: number, change: object): Plan => ({
    ...plan,
    steps: plan.steps.map((each, at) => (at === index ? { ...each, ...change } : each)),
  });

  test.each([
    ['a step that the kernel refuses', { ...plan, steps: plan.steps.filter((_, at) => at !== 0) }, 'refused'],
    ['a goal that is missed', { ...plan, steps: plan.steps.slice(0, 3) }, 'ends at no driver'],
    ['a prediction that is wrong', with_(2, { after: { [overrideFile]: 'e1000e' } }), 'shows vfio-pci'],
    [
      'an undo that does not restore',
      with_(2, {
        undo: {
          operation: { op: 'override.write', device: '0000:03:00.0', text: 'x' },
          sentence: '',
          after: {},
        },
      }),
      'does not restore',
    ],
    ['an undo that is left out', with_(2, { undo: { none: 'forgotten' } }), 'cannot be undone'],
    ['a lasting effect that is not declared', with_(3, { lasting: [] }), 'for good'],
    ['a node that its user does not get', { ...plan, steps: plan.steps.slice(0, 4) }, 'does not get'],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => prove(plan, policy)).not.toThrow();
    expect(() => prove(wrong, policy)).toThrow(message);
  });
});

test('the proof refuses a step on what the policy protects, and no-IOMMU mode without a permission', () => {
  const { policy } = hostPolicy(noiommu);
  const plan = planOf(noiommu);
  const [allow] = policy.allows;
  if (allow === undefined) throw new Error('no allow');
  const protect = { policy: 'test', holding: [], functions: ['0000:03:00.0'], place: allow.place };
  expect(() => prove(plan, { ...policy, protects: [protect] })).toThrow('protected');
  expect(() => prove(plan, { ...policy, noiommu: { allowed: false, expired: false } })).toThrow(
    'without a permission',
  );
});

const overrideFile = '/sys/bus/pci/devices/0000:03:00.0/driver_override';

/**
 * The proof goes by induction, in linear time; here every prefix of plans for random machines is undone step by step
 * and each path that it touched is compared, as the proof's conclusion says it.
 */
test('undoing any prefix restores every path that it touched, but what is declared lasting', () => {
  fc.assert(
    fc.property(randomPolicy, (words) => {
      const plan = planOf(words);
      const { world, state: start } = worldFrom(words.snapshot);
      const drive = (state: typeof start, operation: Plan['steps'][number]['operation']) => {
        const { result, state: after } = step(world, state, opOf(operation));
        expect(result.ok).toBe(true);
        return after;
      };
      let done = start;
      plan.steps.forEach((each, index) => {
        done = drive(done, each.operation);
        const prefix = plan.steps.slice(0, index + 1);
        let undone = done;
        for (const { undo } of prefix.toReversed()) {
          if ('operation' in undo) undone = drive(undone, undo.operation);
        }
        for (const path of new Set(prefix.flatMap(({ after }) => Object.keys(after)))) {
          if (path !== '/proc/sys/kernel/tainted') {
            expect([path, show(world, undone, path)]).toEqual([path, show(world, start, path)]);
          }
        }
      });
    }),
    { seed, numRuns: 60 },
  );
});

test('a plan made again after it was done has no steps', () => {
  fc.assert(
    fc.property(randomPolicy, (words) => {
      const plan = planOf(words);
      const last = new Map(plan.steps.flatMap(({ after }) => Object.entries(after)));
      const functions = words.snapshot.functions.map((each) => {
        const files = `/sys/bus/pci/devices/${each.address}`;
        const driver = last.get(`${files}/driver`);
        const override = last.get(`${files}/driver_override`);
        return {
          ...each,
          driver: driver === undefined ? each.driver : driver,
          driverOverride:
            override === undefined ? each.driverOverride : override === '(null)' ? null : override,
        };
      });
      const snapshot = { ...words.snapshot, functions, drivers: ['vfio-pci', 'e1000e'] };
      const again = planOf({ ...words, allow: [], snapshot, noiommu: 'forbidden' });
      expect(again.steps.filter(({ operation }) => operation.op !== 'parameter.write')).toEqual([]);
    }),
    { seed, numRuns: 60 },
  );
});

test('the cost of a plan grows with its steps, not with their square', () => {
  const plans = [75, 300].map((count) => {
    const functions = Array.from({ length: count }, (_, index): FunctionWords => {
      const at = `${(1 + (index >> 3)).toString(16).padStart(2, '0')}:00.${index & 7}`;
      return { ...nic, at, group: index };
    });
    const { policy, sources } = hostPolicy({
      snapshot: machine({ functions }),
      bind: Object.fromEntries(functions.map(({ at }) => [at, 'vfio-pci'])),
      allow: functions.map(({ at }) => ['user dpdk', at, 'group'] as const),
    });
    const checked = soundly(policy);
    return () => {
      const start = performance.now();
      expect(makePlan(checked, { sources, today: '2026-11-22' }).steps).toHaveLength(4 * count);
      return performance.now() - start;
    };
  });
  // The best of a few runs, taken in turn, because other work on the machine only ever adds.
  const best = plans.map(() => Number.POSITIVE_INFINITY);
  const ratio = () => (best[1] ?? 0) / (best[0] ?? 0);
  for (let run = 0; run < 4 || (run < 12 && ratio() >= 10); run += 1) {
    for (const [place, plan] of plans.entries()) best[place] = Math.min(best[place] ?? 0, plan());
  }
  // Four times the steps: linear is 4, quadratic 16.
  expect(ratio()).toBeLessThan(10);
});

const randomPolicy: fc.Arbitrary<PolicyWords> = fc
  .array(
    fc.record({
      group: fc.integer({ min: 0, max: 3 }),
      driver: fc.constantFrom('e1000e', null, 'vfio-pci'),
      driverOverride: fc.constantFrom(null, 'vfio-pci', 'e1000e'),
      to: fc.constantFrom('vfio-pci', 'e1000e', 'none', 'default'),
      user: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((chosen) =>
    fc
      .record({ iommu: fc.boolean(), registered: fc.boolean() })
      .map(({ iommu, registered }) => policyFor(chosen, iommu, registered)),
  );

interface Choice {
  readonly group: number;
  readonly driver: string | null;
  readonly driverOverride: string | null;
  readonly to: string;
  readonly user: boolean;
}

function policyFor(chosen: readonly Choice[], iommu: boolean, registered: boolean): PolicyWords {
  const address = (index: number): string => `0${index + 1}:00.0`;
  const functions = chosen.map((each, index): FunctionWords => {
    const fake = !iommu && each.driver === 'vfio-pci';
    const driver = fake ? null : each.driver;
    // Bound to vfio-pci without an override: it came by a dynamic id, and `default` would come back to it.
    const driverOverride = driver === 'vfio-pci' ? 'vfio-pci' : each.driverOverride;
    const group = iommu ? each.group : null;
    return { ...nic, at: address(index), group, driver, driverOverride };
  });
  const snapshot = machine({ iommu: iommu ? 'intel' : 'none', functions, drivers: ['e1000e', 'vfio-pci'] });
  const taken = functions.some(({ driver }) => driver === 'vfio-pci');
  const gone = !registered && !taken;
  return {
    snapshot: gone ? { ...snapshot, modules: {}, nodes: [], drivers: ['e1000e'] } : snapshot,
    bind: Object.fromEntries(chosen.map(({ to }, index) => [address(index), to])),
    allow: chosen.flatMap(({ user }, index) => (user ? [['user dpdk', address(index), 'any'] as const] : [])),
    noiommu: 'allowed',
  };
}
