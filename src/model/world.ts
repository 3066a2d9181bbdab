import { coherenceOf } from '../machine/coherence.ts';
import { isVariant, isVfioDriver } from '../machine/drivers.ts';
import { matchedBefore } from '../machine/established.ts';
import { type Fact, isUnknown, type PciFunction, type Snapshot } from '../machine/snapshot.ts';
import { disabledVirtualFunctions } from '../machine/virtual-functions.ts';
import { bootState } from './boot.ts';
import { FactReader, isFake, textsOf } from './facts.ts';
import { moduleName } from './modules.ts';
import { type Alone, idsOf, placed } from './placement.ts';
import { type Assumption, type Profile, type ProfileId, profileFor } from './profiles.ts';
import type { Driver, Hardware, IovaRange, Module, Process, State, World } from './state.ts';
import { translationOf } from './translation.ts';

/**
 * A world and its first state, as a snapshot tells them. What the snapshot does not know is read in the way named in
 * `World.assumed` (no driver bound, no override, parameter N …): the reader decides whether that may stand.
 */

/** The executor: uid 0 with every capability. Always among the processes. */
export const ROOT = 0;

export const root: Process = {
  pid: ROOT,
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: new Set([
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
    'CAP_IPC_LOCK',
    'CAP_SYS_ADMIN',
    'CAP_SYS_MODULE',
    'CAP_SYS_RAWIO',
    'CAP_SYS_RESOURCE',
  ]),
  memlock: null,
};

export interface WorldOptions {
  /** Overrides the profile that the kernel release chooses; the build options stay the snapshot's. */
  readonly profile?: ProfileId;
  /** Beside ROOT. */
  readonly processes?: readonly Process[];
  /** Whether virtual functions that are not enabled are part of the world, so that sriov_numvfs can enable them. */
  readonly virtualFunctions?: boolean;
}

export function worldFrom(snapshot: Snapshot, options: WorldOptions = {}): { world: World; state: State } {
  const { profile, assumed: fromProfile } = profileFor(snapshot, options.profile);
  const assumed: Assumption[] = [...fromProfile];
  const reader = new FactReader(assumed);
  const disabled = options.virtualFunctions === true ? disabledVirtualFunctions(snapshot) : [];
  const functions = [...snapshot.functions, ...disabled].sort((a, b) => (a.address < b.address ? -1 : 1));
  const absent = new Set(disabled.map(({ address }) => address));
  const matched = matchedBefore(snapshot);
  const facts = { reader, snapshot, claimed: claimedByFirmware(snapshot), absent, matched };
  const hardware = placed(
    functions,
    functions.map((pci, index) => hardwareOf(facts, pci, index)),
  );
  const drivers = driversOf(reader, snapshot, profile, hardware);
  const modules = modulesOf(reader, snapshot, profile, drivers);
  const grouped = hardware.some(({ group }) => group !== null);
  const nodes = isUnknown(snapshot.nodes) ? [] : snapshot.nodes;
  const processes = new Map([...(options.processes ?? []), root].map((process) => [process.pid, process]));
  const vfioModule = modules.get('vfio')?.index ?? -1;
  const units = translationOf(reader, snapshot, hardware);
  const remapping = reader.read('/iommu/interruptRemapping', snapshot.iommu.interruptRemapping, true, 'yes');
  const world: World = {
    profile,
    devices: new Map(hardware.map((device) => [device.address, device])),
    hardware,
    processes,
    drivers,
    modules,
    vfioModule,
    type1Module: modules.get('vfio_iommu_type1')?.index ?? -1,
    iommuPresent: grouped || reader.read('/iommu/units', snapshot.iommu.units, [], '[]').length > 0,
    interruptRemapping: remapping,
    coherent: !grouped || reader.read('/iommu/coherent', coherenceOf(snapshot), true, 'yes'),
    staticContainerNode: nodes.some(({ path }) => path === '/dev/vfio/vfio'),
    reserved: reservedOf(snapshot, hardware, units.beyond),
    groupTypes: groupTypesOf(snapshot, hardware),
    aperture: units.aperture,
    snooped: units.snooped,
    iommus: units.iommus,
    pageSizes: profile.tellsPageSizes ? units.pageSizes : 0xffff_ffff_ffff_f000n,
    suspends: snapshot.kernel.options.PM !== 'n',
    hugePages: snapshot.kernel.options.TRANSPARENT_HUGEPAGE !== 'n',
    nesting: snapshot.architecture === 'aarch64',
    readOnlyConfiguration: isReadOnly(snapshot),
    strangers: strangersOf(snapshot),
    assumed,
  };
  return { world, state: bootState(world, { ...snapshot, functions }, reader, absent) };
}

