import type { FunctionWords, MachineWords } from '../machines.ts';
import type { Example } from './example.ts';
import { box, edge, permitted } from './machines.ts';

const a = 'device a { at 03:00.0 }\n';
const usb = 'device usb { at 08:00.0 }\n';
const disk = 'device disk { block nvme2n1 }\n';
const dark: MachineWords = {
  ...box,
  replace: { ...box.replace, blockDevices: { unknown: 'not read' } },
};
const unsafe: MachineWords = {
  ...box,
  replace: {
    ...box.replace,
    modules: {
      vfio: { parameters: {} },
      vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'Y' } },
      vfio_pci: { parameters: {} },
    },
  },
};

/** A card that shares its group with a device that the host uses for one thing alone. */
function beside(what: 'root' | 'boot' | 'swap' | 'management'): MachineWords {
  const card: FunctionWords = { at: '05:00.0', id: '1b21:2142', class: 'usb', driver: 'xhci_hcd', group: 5 };
  if (what === 'management') {
    const port: FunctionWords = { at: '05:00.1', id: '8086:15b8', class: 'nic', driver: 'e1000e', group: 5 };
    const way: MachineWords = { nics: [{ name: 'eno1', on: '05:00.1' }], routes: { default: 'eno1' } };
    return { hostname: 'box', functions: [card, port], ...way };
  }
  const sata: FunctionWords = { at: '05:00.1', id: '1b21:0612', class: 'sata', driver: 'ahci', group: 5 };
  const use = what === 'swap' ? { swap: true } : { mounts: [what === 'root' ? '/' : '/boot'] };
  return { hostname: 'box', functions: [card, sata], disks: [{ name: 'sda', on: '05:00.1', ...use }] };
}

