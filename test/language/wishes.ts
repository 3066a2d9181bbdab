import type { MachineWords } from '../machines.ts';
import type { Example } from './example.ts';
import { box, edge, permitted } from './machines.ts';

const a = 'device a { at 03:00.0 }\n';
const gpu = 'device gpu { class display }\n';
const bound: MachineWords = {
  ...box,
  functions: (box.functions ?? []).map((fn) =>
    fn.at === '03:00.0'
      ? { ...fn, driver: 'vfio-pci', driverOverride: 'vfio-pci', drivers: ['i40e', 'vfio-pci'] }
      : fn,
  ),
};
/** The host's driver is a module. */
const modular: MachineWords = {
  ...box,
  replace: {
    ...box.replace,
    modules: {
      vfio: { parameters: { enable_unsafe_noiommu_mode: 'N' } },
      vfio_pci: { parameters: {} },
      vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'N' } },
      i40e: { parameters: {} },
    },
  },
};
/** One of its ports has a driver for VFIO of its own, which is not loaded, as nothing of VFIO is. */
const variant: MachineWords = {
  ...box,
  functions: (box.functions ?? []).map((fn) =>
    fn.at === '03:00.1' ? { ...fn, drivers: ['i40e', 'i40e_vfio_pci'] } : fn,
  ),
  replace: {
    ...box.replace,
    drivers: ['i40e', 'vfio-pci'],
    modules: { i40e: { parameters: {} } },
    nodes: [],
  },
};
const toVfio = (name: string, address: string, driver: string) => [
  `unbind 0000:${address} (${name}) from ${driver}`,
  `let only vfio-pci bind 0000:${address} (${name})`,
  `bind 0000:${address} (${name}) to vfio-pci`,
];