interface Facts {
  readonly reader: FactReader;
  readonly snapshot: Snapshot;
  readonly claimed: ReadonlySet<number>;
  /** Virtual functions that are not enabled, by address. */
  readonly absent: ReadonlySet<string>;
  /** Drivers that are known to match because they had the function before. */
  readonly matched: ReadonlyMap<string, string>;
}

function hardwareOf(
  { reader, snapshot, claimed, absent, matched }: Facts,
  pci: PciFunction,
  index: number,
): Alone {
  const at = (name: string): string => `/functions/${pci.address}/${name}`;
  const capabilities = isUnknown(pci.capabilities) ? plainCapabilities : pci.capabilities;
  // What is not there yet will have a group of its own, if any: its id is not one of now.
  const group = absent.has(pci.address)
    ? isUnknown(pci.iommuGroup)
      ? -1 - index
      : null
    : reader.read<number | null>(at('iommuGroup'), pci.iommuGroup, null, 'none');
  const sriov = isUnknown(pci.sriov) ? null : pci.sriov;
  const physicalFunction = isUnknown(pci.physicalFunction) ? null : pci.physicalFunction;
  const resetMethods = reader.read(at('resetMethods'), pci.resetMethods, ['flr'], 'some');
  return {
    index,
    address: pci.address,
    vendor: pci.vendor,
    device: pci.device,
    id: idsOf(pci),
    headerType: reader.read(at('headerType'), pci.headerType, headerByClass(pci), 'by class'),
    group: isFake(snapshot, pci) ? null : group,
    drivers: driversMatching(reader, pci, matched.get(pci.address)),
    resetMethods,
    totalVfs: sriov?.totalVfs ?? null,
    sriov: sriov !== null || physicalFunction !== null,
    physicalFunction,
    bars: isUnknown(pci.bars) ? [] : pci.bars.map(({ start, ...bar }) => ({ ...bar, start: BigInt(start) })),
    vga: /^(0300|0001)/.test(pci.class),
    rootBus: onRootBus(pci),
    bridges: isUnknown(pci.slot) || pci.slot.length === 0 ? null : pci.slot.slice(0, -1),
    express: capabilities.express,
    msiVectors: capabilities.msiVectors,
    msixVectors: capabilities.msixVectors,
    ...msixTableOf(capabilities),
    interruptPin: capabilities.interruptPin,
    configSize: capabilities.configSize,
    firmwareReserved: group !== null && claimed.has(group),
  };
}

/** An entry of the table takes 16 bytes. */
function msixTableOf({ msixTable, msixVectors }: Capabilities): Pick<Hardware, 'msixTable'> {
  if (msixTable === undefined) return {};
  const { bar, offset } = msixTable;
  return { msixTable: { bar, start: offset, end: offset + 16 * msixVectors } };
}

type Capabilities = Exclude<PciFunction['capabilities'], { readonly unknown: string }>;

const plainCapabilities: Capabilities = {
  express: true,
  msiVectors: 0,
  msixVectors: 0,
  interruptPin: 0,
  configSize: 4096,
};

/** By the bridges above it; where the way is not told, by the bus number. */
function onRootBus(pci: PciFunction): boolean {
  return isUnknown(pci.slot) || pci.slot.length === 0 ? /:00:/.test(pci.address) : pci.slot.length <= 2;
}

/** A bridge by its class (base class 06) is one by its header, where the header is not told. */
function headerByClass(pci: PciFunction): number {
  if (pci.class.startsWith('0607')) return 2;
  return pci.class.startsWith('0604') || pci.class.startsWith('0609') ? 1 : 0;
}

/** What `candidates` goes by where several drivers match a function. */
const unknownOrder = 'nothing shows in which order drivers registered';

