import type {
  Address,
  BlockDevice,
  Fact,
  IommuGroup,
  Netdev,
  PciFunction,
  Snapshot,
  Unknown,
} from './snapshot.ts';

/**
 * Makes a snapshot of a report of nixos-facter (version 1; github.com/nix-community/nixos-facter, which reads hwinfo).
 * The report names PCI functions, drivers, IOMMU groups, disks and network devices; everything else, such as who
 * mounts a disk or which way leads in, is unknown in the snapshot, with the reason. The report leaves out what a
 * function does not have, so an absent driver or group is known to be none.
 */
export interface FacterReading {
  readonly snapshot?: Snapshot;
  /** Empty when there is a snapshot. */
  readonly problems: readonly FacterProblem[];
}

/** Something that makes the report unfit: an incomplete list of functions would hide members of groups. */
export interface FacterProblem {
  readonly path: readonly (string | number)[];
  readonly kind: 'not-a-report' | 'version' | 'function' | 'no-functions';
  /** What is there instead; for `version` the version. */
  readonly found: string;
}

/** At most `limit` problems are listed. */
export function fromFacter(report: unknown, limit: number): FacterReading {
  const hardware = field(report, 'hardware');
  if (!isObject(report) || !isObject(hardware))
    return { problems: [{ path: [], kind: 'not-a-report', found: 'no `hardware`' }] };
  const { version } = report;
  if (version !== 1) return { problems: [{ path: ['version'], kind: 'version', found: text(version) }] };
  const entries = entriesOf(hardware);
  const problems: FacterProblem[] = [];
  const functions: PciFunction[] = [];
  const disks = entries.filter(({ section }) => section === 'disk').flatMap(blockDevice);
  const netdevs = entries.filter(({ section }) => section === 'network_interface').flatMap(netdev);
  const below = { disks: byFunction(disks), netdevs: byFunction(netdevs) };
  for (const { entry, path } of entries) {
    if (field(entry, 'bus_type', 'name') !== 'PCI') continue;
    const pci = pciFunction(entry, below);
    if (typeof pci !== 'string') functions.push(pci);
    else if (problems.length < limit) problems.push({ path, kind: 'function', found: pci });
  }
  if (problems.length > 0) return { problems };
  if (functions.length === 0)
    return { problems: [{ path: ['hardware'], kind: 'no-functions', found: 'none' }] };
  functions.sort((a, b) => (a.address < b.address ? -1 : 1));
  return { snapshot: snapshotOf(report, functions, disks, netdevs), problems: [] };
}

const untold: Unknown = { unknown: 'a nixos-facter report does not tell it' };

function snapshotOf(
  report: JsonObject,
  functions: readonly PciFunction[],
  blockDevices: readonly BlockDevice[],
  netdevs: readonly Netdev[],
): Snapshot {
  const ids = new Set(functions.map(({ iommuGroup }) => iommuGroup).filter((id) => typeof id === 'number'));
  const groups: readonly IommuGroup[] = [...ids]
    .sort((a, b) => a - b)
    .map((id) => ({ id, type: untold, reserved: untold }));
  const { system } = report;
  return {
    format: 'vfioplan.snapshot',
    version: 1,
    source: { kind: 'nixos-facter' },
    hostname: untold,
    architecture: typeof system === 'string' ? system.replace(/-.*$/, '') : untold,
    kernel: {
      release: untold,
      taint: untold,
      lockdown: untold,
      commandLine: untold,
      options: {
        VFIO: untold,
        VFIO_PCI: untold,
        VFIO_IOMMU_TYPE1: untold,
        VFIO_GROUP: untold,
        VFIO_CONTAINER: untold,
        VFIO_NOIOMMU: untold,
        VFIO_DEVICE_CDEV: untold,
        IOMMUFD: untold,
      },
    },
    iommu: {
      // An IOMMU that is active gives its functions groups (drivers/iommu/iommu.c iommu_probe_device).
      units:
        groups.length === 0
          ? []
          : { unknown: 'a nixos-facter report tells groups, not the units behind them' },
      interruptRemapping: groups.length === 0 ? false : untold,
      groups,
    },
    modules: untold,
    drivers: untold,
    functions,
    blockDevices,
    netdevs,
    routes: untold,
    managementPeers: untold,
    users: untold,
    userGroups: untold,
    nodes: untold,
    configuration: untold,
  };
}

