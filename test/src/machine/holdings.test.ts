import { describe, expect, test } from 'vitest';
import { type HoldingKind, holds } from '../../../src/machine/holdings.ts';
import type { BlockDevice, Netdev, Snapshot } from '../../../src/machine/snapshot.ts';
import { blockDevice, netdev, pciFunction, snapshotOf } from './handmade.ts';

const nvme = '0000:01:00.0';
const nic = '0000:03:00.0';
const gpu = '0000:04:00.0';

function machine(
  disks: readonly BlockDevice[],
  netdevs: readonly Netdev[],
  facts: Partial<Snapshot> = {},
): Snapshot {
  const named = (list: readonly { name: string; function: unknown }[], address: string) =>
    list.filter((each) => each.function === address).map(({ name }) => name);
  return snapshotOf({
    functions: [
      pciFunction(nvme, { class: '010802', blockDevices: named(disks, nvme) }),
      pciFunction(nic, { netdevs: named(netdevs, nic) }),
      pciFunction(gpu, { class: '030000' }),
    ],
    blockDevices: disks,
    netdevs,
    ...facts,
  });
}

const lvm = machine(
  [
    blockDevice('nvme0n1', { function: nvme, signature: 'gpt' }),
    blockDevice('nvme0n1p1', { parent: 'nvme0n1', mounts: ['/boot/efi'] }),
    blockDevice('nvme0n1p2', { parent: 'nvme0n1', holders: ['md0'] }),
    blockDevice('md0', { holders: ['dm-0', 'dm-1'] }),
    blockDevice('dm-0', { label: 'vg-root', mounts: ['/', '/var'] }),
    blockDevice('dm-1', { label: 'vg-swap', swap: true }),
  ],
  [],
);

describe('disks', () => {
  test.each<[HoldingKind, readonly string[]]>([
    [
      'root',
      [
        'nvme0n1 is a disk of 0000:01:00.0',
        'nvme0n1p2 is a partition of nvme0n1',
        'md0 is stacked on nvme0n1p2',
        'dm-0 (vg-root) is stacked on md0',
        'dm-0 is mounted at /',
      ],
    ],
    [
      'boot',
      [
        'nvme0n1 is a disk of 0000:01:00.0',
        'nvme0n1p1 is a partition of nvme0n1',
        'nvme0n1p1 is mounted at /boot/efi',
      ],
    ],
    [
      'swap',
      [
        'nvme0n1 is a disk of 0000:01:00.0',
        'nvme0n1p2 is a partition of nvme0n1',
        'md0 is stacked on nvme0n1p2',
        'dm-1 (vg-swap) is stacked on md0',
        'dm-1 is swap space',
      ],
    ],
    [
      'stacked',
      [
        'nvme0n1 is a disk of 0000:01:00.0',
        'nvme0n1p2 is a partition of nvme0n1',
        'md0 is stacked on nvme0n1p2',
      ],
    ],
    ['signed', ['nvme0n1 is a disk of 0000:01:00.0', 'nvme0n1 carries a gpt signature']],
  ])('%s is proved through partition, md and dm', (kind, chain) => {
    expect(holds(lvm, nvme, kind)).toEqual({ is: 'held', chain });
    expect(holds(lvm, gpu, kind)).toEqual({ is: 'free' });
  });

  test('an unused disk is free of everything', () => {
    const idle = machine([blockDevice('nvme0n1', { function: nvme })], []);
    expect(holds(idle, nvme, 'any')).toEqual({ is: 'free' });
    expect(holds(idle, nvme, 'root')).toEqual({ is: 'free' });
  });

  test('a disk that two controllers share is held by both', () => {
    const shared = blockDevice('nvme0n1', { function: null, mounts: ['/'] });
    const twins = snapshotOf({
      functions: [
        pciFunction(nvme, { blockDevices: ['nvme0n1'] }),
        pciFunction(nic, { blockDevices: ['nvme0n1'] }),
      ],
      blockDevices: [shared],
    });
    expect(holds(twins, nvme, 'root').is).toBe('held');
    expect(holds(twins, nic, 'root').is).toBe('held');
  });

  test.each<[string, Snapshot, string]>([
    ['no list of disks', machine([], [], { blockDevices: { unknown: 'why' } }), ''],
    [
      'mounts',
      machine([blockDevice('nvme0n1', { function: nvme, mounts: { unknown: 'why' } })], []),
      '/blockDevices/nvme0n1',
    ],
    [
      'holders',
      machine([blockDevice('nvme0n1', { function: nvme, holders: { unknown: 'why' } })], []),
      '/blockDevices/nvme0n1/holders',
    ],
    [
      'a holder that is not listed',
      machine([blockDevice('nvme0n1', { function: nvme, holders: ['dm-7'] })], []),
      '/blockDevices/dm-7',
    ],
  ])('unknown stays unknown: %s', (_, snapshot, fact) => {
    const held = holds(snapshot, nvme, 'mounted');
    expect(held).toMatchObject(fact === '' ? { is: 'free' } : { is: 'unknown', fact });
  });

  test('a proof beats doubt', () => {
    const half = machine(
      [
        blockDevice('nvme0n1', { function: nvme, mounts: { unknown: 'why' } }),
        blockDevice('nvme0n1p1', { parent: 'nvme0n1', mounts: ['/'] }),
      ],
      [],
    );
    expect(holds(half, nvme, 'root').is).toBe('held');
  });
});

