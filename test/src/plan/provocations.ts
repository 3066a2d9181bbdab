import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { type Present, staleness } from '../../../src/plan/stale.ts';
import { type FunctionWords, machine } from '../../machines.ts';
import { planOf } from './policies.ts';

/** A saved plan held against another day: each name stands in a page, and gives the codes that were seen. */
export const planProvocations: Readonly<Record<string, () => readonly string[]>> = {
  'a plan on the day it was made': () => codes(plan),
  'a plan whose policy was edited since': () => codes(plan, { policyDigest: '0'.repeat(64) }),
  'a plan whose function has another driver now': () =>
    codes(plan, { snapshot: machineWith({ driver: 'igb' }) }),
  'a plan whose function was read as unbound and is unbound': () =>
    codes(dark, { snapshot: machineWith({ driver: null }) }),
  'a plan whose function was read as unbound and is bound': () => codes(dark),
  'a plan for a user whose number nobody knew': () => codes(nameless),
  'a plan whose permission has ended': () => codes(permitted, { snapshot: bare, today: '2027-03-02' }),
  'a plan on the last day of its permission': () => codes(permitted, { snapshot: bare, today: '2027-03-01' }),
  'a plan held against another host': () => codes(plan, { snapshot: { ...snapshot, hostname: 'elsewhere' } }),
  'a plan whose function cannot be read any more': () =>
    codes(plan, { snapshot: machineWith({ driver: { unknown: 'permission denied' } }) }),
};

const nic: FunctionWords = {
  at: '03:00.0',
  id: '8086:1572',
  class: 'nic',
  driver: 'e1000e',
  drivers: ['e1000e'],
};
const snapshot = machineWith({});
const bare = machine({ iommu: 'none', functions: [nic] });
const bind = { '03:00.0': 'vfio-pci' };
const plan = planOf({ snapshot, bind });
const dark = planOf({ snapshot: machineWith({ driver: { unknown: 'not in the report' } }), bind });
const permitted = planOf({ snapshot: bare, bind, noiommu: 'allowed' });
const nameless = planOf({
  snapshot: { ...snapshot, users: { unknown: 'not in the report' } },
  bind,
  allow: [['user dpdk', '03:00.0', 'group']],
});

function machineWith(change: Partial<FunctionWords>): Snapshot {
  return machine({ functions: [{ ...nic, ...change }] });
}

function codes(saved: Plan, present: Partial<Present> = {}): readonly string[] {
  return staleness(saved, { snapshot, today: '2026-11-22', ...present }).map(({ code }) => code);
}