interface Entry {
  readonly section: string;
  readonly entry: JsonObject;
  readonly path: readonly (string | number)[];
}

function entriesOf(hardware: JsonObject): readonly Entry[] {
  return Object.entries(hardware).flatMap(([section, value]) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.flatMap((entry, index) =>
      isObject(entry)
        ? [{ section, entry, path: ['hardware', section, ...(Array.isArray(value) ? [index] : [])] }]
        : [],
    );
  });
}

interface Below {
  readonly disks: ReadonlyMap<Address, readonly BlockDevice[]>;
  readonly netdevs: ReadonlyMap<Address, readonly Netdev[]>;
}

/** The function, or what the entry lacks to be one. */
function pciFunction(entry: JsonObject, below: Below): PciFunction | string {
  const address = entry['sysfs_bus_id'];
  if (typeof address !== 'string' || !addressForm.test(address)) return 'no PCI address in `sysfs_bus_id`';
  const ids = idsOf(entry);
  if (typeof ids === 'string') return ids;
  const group = entry['sysfs_iommu_group_id'] ?? null;
  if (group !== null && !isCount(group, 1_048_575)) return 'no group number in `sysfs_iommu_group_id`';
  const driver = entry['driver'] ?? null;
  if (driver !== null && (typeof driver !== 'string' || driver === '' || driver.length > 255))
    return 'no name in `driver`';
  const headerType = field(entry, 'detail', 'header_type');
  const disks = below.disks.get(address) ?? [];
  const label = [field(entry, 'vendor', 'name'), field(entry, 'device', 'name') ?? entry['model']]
    .filter((part) => typeof part === 'string')
    .join(' ');
  return {
    address,
    ...ids,
    ...(label === '' ? {} : { label: label.slice(0, 255) }),
    headerType: isCount(headerType, 127) ? headerType : untold,
    driver,
    driverOverride: untold,
    drivers: { unknown: 'a nixos-facter report names the bound driver, not those that match' },
    iommuGroup: group,
    slot: slotOf(entry['sysfs_id']),
    serial: serialOf(ids.class, disks),
    numaNode: untold,
    resetMethods: untold,
    bars: { unknown: 'a nixos-facter report lists address ranges without their BAR' },
    capabilities: untold,
    sriov: untold,
    physicalFunction: untold,
    netdevs: (below.netdevs.get(address) ?? []).map(({ name }) => name),
    blockDevices: disks.map(({ name }) => name),
  };
}

type Ids = Pick<
  PciFunction,
  'vendor' | 'device' | 'subsystemVendor' | 'subsystemDevice' | 'class' | 'revision'
>;

/** `pci:v…d…sv…sd…bc…sc…i…` holds all ids as the kernel read them; the named fields leave out those that are zero. */
function idsOf(entry: JsonObject): Ids | string {
  const alias = /^pci:v0000(\w{4})d0000(\w{4})sv0000(\w{4})sd0000(\w{4})bc(\w\w)sc(\w\w)i(\w\w)$/.exec(
    text(entry['module_alias']),
  );
  const revision = hex(entry['revision'], 2) ?? untold;
  if (alias !== null && /^[0-9a-fA-F]+$/.test(alias.slice(1).join(''))) {
    const [
      vendor = '',
      device = '',
      subsystemVendor = '',
      subsystemDevice = '',
      base = '',
      sub = '',
      interfaceCode = '',
    ] = alias.slice(1).map((digits) => digits.toLowerCase());
    return { vendor, device, subsystemVendor, subsystemDevice, class: base + sub + interfaceCode, revision };
  }
  const vendor = hex(entry['vendor'], 4);
  const device = hex(entry['device'], 4);
  if (vendor === undefined || device === undefined) return 'no `vendor` or no `device`';
  const base = hex(entry['base_class'], 2);
  const sub = hex(entry['sub_class'], 2);
  if (base === undefined || sub === undefined) return 'no `base_class` or no `sub_class`';
  return {
    vendor,
    device,
    subsystemVendor: hex(entry['sub_vendor'], 4) ?? untold,
    subsystemDevice: hex(entry['sub_device'], 4) ?? untold,
    class: base + sub + (hex(entry['pci_interface'], 2) ?? '00'),
    revision,
  };
}