/** The drivers that match without an override; one that is bound without an override evidently matches, and one that was. */
function driversMatching(
  reader: FactReader,
  pci: PciFunction,
  before: string | undefined,
): readonly string[] {
  const listed = isUnknown(pci.drivers) ? [] : pci.drivers.filter((name) => !matchesByOverrideOnly(name));
  const bound = reader.read<string | null>(`/functions/${pci.address}/driver`, pci.driver, null, 'none');
  const override = isUnknown(pci.driverOverride) ? null : pci.driverOverride;
  const [first, ...others] = listed;
  if (first !== undefined && others.length > 0) {
    const fact = `/functions/${pci.address}/drivers`;
    reader.assumed.push({ fact, taken: `${first} before ${others.join(', ')}`, unknown: unknownOrder });
  }
  const evident = [
    ...(bound === null || override === bound ? [] : [bound]),
    ...(before === undefined ? [] : [before]),
  ];
  return [...new Set([...evident.filter((name) => !listed.includes(name)), ...listed])];
}

/**
 * vfio-pci's one entry and every entry of a variant driver is PCI_DRIVER_OVERRIDE_DEVICE_VFIO (include/linux/pci.h, 6.12),
 * so that none of them takes a device by itself; pci-stub has no table.
 */
function matchesByOverrideOnly(name: string): boolean {
  return isVfioDriver(name) || name === 'pci-stub';
}

function driversOf(
  reader: FactReader,
  snapshot: Snapshot,
  profile: Profile,
  hardware: readonly Hardware[],
): ReadonlyMap<string, Driver> {
  const here = reader.read<readonly string[]>('/drivers', snapshot.drivers, [], 'those that functions name');
  const names = new Set([...here, ...hardware.flatMap(({ drivers }) => drivers)]);
  for (const pci of snapshot.functions) {
    if (!isUnknown(pci.driver) && pci.driver !== null) names.add(pci.driver);
    // A variant driver that was made for a function is one of this kernel, loaded or not.
    for (const name of isUnknown(pci.drivers) ? [] : pci.drivers) if (isVariant(name)) names.add(name);
  }
  if (profile.build.vfioPci !== 'n') names.add('vfio-pci');
  const modules = isUnknown(snapshot.modules) ? null : snapshot.modules;
  return new Map(
    [...names].map((name): [string, Driver] => {
      const module = moduleName(name);
      const registered = here.includes(name);
      const builtIn =
        name === 'vfio-pci'
          ? profile.build.vfioPci === 'y'
          : registered && modules !== null && !Object.hasOwn(modules, module);
      const vfio = isVfioDriver(name);
      return [
        name,
        {
          name,
          module: builtIn ? null : module,
          managesDma: vfio || name === 'pci-stub' || name === 'pcieport',
          vfio,
          overrideOnly: matchesByOverrideOnly(name),
        },
      ];
    }),
  );
}

function modulesOf(
  reader: FactReader,
  snapshot: Snapshot,
  profile: Profile,
  drivers: ReadonlyMap<string, Driver>,
): ReadonlyMap<string, Module> {
  const here = reader.read<Readonly<Record<string, Told>>>(
    '/modules',
    snapshot.modules,
    {},
    'those of the drivers that are bound',
  );
  const { build } = profile;
  const names = new Set(Object.keys(here));
  for (const driver of drivers.values()) if (driver.module !== null) names.add(driver.module);
  const family = new Map<string, readonly string[]>();
  for (const [name, requires] of Object.entries(profile.modules)) {
    if (builtAs(profile, name) !== 'n') family.set(name, requires);
  }
  for (const name of family.keys()) names.add(name);
  return new Map(
    [...names].map((name, index): [string, Module] => [
      name,
      {
        name,
        index,
        builtIn: family.has(name) && builtAs(profile, name) === 'y',
        requires: family.get(name) ?? [
          ...(isVfioDriver(name) && family.has('vfio_pci_core') ? ['vfio_pci_core'] : []),
          ...Object.keys(here).filter((needed) => isHeldBy(here[needed], name)),
        ],
        post: name === 'vfio' && build.type1 !== 'n' ? ['vfio_iommu_type1'] : [],
        parameters: freshParameters(profile, name) ?? textsOf(here[name]?.parameters),
        readOnly: name === 'vfio_pci' ? ['disable_denylist', 'disable_vga'] : [],
      },
    ]),
  );
}

/** What a snapshot tells of a module that is loaded. */
interface Told {
  readonly parameters: Readonly<Record<string, Fact<string>>>;
  readonly holders?: Fact<readonly string[]>;
}