/** What shall be. */
export const wishes: readonly Example[] = [
  {
    sentence: '`bind … to` a driver: it is unbound, kept for that driver, and bound.',
    text: `${a}policy p { bind a to vfio-pci }`,
    plan: toVfio('a', '03:00.0', 'i40e'),
  },
  {
    sentence: '`bind … to vfio` takes the best VFIO driver that there is for the device.',
    text: `${a}policy p { bind a to vfio }`,
    plan: toVfio('a', '03:00.0', 'i40e'),
  },
  {
    sentence: 'The best is a variant driver that is made for the device; it is loaded, and has to be named.',
    text: 'device a { at 03:00.1 }\npolicy p { bind a to vfio }',
    machine: variant,
    plan: [
      'load kernel module i40e_vfio_pci',
      'unbind 0000:03:00.1 (a) from i40e',
      'let only i40e_vfio_pci bind 0000:03:00.1 (a)',
      'bind 0000:03:00.1 (a) to i40e_vfio_pci',
    ],
  },
  {
    sentence: 'One that is made for other devices is not.',
    text: `${a}policy p { bind a to vfio }`,
    machine: variant,
    plan: ['load kernel module vfio_pci', ...toVfio('a', '03:00.0', 'i40e')],
  },
  {
    sentence: '`bind … to none` unbinds it.',
    text: `${a}policy p { bind a to none }`,
    plan: ['unbind 0000:03:00.0 (a) from i40e'],
  },
  {
    sentence: '`bind … to default` lets the kernel choose.',
    text: `${a}policy p { bind a to default }`,
    machine: bound,
    plan: [
      'unbind 0000:03:00.0 (a) from vfio-pci',
      'let any matching driver bind 0000:03:00.0 (a) again',
      'let the kernel choose a driver for 0000:03:00.0 (a)',
    ],
  },
  {
    sentence: 'What is as it shall be is left as it is.',
    text: `${a}policy p { bind a to vfio-pci }`,
    machine: bound,
    plan: [],
  },
  {
    sentence: 'What no policy names is left as it is.',
    text: 'policy p { protect devices that hold root }',
    machine: bound,
    plan: [],
  },
  {
    sentence: 'A driver that the machine has not is an error.',
    text: `${a}policy p { bind a to e1000 }`,
    said: ['error VP3118 2'],
  },
  {
    sentence: '`with its group` takes everything of its IOMMU group along.',
    text: `${gpu}policy p { bind gpu with its group to vfio-pci }`,
    plan: [...toVfio('gpu', '01:00.0', 'nouveau'), ...toVfio('gpu', '01:00.1', 'snd_hda_intel')],
  },
  {
    sentence: 'Without it, a group of which another member stays with the host is an error.',
    text: `${gpu}policy p { bind gpu to vfio-pci }`,
    said: ['error VP4101 2'],
  },
  {
    sentence: '`create` brings virtual functions, which are devices of the policy.',
    text: `device pf { at 07:00.0 }
devices vfs { virtual functions 0..1 of pf }
policy p { create 2 virtual functions on pf bind vfs to vfio-pci allow user dpdk to use vfs via group }`,
    chosen: { vfs: ['07:10.0', '07:10.2'] },
    access: ['user dpdk: vfs via group'],
    plan: [
      'let no driver take virtual functions of 0000:07:00.0 (pf) by itself',
      'create 2 virtual functions on 0000:07:00.0 (pf)',
      'let drivers take virtual functions of 0000:07:00.0 (pf) by themselves again',
      ...['07:10.0', '07:10.2'].flatMap((address) => toVfio('vfs', address, '').slice(1)),
      'give /dev/vfio/0 to user dpdk (1000:0, mode 0600)',
      'give /dev/vfio/10 to user dpdk (1000:0, mode 0600)',
    ],
  },
  {
    sentence:
      'A function that can have no virtual ones is told where they are wanted, and not where they are used.',
    text: `${a}devices vfs { virtual functions 0..3 of a }
policy p {
create 4 virtual functions on a
bind vfs to vfio-pci allow user dpdk to use vfs via group }`,
    said: ['error VP3134 4'],
  },
  {
    sentence: 'A set of functions that can have none is one mistake.',
    text: 'devices d { class storage.nvme }\npolicy p {\ncreate 4 virtual functions on d }',
    said: ['error VP3134 3'],
  },
  {
    sentence: 'Virtual functions that nobody creates are not there.',
    text: 'device pf { at 07:00.0 }\ndevices vfs { virtual functions 0..3 of pf }\npolicy p { bind vfs to vfio-pci }',
    said: ['error VP2103 2'],
  },
  {
    sentence: 'More virtual functions than the device can have are an error.',
    text: 'device pf { at 07:00.0 }\npolicy p {\ncreate 8 virtual functions on pf }',
    said: ['error VP4111 3'],
  },
  {
    sentence: '`limit` of a user or a group is a file that its login reads.',
    text: `${a}policy p { bind a to vfio-pci allow user dpdk to use a via group
limit user dpdk to 4 GiB locked memory }`,
    plan: [
      ...toVfio('a', '03:00.0', 'i40e'),
      'give /dev/vfio/3 to user dpdk (1000:0, mode 0600)',
      'write /etc/security/limits.d/60-vfioplan.conf: user dpdk may lock 4 GiB of memory, from the next login on',
    ],
  },
  {
    sentence: '`limit` of a service is a drop-in of its unit.',
    text: `${a}policy p { bind a to vfio-pci allow service vpp to use a via group
limit service vpp to 4 GiB locked memory }`,
    said: ['warning VP3124 2'],
    plan: [
      ...toVfio('a', '03:00.0', 'i40e'),
      'make the directory /etc/systemd/system/vpp.service.d',
      'write /etc/systemd/system/vpp.service.d/60-vfioplan.conf: service vpp may lock 4 GiB of memory, from its next start after `systemctl daemon-reload` on',
    ],
  },
  {
    sentence:
      'What starts a virtual machine or a container sets its limit: that is told as what no step brings about.',
    text: `${a}policy p { bind a to vfio-pci allow vm win11 to use a via group
limit vm win11 to 4 GiB locked memory }`,
    said: ['warning VP3133 3'],
  },
  {
    sentence: '`persist across boots` is files that a boot reads: the module, and what udev does.',
    text: `${a}policy p { bind a to vfio-pci allow group dpdk to use a via group
persist across boots }`,
    machine: modular,
    said: ['warning VP3133 3'],
    plan: [
      ...toVfio('a', '03:00.0', 'i40e'),
      'give /dev/vfio/3 to group dpdk (0:1000, mode 0660)',
      'write /etc/modules-load.d/vfioplan.conf: each boot loads vfio-pci',
      'write /etc/udev/rules.d/60-vfioplan.rules: at each boot what no other driver has by then is bound to vfio-pci, nodes are given to group dpdk',
    ],
  },
  {
    sentence:
      '`before drivers` has those of the host loaded behind; that an initramfs comes before all files is told.',
    text: `${a}policy p { bind a to vfio-pci
persist across boots, before drivers }`,
    machine: modular,
    said: ['warning VP3133 3'],
    plan: [
      ...toVfio('a', '03:00.0', 'i40e'),
      'write /etc/modprobe.d/vfioplan.conf: drivers of the host are loaded behind those',
      'write /etc/modules-load.d/vfioplan.conf: each boot loads vfio-pci',
      'write /etc/udev/rules.d/60-vfioplan.rules: at each boot what no other driver has by then is bound to vfio-pci',
    ],
  },
  {
    sentence: '`persist nothing` holds until the next boot, and nothing is told.',
    text: `${a}policy p { bind a to vfio-pci persist nothing }`,
    plan: toVfio('a', '03:00.0', 'i40e'),
  },
  {
    sentence: '`confirm within` is kept in the plan, and wants no step.',
    text: `${a}policy p { bind a to vfio-pci confirm within 2 min }`,
    plan: toVfio('a', '03:00.0', 'i40e'),
  },
  {
    sentence: 'Two policies that let a plan wait differently are an error at both places.',
    text: `${a}policy p { bind a to vfio-pci
confirm within 60 s }
policy q { confirm within 1 min }
policy r {
confirm within 2 min }`,
    said: ['error VP3132 6, 3'],
  },
  {
    sentence: 'A plan waits from a second to a day.',
    text: `${a}policy p { bind a to vfio-pci
confirm within 25 h }
policy q {
confirm within 0 s }`,
    said: ['error VP1011 3', 'error VP1011 5'],
  },
  {
    sentence: 'A device that does no DMA may be used without an IOMMU; what rests on that claim is told.',
    text: `${permitted}
device a { at 03:00.0
dma none "fused off" }
policy p { bind a to vfio-pci allow user dpdk to use a via noiommu
require a isolated }`,
    machine: edge,
    said: ['info VP3127 3, 4, 5'],
    access: ['user dpdk: a via noiommu'],
  },
  {
    sentence: 'A claim has a reason: one that says nothing is told.',
    text: `${permitted}
device a { at 03:00.0
dma none "…" }
policy p { bind a to vfio-pci allow user dpdk to use a via noiommu }`,
    machine: edge,
    said: ['warning VP1033 3', 'info VP3127 3, 4'],
    access: ['user dpdk: a via noiommu'],
  },
  {
    sentence: 'Without that claim, nothing is isolated without an IOMMU.',
    text: `${permitted}
${a}policy p { bind a to vfio-pci allow user dpdk to use a via noiommu
require a isolated }`,
    machine: edge,
    said: ['error VP3106 4'],
  },
  {
    sentence: 'Two statements that want different drivers for one function are an error at both places.',
    text: `${a}policy p { bind a to vfio-pci }
device b { netdev eth0 }
policy q { bind b to none }`,
    said: ['error VP3107 4, 2'],
  },
  {
    sentence: 'Two policies that want different numbers of virtual functions are an error at both places.',
    text: `device pf { at 07:00.0 }
policy p { create 2 virtual functions on pf }
policy q { create 3 virtual functions on pf }`,
    said: ['error VP3132 3, 2'],
  },
  {
    sentence: 'Two policies that limit one principal differently are an error at both places.',
    text: `${a}policy p { bind a to vfio-pci allow user dpdk to use a via group persist nothing
limit user dpdk to 4 GiB locked memory }
policy q {
limit user * to 1 GiB locked memory }`,
    said: ['error VP3132 5, 3'],
  },
  {
    sentence: 'A statement that another makes needless is told, with the other.',
    text: `${a}policy p { bind a to vfio-pci }
policy q { bind a to vfio-pci }`,
    said: ['warning VP3126 3, 2'],
  },
  {
    sentence: 'What is needless for today but is kept across boots is not: then the other one is.',
    text: `${a}policy p {\nbind a to vfio-pci }
policy q { bind a to vfio-pci persist across boots }`,
    machine: modular,
    said: ['warning VP3126 3, 4'],
  },
  {
    sentence: 'Of two statements the one that says less is needless, whichever comes first.',
    text: `${a}devices both { id 8086:1572 }\npolicy p {\nbind a to vfio-pci\nbind both to vfio-pci }`,
    said: ['warning VP3126 4, 5'],
  },
  {
    sentence: 'That holds of virtual functions, too.',
    text: `device pf { at 07:00.0 }
policy p { create 2 virtual functions on pf }
policy q { create 2 virtual functions on pf }`,
    said: ['warning VP3126 3, 2'],
  },
  {
    sentence: 'A limit for somebody who is allowed nothing has no effect, and that is told.',
    text: `${a}policy p { bind a to vfio-pci
limit user spdk to 4 GiB locked memory }`,
    said: ['warning VP3126 3'],
  },
  {
    sentence: 'A claim that nothing rests on has no effect, and that is told.',
    text: 'device a { at 03:00.0\ndma none "fused off" }\npolicy p { bind a to vfio-pci }',
    said: ['warning VP3126 2'],
  },
  {
    sentence: 'An allow of any device, where no device is taken, has no effect, and that is told.',
    text: 'policy p {\nallow user dpdk to use any device via group }',
    said: ['warning VP3126 2'],
  },
  {
    sentence: 'To keep what a policy does not bring about has no effect, and that is told.',
    text: 'policy p { protect devices that hold root\npersist across boots }',
    said: ['warning VP3126 2'],
  },
  {
    sentence: 'A set that is empty here, as its count allows, is no mistake.',
    text: 'devices d { id 8086:1573 count 0..4 }\npolicy p { bind d to vfio-pci allow user dpdk to use d via group require d isolated }',
    plan: [],
  },
];
