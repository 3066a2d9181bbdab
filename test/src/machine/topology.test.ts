import { expect, test } from 'vitest';
import { bridgesAbove, isEndpoint, siblingsOf, topologyOf } from '../../../src/machine/topology.ts';
import { pciFunction, snapshotOf } from './handmade.ts';

const port = pciFunction('0000:00:01.0', {
  headerType: 1,
  class: '060400',
  iommuGroup: 1,
  slot: ['pci0000:00', '01.0'],
});
const first = pciFunction('0000:01:00.0', { iommuGroup: 1, slot: ['pci0000:00', '01.0', '00.0'] });
const second = pciFunction('0000:01:00.1', { iommuGroup: 1, slot: ['pci0000:00', '01.0', '00.1'] });
const virtual = pciFunction('0000:01:10.0', { iommuGroup: 2, physicalFunction: '0000:01:00.0' });
const alone = pciFunction('0000:02:00.0');
const machine = snapshotOf({ functions: [port, first, second, virtual, alone] });

test('functions are found by address, group, physical function and slot', () => {
  const topology = topologyOf(machine);
  expect(topology).toBe(topologyOf(machine));
  expect(topology.functions.get('0000:01:00.1')).toBe(second);
  expect(topology.groups.get(1)).toEqual([port, first, second]);
  expect(topology.virtualFunctions.get('0000:01:00.0')).toEqual([virtual]);
  expect(bridgesAbove(machine, first)).toEqual([port]);
  expect(siblingsOf(machine, first)).toEqual([port, second]);
  expect(siblingsOf(machine, alone)).toEqual([]);
  expect([port, first].map(isEndpoint)).toEqual([false, true]);
});

test('a group is not known to be complete while the group of any function is unknown', () => {
  const stranger = pciFunction('0000:05:00.0', { iommuGroup: { unknown: 'not in the report' } });
  const dim = snapshotOf({ functions: [first, second, stranger] });
  expect(siblingsOf(dim, first)).toEqual({
    unknown: 'the group of 0000:05:00.0 is not known: not in the report',
  });
  expect(siblingsOf(dim, stranger)).toEqual({ unknown: 'not in the report' });
});

test('a bridge that the snapshot lacks is unknown, and so is a header type; the class then decides', () => {
  const dim = snapshotOf({ functions: [first] });
  expect(bridgesAbove(dim, first)).toEqual({ unknown: 'the snapshot has no bridge at pci0000:00/01.0' });
  expect(isEndpoint({ ...port, headerType: { unknown: 'x' } })).toBe(false);
  expect(isEndpoint({ ...first, headerType: { unknown: 'x' } })).toBe(true);
});
