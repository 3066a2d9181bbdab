import { expect, test } from 'vitest';
import { resolve } from '../../../src/policy/resolve.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { type FunctionWords, type MachineWords, machine } from '../../machines.ts';

const unknown = { unknown: 'not asked' };
const port: FunctionWords = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', group: 12 };
const twins: MachineWords = {
  functions: [
    { ...port, serial: 'aa-01', subsystemVendor: '1028' },
    { ...port, at: '03:00.1', serial: 'aa-02', numaNode: 1, group: 13 },
    { at: '04:00.0', id: '144d:a80a', class: 'nvme', driver: 'nvme' },
    { at: '05:00.0', id: '144d:a80a', class: 'nvme', driver: null },
  ],
  nics: [
    { name: 'eth0', on: '03:00.0', mac: 'b4:96:91:00:00:01' },
    { name: 'eth1', on: '03:00.1', mac: 'b4:96:91:00:00:02' },
  ],
  disks: [
    { name: 'nvme0n1', on: '04:00.0', mounts: ['/'], signature: 'ext4' },
    { name: 'nvme1n1', on: '05:00.0' },
  ],
};

function selectOn(words: MachineWords, text: string) {
  const { document, diagnostics } = readDocument('p.vfio', text);
  expect(diagnostics).toEqual([]);
  const resolution = resolve([document], [{ name: 'box', snapshot: machine(words) }], '2026-11-22');
  const [host] = resolution.hosts;
  const problems = [...resolution.byHost.values()].flat();
  const x = host?.devices.get('x');
  return {
    functions: x?.functions.map((address) => address.slice(5)),
    assumptions: host?.assumptions ?? [],
    problems,
  };
}

test.each([
  ['at 03:00.1', ['03:00.1']],
  ['at 0000:03:00.1', ['03:00.1']],
  ['id 8086:1572', ['03:00.0', '03:00.1']],
  ['subsystem 1028:1100', ['03:00.0']],
  ['class storage.nvme', ['04:00.0', '05:00.0']],
  ['class 02', ['03:00.0', '03:00.1']],
  ['driver i40e', ['03:00.0', '03:00.1']],
  ['driver none', ['05:00.0']],
  ['netdev eth1', ['03:00.1']],
  ['block nvme0n1', ['04:00.0']],
  ['slot "pci0000:00/00.1"', ['03:00.1']],
  ['serial "AA-02"', ['03:00.1']],
  ['mac B4:96:91:00:00:02', ['03:00.1']],
  ['numa 1', ['03:00.1']],
  ['holding root', ['04:00.0']],
  ['class network numa 0', ['03:00.0']],
  ['(numa 1 or driver nvme)', ['03:00.1', '04:00.0']],
  ['class storage not holding any', ['05:00.0']],
  ['class network except serial "aa-01"', ['03:00.1']],
])('devices { %s }', (selectors, expected) => {
  const { functions, problems } = selectOn(twins, `devices x { ${selectors} } policy p { protect x }`);
  expect(problems).toEqual([]);
  expect(functions).toEqual(expected);
});

const virtual = { class: 'nic', driver: 'iavf', physicalFunction: '0000:81:00.0' } as const;
const virtualised: MachineWords = {
  functions: [
    { at: '81:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', sriov: { totalVfs: 8, numVfs: 3 } },
    { ...virtual, at: '81:02.0', id: '8086:154c' },
    { ...virtual, at: '81:02.1', id: '8086:154c' },
    { ...virtual, at: '81:02.2', id: '8086:154c' },
    { at: '82:00.0', id: '10de:2684', class: 'gpu', driver: 'nouveau', group: 90, firmwareLabel: 'Slot 5' },
    { at: '82:00.1', id: '10de:22ba', class: 'audio', group: 90, firmwareLabel: null },
    { at: '83:00.0', id: '10de:22ba', class: 'audio', group: 91 },
  ],
};

test.each([
  ['virtual functions of pf', ['81:02.0', '81:02.1', '81:02.2']],
  ['virtual functions 1 of pf', ['81:02.1']],
  ['virtual functions 1..2 of pf', ['81:02.1', '81:02.2']],
  ['class network not virtual functions of pf', ['81:00.0']],
  ['virtual functions 0 of pf or class display', ['81:02.0', '82:00.0']],
  ['in group with card', ['82:00.1']],
  ['class multimedia not in group with card', ['83:00.0']],
])('devices { %s }', (selectors, expected) => {
  const others = 'device pf { at 81:00.0 } device card { at 82:00.0 } policy q { protect pf protect card }';
  const { functions, problems, assumptions } = selectOn(
    virtualised,
    `${others} devices x { ${selectors} } policy p { protect x }`,
  );
  expect([problems, assumptions]).toEqual([[], []]);
  expect(functions).toEqual(expected);
});

