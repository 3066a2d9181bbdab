import { describe, expect, test } from 'vitest';
import { checkPolicy, codesOf } from '../../checked.ts';
import type { FunctionWords, MachineWords } from '../../machines.ts';

/** Policies that would break the machine or what they say, found by distrust: none may be accepted. */

const nic = (at: string, more: Partial<FunctionWords> = {}): FunctionWords => ({
  at,
  id: '8086:1572',
  class: 'nic',
  driver: 'i40e',
  ...more,
});
const a = 'device a { at 03:00.0 }\n';
const dark = { unknown: 'not read' };

function preconditionsOf(text: string, words: MachineWords): readonly string[] {
  const [host] = checkPolicy(text, words).hosts;
  return host?.checked?.script.preconditions.map(({ fact }) => fact) ?? ['refused'];
}

describe('virtual functions go away with the driver of their physical function', () => {
  const functions = [
    nic('03:00.0', { sriov: { totalVfs: 8, numVfs: 1 } }),
    nic('03:10.0', { driver: 'vfio-pci', physicalFunction: '0000:03:00.0' }),
  ];
  test.each(['none', 'pci-stub'])('also when it goes to %s', (driver) => {
    const words = { functions, drivers: ['vfio-pci', 'pci-stub'] };
    expect(codesOf(checkPolicy(`${a}policy p { bind a to ${driver} }`, words))).toEqual(['VP4104']);
  });

  test('and with them what is protected', () => {
    const text = `${a}device v { at 03:10.0 } policy p { bind a to none protect v }`;
    expect(codesOf(checkPolicy(text, { functions }))).toContain('VP3105');
  });

  test('how many there are has to be known', () => {
    const words = { functions: [nic('03:00.0', { sriov: dark })] };
    expect(preconditionsOf(`${a}policy p { bind a to none }`, words)).toContain(
      '/functions/0000:03:00.0/sriov/numVfs',
    );
  });
});

test('the disks in the domain of a VMD controller are its own', () => {
  const words: MachineWords = {
    functions: [
      { at: '00:0e.0', id: '8086:467f', class: '010400', driver: 'vmd', group: 1 },
      { at: '10000:e1:00.0', id: '144d:a80a', class: 'nvme', driver: 'nvme', group: 2 },
    ],
    disks: [{ name: 'nvme0n1', on: '10000:e1:00.0', mounts: ['/'] }],
  };
  const text = 'device raid { at 00:0e.0 } policy p { bind raid to none }';
  expect(codesOf(checkPolicy(text, words))).toEqual(['VP3101']);
});

describe('who is forbidden does not get in by another door', () => {
  const mallory = { name: 'mallory', uid: 1001 };
  const userGroups = { kvm: 36, mallory: 1001, dpdk: 1000 };

  test('as a member of a group that is allowed', () => {
    const text = `${a}policy p { bind a to vfio-pci allow group kvm to use a via group forbid user mallory to use a }`;
    const words = { functions: [nic('03:00.0')], users: [{ ...mallory, groups: ['kvm'] }], userGroups };
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP3108']);
  });

  test('as a user who is allowed, and in a group that is not', () => {
    const text = `${a}policy p { bind a to vfio-pci allow user mallory to use a via group forbid group kvm to use a }`;
    const words = { functions: [nic('03:00.0')], users: [{ ...mallory, groups: ['kvm'] }], userGroups };
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP3108']);
  });

  test('through the node of another function of the same group', () => {
    const text = `${a}device b { at 03:00.1 } policy p { bind a to vfio-pci bind b to vfio-pci
      allow user mallory to use a via group forbid user mallory to use b }`;
    const functions = [nic('03:00.0', { group: 5 }), nic('03:00.1', { group: 5 })];
    const words = { functions, users: [mallory], userGroups };
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP3108']);
  });

  test('as the owner of the node from an earlier day', () => {
    const nodes = [
      { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
      { path: '/dev/vfio/5', uid: 1001, gid: 0, mode: 0o600 },
    ];
    const functions = [nic('03:00.0', { driver: 'vfio-pci', group: 5 })];
    const words = { functions, users: [mallory], userGroups, replace: { nodes } };
    const text = `${a}policy p { bind a to vfio-pci forbid user mallory to use a }`;
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP3108']);
    const other = `${a}policy p { bind a to vfio-pci forbid user nobody-else to use a }`;
    expect(codesOf(checkPolicy(other, words))).toEqual(['VP4197']);
  });
});

describe('what is not told is a precondition', () => {
  const bare: MachineWords = {
    iommu: 'none',
    functions: [nic('03:00.0')],
    users: [{ name: 'dpdk', uid: 1000 }],
  };
  const host = 'host testbox { noiommu allowed { owner "o" reason "r" until 2027-01-01 } }\n';
  const noiommu = `${host}${a}policy p { bind a to vfio-pci allow user dpdk with CAP_SYS_RAWIO to use a via noiommu }`;
  test.each(['VFIO_GROUP', 'VFIO_CONTAINER'])('%s, for a function without an IOMMU', (option) => {
    const facts = preconditionsOf(noiommu, { ...bare, options: { [option]: dark } });
    expect(facts).toEqual([`/kernel/options/${option}`]);
  });

  const bound = `${a}policy p { allow user dpdk to use a via group }`;
  const first = nic('03:00.0', { driver: 'vfio-pci', group: 5 });
  test('the driver of a sibling, when nothing has to be bound', () => {
    const words = { functions: [first, nic('03:00.1', { driver: dark, group: 5 })] };
    expect(preconditionsOf(bound, words)).toEqual(['/functions/0000:03:00.1/driver']);
  });

  test('the group of another function, when nothing has to be bound', () => {
    const words = { functions: [first, nic('04:00.0', { group: dark })] };
    expect(preconditionsOf(bound, words)).toEqual(['/functions/0000:04:00.0/iommuGroup']);
  });

  test('the override, when the driver is taken away: it decides whether the driver can be given back', () => {
    const words = { functions: [nic('03:00.0', { driverOverride: dark })] };
    expect(preconditionsOf(`${a}policy p { bind a to none }`, words)).toEqual([
      '/functions/0000:03:00.0/driverOverride',
    ]);
  });

  test.each([
    ['vfio', ['/functions/0000:03:00.0/drivers']],
    ['vfio-pci', []],
  ])('the drivers that were made for a function, where it shall have the best: %s', (driver, facts) => {
    const words = { functions: [nic('03:00.0', { driver: null, drivers: dark })] };
    expect(preconditionsOf(`${a}policy p { bind a to ${driver} }`, words)).toEqual(facts);
  });
});

describe('a node has one owner', () => {
  const words = { functions: [nic('03:00.0')], users: [{ name: 'dpdk', uid: 1000 }] };
  const allowing = (...who: readonly string[]) =>
    `${a}policy p { bind a to vfio-pci ${who.map((each) => `allow ${each} to use a via group`).join(' ')} }`;

  test('so a user and a virtual machine, whose manager would take it from the user, are refused', () => {
    expect(codesOf(checkPolicy(allowing('user dpdk', 'vm win'), words))).toContain('VP3116');
  });

  test('while two virtual machines may take turns', () => {
    expect(codesOf(checkPolicy(allowing('vm win', 'vm lin'), words))).not.toContain('VP3116');
  });
});
