import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check } from '../../../src/check/check.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { readFacter } from '../../../src/wire/read.ts';

/**
 * Reports of real machines that nobody here wrote. They are no part of the repository: `VFIOPLAN_MACHINES` names their
 * folder.
 */
const folder = process.env['VFIOPLAN_MACHINES'] ?? '../shared/machines';
const absent = !existsSync(folder);
if (absent) console.warn(`no reports of real machines in ${folder}: set VFIOPLAN_MACHINES to check them`);

function machineFrom(name: string): Snapshot {
  const file = `${folder}/${name}.facter.json`;
  const { snapshot, diagnostics } = readFacter(file, readFileSync(file, 'utf8'));
  if (!snapshot) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return snapshot;
}

function take(name: string, address: string) {
  const text = `
    device port { at ${address} }
    policy dataplane { bind port to vfio-pci  allow user dpdk to use port via group }`;
  const machines = [{ name, snapshot: machineFrom(name) }];
  const { diagnostics, hosts } = check({
    sources: [{ file: 'p.vfio', text }],
    machines,
    today: '2026-11-22',
  });
  return { diagnostics, checked: hosts[0]?.checked };
}

describe.skipIf(absent)('real machines', () => {
  test('one onboard port of tum-graham: its group holds the other port and the display of the BMC', () => {
    const { diagnostics, checked } = take('tum-graham', '0000:c1:00.0');
    expect(checked).toBeUndefined();
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'VP4101 `port` cannot be used: its IOMMU group 5 is shared with 0000:c1:00.1 (driver tg3) and 0000:c3:00.0 (driver mgag200)',
    ]);
    expect(errors[0]?.causes.join('\n')).toMatch(/0000:c3:00\.0, Matrox .*VGA/);
    // What the siblings hold is not told, so taking them along is not offered.
    expect(errors[0]?.fixes.map(({ title, safe }) => [title, safe])).toEqual([
      [expect.stringContaining('leave'), false],
    ]);
  });

  test('the single function of its group on tum-wilfred: accepted, with what the report does not know', () => {
    const { diagnostics, checked } = take('tum-wilfred', '0000:51:00.0');
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(checked?.script.steps.map(({ op }) => op.op)).toEqual([
      'driver.unbind',
      'override.write',
      'driver.bind',
    ]);
    const facts = checked?.script.preconditions.map(({ fact }) => fact) ?? [];
    expect(facts).toEqual(
      expect.arrayContaining([
        '/functions/0000:51:00.0/driverOverride',
        '/functions/0000:51:00.0/sriov/numVfs',
        '/iommu/groups/3/reserved',
        '/iommu/interruptRemapping',
        '/routes',
        '/users/dpdk',
      ]),
    );
    expect(facts.length).toBe(new Set(facts).size);
    const warned = diagnostics.flatMap(({ causes }) => causes).join('\n');
    for (const fact of facts) expect(warned).toContain(fact);
  });

  test('with --strict nothing that is unknown passes', () => {
    const text = 'device port { at 0000:51:00.0 } policy p { bind port to vfio-pci }';
    const machines = [{ name: 'tum-wilfred', snapshot: machineFrom('tum-wilfred') }];
    const input = { sources: [{ file: 'p.vfio', text }], machines, today: '2026-11-22', strict: true };
    expect(check(input).hosts[0]?.checked).toBeUndefined();
  });

  test.each([
    'lassulus-neoprism',
    'mic92-utm-vm',
    'tum-adelaide',
    'tum-amy',
    'tum-astrid',
    'tum-eliza',
    'tum-graham',
    'tum-wilfred',
  ])('%s: every function of every class is judged without a bug', (name) => {
    const snapshot = machineFrom(name);
    const devices = snapshot.functions.map(({ address }, index) => `device d${index} { at ${address} }`);
    const binds = snapshot.functions.map((_, index) => `bind d${index} with its group to vfio`);
    const text = `${devices.join('\n')}\npolicy p {\n${binds.join('\n')}\n}`;
    const { hosts } = check({
      sources: [{ file: 'p.vfio', text }],
      machines: [{ name, snapshot }],
      today: '2026-11-22',
    });
    // Some function always has what the host needs, a bridge's header, or no group.
    expect(hosts[0]?.checked).toBeUndefined();
    expect(hosts[0]?.diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
  });
});
