import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Ground } from '../../../runtime/tests/ground.ts';
import { check } from '../../../src/check/check.ts';
import { type MachineWords, machine } from '../../machines.ts';

const words = readFileSync(new URL('../../pages/machines/server.json', import.meta.url), 'utf8');
const server = machine(JSON.parse(words) as MachineWords);
const text = `
host server { iommu required }
device uplink { at 0000:03:00.0 }
policy dataplane { bind uplink to vfio-pci allow user dpdk to use uplink via group }
policy passthrough { allow vm guest to use uplink via group }
policy law { forbid vm * to use any device }`;
const sources = [{ file: 'p.vfio', text }];
const today = '2026-11-22';
const machines = [
  { name: 'server', snapshot: server },
  { name: 'other', snapshot: server },
];
const asked: readonly (readonly [string, readonly string[]])[] = [
  ['server', ['dataplane']],
  ['other', ['dataplane']],
  ['server', ['passthrough']],
  ['server', ['dataplane', 'passthrough']],
  ['server', []],
];

test('what is asked again is not worked out again, and is what a check of its own would say', () => {
  const ground = new Ground({ sources, today });
  const first = asked.map(([host, policies]) => ground.judge({ host, machines }, policies));
  const again = asked.map(([host, policies]) => ground.judge({ host, machines }, policies));
  for (const [index, [host, policies]] of asked.entries()) {
    expect(again[index]).toBe(first[index]);
    const all = check({ sources, machines, today, only: { host, policies } });
    expect(all.hosts).toHaveLength(1);
    expect(JSON.stringify(first[index])).toBe(JSON.stringify(all.hosts[0]));
  }
  expect(new Set(first).size).toBe(asked.length);
  const { checked } = first[0] ?? {};
  if (checked === undefined) throw new Error('the policy is refused');
  expect(ground.plan(checked)).toBe(ground.plan(checked));
  expect(ground.plan(checked).steps).not.toEqual([]);
});

test('other machines are another question, and a host without one has no policy', () => {
  const ground = new Ground({ sources, today });
  const others = [{ name: 'server', snapshot: { ...server, functions: [] } }];
  expect(ground.policyOf({ host: 'server', machines })?.devices.get('uplink')?.functions).toHaveLength(1);
  expect(ground.policyOf({ host: 'server', machines: others })?.devices.get('uplink')).toBeUndefined();
  expect(ground.judge({ host: 'server', machines: others }, ['dataplane']).checked).toBeUndefined();
  expect(ground.judge({ host: 'server', machines }, ['dataplane']).checked).toBeDefined();
  expect(ground.policyOf({ host: 'nowhere', machines })).toBeUndefined();
});
