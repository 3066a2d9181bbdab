import type { BlockDevice, Netdev, PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';

const why = { unknown: 'this snapshot was made by hand' };

/** A function of which only what a test names is known. */
export function pciFunction(address: string, facts: Partial<PciFunction> = {}): PciFunction {
  return {
    address,
    vendor: '8086',
    device: '1572',
    subsystemVendor: why,
    subsystemDevice: why,
    class: '020000',
    revision: why,
    headerType: 0,
    driver: null,
    driverOverride: null,
    drivers: why,
    iommuGroup: null,
    slot: why,
    serial: null,
    numaNode: why,
    resetMethods: why,
    bars: why,
    capabilities: why,
    sriov: null,
    physicalFunction: null,
    netdevs: [],
    blockDevices: [],
    ...facts,
  };
}

/** A machine of which only what a test names is known. */
export function snapshotOf(facts: Partial<Snapshot> = {}): Snapshot {
  return {
    format: 'vfioplan.snapshot',
    version: 1,
    source: { kind: 'handmade' },
    hostname: 'edge-01',
    architecture: 'x86_64',
    kernel: {
      release: '6.12.0',
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
    iommu: { units: why, interruptRemapping: why, groups: why },
    modules: why,
    drivers: why,
    functions: [],
    blockDevices: [],
    netdevs: [],
    routes: [],
    managementPeers: [],
    users: [],
    userGroups: [],
    nodes: [],
    ...facts,
  };
}

/** A block device that nothing uses. */
export function blockDevice(name: string, facts: Partial<BlockDevice> = {}): BlockDevice {
  return {
    name,
    function: null,
    parent: null,
    mounts: [],
    swap: false,
    holders: [],
    signature: null,
    serial: null,
    ...facts,
  };
}

/** A network device that nothing uses. */
export function netdev(name: string, facts: Partial<Netdev> = {}): Netdev {
  return { name, function: null, mac: null, up: true, master: null, lower: [], addresses: [], ...facts };
}
