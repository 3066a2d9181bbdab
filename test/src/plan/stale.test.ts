import { describe, expect, test } from 'vitest';
import { isUnknown, type Snapshot } from '../../../src/machine/snapshot.ts';
import { policyDigest } from '../../../src/plan/digest.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { staleness } from '../../../src/plan/stale.ts';
import { type FunctionWords, machine } from '../../machines.ts';
import { planOf } from './policies.ts';

const nic: FunctionWords = {
  at: '03:00.0',
  id: '8086:1572',
  class: 'nic',
  driver: 'e1000e',
  drivers: ['e1000e'],
  group: 7,
};
const sibling: FunctionWords = { ...nic, at: '03:00.1', driver: null };
const stranger: FunctionWords = { ...nic, at: '09:00.0', group: 9 };
const snapshot = machine({ functions: [nic, sibling, stranger], taint: 0 });
const plan = planOf({
  snapshot,
  bind: { '03:00.0': 'vfio-pci' },
  allow: [['user dpdk', '03:00.0', 'group']],
});
const today = '2026-11-22';

const codes = (now: Snapshot, its: Plan = plan, on = today): readonly string[] =>
  staleness(its, { snapshot: now, today: on }).map(({ code }) => code);
const changed = (address: string, change: object): Snapshot => ({
  ...snapshot,
  functions: snapshot.functions.map((each) => (each.address === address ? { ...each, ...change } : each)),
});

describe('a plan is as good as on its first day', () => {
  test('on the machine that it was made for', () => {
    expect(codes(snapshot)).toEqual([]);
    expect(codes(structuredClone(snapshot))).toEqual([]);
  });

  test.each<[string, Snapshot]>([
    ['the kernel was tainted', { ...snapshot, kernel: { ...snapshot.kernel, taint: 4096 } }],
    ['somebody logged in', { ...snapshot, managementPeers: ['192.0.2.7'] }],
    [
      'a function that it has nothing to do with changed its driver',
      changed('0000:09:00.0', { driver: null }),
    ],
    ['a user came that it does not know', addUser('mallory', 2000)],
  ])('when %s', (_, now) => expect(codes(now)).toEqual([]));
});

describe('a plan is stale', () => {
  test.each<[string, Snapshot, string]>([
    ['another driver has the function', changed('0000:03:00.0', { driver: 'igb' }), 'VP5002'],
    ['another device stands there', changed('0000:03:00.0', { device: '10fb' }), 'VP5002'],
    ['a sibling went to a host driver', changed('0000:03:00.1', { driver: 'e1000e' }), 'VP5002'],
    ['a function joined its group', changed('0000:09:00.0', { iommuGroup: 7 }), 'VP5002'],
    ['a netdev appeared on it', changed('0000:03:00.0', { netdevs: ['eth0'] }), 'VP5002'],
    ['the kernel is another', { ...snapshot, kernel: { ...snapshot.kernel, release: '6.1.0' } }, 'VP5002'],
    ['the user has another number', replaceUsers(), 'VP5002'],
    ['it is another host', { ...snapshot, hostname: 'elsewhere' }, 'VP5006'],
    ['the driver cannot be read any more', changed('0000:03:00.0', { driver: { unknown: 'no' } }), 'VP5007'],
  ])('when %s', (_, now, code) => expect(codes(now)).toEqual([code]));

  test('and says which facts changed, and how', () => {
    const [found] = staleness(plan, { snapshot: changed('0000:03:00.0', { driver: 'igb' }), today });
    expect(found?.causes).toEqual(['`/functions/0000:03:00.0/driver` was "e1000e" and is "igb"']);
    expect(found?.message).toContain('1 of the facts');
  });

  test('when the text of the policy changed, but not when files were named or given otherwise', () => {
    const sources = [{ text: 'a' }, { text: 'b' }];
    const now = { snapshot, today, policyDigest: policyDigest(sources) };
    const made = { ...plan, policyDigest: policyDigest([...sources].reverse()) };
    expect(staleness(made, now)).toEqual([]);
    expect(staleness(plan, now).map(({ code }) => code)).toEqual(['VP5001']);
  });

  test('when the permission that it uses has ended', () => {
    const bare = machine({ iommu: 'none', functions: [{ ...nic, group: null }] });
    const permitted = planOf({ snapshot: bare, bind: { '03:00.0': 'vfio-pci' }, noiommu: 'allowed' });
    expect(codes(bare, permitted, '2027-03-01')).toEqual([]);
    expect(codes(bare, permitted, '2027-03-02')).toEqual(['VP5005']);
  });
});

describe('preconditions', () => {
  const dark = changed('0000:03:00.0', {
    driver: { unknown: 'a report' },
    driverOverride: { unknown: 'a report' },
  });
  const made = planOf({ snapshot: dark, bind: { '03:00.0': 'vfio-pci' } });

  test('hold on a machine that shows what was taken for granted', () => {
    expect(codes(changed('0000:03:00.0', { driver: null }), made)).toEqual([]);
  });

  test('do not hold when it shows something else, or still nothing', () => {
    expect(codes(snapshot, made)).toEqual(['VP5003']);
    expect(codes(dark, made)).toEqual(['VP5003', 'VP5003']);
    expect(staleness(made, { snapshot: dark, today, rehearsal: true })).toEqual([]);
    expect(staleness(made, { snapshot, today, rehearsal: true }).map(({ code }) => code)).toEqual(['VP5003']);
  });

  test('that no value can satisfy ask for another plan', () => {
    const nobody = { ...snapshot, users: { unknown: 'a report' } };
    const open = planOf({
      snapshot: nobody,
      bind: { '03:00.0': 'vfio-pci' },
      allow: [['user dpdk', '03:00.0', 'group']],
    });
    expect(codes(snapshot, open)).toEqual(['VP5004']);
  });
});

function users(): readonly {
  name: string;
  uid: number;
  gid: number;
  groups: string[];
  capabilities: string[];
}[] {
  if (isUnknown(snapshot.users)) throw new Error('unknown users');
  return structuredClone(snapshot.users) as ReturnType<typeof users>;
}

function addUser(name: string, uid: number): Snapshot {
  return { ...snapshot, users: [...users(), { name, uid, gid: uid, groups: [], capabilities: [] }] };
}

function replaceUsers(): Snapshot {
  return { ...snapshot, users: users().map((each) => ({ ...each, uid: each.uid + 1 })) };
}
