import type { Address } from '../machine/snapshot.ts';
import type { Bus } from './bus-state.ts';
import type { CoreDevice } from './core-device.ts';
import type { IommuDriverName } from './iommu-drivers.ts';
import type { Iommufd } from './iommufd-state.ts';
import type { Assumption, Profile } from './profiles.ts';
import type { VirtualMachine } from './virtual-machine.ts';

/** What does not change while operations run: the kernel build, the hardware, who the processes are. */
export interface World {
  readonly profile: Profile;
  readonly devices: ReadonlyMap<Address, Hardware>;
  /** The same devices; a device's `index` is its place here, in every `State.devices` and in group lists. */
  readonly hardware: readonly Hardware[];
  readonly processes: ReadonlyMap<number, Process>;
  /** Drivers that exist (built in or loadable), by name. */
  readonly drivers: ReadonlyMap<string, Driver>;
  /** Modules that exist, by name with underscores. */
  readonly modules: ReadonlyMap<string, Module>;
  /** Where module vfio stands in `State.modules`; -1: VFIO was not built. */
  readonly vfioModule: number;
  readonly type1Module: number;
  /** The bus has IOMMU operations (the seed's iommu_present()). */
  readonly iommuPresent: boolean;
  /** Isolated MSI: SET_IOMMU needs no allow_unsafe_interrupts. */
  readonly interruptRemapping: boolean;
  /** DMA through the IOMMU is coherent with the caches (IOMMU_CAP_CACHE_COHERENCY). */
  readonly coherent: boolean;
  /** /dev/vfio/vfio stands there without the module, and opening it loads the module. */
  readonly staticContainerNode: boolean;
  /** Ranges of I/O addresses that no mapping may touch, by real group: the MSI window and firmware's own. */
  readonly reserved: ReadonlyMap<number, readonly IovaRange[]>;
  /** The type that each real group had at first, which a group that comes back gets again. */
  readonly groupTypes: ReadonlyMap<number, string>;
  /** The last I/O address that an IOMMU unit translates; what a narrower one does not is reserved for its groups. */
  readonly aperture: bigint;
  /** Real groups whose IOMMU makes all their DMA coherent with the caches (VFIO_DMA_CC_IOMMU). */
  readonly snooped: ReadonlySet<number>;
  /** Real groups with the kind of IOMMU that they are behind. */
  readonly iommus: ReadonlyMap<number, IommuHardware>;
  /** Sizes of pages that the IOMMU has, one bit each; 4 KiB is always among them. */
  readonly pageSizes: bigint;
  /** Addresses that iommufd chooses are aligned to huge pages (TRANSPARENT_HUGEPAGE). */
  readonly hugePages: boolean;
  /** A device in low power is suspended at once (CONFIG_PM), so that the next call on it wakes it. */
  readonly suspends: boolean;
  /** SET_IOMMU(6) works: the ARM SMMU's nesting. */
  readonly nesting: boolean;
  /** The file system that holds configuration files takes no changes. */
  readonly readOnlyConfiguration: boolean;
  /** X of every vfioX that is no PCI function's; null: the snapshot tells nobody's, and X is a guess. */
  readonly strangers: readonly number[] | null;
  /** What the snapshot did not tell, and what was assumed instead; the checker makes preconditions of them. */
  readonly assumed: readonly Assumption[];
}

/** What iommufd tells of an IOMMU unit, or asks of it. */
export interface IommuHardware {
  readonly driver: IommuDriverName;
  /** It can tell which pages were written to (IOMMU_CAP_DIRTY_TRACKING). */
  readonly tracksDirty: boolean;
}

/** First and last address. */
export interface IovaRange {
  readonly start: bigint;
  readonly end: bigint;
}

export interface Process {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly capabilities: ReadonlySet<string>;
  /** Soft RLIMIT_MEMLOCK in bytes; null is unlimited. */
  readonly memlock: number | null;
  /** Soft RLIMIT_NOFILE; 1024 when left out. */
  readonly nofile?: number;
}

