import { usualDirectories } from '../src/machine/configuration.ts';
import type { BlockDevice, Netdev, PciFunction, Snapshot } from '../src/machine/snapshot.ts';

/**
 * Complete, valid snapshots from few words. What a test does not mention has an ordinary, known value: an idle
 * machine with every VFIO option, running 6.12, whose functions are endpoints in groups of their own. `MachineWords`
 * is plain JSON, so fixtures can be files. A fact is made unknown by giving `{ "unknown": "why" }` in its place.
 */
export interface MachineWords {
  readonly hostname?: string;
  /** `intel` or `amd`: active, with interrupt remapping and a group for each function. Default `intel`. */
  readonly iommu?: 'intel' | 'amd' | 'none';
  readonly interruptRemapping?: boolean;
  readonly coherent?: boolean;
  /** Default `6.12.0`. */
  readonly kernel?: string;
  readonly architecture?: string;
  readonly taint?: number;
  readonly options?: Partial<Snapshot['kernel']['options']>;
  readonly functions?: readonly FunctionWords[];
  readonly disks?: readonly DiskWords[];
  readonly nics?: readonly NicWords[];
  /** Destination to netdev: `{ "default": "eno1" }`. */
  readonly routes?: Readonly<Record<string, string>>;
  readonly users?: readonly UserWords[];
  readonly userGroups?: Readonly<Record<string, number>>;
  /** Reserved regions by IOMMU group. */
  readonly reserved?: Readonly<Record<string, readonly ReservedRegion[]>>;
  /** Drivers present beside those that the functions name. Default: `vfio-pci`. */
  readonly drivers?: readonly string[];
  /** Whole top-level fields to put in place of what the words above gave, as they stand. */
  readonly replace?: Partial<Snapshot>;
}

export type FunctionWords = {
  /** `03:00.0`, or with its domain. */
  readonly at: string;
  /** `8086:1572`. */
  readonly id: string;
  /** `nic`, `nvme`, `gpu` … (see `classCodes`), or six hex digits. */
  readonly class: keyof typeof classCodes | (string & {});
  /** The IOMMU group; default: one of its own. */
  readonly group?: number | null | { readonly unknown: string };
  readonly driver?: PciFunction['driver'];
} & Partial<Omit<PciFunction, 'address' | 'vendor' | 'device' | 'class' | 'iommuGroup' | 'driver'>>;

type DiskWords = {
  readonly name: string;
  readonly on?: string | null;
  readonly parts?: readonly PartWords[];
} & Partial<Omit<BlockDevice, 'name' | 'function' | 'parent'>>;
type PartWords = { readonly name: string } & Partial<Omit<BlockDevice, 'name' | 'function' | 'parent'>>;
type NicWords = { readonly name: string; readonly on?: string | null } & Partial<
  Omit<Netdev, 'name' | 'function'>
>;
type UserWords = { readonly name: string; readonly uid: number; readonly gid?: number } & Partial<
  Pick<Known<Snapshot['users']>[number], 'groups' | 'capabilities'>
>;
type Known<T> = Exclude<T, { readonly unknown: string }>;
type ReservedRegion = Known<Known<Snapshot['iommu']['groups']>[number]['reserved']>[number];

const classCodes = {
  nic: '020000',
  nvme: '010802',
  sata: '010601',
  gpu: '030000',
  audio: '040300',
  usb: '0c0330',
  bridge: '060400',
  host: '060000',
  isa: '060100',
  accelerator: '120000',
} as const;

export function machine(words: MachineWords = {}): Snapshot {
  const active = (words.iommu ?? 'intel') !== 'none';
  const functions = (words.functions ?? []).map((f, index) => pciFunction(f, active ? index : null, words));
  const snapshot: Snapshot = {
    format: 'vfioplan.snapshot',
    version: 1,
    source: { kind: 'handmade' },
    hostname: words.hostname ?? 'testbox',
    architecture: words.architecture ?? 'x86_64',
    kernel: kernel(words),
    iommu: {
      units: active ? [words.iommu === 'amd' ? 'ivhd0' : 'dmar0'] : [],
      translation: active ? [words.iommu === 'amd' ? amdUnit : intelUnit] : [],
      interruptRemapping: words.interruptRemapping ?? active,
      ...(words.coherent === undefined ? {} : { coherent: words.coherent }),
      groups: groupsOf(functions, words),
    },
    modules: modulesOf(words),
    drivers: driversOf(functions, words),
    functions,
    blockDevices: (words.disks ?? []).flatMap(disk),
    netdevs: (words.nics ?? []).map(nic),
    routes: Object.entries(words.routes ?? {}).map(([destination, netdev]) => ({
      destination,
      netdev,
      gateway: destination === 'default' ? '192.0.2.1' : null,
    })),
    managementPeers: [],
    users: (words.users ?? [{ name: 'dpdk', uid: 1000 }]).map((u) => ({
      name: u.name,
      uid: u.uid,
      gid: u.gid ?? u.uid,
      groups: u.groups ?? [u.name],
      capabilities: u.capabilities ?? [],
    })),
    userGroups: Object.entries(words.userGroups ?? { dpdk: 1000, kvm: 36 }).map(([name, gid]) => ({
      name,
      gid,
    })),
    nodes: [{ path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 }],
    configuration: usualConfiguration,
  };
  return { ...snapshot, ...words.replace };
}

/** The directories of a distribution, and no file of vfioplan's. */
export const usualConfiguration = {
  readOnly: false,
  directories: usualDirectories.map((path) => ({ path, others: true })),
  files: [],
} as const satisfies Snapshot['configuration'];

