import { expect, test } from 'vitest';
import { snapshotSchema } from '../src/machine/snapshot.schema.ts';
import { machine } from './machines.ts';

test('a machine from few words is a complete, valid snapshot', () => {
  const made = machine({
    functions: [
      { at: '00:1c.0', id: '8086:a110', class: 'bridge', driver: 'pcieport' },
      { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', group: 12 },
      { at: '04:00.0', id: '144d:a80a', class: 'nvme', driver: 'nvme', numaNode: { unknown: 'not asked' } },
    ],
    nics: [{ name: 'eth0', on: '03:00.0', addresses: ['192.0.2.7/24'] }],
    disks: [{ name: 'nvme0n1', on: '04:00.0', parts: [{ name: 'nvme0n1p1', mounts: ['/'] }] }],
    routes: { default: 'eth0' },
  });
  expect(snapshotSchema.parse(made)).toEqual(made);
  expect(made.functions[1]?.netdevs).toEqual(['eth0']);
  expect(made.functions[2]?.blockDevices).toEqual(['nvme0n1']);
});

test('without an IOMMU no function has a group', () => {
  const made = machine({ iommu: 'none', functions: [{ at: '03:00.0', id: '8086:1572', class: 'nic' }] });
  expect(made.functions[0]?.iommuGroup).toBeNull();
  expect(made.iommu).toEqual({ units: [], translation: [], interruptRemapping: false, groups: [] });
});
