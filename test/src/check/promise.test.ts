import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PciFunction } from '../../../src/machine/snapshot.ts';
import { step } from '../../../src/model/step.ts';
import { show } from '../../../src/model/view.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { makePlan } from '../../../src/plan/make.ts';
import { checkPolicy } from '../../checked.ts';
import { type FunctionWords, type MachineWords, machine } from '../../machines.ts';
import { seed } from '../../seed.ts';

/**
 * The promise of `check`, on machines and policies made by chance: what it accepts runs on the model step by step, ends
 * as the policy says, and at no moment takes away the driver of the disk that the host runs on.
 */
const unknown = { unknown: 'not asked' };
const kinds = [
  { id: '8086:1572', class: 'nic', driver: 'i40e' },
  { id: '144d:a80a', class: 'nvme', driver: 'nvme' },
  { id: '10de:2684', class: 'gpu', driver: 'nouveau' },
  { id: '8086:a110', class: 'bridge', driver: 'pcieport' },
  { id: '8086:37c8', class: 'accelerator', driver: 'c6xx' },
] as const;

const anyFunction = fc.record({
  kind: fc.constantFrom(...kinds),
  bound: fc.constantFrom('own', 'own', 'none', 'vfio-pci', 'unknown'),
  group: fc.option(fc.integer({ min: 1, max: 3 })),
  sriov: fc.constantFrom(null, null, { totalVfs: 4, numVfs: 2 }, unknown),
  override: fc.constantFrom(null, null, 'vfio-pci', unknown),
});

const anyMachine = fc.record({
  functions: fc.array(anyFunction, { minLength: 1, maxLength: 5 }),
  iommu: fc.constantFrom('intel', 'intel', 'none'),
  kernel: fc.constantFrom('6.1.0', '6.12.3'),
  noiommu: fc.constantFrom('y', 'y', 'n'),
  type1: fc.constantFrom('m', 'm', 'n'),
  remapping: fc.constantFrom(true, true, false),
  numbered: fc.boolean(),
  rootAt: fc.option(fc.nat({ max: 4 })),
  untold: fc.subarray(
    ['modules', 'drivers', 'users', 'userGroups', 'nodes', 'routes', 'blockDevices'] as const,
    {
      maxLength: 2,
    },
  ),
});

const anyPolicy = fc.record({
  permitted: fc.constantFrom(true, true, false),
  statements: fc.array(
    fc.record({
      device: fc.nat({ max: 4 }),
      whole: fc.boolean(),
      to: fc.constantFrom('vfio-pci', 'vfio-pci', 'vfio', 'none', 'default'),
      who: fc.constantFrom('', '', 'user dpdk with CAP_SYS_RAWIO', 'user dpdk', 'group kvm', 'vm guest'),
      via: fc.constantFrom('any', 'any', 'group', 'noiommu', 'iommufd'),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

type Chance<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

function machineOf(made: Chance<typeof anyMachine>): MachineWords {
  const functions = made.functions.map(({ kind, bound, group, sriov, override }, index): FunctionWords => {
    const driver = bound === 'own' ? kind.driver : bound === 'none' ? null : 'vfio-pci';
    // A bound function was let in once: what is refused now cannot be there already.
    const refusedByVfio =
      made.iommu === 'none' || group === null || kind.class === 'accelerator' || sriov !== null;
    const settled = bound === 'vfio-pci' && refusedByVfio ? 'own' : bound;
    return {
      at: `0${index}:00.0`,
      id: kind.id,
      class: kind.class,
      driver:
        kind.class === 'bridge' || settled === 'own' ? kind.driver : settled === 'unknown' ? unknown : driver,
      drivers: [kind.driver],
      group: made.iommu === 'none' ? null : group,
      sriov: kind.class === 'nic' ? sriov : null,
      driverOverride: driver === 'vfio-pci' ? 'vfio-pci' : override,
    };
  });
  const root = made.rootAt === null ? undefined : functions[made.rootAt];
  return {
    functions,
    iommu: made.iommu as 'intel' | 'none',
    kernel: made.kernel,
    interruptRemapping: made.iommu !== 'none' && made.remapping,
    options: { VFIO_NOIOMMU: made.noiommu as 'y' | 'n', VFIO_IOMMU_TYPE1: made.type1 as 'm' | 'n' },
    replace: {
      ...(made.numbered ? { vfioDevices: [] } : {}),
      ...Object.fromEntries(made.untold.map((name) => [name, unknown])),
    },
    disks: root ? [{ name: 'nvme0n1', on: root.at, parts: [{ name: 'nvme0n1p1', mounts: ['/'] }] }] : [],
  };
}

function policyOf({ permitted, statements: made }: Chance<typeof anyPolicy>, count: number): string {
  const statements = made.map((statement) => ({ ...statement, device: statement.device % count }));
  const devices = [0, 1, 2, 3, 4].map((n) => `devices d${n} { at 0${n}:00.0 }`);
  const said = statements.flatMap(({ device, whole, to, who, via }) => [
    `  bind d${device} ${whole ? 'with its group ' : ''}to ${to}`,
    ...(who === '' ? [] : [`  allow ${who} to use d${device} via ${via}`]),
  ]);
  const host = permitted
    ? 'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } }\n'
    : '';
  const used = new Set(statements.map(({ device }) => device));
  return `${host}${devices.filter((_, n) => used.has(n)).join('\n')}\npolicy p {\n${said.join('\n')}\n}\n`;
}

function mustKeep(words: MachineWords, functions: readonly PciFunction[]): PciFunction[] {
  const at = words.disks?.[0]?.on;
  return functions.filter(({ address, driver }) => address === `0000:${at}` && typeof driver === 'string');
}

test('what is accepted runs, ends as it says, and keeps the root disk', { timeout: 120_000 }, () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyMachine, anyPolicy, (made, said) => {
      const words = machineOf(made);
      const text = policyOf(said, made.functions.length);
      const result = checkPolicy(text, words);
      const checked = result.hosts[0]?.checked;
      const refused = result.diagnostics.some(({ severity }) => severity === 'error');
      expect(checked === undefined).toBe(refused);
      expect(checkPolicy(text, words).diagnostics).toEqual(result.diagnostics);
      if (!checked) return;
      accepted += 1;
      // The planner replays and proves what it makes, and throws if it cannot.
      makePlan(checked, { sources: [{ file: 'policy.vfio', text }], today: '2026-11-22' });
      const { world, state: start } = worldFrom(machine(words));
      const root = mustKeep(words, checked.policy.snapshot.functions);
      const told = !made.untold.includes('blockDevices');
      const moved = checked.policy.binds.some(({ functions, driver }) =>
        root.some((fn) => functions.includes(fn.address) && driver(fn.address) !== fn.driver),
      );
      // Where the disks are not told, the live machine has to show them before it is touched.
      if (moved) expect(checked.script.preconditions.map(({ fact }) => fact)).toContain('/blockDevices');
      const kept = told ? root : [];
      let state = start;
      for (const { op, sentence } of checked.script.steps) {
        const { result: answer, state: after } = step(world, state, op);
        expect([sentence, answer.ok]).toEqual([sentence, true]);
        state = after;
        for (const { address, driver } of kept)
          expect(show(world, state, `/sys/bus/pci/devices/${address}/driver`)).toBe(driver);
      }
      for (const { functions, driver } of checked.policy.binds)
        for (const address of functions)
          expect(show(world, state, `/sys/bus/pci/devices/${address}/driver`)).toBe(driver(address));
    }),
    { seed, numRuns: 600 },
  );
  expect(accepted).toBeGreaterThan(25);
});
