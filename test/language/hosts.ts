import type { Example } from './example.ts';
import { box, edge, permitted, switchedOn } from './machines.ts';

const use = `device a { at 03:00.0 }
policy p { bind a to vfio-pci allow user dpdk to use a via noiommu }`;
const lab = 'host lab-1 { label role "lab" }\nhost db-* { label role "prod" }\n';

/** What is known, expected or permitted about machines. */
export const hosts: readonly Example[] = [
  {
    sentence: 'A host names the snapshot that was read from it.',
    text: 'host box { snapshot "machines/box.json" }\npolicy p on box { protect devices that hold root }',
    machines: { 'machines/box.json': box },
  },
  {
    sentence: 'A host without a snapshot is checked by its names only, and that is told.',
    text: 'host box {}\nhost other {}\npolicy p { protect devices that hold root }',
    machines: { box },
    said: ['warning VP2009 2'],
  },
  { sentence: 'A host may be required to have an IOMMU.', text: 'host box { iommu required }' },
  {
    sentence: 'A host that is required to have an IOMMU and has none is an error.',
    text: 'host edge { iommu required }',
    machine: edge,
    said: ['error VP3110 1'],
  },
  { sentence: 'A host may be said to have no IOMMU.', text: 'host edge { iommu absent }', machine: edge },
  {
    sentence: 'A host that is said to have no IOMMU and has one is an error.',
    text: 'host box { iommu absent }',
    said: ['error VP3111 1'],
  },
  { sentence: '`iommu any` says nothing of a host that has one.', text: 'host box { iommu any }' },
  {
    sentence: '`iommu any` says nothing of a host that has none.',
    text: 'host edge { iommu any }',
    machine: edge,
  },
  {
    sentence: 'A host runs a kernel of the versions that are stated: from, up to, after, before, or exactly.',
    text: 'host box { kernel >= 6.1 kernel <= 6.12 kernel > 6.11 kernel < 6.13 kernel = 6.12 }',
  },
  {
    sentence: 'A kernel of another version is an error.',
    text: 'host box { kernel >= 6.1\nkernel < 6.12 }',
    said: ['error VP3112 2'],
  },
  {
    sentence: 'A pattern speaks of every host whose name it matches, and of no other.',
    text: `${lab}policy p on db-* { bind a to vfio-pci }\ndevice a { at 03:00.0 }`,
    machines: { 'db-1': box, 'db-2': box, 'lab-1': edge },
    plan: ['db-1', 'db-2'].flatMap((host) => [
      `${host}: unbind 0000:03:00.0 (a) from i40e`,
      `${host}: let only vfio-pci bind 0000:03:00.0 (a)`,
      `${host}: bind 0000:03:00.0 (a) to vfio-pci`,
    ]),
  },
  {
    sentence: 'A name and patterns speak of one host together.',
    text: 'host box { iommu required }\nhost b* { kernel >= 6.1 }\nhost * { label role "lab" }\npolicy p { forbid anyone to use any device unless host role is "lab" }\ndevice a { at 03:00.0 }\npolicy q { bind a to vfio-pci allow user dpdk to use a via group }',
    access: ['user dpdk: a via group'],
  },
  {
    sentence: 'Two statements that say different things of one host are an error at both places.',
    text: 'host box { label role "lab" }\nhost b* { label role "prod" }',
    said: ['error VP2007 2, 1'],
  },
  {
    sentence: 'What is said twice in one block is told once, whether the two agree or not.',
    text: 'host box { iommu required\niommu absent }',
    said: ['error VP1020 2, 1'],
  },
  {
    sentence: 'A host that is declared twice is told once, and not what the two say otherwise.',
    text: 'host box { label role "lab" iommu required }\nhost box { label role "prod" iommu absent }',
    said: ['error VP2001 2, 1'],
  },
  {
    sentence: 'Two permissions that end on different days are an error, so that no order of theirs decides.',
    text: 'host edge { iommu absent\nnoiommu allowed { owner "a" reason "b" until 2026-03-01 } }\nhost e* {\nnoiommu allowed { owner "a" reason "b" until 2027-03-01 } }',
    machine: edge,
    said: ['error VP2007 4, 2'],
  },
  {
    sentence: 'A label lifts what is forbidden on the hosts that carry it, and only there.',
    text: `${lab}device a { at 03:00.0 }
policy p { bind a to vfio-pci
allow user dpdk to use a via group
forbid anyone to use any device unless host role is "lab" }`,
    machines: { 'lab-1': box, 'db-1': box },
    said: ['error VP3108 5, 6'],
  },
  {
    sentence: 'A label lifts what is allowed, too: where it is carried, nobody is.',
    text: 'host box { label role "prod" }\ndevice a { at 03:00.0 }\npolicy p { bind a to vfio-pci allow user dpdk to use a via group unless host role is "prod" }',
    access: [],
  },
  {
    sentence: 'Without a permission, no-IOMMU mode is forbidden.',
    text: use,
    machine: edge,
    said: ['error VP3113 2'],
  },
  {
    sentence:
      'A permission names its owner, its reason and its last day; with it no-IOMMU mode is switched on.',
    text: `${permitted}\n${use}`,
    machine: edge,
    plan: [
      'set vfio.enable_unsafe_noiommu_mode to Y',
      'unbind 0000:03:00.0 (a) from i40e',
      'let only vfio-pci bind 0000:03:00.0 (a)',
      'bind 0000:03:00.0 (a) to vfio-pci',
      'give /dev/vfio/noiommu-0 to user dpdk (1000:0, mode 0600)',
    ],
  },
  {
    sentence: 'A permission without a last day holds on every day, and that is told, as what else it lacks.',
    text: `host edge { noiommu allowed }\n${use}`,
    machine: edge,
    said: ['warning VP2020 1'],
    today: '2099-12-31',
    access: ['user dpdk: a via noiommu'],
  },
  {
    sentence: 'An owner or a reason that says nothing, as the blanks that a fix puts in, is told.',
    text: `host edge { noiommu allowed {\nowner "…"\nreason " "\nuntil 2027-03-01 } }\n${use}`,
    machine: edge,
    said: ['warning VP1033 2', 'warning VP1033 3'],
  },
  {
    sentence: 'What is forbidden has no owner, no reason and no last day: that is told as without effect.',
    text: 'host edge { iommu absent\nnoiommu forbidden { until 2027-03-01 } }',
    machine: edge,
    said: ['warning VP3126 2'],
  },
  {
    sentence: 'On its last day a permission holds.',
    text: `${permitted}\n${use}`,
    machine: edge,
    today: '2027-03-01',
    access: ['user dpdk: a via noiommu'],
  },
  {
    sentence: 'Past its last day it is gone, and what rests on it is an error.',
    text: `${permitted}\n${use}`,
    machine: edge,
    today: '2027-03-02',
    said: ['error VP3114 3, 1'],
  },
  {
    sentence: 'Past its last day the plan takes no-IOMMU mode back.',
    text: permitted,
    machine: switchedOn,
    today: '2027-03-02',
    plan: ['set vfio.enable_unsafe_noiommu_mode to N'],
  },
  {
    sentence: 'Where it is forbidden the plan takes it back, too.',
    text: 'host edge { noiommu forbidden }',
    machine: switchedOn,
    plan: ['set vfio.enable_unsafe_noiommu_mode to N'],
  },
];