export interface Hardware {
  readonly index: number;
  readonly address: Address;
  readonly vendor: string;
  readonly device: string;
  /** The same as numbers, with subsystem and class: what ids are compared with. */
  readonly id: DynamicId;
  readonly headerType: number;
  /** The real IOMMU group, or null. Devices with the same share a group; its id now is the state's to say. */
  readonly group: number | null;
  /**
   * It shares its group only with functions of its own device, but its header does not say that there are others: the
   * kernel puts it into its group before it learns that, unless it found it at boot (pci_scan_slot,
   * drivers/iommu/iommu.c:get_pci_function_alias_group).
   */
  readonly comesAlone: boolean;
  /** Place of the bridge above it; -1 on a root bus, and where the snapshot does not list the bridge. */
  readonly bridge: number;
  /** Drivers that match without an override, in registration order. */
  readonly drivers: readonly string[];
  /** Ways to reset it, in the order in which they are tried. */
  readonly resetMethods: readonly string[];
  /** sriov_totalvfs of a physical function; null of any other. */
  readonly totalVfs: number | null;
  /** Of a physical function: the places of its virtual functions, enabled or not, in their order. */
  readonly virtualFunctions: readonly number[];
  /** An SR-IOV physical or virtual function. */
  readonly sriov: boolean;
  /** The PF of a virtual function. */
  readonly physicalFunction: Address | null;
  readonly bars: readonly {
    readonly index: number;
    /** Where the host put it; 0: nowhere, and then it is of no use to anybody. */
    readonly start: bigint;
    readonly size: number;
    readonly kind: 'memory' | 'io' | 'rom';
    readonly prefetchable: boolean;
  }[];
  /** A display controller: region 8 is its VGA window. */
  readonly vga: boolean;
  /** On a root bus there is no bus or slot to reset. */
  readonly rootBus: boolean;
  /** The bridges above it, from the root bus down; null where that is not told. */
  readonly bridges: readonly string[] | null;
  /** After a reset of its bus the link does not come back, as with some emulated root ports; no snapshot tells. */
  readonly linkStaysDown?: boolean;
  readonly express: boolean;
  readonly msiVectors: number;
  readonly msixVectors: number;
  /** Where the MSI-X table lies, if that is told: bytes of a BAR, from the first to past the last. */
  readonly msixTable?: { readonly bar: number; readonly start: number; readonly end: number };
  readonly interruptPin: number;
  /** Where the MSI capability lies, and the low byte of its flags when the device is opened; no snapshot tells. */
  readonly msi?: { readonly at: number; readonly flags: number };
  readonly configSize: number;
  /** The firmware asks for 1:1 mappings (a `direct` reserved region). */
  readonly firmwareReserved: boolean;
}

export interface Driver {
  readonly name: string;
  /** The module that registers it; null: built in. */
  readonly module: string | null;
  /** Claims no DMA ownership for the host (struct device_driver.driver_managed_dma): vfio-pci, pci-stub, pcieport. */
  readonly managesDma: boolean;
  /** A VFIO driver: registers a vfio device and a group. */
  readonly vfio: boolean;
  /** Matches only by driver_override. */
  readonly overrideOnly: boolean;
}

export interface Module {
  readonly name: string;
  /** Its place in `State.modules`. */
  readonly index: number;
  /** In the kernel image: always there, never unloaded. */
  readonly builtIn: boolean;
  /** Modules that must be loaded before it. */
  readonly requires: readonly string[];
  /** Modules that modprobe loads after it (MODULE_SOFTDEP post). */
  readonly post: readonly string[];
  /** Parameters under /sys/module and their text just after loading. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameters whose file nobody may write (mode 0444). */
  readonly readOnly: readonly string[];
}

/** Ids as a driver's table and new_id have them: 0xffffffff is any, and `mask` says which bits of the class count. */
export interface DynamicId {
  readonly vendor: number;
  readonly device: number;
  readonly subvendor: number;
  readonly subdevice: number;
  readonly class: number;
  readonly mask: number;
}

