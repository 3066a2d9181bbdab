import type { FunctionWords, MachineWords } from '../machines.ts';
import type { Example } from './example.ts';
import { box } from './machines.ts';

/** Each selector alone, and what it chooses on the machine; `d` is the set. */
const selectors: readonly (readonly [selector: string, chosen: readonly string[], meaning: string])[] = [
  ['at 03:00.1', ['03:00.1'], 'the PCI address'],
  ['id 8086:1572', ['03:00.0', '03:00.1'], 'vendor and device'],
  ['subsystem 1028:1100', ['05:00.0'], 'vendor and device of the subsystem'],
  ['class storage.nvme', ['02:00.0', '04:00.0', '05:00.0'], 'the class by name'],
  ['class display', ['01:00.0'], 'a base class by name'],
  ['class 0x0c0330', ['08:00.0'], 'the class by number'],
  ['driver ahci', ['08:00.1'], 'the driver that is bound now'],
  ['netdev eno1', ['06:00.0'], 'the network interface that it carries'],
  ['block nvme1n1', ['04:00.0'], 'the block device that it carries'],
  ['slot "pci0000:00/1c.0/00.0"', ['07:00.0'], 'the way of bridges to it'],
  ['label "LAN 1"', ['06:00.0'], 'the name that the firmware gives it'],
  ['serial "b4-96-91-ff"', ['03:00.0'], 'the serial number, in letters of either case'],
  ['mac B4:96:91:00:00:01', ['03:00.0'], 'the address of its network interface'],
  ['numa 1', ['03:00.1'], 'the NUMA node'],
  ['holding root', ['02:00.0'], 'what holds the root file system'],
  ['holding boot', ['02:00.0'], 'what holds the boot file system'],
  ['holding swap', ['08:00.1'], 'what holds swap'],
  ['holding mounted', ['02:00.0', '05:00.0'], 'what holds something mounted'],
  ['holding management', ['06:00.0'], 'what carries the way in to the machine'],
  ['in group with other', ['01:00.1'], 'the others of an IOMMU group'],
  ['device other', ['01:00.0'], 'another declared device'],
  ['id 8086:1572 numa 1', ['03:00.1'], 'properties combine by and'],
  ['numa 1 or driver ahci', ['03:00.1', '08:00.1'], 'or: one of them is enough'],
  ['class network numa 1 or netdev eth0', ['03:00.0', '03:00.1'], 'or binds tighter than and'],
  ['class storage not driver nvme', ['08:00.1'], 'not: what does not match'],
  ['class network not (id 8086:1572 numa 1)', ['03:00.0', '06:00.0', '07:00.0'], 'parentheses group'],
  ['not not numa 1', ['03:00.1'], 'not undoes not'],
  ['class storage except holding any', ['04:00.0'], 'except takes out what the host uses'],
  ['class network except numa 1 except netdev eno1', ['03:00.0', '07:00.0'], 'each except takes out its own'],
  ['class network except numa 1 or netdev eno1', ['03:00.0', '07:00.0'], 'an except may have an or'],
];

const virtual: MachineWords = {
  hostname: 'box',
  functions: [
    { at: '07:00.0', id: '8086:10c9', class: 'nic', driver: 'igb', sriov: { totalVfs: 7, numVfs: 3 } },
    ...['07:10.0', '07:10.2', '07:10.4'].map((at) => ({
      ...{ at, id: '8086:10ca', class: 'nic', driver: 'igbvf' },
      physicalFunction: '0000:07:00.0',
    })),
  ],
};

/** The same machine with a bridge more, so that what is behind the others has a bus of a higher number. */
const renumbered = (fn: FunctionWords): FunctionWords =>
  fn.at === '07:00.0' ? { ...fn, at: '0b:00.0' } : fn;

const kept = {
  nvme0n1: 'that is mounted',
  nvme1n1: 'that is swapped to',
  nvme2n1: 'that dm, md or LVM holds',
  nvme3n1: 'that carries a signature',
  nvme4n1: 'of which a partition does',
} as const;