describe('management', () => {
  const route = (netdevName: string, destination = 'default') => ({
    destination,
    netdev: netdevName,
    gateway: null,
  });
  const eno1 = netdev('eno1', { function: nic, master: 'bond0' });
  const stack = [
    eno1,
    netdev('bond0', { lower: ['eno1'] }),
    netdev('bond0.10', { lower: ['bond0'], kind: 'vlan', master: 'br0' }),
    netdev('br0', { lower: ['bond0.10'] }),
    netdev('mv0', { lower: ['br0'], kind: 'macvlan' }),
  ];

  test('a default route is found through bond, VLAN, bridge and macvlan', () => {
    expect(holds(machine([], stack, { routes: [route('mv0')] }), nic, 'management')).toEqual({
      is: 'held',
      chain: [
        'eno1 is a network device of 0000:03:00.0',
        'eno1 is enslaved to bond0',
        'vlan bond0.10 stands on bond0',
        'bond0.10 is enslaved to br0',
        'macvlan mv0 stands on br0',
        'mv0 carries the default route',
      ],
    });
  });

  test('so is the route to a peer of an SSH session, by its longest prefix', () => {
    const routes = [route('eno1', '10.0.0.0/8'), route('wan', '10.1.0.0/16'), route('eno1', 'fd00::/48')];
    const netdevs = [netdev('eno1', { function: nic }), netdev('wan', { function: gpu })];
    const held = (peer: string) =>
      holds(machine([], netdevs, { routes, managementPeers: [peer] }), nic, 'management').is;
    expect(held('10.2.3.4')).toBe('held');
    expect(held('10.1.3.4')).toBe('free');
    expect(held('::ffff:10.2.3.4')).toBe('held');
    expect(held('fd00:0:0:1::9')).toBe('held');
    expect(held('fd01::9')).toBe('free');
    expect(held('nonsense')).toBe('unknown');
  });

  test.each<[string, Snapshot, string]>([
    ['routes', machine([], stack, { routes: { unknown: 'why' } }), '/routes'],
    ['peers', machine([], stack, { managementPeers: { unknown: 'why' } }), '/managementPeers'],
    [
      'a master',
      machine([], [netdev('eno1', { function: nic, master: { unknown: 'why' } })], {
        routes: [route('bond0')],
      }),
      '/netdevs/eno1/master',
    ],
    [
      'what a device stands on',
      machine([], [netdev('eno1', { function: nic }), netdev('vlan7', { lower: { unknown: 'why' } })]),
      '/netdevs/vlan7/lower',
    ],
    [
      'the carrier of a tunnel',
      machine([], [netdev('eno1', { function: nic }), netdev('wg0')], { routes: [route('wg0')] }),
      '/netdevs/wg0',
    ],
    [
      'a port of Open vSwitch',
      machine([], [netdev('eno1', { function: nic, master: 'ovs-system' })], { routes: [route('br-ex')] }),
      '/netdevs/eno1/master',
    ],
  ])('unknown stays unknown: %s', (_, snapshot, fact) => {
    expect(holds(snapshot, nic, 'management')).toMatchObject({ is: 'unknown', fact });
    expect(holds(snapshot, gpu, 'management')).toEqual({ is: 'free' });
  });

  test('a physical function holds what its virtual functions hold', () => {
    const vf = '0000:03:10.0';
    const snapshot = snapshotOf({
      functions: [pciFunction(nic), pciFunction(vf, { physicalFunction: nic, netdevs: ['eth9'] })],
      netdevs: [netdev('eth9', { function: vf })],
      routes: [route('eth9')],
    });
    expect(holds(snapshot, nic, 'management')).toEqual({
      is: 'held',
      chain: [
        '0000:03:10.0 is a virtual function of 0000:03:00.0',
        'eth9 is a network device of 0000:03:10.0',
        'eth9 carries the default route',
      ],
    });
  });
});
