import { casesOf } from '../runtime/tests/cases.ts';
import { Ground } from '../runtime/tests/ground.ts';
import { runTest } from '../runtime/tests/run.ts';
import { readDocument } from '../src/syntax/read.ts';
import { machine } from '../test/machines.ts';

/** A machine of so many network cards, and so many tests that each take the first of them. */
export function testsOf(functions: number, tests: number) {
  const cards = Array.from({ length: functions }, (_, index) => ({
    at: `${((index + 1) >> 8).toString(16).padStart(4, '0')}:${((index + 1) & 255).toString(16).padStart(2, '0')}:00.0`,
    id: '8086:1572',
    class: 'nic',
    driver: 'i40e',
  }));
  const snapshot = machine({ hostname: 'big', functions: cards, users: [{ name: 'dpdk', uid: 990 }] });
  const each = Array.from(
    { length: tests },
    (_, index) => `test "number ${index}" on big {
  apply taking
  as user dpdk { use uplink via group -> ok  map 2 MiB at 0x0 -> ok }
  as user nobody { open uplink -> EACCES }
}`,
  );
  const text = `host big { snapshot "big.json"  iommu required }
device uplink on big { at 0000:01:00.0 }
policy taking on big { bind uplink to vfio-pci  allow user dpdk to use uplink via group }
${each.join('\n')}
`;
  return { snapshot, text };
}

/**
 * Milliseconds of each of so many tests: `shared` where all have what they share worked out once, `alone` where each works
 * it out for itself. They run in turn, so that what else the machine does meets both.
 */
export async function testTimes(functions: number, tests: number, now: () => number) {
  const { snapshot, text } = testsOf(functions, tests);
  const machines = [{ name: 'big', snapshot }];
  const hosts = { names: ['big'], machines, snapshotOf: () => undefined };
  const cases = casesOf([readDocument('big.vfio', text).document], hosts);
  const input = { sources: [{ file: 'big.vfio', text }], today: '2026-12-01' };
  const ground = new Ground(input);
  const times = { shared: [] as number[], alone: [] as number[] };
  for (const its of cases) {
    for (const [kind, on] of [
      ['shared', () => ground],
      ['alone', () => new Ground(input)],
    ] as const) {
      const from = now();
      const { passed, diagnostics } = await runTest(its, on(), {});
      times[kind].push(now() - from);
      if (!passed) throw new Error(diagnostics.map(({ message }) => message).join('; '));
    }
  }
  return times;
}