test('virtual functions have the numbers that the kernel gives them, whichever are listed', () => {
  const routing = { offset: 16, stride: 2, device: '154c' };
  const functions = [
    { at: '81:00.0', id: '8086:1572', class: 'nic', sriov: { totalVfs: 8, numVfs: 3, routing } },
    { ...virtual, at: '81:02.4', id: '8086:154c' },
  ];
  const text = (range: string) =>
    `device pf { at 81:00.0 } devices x { virtual functions ${range} of pf } policy p { protect x }`;
  expect(selectOn({ functions }, text('2')).functions).toEqual(['81:02.4']);
  expect(selectOn({ functions }, text('0..1')).problems.map(({ code }) => code)).toEqual(['VP2103']);
});

test('the name that the firmware gives is a property, and not told by every snapshot', () => {
  const words = { functions: virtualised.functions?.slice(4) ?? [] };
  const { functions, assumptions } = selectOn(words, 'devices x { label "Slot 5" } policy p { protect x }');
  expect(functions).toEqual(['82:00.0', '83:00.0']);
  expect(assumptions).toMatchObject([
    {
      fact: '/functions/0000:83:00.0/firmwareLabel',
      expects: ['Slot 5'],
      unknown: expect.stringContaining('does not tell'),
    },
  ]);
});

test('what a group or a physical function rests on may be unknown', () => {
  const functions = [
    { at: '81:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', group: 7 },
    { at: '81:02.0', id: '8086:154c', class: 'nic', group: unknown, physicalFunction: unknown },
  ];
  const devices = 'device pf { at 81:00.0 } policy q { protect pf }';
  const virtuals = selectOn(
    { functions },
    `${devices} devices x { virtual functions of pf } policy p { protect x }`,
  );
  expect(virtuals.assumptions).toMatchObject([
    { fact: '/functions/0000:81:02.0/physicalFunction', expects: ['0000:81:00.0'] },
  ]);
  const others = selectOn({ functions }, `${devices} devices x { in group with pf } policy p { protect x }`);
  expect(others.assumptions).toMatchObject([{ fact: '/functions/0000:81:02.0/iommuGroup' }]);
});

test('twins are told apart by what differs, and by nothing that is the same', () => {
  const { problems } = selectOn(twins, 'device x { id 8086:1572 } policy p { protect x }');
  expect(problems.map(({ code }) => code)).toEqual(['VP2102']);
  expect(problems[0]?.causes).toEqual([
    'at 0000:03:00.0: serial aa-01, mac b4:96:91:00:00:01, slot pci0000:00/00.0, numa 0, IOMMU group 12, netdev eth0',
    'at 0000:03:00.1: serial aa-02, mac b4:96:91:00:00:02, slot pci0000:00/00.1, numa 1, IOMMU group 13, netdev eth1',
  ]);
});

test('no match shows the nearest functions and what fails', () => {
  const { problems } = selectOn(twins, 'device x { id 8086:1572 netdev eth7 } policy p { protect x }');
  expect(problems.map(({ code }) => code)).toEqual(['VP2101']);
  expect(problems[0]?.causes[0]).toBe(
    '0000:03:00.0 is 8086:1572, network.ethernet, driver i40e; it is not `netdev eth7`',
  );
});

test('a device elsewhere that has the identity is named', () => {
  const { problems } = selectOn(twins, 'device x { at 03:00.0 serial "aa-02" } policy p { protect x }');
  expect(problems.map(({ code }) => code)).toEqual(['VP2104']);
  expect(problems[0]?.causes).toContain('the device that is described sits at 0000:03:00.1');
});

test('a single doubtful match stands, as an assumption', () => {
  const words = { functions: [{ ...port, serial: unknown }] };
  const { functions, assumptions, problems } = selectOn(
    words,
    'device x { serial "aa" } policy p { protect x }',
  );
  expect(problems).toEqual([]);
  expect(functions).toEqual(['03:00.0']);
  expect(assumptions).toMatchObject([
    { fact: '/functions/0000:03:00.0/serial', unknown: 'not asked', expects: ['aa'] },
  ]);
});

test('a certain match and a doubtful one are two', () => {
  const words = {
    functions: [
      { ...port, serial: 'aa' },
      { ...port, at: '03:00.1', serial: unknown },
    ],
  };
  const { functions, problems } = selectOn(words, 'device x { serial "aa" } policy p { protect x }');
  expect(problems.map(({ code }) => code)).toEqual(['VP2102']);
  expect(functions).toBeUndefined();
});

test('what may be excepted is taken with an assumption of the contrary', () => {
  const words = { functions: [{ ...port, serial: unknown }] };
  const text = 'devices x { class network except serial "aa" } policy p { protect x }';
  const { functions, assumptions } = selectOn(words, text);
  expect(functions).toEqual(['03:00.0']);
  expect(assumptions).toMatchObject([{ sentence: 'serial of 0000:03:00.0 is not aa' }]);
  expect(assumptions[0]).not.toHaveProperty('expects');
});

test('what no criterion needs may be unknown', () => {
  const words = { functions: [{ ...port, serial: unknown, numaNode: unknown, slot: unknown }] };
  const { functions, assumptions } = selectOn(
    words,
    'device x { at 03:00.0 id 8086:1572 } policy p { protect x }',
  );
  expect([functions, assumptions]).toEqual([['03:00.0'], []]);
});
