import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Process, State, World } from '../../../src/model/state.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { intelUnit } from '../../machines.ts';

/**
 * The machine that the model's tests run on: group 7 holds two network functions and group 8 one, a bridge sits in group
 * 9, and `0000:04:00.0` and `0000:05:00.0` have no IOMMU group; the latter is a conventional
 * device without any interrupt.
 */
export function snapshotOf(
  functions: readonly PciFunction[] = machine,
  over: Partial<Snapshot> = {},
): Snapshot {
  return {
    format: 'vfioplan.snapshot',
    version: 1,
    source: { kind: 'handmade' },
    hostname: 'test',
    architecture: 'x86_64',
    kernel: {
      release: '6.12.117',
      taint: 0,
      lockdown: 'none',
      commandLine: [],
      options: {
        VFIO: 'm',
        VFIO_PCI: 'm',
        VFIO_IOMMU_TYPE1: 'm',
        VFIO_GROUP: 'y',
        VFIO_CONTAINER: 'y',
        VFIO_NOIOMMU: 'y',
        VFIO_DEVICE_CDEV: 'n',
        IOMMUFD: 'n',
      },
    },
    iommu: {
      units: ['dmar0'],
      translation: [intelUnit],
      interruptRemapping: true,
      groups: [7, 8, 9].map((id) => ({
        id,
        type: 'DMA',
        reserved: [{ start: '0xfee00000', end: '0xfeefffff', type: 'msi' as const }],
      })),
    },
    modules: {
      vfio: { parameters: { enable_unsafe_noiommu_mode: 'N' } },
      vfio_iommu_type1: {
        parameters: { allow_unsafe_interrupts: 'N', disable_hugepages: 'N', dma_entry_limit: '65535' },
      },
      vfio_pci_core: { parameters: {} },
      vfio_pci: { parameters: { nointxmask: 'N', disable_idle_d3: 'N' } },
      e1000e: { parameters: {} },
    },
    drivers: ['e1000e', 'pcieport', 'pci-stub', 'vfio-pci'],
    functions,
    blockDevices: [],
    netdevs: [],
    routes: [],
    managementPeers: [],
    users: [],
    userGroups: [],
    nodes: ['/dev/vfio/vfio', '/dev/kvm'].map((path) => ({ path, uid: 0, gid: 0, mode: 0o666 })),
    ...over,
  };
}

export function functionAt(address: string, over: Partial<PciFunction> = {}): PciFunction {
  return {
    address,
    vendor: '8086',
    device: '10d3',
    subsystemVendor: '8086',
    subsystemDevice: '0000',
    class: '020000',
    revision: '00',
    headerType: 0,
    driver: 'e1000e',
    driverOverride: null,
    drivers: ['e1000e'],
    iommuGroup: null,
    slot: [],
    serial: null,
    numaNode: -1,
    resetMethods: ['flr'],
    bars: [
      { index: 0, start: '0xf0000000', size: 131072, kind: 'memory', prefetchable: false },
      { index: 2, start: '0xe000', size: 32, kind: 'io', prefetchable: false },
    ],
    capabilities: { express: true, msiVectors: 1, msixVectors: 5, interruptPin: 1, configSize: 4096 },
    sriov: null,
    physicalFunction: null,
    netdevs: [],
    blockDevices: [],
    ...over,
  };
}

export const pair = '0000:01:00.0';
export const sibling = '0000:01:00.1';
export const single = '0000:02:00.0';
export const bridge = '0000:03:00.0';
export const bare = '0000:04:00.0';
export const bareToo = '0000:05:00.0';

export const machine: readonly PciFunction[] = [
  functionAt(pair, { iommuGroup: 7 }),
  functionAt(sibling, { iommuGroup: 7 }),
  functionAt(single, { iommuGroup: 8 }),
  functionAt(bridge, {
    iommuGroup: 9,
    class: '060400',
    headerType: 1,
    driver: 'pcieport',
    drivers: ['pcieport'],
  }),
  functionAt(bare),
  functionAt(bareToo, {
    capabilities: { express: false, msiVectors: 0, msixVectors: 0, interruptPin: 0, configSize: 256 },
  }),
];

/** A process with access to every node, but without CAP_SYS_RAWIO. */
export const user: Process = {
  pid: 100,
  uid: 1000,
  gid: 1000,
  groups: [1000],
  capabilities: new Set(['CAP_DAC_OVERRIDE']),
  memlock: 65536,
};

/** A process with no capabilities at all. */
export const nobody: Process = {
  ...user,
  pid: 200,
  uid: 65534,
  gid: 65534,
  groups: [],
  capabilities: new Set(),
};

export function testWorld(
  profile: ProfileId = '6.12',
  snapshot: Snapshot = snapshotOf(),
): { world: World; state: State } {
  return worldFrom(snapshot, { profile, processes: [user, nobody] });
}