/** Whether a module that is none of VFIO's needs it, such as kvm irqbypass. */
function isHeldBy(needed: Told | undefined, name: string): boolean {
  const holders = needed?.holders;
  return holders !== undefined && !isUnknown(holders) && holders.includes(name);
}

function builtAs(profile: Profile, module: string): 'y' | 'm' | 'n' {
  if (module === 'vfio') return profile.build.vfio;
  // Built in and without parameters it has no directory that anybody could see.
  if (module === 'irqbypass') return profile.build.irqBypass === 'm' ? 'm' : 'n';
  if (module === 'iommufd') return profile.build.iommufd;
  return module === 'vfio_iommu_type1' ? profile.build.type1 : profile.build.vfioPci;
}

/** Parameters of the VFIO family just after loading (module_param lines of each file). */
function freshParameters(profile: Profile, module: string): Readonly<Record<string, string>> | null {
  const seed = profile.viability === 'walk';
  switch (module) {
    case 'vfio':
      return profile.build.noiommu ? { [profile.noiommuParameter]: 'N' } : {};
    case 'iommufd':
      return { allow_unsafe_interrupts: 'N' };
    case 'vfio_iommu_type1':
      return {
        allow_unsafe_interrupts: 'N',
        disable_hugepages: 'N',
        ...(seed ? {} : { dma_entry_limit: '65535' }),
      };
    case 'vfio_pci':
      return {
        nointxmask: 'N',
        disable_idle_d3: 'N',
        ...(seed ? {} : { disable_denylist: 'N', enable_sriov: 'N' }),
      };
    default:
      return Object.hasOwn(profile.modules, module) ? {} : null;
  }
}

/** Numbers that devices have which are no PCI functions. */
function strangersOf({ vfioDevices }: Snapshot): readonly number[] | null {
  if (vfioDevices === undefined || isUnknown(vfioDevices)) return null;
  return vfioDevices.flatMap(({ index, function: address }) => (address === null ? [index] : []));
}

/** What is not told may be written: the kernel then says EROFS, and nothing was done. */
function isReadOnly({ configuration }: Snapshot): boolean {
  return configuration !== undefined && !isUnknown(configuration) && configuration.readOnly === true;
}

/** Groups on which the firmware put 1:1 mappings of its own. */
function claimedByFirmware(snapshot: Snapshot): ReadonlySet<number> {
  const groups = isUnknown(snapshot.iommu.groups) ? [] : snapshot.iommu.groups;
  const claimed = groups.filter(
    ({ reserved }) => !isUnknown(reserved) && reserved.some(({ type }) => type === 'direct'),
  );
  return new Set(claimed.map(({ id }) => id));
}

function reservedOf(
  snapshot: Snapshot,
  hardware: readonly Hardware[],
  beyond: ReadonlyMap<number, IovaRange>,
): ReadonlyMap<number, readonly IovaRange[]> {
  const groups = isUnknown(snapshot.iommu.groups) ? [] : snapshot.iommu.groups;
  return withOwners(
    hardware,
    groups.map(({ id, reserved }): [number, readonly IovaRange[]] => {
      const untranslated = beyond.get(id);
      const told = isUnknown(reserved) ? [] : reserved.filter(({ type }) => type !== 'direct-relaxable');
      const ranges = told.map(({ start, end }) => ({ start: BigInt(start), end: BigInt(end) }));
      return [id, untranslated === undefined ? ranges : [...ranges, untranslated]];
    }),
  );
}

function groupTypesOf(snapshot: Snapshot, hardware: readonly Hardware[]): ReadonlyMap<number, string> {
  const groups = isUnknown(snapshot.iommu.groups) ? [] : snapshot.iommu.groups;
  return withOwners(
    hardware,
    groups.flatMap(({ id, type }): [number, string][] => (isUnknown(type) ? [] : [[id, type]])),
  );
}

/** What is told of groups, and for a virtual function that is not there yet, whose group nobody tells, its owner's. */
function withOwners<T>(
  hardware: readonly Hardware[],
  told: readonly (readonly [number, T])[],
): ReadonlyMap<number, T> {
  const all = new Map(told);
  for (const { group, virtualFunctions } of hardware) {
    const its = group === null ? undefined : all.get(group);
    for (const index of its === undefined ? [] : virtualFunctions) {
      const own = hardware[index]?.group ?? null;
      if (its !== undefined && own !== null && own < 0) all.set(own, its);
    }
  }
  return all;
}