/** A disk for each use, and one without any. */
const shelf: MachineWords = {
  hostname: 'box',
  functions: [0, 1, 2, 3, 4, 5].map((bus) => ({
    ...{ at: `0${bus}:00.0`, id: '144d:a80a', class: 'nvme', driver: 'nvme' },
  })),
  disks: [
    { name: 'nvme0n1', on: '00:00.0', mounts: ['/srv'] },
    { name: 'nvme1n1', on: '01:00.0', swap: true },
    { name: 'nvme2n1', on: '02:00.0', holders: ['md0'] },
    { name: 'nvme3n1', on: '03:00.0', signature: 'zfs_member' },
    { name: 'nvme4n1', on: '04:00.0', parts: [{ name: 'nvme4n1p1', signature: 'ext4' }] },
    { name: 'nvme5n1', on: '05:00.0' },
    { name: 'md0' },
  ],
};

function virtualFunctions(sentence: string, selector: string, chosen: readonly string[]): Example {
  const text = `device pf { at 07:00.0 }\ndevices d { ${selector} }\npolicy p { protect pf protect d }`;
  return { sentence, text, machine: virtual, chosen: { d: chosen } };
}

/** Which functions are meant. */
export const devices: readonly Example[] = [
  ...selectors.map(([selector, chosen, meaning]): Example => {
    const other = selector.includes('other') ? 'device other { at 01:00.0 }\n' : '';
    const text = `${other}devices d { ${selector} }\npolicy p { protect d }`;
    return { sentence: `\`${selector}\`: ${meaning}.`, text, chosen: { d: chosen } };
  }),
  virtualFunctions(
    '`virtual functions` with numbers are those of the physical function.',
    'virtual functions 1..2 of pf',
    ['07:10.2', '07:10.4'],
  ),
  virtualFunctions('`virtual functions` with one number is that one.', 'virtual functions 0 of pf', [
    '07:10.0',
  ]),
  virtualFunctions('`virtual functions` without numbers are all of them.', 'virtual functions of pf', [
    '07:10.0',
    '07:10.2',
    '07:10.4',
  ]),
  ...(['', ' count 0..4'] as const).map(
    (count): Example => ({
      sentence: `A range that goes beyond the last virtual function is told${count && ', unless a count says that there may be fewer'}.`,
      text: `device pf { at 07:00.0 }\ndevices d { virtual functions 0..3 of pf${count} }\npolicy p { protect pf protect d }`,
      machine: virtual,
      chosen: { d: ['07:10.0', '07:10.2', '07:10.4'] },
      said: count === '' ? ['warning VP2105 2'] : [],
    }),
  ),
  {
    sentence: 'A slot is a way, and stays when buses are numbered anew.',
    text: 'device d { slot "pci0000:00/1c.0/00.0" }\npolicy p { protect d }',
    machines: { box, 'box-2': { ...box, functions: (box.functions ?? []).map(renumbered) } },
    chosen: { d: ['0b:00.0'] },
  },
  ...(['nvme0n1', 'nvme1n1', 'nvme2n1', 'nvme3n1', 'nvme4n1'] as const).map(
    (name): Example => ({
      sentence: `\`except holding any\` takes nothing ${kept[name]}.`,
      text: `devices d { block ${name} or block nvme5n1 except holding any }\npolicy p { protect d }`,
      machine: shelf,
      chosen: { d: ['05:00.0'] },
    }),
  ),
  {
    sentence: 'A range of virtual functions goes upwards.',
    text: 'device pf { at 07:00.0 }\ndevices d { virtual functions 2..1 of pf }\npolicy p { protect d }',
    machine: virtual,
    said: ['error VP1024 2'],
  },
  {
    sentence: 'A device is one function: two that match are an error.',
    text: 'device d { id 8086:1572 }\npolicy p { protect d }',
    said: ['error VP2102 1'],
  },
  {
    sentence: 'A device is one function: none that matches is an error.',
    text: 'device d { id 8086:1573 }\npolicy p { protect d }',
    said: ['error VP2101 1'],
  },
  {
    sentence: 'A device is one function: it takes no count.',
    text: 'device d { at 03:00.0\ncount 2..4 }\npolicy p { protect d }',
    said: ['error VP1034 2'],
  },
  {
    sentence: 'Address and identity must both be right: another device at the address is an error.',
    text: 'device d { at 03:00.0\nid 8086:10d3 }\npolicy p { protect d }',
    said: ['error VP2104 2'],
  },
  {
    sentence: 'A set has at least one function, unless its count says otherwise.',
    text: 'devices d { id 8086:1573 }\ndevices e { id 8086:1573 count 0..4 }\npolicy p { protect d protect e }',
    said: ['error VP2103 1'],
  },
  {
    sentence:
      'A set that asks nothing is every function, which is told unless a count says that it is meant.',
    text: 'devices d {}\ndevices e { count 1..99 }\npolicy p { protect d protect e }',
    said: ['warning VP2106 1'],
  },
  {
    sentence: 'A set has as many functions as its count says.',
    text: 'devices d { class storage.nvme count 3 }\ndevices e { class storage.nvme count 2..4 }\npolicy p { protect d protect e }',
  },
  {
    sentence: 'A set of another size is an error.',
    text: 'devices d { class storage.nvme\ncount 1..2 }\npolicy p { protect d }',
    said: ['error VP2103 2'],
  },
  {
    sentence: 'A count goes upwards.',
    text: 'devices d { class storage.nvme count 4..2 }\npolicy p { protect d }',
    said: ['error VP1024 1'],
  },
  {
    sentence: 'A device that is declared for a host is one of that host only.',
    text: 'device d on lab-* { at 03:00.0 }\npolicy p on * { bind d to vfio-pci }',
    machines: { 'lab-1': box, 'db-1': box },
    said: ['error VP2010 2, 1'],
  },
  {
    sentence: 'One name may be declared once for each host.',
    text: 'device d on lab-1 { at 03:00.0 }\ndevice d on db-1 { at 03:00.1 }\npolicy p { bind d to vfio-pci }',
    machines: { 'lab-1': box, 'db-1': box },
    plan: [
      'lab-1: unbind 0000:03:00.0 (d) from i40e',
      'lab-1: let only vfio-pci bind 0000:03:00.0 (d)',
      'lab-1: bind 0000:03:00.0 (d) to vfio-pci',
      'db-1: unbind 0000:03:00.1 (d) from i40e',
      'db-1: let only vfio-pci bind 0000:03:00.1 (d)',
      'db-1: bind 0000:03:00.1 (d) to vfio-pci',
    ],
  },
  {
    sentence: 'A name that is declared twice for one host is an error at both places.',
    text: 'device d { at 03:00.0 }\ndevice d on box { at 03:00.1 }\npolicy p { protect d }',
    said: ['error VP2001 2, 1'],
  },
  {
    sentence: 'A device that no one declares is an error.',
    text: 'policy p { protect d }',
    said: ['error VP2002 1'],
  },
  {
    sentence: 'A device whose name is misspelt is told where it is misspelt, and not as never used.',
    text: 'device uplink { at 03:00.0 }\npolicy p {\nprotect upllink }',
    said: ['error VP2002 3'],
  },
  {
    sentence: 'A device that is declared and never used is told.',
    text: 'device d { at 03:00.0 }',
    said: ['warning VP2004 1'],
  },
  {
    sentence: 'No device is chosen by itself, not by others either.',
    text: 'devices d { device e }\ndevices e { not device d }\npolicy p { protect d protect e }',
    said: ['error VP2012 1, 2'],
  },
  {
    sentence: 'A class that does not exist is an error.',
    text: 'devices d { class storage.nvmee }\npolicy p { protect d }',
    said: ['error VP2013 1'],
  },
];