/** The last `digits` digits of a `{ "hex": "0106" }`. */
function hex(value: unknown, digits: number): string | undefined {
  const written = field(value, 'hex');
  return typeof written === 'string' && /^[0-9a-fA-F]{4}$/.test(written)
    ? written.slice(-digits).toLowerCase()
    : undefined;
}

/** `/devices/pci0000:00/0000:00:03.1/0000:02:00.0` to its root and the device.function of each step. */
function slotOf(sysfsId: unknown): Fact<readonly string[]> {
  const parts = text(sysfsId).split('/');
  const root = parts.findIndex((part) => /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/.test(part));
  if (root < 0) return untold;
  const steps = parts.slice(root + 1);
  if (!steps.every((step) => addressForm.test(step))) return untold;
  return [parts[root] ?? '', ...steps.map((step) => step.replace(/^.*:/, ''))];
}

/** An NVMe function has the serial number of its disk; a controller of other disks has its own, which is not told. */
function serialOf(classCode: string, disks: readonly BlockDevice[]): Fact<string | null> {
  const [disk] = disks;
  return classCode.startsWith('0108') && disks.length === 1 && disk !== undefined ? disk.serial : untold;
}

function blockDevice({ entry }: Entry): BlockDevice[] {
  const name = /^\/class\/block\/([^/]{1,255})$/.exec(text(entry['sysfs_id']))?.[1];
  if (name === undefined) return [];
  const { serial, model } = entry;
  return [
    {
      name,
      function: functionAbove(entry['sysfs_device_link']),
      parent: null,
      mounts: untold,
      swap: untold,
      holders: untold,
      signature: untold,
      serial: typeof serial === 'string' && serial !== '' ? serial : untold,
      ...(typeof model === 'string' && model !== '' ? { label: model } : {}),
    },
  ];
}

function netdev({ entry }: Entry): Netdev[] {
  const name = /^\/class\/net\/([^/]{1,255})$/.exec(text(entry['sysfs_id']))?.[1];
  if (name === undefined) return [];
  return [
    {
      name,
      function: functionAbove(entry['sysfs_device_link']),
      mac: untold,
      up: untold,
      master: untold,
      lower: untold,
      addresses: untold,
    },
  ];
}

/** The last PCI function on a sysfs path; null when the device has no path: a virtual one. */
function functionAbove(link: unknown): Address | null {
  return (
    text(link)
      .split('/')
      .findLast((part) => addressForm.test(part)) ?? null
  );
}

function byFunction<Device extends { readonly function: Fact<Address | null> }>(
  devices: readonly Device[],
): ReadonlyMap<Address, readonly Device[]> {
  const lists = new Map<Address, Device[]>();
  for (const device of devices) {
    if (typeof device.function !== 'string') continue;
    const list = lists.get(device.function);
    if (list === undefined) lists.set(device.function, [device]);
    else list.push(device);
  }
  return lists;
}

const addressForm = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;

type JsonObject = { readonly [name: string]: unknown };

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

function field(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === undefined
      ? 'none'
      : `${JSON.stringify(value)}`.slice(0, 60);
}
