import { describe, expect, test } from 'vitest';
import { deriveScript } from '../../../src/script/derive.ts';
import { type MachineWords, machine } from '../../machines.ts';
import { hostPolicy, opsOf } from '../plan/policies.ts';

const nic = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'e1000e', drivers: ['e1000e'] } as const;
const bare: MachineWords = { iommu: 'none', functions: [nic] };
const vfioGone: MachineWords['replace'] = { modules: {}, nodes: [], drivers: ['e1000e'] };

describe('from the state of the snapshot to what the policy says', () => {
  test('without an IOMMU: permission, unbind, override, bind, owner', () => {
    const snapshot = machine(bare);
    expect(
      opsOf({
        snapshot,
        bind: { '03:00.0': 'vfio-pci' },
        allow: [['user dpdk', '03:00.0', 'noiommu']],
        noiommu: 'allowed',
      }),
    ).toEqual([
      'parameter.write vfio enable_unsafe_noiommu_mode Y',
      'driver.unbind e1000e 0000:03:00.0',
      'override.write 0000:03:00.0 vfio-pci',
      'driver.bind vfio-pci 0000:03:00.0',
      'node.own /dev/vfio/noiommu-0 0000:03:00.0 1000 0 384',
    ]);
  });

  test('a driver that is not registered is loaded first, and its parameter written after', () => {
    const snapshot = machine({ ...bare, replace: vfioGone });
    const ops = opsOf({ snapshot, bind: { '03:00.0': 'vfio-pci' }, noiommu: 'allowed' });
    expect(ops.slice(0, 2)).toEqual([
      'module.load vfio_pci',
      'parameter.write vfio enable_unsafe_noiommu_mode Y',
    ]);
  });

  test('groups are whole before the next, in the order of their first function', () => {
    const at = (address: string, group: number) => ({ ...nic, at: address, group });
    const snapshot = machine({ functions: [at('01:00.0', 7), at('02:00.0', 3), at('05:00.0', 7)] });
    const bind = { '02:00.0': 'vfio-pci', '05:00.0': 'vfio-pci', '01:00.0': 'vfio-pci' };
    const bound = opsOf({ snapshot, bind }).filter((op) => op.startsWith('driver.bind'));
    expect(bound.map((op) => op.split(' ')[2])).toEqual(['0000:01:00.0', '0000:05:00.0', '0000:02:00.0']);
  });

  test('a node is taken back of the device that it was given with, not of another at its address', () => {
    const given = (identity: string) => {
      const path = '/dev/vfio/noiommu-0';
      const mark = { path, of: '0000:03:00.0', identity, found: '600 0:0', left: '600 1000:0' };
      const nodes = [
        { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
        { path, uid: 1000, gid: 0, mode: 0o600 },
      ];
      const bound = { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 0 } as const;
      const established = [{ ...mark, generation: 1, earlierBoot: true }];
      const snapshot = machine({ ...bare, functions: [bound], replace: { nodes, established } });
      return opsOf({ snapshot, bind: { '03:00.0': 'vfio-pci' }, noiommu: 'allowed' });
    };
    expect(given('8086:1572')).toEqual(['node.own /dev/vfio/noiommu-0 0000:03:00.0 0 0 384']);
    expect(given('8086:10fb')).toEqual([]);
  });

  test('a function that is as it should be gives no step', () => {
    const snapshot = machine({
      functions: [{ ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 4 }],
      replace: {
        nodes: [
          { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
          { path: '/dev/vfio/4', uid: 1000, gid: 0, mode: 0o600 },
        ],
      },
    });
    const words = {
      bind: { '03:00.0': 'vfio-pci' },
      allow: [['user dpdk', '03:00.0', 'group']] as const,
    };
    expect(opsOf({ snapshot, ...words })).toEqual([]);
  });

  test('`none` unbinds and leaves the override; `default` clears it and lets the kernel choose', () => {
    const taken = { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci' };
    const snapshot = machine({ functions: [taken], drivers: ['vfio-pci', 'e1000e'] });
    expect(opsOf({ snapshot, bind: { '03:00.0': 'none' } })).toEqual(['driver.unbind vfio-pci 0000:03:00.0']);
    expect(opsOf({ snapshot, bind: { '03:00.0': 'default' } })).toEqual([
      'driver.unbind vfio-pci 0000:03:00.0',
      'override.write 0000:03:00.0 ',
      'drivers.probe 0000:03:00.0',
    ]);
  });

  test('where two drivers of the kernel know a function, `default` says that it takes their order for granted', () => {
    const both = { ...nic, driver: null, drivers: ['e1000e', 'igb'] };
    const snapshot = machine({ functions: [both], drivers: ['igb', 'e1000e'] });
    const { policy } = hostPolicy({ snapshot, bind: { '03:00.0': 'default' } });
    expect(deriveScript(policy).preconditions.map(({ fact, sentence }) => [fact, sentence])).toEqual([
      ['/functions/0000:03:00.0/drivers', 'of e1000e and igb, the kernel asks e1000e first for 0000:03:00.0'],
    ]);
  });

  test('a driver that would not match again is named by the override before it is unbound', () => {
    const functions = [{ ...nic, driverOverride: 'vfio-pci' }];
    expect(opsOf({ snapshot: machine({ functions }), bind: { '03:00.0': 'vfio-pci' } })).toEqual([
      'override.write 0000:03:00.0 e1000e',
      'driver.unbind e1000e 0000:03:00.0',
      'override.write 0000:03:00.0 vfio-pci',
      'driver.bind vfio-pci 0000:03:00.0',
    ]);
  });

  test('a driver whose id table names the function needs no override, unless another one is set', () => {
    const free = machine({ functions: [{ ...nic, driver: null }], drivers: ['e1000e'] });
    expect(opsOf({ snapshot: free, bind: { '03:00.0': 'e1000e' } })).toEqual([
      'driver.bind e1000e 0000:03:00.0',
    ]);
    const set = machine({
      functions: [{ ...nic, driver: null, driverOverride: 'vfio-pci' }],
      drivers: ['e1000e'],
    });
    expect(opsOf({ snapshot: set, bind: { '03:00.0': 'e1000e' } })).toEqual([
      'override.write 0000:03:00.0 e1000e',
      'driver.bind e1000e 0000:03:00.0',
    ]);
  });
});

describe('no-IOMMU mode', () => {
  const on: MachineWords = {
    ...bare,
    replace: { modules: { vfio: { parameters: { enable_unsafe_noiommu_mode: 'Y' } } } },
  };

  test.each(['expired', 'forbidden'] as const)('is switched off when the permission is %s', (noiommu) => {
    expect(opsOf({ snapshot: machine(on), noiommu })).toEqual([
      'parameter.write vfio enable_unsafe_noiommu_mode N',
    ]);
    expect(opsOf({ snapshot: machine(bare), noiommu })).toEqual([]);
  });

  test('is left on while permitted, and not switched on for functions that have a group', () => {
    expect(opsOf({ snapshot: machine(on), noiommu: 'allowed' })).toEqual([]);
    const grouped = machine({ functions: [nic] });
    const ops = opsOf({ snapshot: grouped, bind: { '03:00.0': 'vfio-pci' }, noiommu: 'allowed' });
    expect(ops.filter((op) => op.startsWith('parameter'))).toEqual([]);
  });

  test('without the permission the bind stays in the script, for the checker to refuse', () => {
    const ops = opsOf({ snapshot: machine(bare), bind: { '03:00.0': 'vfio-pci' } });
    expect(ops).toContain('driver.bind vfio-pci 0000:03:00.0');
    expect(ops.filter((op) => op.startsWith('parameter'))).toEqual([]);
  });
});

describe('owners of nodes', () => {
  const snapshot = machine({ functions: [{ ...nic, group: 9 }], userGroups: { kvm: 36 } });
  const bind = { '03:00.0': 'vfio-pci' };
  const owns = (...allow: (readonly [string, string, 'group' | 'noiommu' | 'any'])[]) =>
    opsOf({ snapshot, bind, allow }).filter((op) => op.startsWith('node.own'));

  test('a user alone, a group alone, both, neither', () => {
    expect(owns(['user dpdk', '03:00.0', 'group'])).toEqual(['node.own /dev/vfio/9 1000 0 384']);
    expect(owns(['group kvm', '03:00.0', 'any'])).toEqual(['node.own /dev/vfio/9 0 36 432']);
    expect(owns(['user dpdk', '03:00.0', 'any'], ['group kvm', '03:00.0', 'group'])).toEqual([
      'node.own /dev/vfio/9 1000 36 432',
    ]);
    expect(owns(['vm win11', '03:00.0', 'group'])).toEqual([]);
    expect(owns(['user dpdk', '03:00.0', 'noiommu'])).toEqual([]);
  });

  test('a node that goes away is taken back first, so that its owner can be given it again', () => {
    const taken = { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 9 };
    const nodes = [
      { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
      { path: '/dev/vfio/9', uid: 1000, gid: 0, mode: 0o600 },
    ];
    const given = machine({ functions: [taken], replace: { nodes } });
    expect(opsOf({ snapshot: given, bind: { '03:00.0': 'none' } })).toEqual([
      'node.own /dev/vfio/9 0 0 384',
      'driver.unbind vfio-pci 0000:03:00.0',
    ]);
  });

  test('a closed container node is opened as the kernel makes it', () => {
    const closed = machine({
      functions: [{ ...nic, group: 9 }],
      replace: { nodes: [{ path: '/dev/vfio/vfio', uid: 0, gid: 36, mode: 0o660 }] },
    });
    const ops = opsOf({ snapshot: closed, bind, allow: [['user dpdk', '03:00.0', 'group']] });
    expect(ops.slice(-2)).toEqual(['node.own /dev/vfio/vfio 0 36 438', 'node.own /dev/vfio/9 1000 0 384']);
  });
});

describe('what the snapshot does not tell', () => {
  const unknown = { unknown: 'the report has no such section' };
  const needs = (words: Parameters<typeof hostPolicy>[0]) =>
    deriveScript(hostPolicy(words).policy).preconditions;

  test('becomes a precondition with the value that the steps take for granted', () => {
    const snapshot = machine({ functions: [{ ...nic, driver: unknown, driverOverride: unknown }] });
    const found = needs({ snapshot, bind: { '03:00.0': 'vfio-pci' } });
    expect(found.map(({ fact, expects }) => [fact, expects])).toEqual([
      ['/functions/0000:03:00.0/driver', [null]],
      ['/functions/0000:03:00.0/driverOverride', [null]],
    ]);
    expect(found.every(({ why, unknown: reason }) => why.length === 1 && reason.includes('report'))).toBe(
      true,
    );
  });

  test('an unknown user cannot be given anything: no value will do', () => {
    const snapshot = machine({ functions: [nic], replace: { users: unknown } });
    const words = { bind: { '03:00.0': 'vfio-pci' }, allow: [['user dpdk', '03:00.0', 'group']] } as const;
    expect(needs({ snapshot, ...words }).map(({ fact, expects }) => [fact, expects])).toEqual([
      ['/users/dpdk', undefined],
    ]);
    expect(opsOf({ snapshot, ...words }).some((op) => op.startsWith('node.own'))).toBe(false);
  });

  test('an unknown parameter must be off when nothing permits it', () => {
    const snapshot = machine({ functions: [nic], replace: { modules: unknown } });
    expect(needs({ snapshot }).map(({ fact, expects }) => [fact, expects])).toEqual([
      ['/modules/vfio/parameters/enable_unsafe_noiommu_mode', ['N', null]],
    ]);
  });
});
