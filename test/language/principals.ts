import type { MachineWords } from '../machines.ts';
import type { Example } from './example.ts';
import { box, edge, permitted } from './machines.ts';

const use = (who: string, via = 'group', more = '') => `device a { at 03:00.0 }
policy p { bind a to vfio-pci
allow ${who} to use a via ${via} ${more}}`;
const given: MachineWords = {
  ...box,
  functions: (box.functions ?? []).map((fn) =>
    fn.at === '03:00.0' ? { ...fn, driver: 'vfio-pci', driverOverride: 'vfio-pci' } : fn,
  ),
  replace: { ...box.replace, nodes: [{ path: '/dev/vfio/3', uid: 1002, gid: 0, mode: 0o600 }] },
};
const acts = (who: string, more: string) =>
  `host box {}\n${use(who)}\ntest "it" on box { apply p ${more} expect kernel not tainted }`;

/** Who may, and who may not. */
export const principals: readonly Example[] = [
  {
    sentence: 'A user gets the node: owner and mode are his.',
    text: acts('user dpdk', 'as user dpdk { use a via group -> ok map 2 MiB at 0x0 -> ok }'),
    access: ['user dpdk: a via group'],
    tests: 1,
  },
  {
    sentence: 'A group gets the node, and each of its members the device.',
    text: acts(
      'group kvm',
      'as group kvm { use a via group -> ok } as user mallory { use a via group -> ok }',
    ),
    access: ['group kvm: a via group'],
    tests: 1,
  },
  {
    sentence: 'A service gets its node from its unit, and that is told.',
    text: acts('service vpp.service', 'as service vpp.service { use a via group -> ok }'),
    said: ['warning VP3124 4'],
    access: ['service vpp: a via group'],
    tests: 1,
  },
  {
    sentence: 'A virtual machine gets its node from what starts it.',
    text: acts('vm win11', 'as vm win11 { use a via group -> ok }'),
    access: ['vm win11: a via group'],
    tests: 1,
  },
  {
    sentence:
      'A virtual machine whose QEMU runs without a manager is the user that it runs as, and gets the node so.',
    machine: { ...box, users: [{ name: 'qemu-win', uid: 1003 }] },
    text: acts(
      'user qemu-win',
      'as user qemu-win { use a via group -> ok map 2 MiB at 0x0 -> ok } as vm qemu-win { open a -> EACCES }',
    ),
    access: ['user qemu-win: a via group'],
    tests: 1,
  },
  {
    sentence: 'A container gets its node from its engine, and that is told.',
    text: acts('container web', 'as container web { use a via group -> ok }'),
    said: ['warning VP3124 4'],
    access: ['container web: a via group'],
    tests: 1,
  },
  {
    sentence: 'Who is allowed a device locks as much memory as his limit says, and no more.',
    text: `host box {}\n${use('user dpdk')}\npolicy q { limit user dpdk to 64 MiB locked memory }
test "by default" on box { apply p as user dpdk { use a via group -> ok map 16 MiB at 0x0 -> ENOMEM } }
test "with a limit" on box { apply p, q as user dpdk { use a via group -> ok map 48 MiB at 0x0 -> ok map 48 MiB at 0x10000000 -> ENOMEM } }`,
    tests: 2,
  },
  {
    sentence:
      'Nothing is permitted by default: a device that is bound and allowed to nobody is opened by nobody.',
    text: `host box {}\ndevice a { at 03:00.0 }\npolicy p { bind a to vfio-pci }
test "it" on box { apply p as user dpdk { open a -> EACCES } as vm win11 { open a -> EACCES } as anyone { open a -> EACCES } }`,
    access: [],
    tests: 1,
  },
  {
    sentence: 'Nobody else than who is allowed can: the others are refused the node.',
    text: acts(
      'user dpdk',
      'as user spdk { open a -> EACCES } as user mallory { open a -> EACCES } as group kvm { open a -> EACCES } as service x { open a -> EACCES }',
    ),
    tests: 1,
  },
  {
    sentence: 'Who owns the node from an earlier day and is not allowed it is an error.',
    text: 'device a { at 03:00.0 }\npolicy p {\nbind a to vfio-pci }',
    machine: given,
    said: ['error VP4197 3'],
  },
  {
    sentence: 'A node that is given to who is allowed is nobody else’s any more.',
    text: use('user dpdk'),
    machine: given,
    plan: ['give /dev/vfio/3 to user dpdk (1000:0, mode 0600)'],
  },
  { sentence: 'Everybody may use no device.', text: use('anyone'), said: ['error VP3125 3'] },
  { sentence: 'Every user may use no device.', text: use('user *'), said: ['error VP3125 3'] },
  {
    sentence: 'A user whom the machine does not know is an error.',
    text: use('user nobody-here'),
    said: ['error VP3117 3'],
  },
  {
    sentence: 'Two users cannot both own one node: an error at both places.',
    text: `${use('user dpdk')}\npolicy q {\nallow user spdk to use a via group }`,
    said: ['error VP3116 5, 3'],
  },
  {
    sentence: 'A user and a group can share one.',
    text: `${use('user dpdk')}\npolicy q { allow group kvm to use a via group }`,
    access: ['group kvm: a via group', 'user dpdk: a via group'],
  },
  {
    sentence: 'A device may be allowed only if a policy binds it.',
    text: 'device a { at 03:00.0 }\npolicy p {\nallow user dpdk to use a via group }',
    said: ['error VP3109 3'],
  },
  {
    sentence: '`forbid` beats `allow`, and both places are named.',
    text: `${use('user dpdk')}\npolicy q {\nforbid user dpdk to use a }`,
    said: ['error VP3108 3, 5'],
  },
  {
    sentence: 'A service is called as its unit, with `.service` or without: it is forbidden either way.',
    text: `${use('service vpp')}\npolicy q {\nforbid service vpp.service to use a }`,
    said: ['error VP3108 3, 5', 'warning VP3124 3'],
  },
  {
    sentence: 'That holds of patterns, too.',
    text: `${use('service vpp.service')}\npolicy q {\nforbid service *pp to use a }`,
    said: ['error VP3108 3, 5', 'warning VP3124 3'],
  },
  {
    sentence: 'A forbid by a pattern beats an allow by name.',
    text: `policy q {\nforbid user d* to use any device via group }\n${use('user dpdk')}`,
    said: ['error VP3108 5, 2'],
  },
  {
    sentence: 'A forbid of every virtual machine beats the allow of one.',
    text: `${use('vm win11')}\npolicy q {\nforbid vm * to use any device }`,
    said: ['error VP3108 3, 5'],
  },
  {
    sentence: 'A forbid of anyone beats every allow.',
    text: `${use('container web')}\npolicy q {\nforbid anyone to use a via any }`,
    said: ['error VP3108 3, 5', 'warning VP3124 3'],
  },
  {
    sentence: 'A forbid of a group holds of its members.',
    text: `${use('user mallory')}\npolicy q {\nforbid group kvm to use a }`,
    said: ['error VP3108 3, 5'],
  },
  {
    sentence: 'A forbid of one way leaves the others.',
    text: `${use('user dpdk')}\npolicy q { forbid anyone to use any device via iommufd }`,
    access: ['user dpdk: a via group'],
  },
  {
    sentence: 'A forbid of another principal leaves the allow.',
    text: `${use('user dpdk')}\npolicy q { forbid vm * to use any device }`,
    access: ['user dpdk: a via group'],
  },
  {
    sentence: 'Capabilities make no difference to a forbid, and that is told.',
    text: `${use('user dpdk')}\npolicy q {\nforbid vm * with CAP_SYS_RAWIO to use a via noiommu }`,
    said: ['warning VP3126 5'],
  },
  {
    sentence: '`via group` is the node of the VFIO group.',
    text: use('user dpdk', 'group'),
    plan: [
      'unbind 0000:03:00.0 (a) from i40e',
      'let only vfio-pci bind 0000:03:00.0 (a)',
      'bind 0000:03:00.0 (a) to vfio-pci',
      'give /dev/vfio/3 to user dpdk (1000:0, mode 0600)',
    ],
  },
  {
    sentence: '`via iommufd` is the device’s own node and /dev/iommu.',
    text: use('user dpdk', 'iommufd'),
    plan: [
      'unbind 0000:03:00.0 (a) from i40e',
      'let only vfio-pci bind 0000:03:00.0 (a)',
      'bind 0000:03:00.0 (a) to vfio-pci',
      'give /dev/iommu to user dpdk (1000:0, mode 0600)',
      'give /dev/vfio/devices/vfio0 to user dpdk (1000:0, mode 0600)',
    ],
  },
  {
    sentence: '`via noiommu` is for a device without an IOMMU group only.',
    text: use('user dpdk', 'noiommu'),
    said: ['error VP3120 3'],
  },
  {
    sentence: '`via group` is for a device with an IOMMU group only.',
    text: `${permitted}\n${use('user dpdk', 'group')}`,
    machine: edge,
    said: ['error VP3120 4'],
  },
  {
    sentence: '`via any` takes the safest way that the machine and a user can use, and the plan says which.',
    text: use('user dpdk', 'any'),
    access: ['user dpdk: a via iommufd'],
  },
  {
    sentence: '`via any` takes the group where the kernel has no iommufd.',
    text: use('user dpdk', 'any'),
    machine: { ...box, options: { IOMMUFD: 'n', VFIO_DEVICE_CDEV: 'n' } },
    access: ['user dpdk: a via group'],
  },
  {
    sentence: '`via any` takes for a virtual machine the way that what starts it can use.',
    text: use('vm win11', 'any'),
    access: ['vm win11: a via group'],
  },
  {
    sentence: '`via any` takes no-IOMMU mode where nothing else is left.',
    text: `${permitted}\n${use('user dpdk', 'any')}`,
    machine: edge,
    access: ['user dpdk: a via noiommu'],
  },
  {
    sentence: 'Without an IOMMU a process needs CAP_SYS_RAWIO: who has it not is refused.',
    text: `${permitted}\n${use('user mallory', 'noiommu')}`,
    machine: edge,
    said: ['error VP4106 4'],
  },
  {
    sentence: 'A capability that the policy says a process has is its.',
    text: `${permitted}\n${use('user mallory with CAP_SYS_RAWIO', 'noiommu')}`,
    machine: edge,
    access: ['user mallory: a via noiommu'],
  },
  {
    sentence: 'A capability that Linux does not have is an error.',
    text: use('user dpdk with CAP_RAWIO'),
    said: ['error VP1023 3'],
  },
  {
    sentence: 'No virtual machine gets a device without an IOMMU: nothing translates its addresses.',
    text: `${permitted}\n${use('vm win11', 'noiommu')}`,
    machine: edge,
    said: ['error VP3115 4'],
  },
  {
    sentence: '`any device` of an allow is every function that a policy gives to VFIO.',
    text: `device b { at 03:00.1 }\n${use('user dpdk', 'group', 'bind b to vfio-pci allow group kvm to use any device via iommufd ')}`,
    access: ['group kvm: any device via iommufd', 'user dpdk: a via group'],
  },
];