/** What must hold in every state. */
export const laws: readonly Example[] = [
  {
    sentence: 'What the host runs on is protected without a word.',
    text: 'device d { holding root }\npolicy p {\nbind d to vfio-pci }',
    said: ['error VP3101 3'],
  },
  {
    sentence: 'What is mounted is, too.',
    text: `${disk}policy p {\nbind disk to vfio-pci }`,
    said: ['error VP3102 3'],
  },
  {
    sentence: 'The way in to the machine is, too.',
    text: 'device d { netdev eno1 }\npolicy p {\nbind d to vfio-pci }',
    said: ['error VP3104 3'],
  },
  {
    sentence: 'A group that would take along what the host needs is not taken.',
    text: `${usb}policy p {\nbind usb with its group to vfio-pci }`,
    said: ['error VP3103 3'],
  },
  {
    sentence: 'No plan may touch a protected device.',
    text: `${a}policy p {\nbind a to vfio-pci }\npolicy q {\nprotect a }`,
    said: ['error VP3105 3, 5'],
  },
  {
    sentence: 'No plan may touch what shares a group with a protected device.',
    text: 'device sound { at 01:00.1 }\ndevice gpu { at 01:00.0 }\npolicy p {\nbind sound to none }\npolicy q {\nprotect gpu }',
    said: ['error VP3105 4, 6'],
  },
  {
    sentence: 'No plan may touch what shares a group with a device that holds what is protected.',
    text: `${usb}policy p {\nbind usb to none }\npolicy q {\nprotect devices that hold root, boot, swap, management }`,
    said: ['error VP3105 3, 5'],
  },
  ...(['root', 'boot', 'swap', 'management'] as const).flatMap((what): Example[] => {
    const text = 'device card { at 05:00.0 }\npolicy p {\nbind card to none }';
    const law = `\npolicy q {\nprotect devices that hold ${what} }`;
    const sentence = `What shares a group with what holds ${what} is touched`;
    const plan = ['unbind 0000:05:00.0 (card) from xhci_hcd'];
    return [
      {
        ...{ sentence: `${sentence} by no plan where a law protects that.`, text: text + law },
        ...{ machine: beside(what), said: ['error VP3105 3, 5'] },
      },
      { sentence: `${sentence} where no law does.`, text, machine: beside(what), plan },
    ];
  }),
  {
    sentence: 'Without such a law, a sibling may be unbound: its driver is nothing that the host runs on.',
    text: `${usb}policy p { bind usb to none }`,
    plan: ['unbind 0000:08:00.0 (usb) from xhci_hcd'],
  },
  {
    sentence: 'What a sibling holds and nobody has looked at must be seen before the plan is carried out.',
    text: `${usb}policy p {\nbind usb to none }\npolicy q {\nprotect devices that hold swap }`,
    machine: dark,
    said: ['warning VP3302 5'],
  },
  {
    sentence: 'No virtual functions are created on a protected device.',
    text: 'device pf { at 07:00.0 }\npolicy p {\ncreate 2 virtual functions on pf }\npolicy q {\nprotect pf }',
    said: ['error VP3105 3, 5'],
  },
  {
    sentence: 'A law that its policy states twice is told; those of another policy stand for themselves.',
    text: `${a}policy p { protect a require a isolated require a resets by pm, flr
require a resets by flr, pm
require a isolated
protect a forbid anyone to use a via noiommu
forbid anyone to use a via noiommu
}
policy q { protect a forbid anyone to use a via noiommu }`,
    said: ['warning VP3126 3, 2', 'warning VP3126 4, 2', 'warning VP3126 5, 2', 'warning VP3126 6, 5'],
  },
  {
    sentence: 'A protected device may be named for what it is.',
    text: `${a}policy p { bind a to i40e protect a }`,
    plan: [],
  },
  {
    sentence: '`isolated`: nothing else that the host uses shares its group.',
    text: 'device gpu { at 01:00.0 }\npolicy p { bind gpu with its group to vfio-pci require gpu isolated }',
    said: [],
  },
  {
    sentence: 'What shares its group with something that the host uses is not isolated.',
    text: 'device gpu { at 01:00.0 }\npolicy p {\nrequire gpu isolated }',
    said: ['error VP3106 3'],
  },
  {
    sentence: '`resets by`: one of the ways is enough.',
    text: `${a}policy p { require a resets by pm, flr }`,
  },
  {
    sentence: 'A device that resets in none of the ways is an error.',
    text: 'device d { at 07:00.0 }\npolicy p {\nrequire d resets by flr, bus }',
    said: ['error VP3128 3'],
  },
  {
    sentence: 'A way to reset that the kernel does not have is an error.',
    text: `${a}policy p {\nrequire a resets by magic }`,
    said: ['error VP1025 3'],
  },
  { sentence: '`numa`: one of the nodes is enough.', text: `${a}policy p { require a numa 1, 0 }` },
  {
    sentence: 'A device on another node is an error.',
    text: `${a}policy p {\nrequire a numa 1 }`,
    said: ['error VP3129 3'],
  },
  {
    sentence: 'Of a set each must be as is required.',
    text: 'devices d { id 8086:1572 }\npolicy p {\nrequire d numa 1 }',
    said: ['error VP3129 3'],
  },
  {
    sentence: '`never bound to` is asked once the plan has begun with the device.',
    text: `${a}policy p { bind a to vfio-pci require a never bound to i40e }`,
    plan: [
      'unbind 0000:03:00.0 (a) from i40e',
      'let only vfio-pci bind 0000:03:00.0 (a)',
      'bind 0000:03:00.0 (a) to vfio-pci',
    ],
  },
  {
    sentence: 'It is asked of every state: between two drivers there is none.',
    text: `${a}policy p {\nbind a to vfio-pci\nrequire a never bound to none }`,
    said: ['error VP3130 4, 3'],
  },
  {
    sentence: 'It is asked of a device that the plan leaves as it is.',
    text: `${a}policy p {\nrequire a never bound to i40e }`,
    said: ['error VP3130 3'],
  },
  {
    sentence: '`forbid unsafe interrupts` holds of the machine as it is.',
    text: 'policy p { forbid unsafe interrupts }',
  },
  {
    sentence: 'Where unsafe interrupts are on, it is an error.',
    text: 'policy p {\nforbid unsafe interrupts }',
    machine: unsafe,
    said: ['error VP3121 2'],
  },
  {
    sentence: 'Without an IOMMU, no-IOMMU mode may be forbidden to everybody but on hosts with a label.',
    text: `${permitted}\n${a}policy p { bind a to vfio-pci
allow user dpdk to use a via noiommu
forbid anyone to use any device via noiommu unless host role is "lab" }`,
    machine: edge,
    said: ['error VP3108 4, 5'],
  },
];