/** Everything that operations change. Immutable: a step shares what it did not touch. */
export interface State {
  /** By `Module.index`: the parameters' texts of a loaded module, null when it is not loaded. */
  readonly modules: readonly (Parameters | null)[];
  /** The bitset of /proc/sys/kernel/tainted; only ever grows. */
  readonly taint: number;
  /** By `Hardware.index`. */
  readonly devices: readonly Device[];
  readonly bus: Bus;
  /** Real and fake groups, sorted by id. */
  readonly iommuGroups: readonly IommuGroup[];
  /** By minor number, which is the lowest free one: VFIO's group objects, revoked ones that are still open included. */
  readonly groups: readonly (VfioGroup | null)[];
  readonly containers: readonly (Container | null)[];
  readonly containerNode: Node | null;
  /** Every open of /dev/iommu is another context. */
  readonly iommufds: readonly (Iommufd | null)[];
  /** /dev/iommu; there while iommufd is. */
  readonly iommuNode: Node | null;
  /** Open file descriptions; descriptors and device files hold them by place. */
  readonly files: readonly (OpenFile | null)[];
  readonly descriptors: readonly DescriptorTable[];
  /** Pages that VFIO pinned for a process, by pid. */
  readonly locked: readonly { readonly pid: number; readonly pages: number }[];
  /** /dev/kvm; null where the snapshot tells of none. */
  readonly kvmNode: Node | null;
  readonly kvm: readonly (VirtualMachine | null)[];
  /** What others than the kernel read of what shall be: udev, modprobe, pam_limits, systemd. */
  readonly configuration: Configuration;
}

/** Configuration files, as far as a plan may write them; a record by path, so that an exploration sees one thing. */
export interface Configuration {
  /** Directories that are there, and whether they hold entries that are not told here. */
  readonly directories: Readonly<Record<string, boolean>>;
  /** Whole texts. */
  readonly files: Readonly<Record<string, string>>;
}

export type Parameters = Readonly<Record<string, string>>;