const amdUnit = {
  name: 'ivhd0',
  addressBits: 64,
  pageSizes: '0xffffff7ffffff000',
  snoopControl: true,
} as const;

/** Four levels of page tables, pages of 2 MiB and 1 GiB. */
export const intelUnit = {
  name: 'dmar0',
  addressBits: 48,
  pageSizes: '0x40201000',
  snoopControl: true,
} as const;

/** `03:00.0` with its domain: `0000:03:00.0`. */
function full(address: string): string {
  return /^[0-9a-f]{2}:/.test(address) ? `0000:${address}` : address;
}

function kernel(words: MachineWords): Snapshot['kernel'] {
  return {
    release: words.kernel ?? '6.12.0',
    taint: words.taint ?? 0,
    lockdown: 'none',
    commandLine: [],
    options: {
      VFIO: 'm',
      VFIO_PCI: 'm',
      VFIO_IOMMU_TYPE1: 'm',
      VFIO_GROUP: 'y',
      VFIO_CONTAINER: 'y',
      VFIO_NOIOMMU: 'y',
      VFIO_DEVICE_CDEV: 'y',
      IOMMUFD: 'm',
      ...words.options,
    },
  };
}

function pciFunction(words: FunctionWords, ownGroup: number | null, machineWords: MachineWords): PciFunction {
  const { at, id, class: kind, group, driver, ...rest } = words;
  const address = full(at);
  const [vendor = '', device = ''] = id.split(':');
  const code = (classCodes as Record<string, string>)[kind] ?? kind;
  const bridge = code === classCodes.bridge;
  const bound = driver ?? null;
  return {
    address,
    vendor,
    device,
    subsystemVendor: '1af4',
    subsystemDevice: '1100',
    class: code,
    revision: '01',
    headerType: bridge ? 1 : 0,
    driver: bound,
    driverOverride: null,
    drivers: typeof bound === 'string' ? [bound] : [],
    iommuGroup: group === undefined ? ownGroup : group,
    slot: ['pci0000:00', address.slice(-4)],
    serial: null,
    numaNode: 0,
    resetMethods: bridge ? [] : ['flr', 'bus'],
    bars: bridge
      ? []
      : [{ index: 0, start: '0xfe000000', size: 131072, kind: 'memory', prefetchable: false }],
    capabilities: { express: true, msiVectors: 1, msixVectors: 8, interruptPin: 1, configSize: 4096 },
    sriov: null,
    physicalFunction: null,
    netdevs: (machineWords.nics ?? []).filter((n) => n.on && full(n.on) === address).map((n) => n.name),
    blockDevices: (machineWords.disks ?? []).filter((d) => d.on && full(d.on) === address).map((d) => d.name),
    ...rest,
  };
}

/** VFIO's modules are loaded where the kernel has them, with the parameters that they begin with. */
function modulesOf({ options = {} }: MachineWords): Snapshot['modules'] {
  const { VFIO, VFIO_PCI, VFIO_IOMMU_TYPE1, VFIO_NOIOMMU } = options;
  const mode = { enable_unsafe_noiommu_mode: 'N' };
  return {
    ...(VFIO === 'n' ? {} : { vfio: { parameters: VFIO_NOIOMMU === 'n' ? {} : mode } }),
    ...(VFIO_IOMMU_TYPE1 === 'n'
      ? {}
      : { vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'N', dma_entry_limit: '65535' } } }),
    ...(VFIO_PCI === 'n' ? {} : { vfio_pci: { parameters: { disable_denylist: 'N', enable_sriov: 'N' } } }),
  };
}

function groupsOf(functions: readonly PciFunction[], words: MachineWords): Snapshot['iommu']['groups'] {
  const ids = new Set(functions.map((f) => f.iommuGroup).filter((group) => typeof group === 'number'));
  return [...ids]
    .sort((a, b) => a - b)
    .map((id) => ({ id, type: 'DMA-FQ', reserved: words.reserved?.[String(id)] ?? [] }));
}

function driversOf(functions: readonly PciFunction[], words: MachineWords): string[] {
  const named = functions.flatMap(({ driver, drivers }) => [
    ...(typeof driver === 'string' ? [driver] : []),
    ...('unknown' in drivers ? [] : drivers),
  ]);
  return [...new Set([...named, ...(words.drivers ?? ['vfio-pci'])])].sort();
}

function disk({ name, on, parts, ...words }: DiskWords): BlockDevice[] {
  const at = on ? full(on) : null;
  const empty = { mounts: [], swap: false, holders: [], signature: null, serial: null };
  return [
    { ...empty, name, function: at, parent: null, signature: parts ? 'gpt' : null, ...words },
    ...(parts ?? []).map((part) => ({ ...empty, function: at, parent: name, ...part })),
  ];
}

function nic({ name, on, ...words }: NicWords): Netdev {
  const mac = '52:54:00:00:00:01';
  return {
    name,
    function: on ? full(on) : null,
    mac,
    up: true,
    master: null,
    lower: [],
    addresses: [],
    ...words,
  };
}

/** In place of what a machine begins with: iommufd is loaded too, and nothing has a VFIO driver. */
export const withIommufd = {
  vfioDevices: [],
  modules: {
    vfio: { parameters: { enable_unsafe_noiommu_mode: 'N' } },
    iommufd: { parameters: { allow_unsafe_interrupts: 'N' } },
    vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'N' } },
    vfio_pci: { parameters: { disable_denylist: 'N' } },
  },
  nodes: [
    { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
    { path: '/dev/iommu', uid: 0, gid: 0, mode: 0o660 },
  ],
} as const satisfies Partial<Snapshot>;
