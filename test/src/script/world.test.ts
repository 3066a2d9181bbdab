import { expect, test } from 'vitest';
import { disabledVirtualFunctions } from '../../../src/machine/virtual-functions.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { worldOf } from '../../../src/script/world.ts';
import { machine } from '../../machines.ts';
import { hostPolicy } from '../plan/policies.ts';

const routing = { offset: 128, stride: 2, device: '10ca' };
const port = {
  at: '03:00.0',
  id: '8086:1572',
  class: 'nic',
  sriov: { totalVfs: 2, numVfs: 0, routing },
} as const;

test('every stage and every check of one machine has one world, with virtual functions to come or without', () => {
  const snapshot = machine({ functions: [port] });
  const { policy } = hostPolicy({ snapshot });
  const creating = { ...policy, arriving: disabledVirtualFunctions(snapshot) };
  const [plain, more] = [worldOf(policy), worldOf(creating)];
  expect(plain).toEqual(worldFrom(snapshot));
  expect(more).toEqual(worldFrom(snapshot, { virtualFunctions: true }));
  expect(more.world.hardware).toHaveLength(plain.world.hardware.length + 2);
  expect(worldOf(hostPolicy({ snapshot, bind: { '03:00.0': 'vfio-pci' } }).policy)).toBe(plain);
  expect(worldOf({ ...creating })).toBe(more);
  const other = machine({ functions: [port] });
  expect(worldOf(hostPolicy({ snapshot: other }).policy)).not.toBe(plain);
});
