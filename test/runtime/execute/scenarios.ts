import {
  directoryMark,
  dropInPath,
  ownMark,
  ownPaths,
  usualDirectories,
} from '../../../src/machine/configuration.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { planPolicy } from '../../checked.ts';
import { type MachineWords, machine, usualConfiguration } from '../../machines.ts';
import { type PolicyWords, planOf } from '../../src/plan/policies.ts';

/** Plans that between them hold every operation that a plan can have. */
export interface Scenario {
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly plan: Plan;
}

const nic = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'e1000e', drivers: ['e1000e'] } as const;
const taken = { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;

/** What vfioplan wrote for a policy that limited user dpdk to less, and a service of its own directory. */
const ofEarlierPolicy = {
  readOnly: false,
  directories: [
    ...usualDirectories.map((path) => ({ path, others: true })),
    { path: '/etc/systemd/system/old.service.d', others: false },
  ],
  files: [
    { path: ownPaths.limits, text: `${ownMark}\ndpdk - memlock 1048576\n` },
    {
      path: dropInPath('old.service'),
      text: `${ownMark}\n${directoryMark}\n[Service]\nLimitMEMLOCK=1\n`,
    },
  ],
};

const vfioModules = {
  vfio: { parameters: { enable_unsafe_noiommu_mode: 'N' } },
  vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'N' } },
  vfio_pci: { parameters: {} },
};

export const scenarios: readonly Scenario[] = [
  scenario('one function without an IOMMU, VFIO not loaded', {
    snapshot: machine({
      iommu: 'none',
      functions: [nic],
      replace: { modules: {}, nodes: [], drivers: ['e1000e'] },
    }),
    bind: { '03:00.0': 'vfio-pci' },
    allow: [['user dpdk', '03:00.0', 'noiommu']],
    noiommu: 'allowed',
  }),
  scenario('a group of two and a function of its own', {
    snapshot: machine({
      functions: [
        { ...nic, group: 7 },
        { ...nic, at: '03:00.1', group: 7 },
        {
          ...nic,
          at: '04:00.0',
          id: '10de:2684',
          class: 'gpu',
          group: 8,
          driver: 'nouveau',
          drivers: ['nouveau'],
        },
      ],
    }),
    bind: { '03:00.0': 'vfio-pci', '03:00.1': 'vfio-pci', '04:00.0': 'vfio-pci' },
    allow: [
      ['user dpdk', '03:00.0', 'group'],
      ['group kvm', '04:00.0', 'any'],
    ],
  }),
  scenario('back to the drivers that the kernel chooses', {
    snapshot: machine({
      functions: [
        { ...taken, group: 7 },
        { ...taken, at: '04:00.0', group: 8 },
      ],
      drivers: ['vfio-pci', 'e1000e'],
      replace: {
        nodes: [
          { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
          { path: '/dev/vfio/7', uid: 1000, gid: 0, mode: 0o600 },
          { path: '/dev/vfio/8', uid: 0, gid: 0, mode: 0o600 },
        ],
        modules: {
          vfio: { parameters: { enable_unsafe_noiommu_mode: 'Y' } },
          vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'N' } },
          vfio_pci_core: { parameters: {} },
          vfio_pci: { parameters: {} },
        },
      },
    }),
    bind: { '03:00.0': 'default', '04:00.0': 'none' },
    noiommu: 'expired',
  }),
  written(
    'a function with a node of its own, and /dev/iommu',
    `device a { at 03:00.0 }
policy p { bind a to vfio-pci allow user dpdk to use a via iommufd }`,
    {
      functions: [nic],
      replace: {
        modules: { vfio: { parameters: {} }, iommufd: { parameters: {} }, vfio_pci: { parameters: {} } },
        nodes: [
          { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
          { path: '/dev/iommu', uid: 0, gid: 0, mode: 0o660 },
        ],
        vfioDevices: [],
      },
    },
  ),
  written(
    'virtual functions that come with the plan',
    `device uplink { at 03:00.0 }
devices vfs { virtual functions 0..1 of uplink }
device third { virtual functions 2 of uplink }
policy p {
  create 3 virtual functions on uplink
  bind   vfs to vfio-pci
  allow  user dpdk to use vfs via group
  require uplink never bound to vfio
  require third never bound to vfio
}`,
    {
      functions: [
        {
          ...nic,
          driver: 'igb',
          drivers: ['igb'],
          sriov: { totalVfs: 7, numVfs: 0, routing: { offset: 128, stride: 2, device: '10ca' } },
        },
      ],
    },
  ),
  written(
    'files for limits, in the place of others that an earlier policy wanted',
    `device a { at 03:00.0 }
policy p {
  bind  a to vfio-pci
  allow user dpdk to use a via group
  allow service vpp to use a via group
  limit user dpdk to 4 GiB locked memory
  limit service vpp to 1 GiB locked memory
}`,
    { functions: [taken], replace: { configuration: ofEarlierPolicy } },
  ),
  written(
    'files for a boot, in the place of those of an earlier policy',
    `host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } }
device a { at 03:00.0 }
policy p {
  bind    a to vfio-pci
  allow   user dpdk with CAP_SYS_RAWIO to use a via noiommu
  persist across boots, before drivers
}`,
    {
      iommu: 'none',
      functions: [{ ...nic, group: null }],
      replace: {
        modules: { ...vfioModules, e1000e: { parameters: {} } },
        configuration: {
          ...usualConfiguration,
          files: [{ path: ownPaths.rules, text: `${ownMark}\nSUBSYSTEM=="vfio", OWNER="1"\n` }],
        },
      },
    },
  ),
];

function written(name: string, text: string, words: MachineWords): Scenario {
  return { name, snapshot: machine(words), plan: planPolicy(text, words) };
}

function scenario(name: string, words: PolicyWords): Scenario {
  return { name, snapshot: words.snapshot, plan: planOf(words) };
}