/** A node's owner and permission bits. */
export interface Node {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface Device {
  /** Whether it is there at all: `remove` and sriov_numvfs take devices away, `rescan` brings them back. */
  readonly present: boolean;
  readonly driver: string | null;
  readonly override: string | null;
  /** IOMMU group now: the real one, the fake one while bound to VFIO, or null. */
  readonly group: number | null;
  readonly vfio: VfioDevice | null;
  /** Pid of the process whose call takes its driver away, and waits until it, or a virtual function, is closed; null: it stays. */
  readonly leaving: number | null;
  readonly settings: Settings;
}

/** What a device's own files were given. */
export interface Settings {
  /** Whether there was a way to reset it when it came: the files `reset` and `reset_method` are there until it goes. */
  readonly resettable: boolean;
  /** Ways to reset it that `reset_method` left, in their order. */
  readonly resetMethods: readonly string[];
  /** How often `enable` enabled it; what drivers count comes on top. */
  readonly enables: number;
  /** sriov_numvfs: the first so many of `Hardware.virtualFunctions` are there. */
  readonly virtualFunctions: number;
  /** sriov_drivers_autoprobe: whether its virtual functions may be probed without an override. */
  readonly probesVirtual: boolean;
}

export interface VfioDevice {
  /** X of vfioX. */
  readonly index: number;
  /** `vfioX`, or `noiommu-vfioX` in kernels that give devices without an IOMMU a cdev. */
  readonly name: string;
  /** Minor of its group. */
  readonly group: number;
  /** Open file descriptions that use it: those of its group, or the one of its cdev that is bound. */
  readonly opens: number;
  /** Open file descriptions of its cdev that are not bound. */
  readonly unbound: number;
  /** Its cdev's node, where the kernel makes one. */
  readonly node: Node | null;
  /** The iommufd that it is bound to, and the id of its object there. */
  readonly bound: { readonly iommufd: number; readonly id: number } | null;
  /**
   * Of a physical function: the UUID, in lower case, that its virtual functions are opened with. Null: still the random
   * one that it was registered with, which nobody knows. A device's FEATURE VF_TOKEN and the name of GET_DEVICE_FD set it.
   */
  readonly token: string | null;
  /** Whether the reset worked with which the first open began: the RESET flag of GET_INFO. */
  readonly resetWorks: boolean;
  /** What its users changed while it is open; null until they did, and again after the last close. */
  readonly core: CoreDevice | null;
}

export interface IommuGroup {
  readonly id: number;
  readonly name: string | null;
  readonly type: string;
  readonly fake: boolean;
  readonly devices: readonly number[];
  /** owner_cnt: host drivers bound in it, or 1 for the userspace owner. */
  readonly ownerCount: number;
  /** Minor of the VFIO group that claimed it. */
  readonly owner: number | null;
  /** Place of the iommufd that claimed it: `ownerCount` then counts devices bound to it. */
  readonly iommufd: number | null;
}

export interface VfioGroup {
  /** Its place in `State.groups`. */
  readonly minor: number;
  /** Name below /dev/vfio and /sys/class/vfio: `26`, `noiommu-0`. */
  readonly name: string;
  readonly noiommu: boolean;
  /** Null once its last device was unregistered: revoked. */
  readonly iommuGroup: number | null;
  /** Newest first, as GET_DEVICE_FD walks them. */
  readonly devices: readonly number[];
  readonly file: number | null;
  readonly container: number | null;
  readonly containerUsers: number;
  /** The iommufd that stands for a container. */
  readonly iommufd: number | null;
  /** Devices that are bound through their cdevs: nobody opens the group meanwhile. */
  readonly cdevOpens: number;
  readonly node: Node | null;
}

export interface Container {
  /** Its place in `State.containers`. */
  readonly index: number;
  /** Its open file description; null once closed while groups are attached. */
  readonly file: number | null;
  /** Minors, most recently attached first. */
  readonly groups: readonly number[];
  /** Set by every attach, read only while groups are attached. */
  readonly noiommu: boolean;
  readonly iommu: Iommu | null;
}

export type Iommu =
  | { readonly driver: 'noiommu' }
  | {
      readonly driver: 'type1';
      /** What SET_IOMMU was given. */
      readonly type: number;
      /** Sorted by iova. */
      readonly mappings: readonly Mapping[];
      readonly available: number;
      /** DIRTY_PAGES started. */
      readonly dirtyTracking: boolean;
    };

export interface Mapping {
  readonly iova: bigint;
  readonly size: bigint;
  readonly vaddr: bigint;
  readonly flags: number;
  readonly invalid: boolean;
  /** Whose memory it is, and how many of its pages were charged. */
  readonly pid: number;
  readonly pages: number;
}

export type OpenFile =
  | { readonly kind: 'container'; readonly refs: number; readonly container: number }
  | { readonly kind: 'group'; readonly refs: number; readonly group: number }
  | {
      readonly kind: 'device';
      readonly refs: number;
      readonly device: number;
      /** The group file that this device file holds; null where an iommufd serves instead of a container. */
      readonly groupFile: number | null;
      /** Opened by its own node, not through its group. */
      readonly cdev: boolean;
      /** The iommufd that it was opened with or bound to; a cdev without one does nothing but be bound. */
      readonly iommufd: number | null;
    }
  | { readonly kind: 'iommufd'; readonly refs: number; readonly iommufd: number }
  /** `object`: id of the queue of page faults that it reads from. It keeps the iommufd open. */
  | {
      readonly kind: 'fault-queue';
      readonly refs: number;
      readonly iommufd: number;
      readonly object: number;
    }
  /** `kvm`: /dev/kvm, where virtual machines are made. */
  | { readonly kind: 'eventfd' | 'kvm'; readonly refs: number }
  | { readonly kind: 'vm' | 'kvm-device'; readonly refs: number; readonly machine: number }
  | { readonly kind: 'other'; readonly refs: number; readonly path: string };

/** A device's open file. */
export type DeviceFile = Extract<OpenFile, { kind: 'device' }>;

/** Descriptors of one process: `files[n]` is what descriptor n + 3 refers to, -1 when it is free. */
export interface DescriptorTable {
  readonly pid: number;
  readonly files: readonly number[];
}
