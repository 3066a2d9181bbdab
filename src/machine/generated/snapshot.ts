// Generated from src/machine/snapshot.schema.ts by `npm run generate`; do not edit.

/** A machine as vfioplan read it: what it knows of PCI functions, the IOMMU, disks, networks and users. */
export interface Snapshot {
  readonly format: "vfioplan.snapshot";
  readonly version: 1;
  readonly source: {
    readonly kind: "live" | "sysroot" | "nixos-facter" | "handmade";
    readonly note?: string;
  };
  readonly hostname: string | Unknown;
  /** as uname -m: x86_64, aarch64 */
  readonly architecture: string | Unknown;
  readonly kernel: {
    readonly release: string | Unknown;
    readonly taint: number | Unknown;
    readonly lockdown: "none" | "integrity" | "confidentiality" | Unknown;
    readonly commandLine: readonly string[] | Unknown;
    /** build options; n: not set or not of this version */
    readonly options: {
      readonly VFIO: "y" | "m" | "n" | Unknown;
      readonly VFIO_PCI: "y" | "m" | "n" | Unknown;
      readonly VFIO_IOMMU_TYPE1: "y" | "m" | "n" | Unknown;
      readonly VFIO_GROUP: "y" | "m" | "n" | Unknown;
      readonly VFIO_CONTAINER: "y" | "m" | "n" | Unknown;
      readonly VFIO_NOIOMMU: "y" | "m" | "n" | Unknown;
      readonly VFIO_DEVICE_CDEV: "y" | "m" | "n" | Unknown;
      readonly IOMMUFD: "y" | "m" | "n" | Unknown;
      /** module irqbypass, which vfio_pci_core needs; not told: it is loaded and left loaded */
      readonly IRQ_BYPASS_MANAGER?: "y" | "m" | "n" | Unknown;
      /** how iommufd aligns addresses that it chooses; not told: it is there */
      readonly TRANSPARENT_HUGEPAGE?: "y" | "m" | "n" | Unknown;
      /** whether devices that nobody uses are suspended; not told: they are */
      readonly PM?: "y" | "m" | "n" | Unknown;
      /** device cdevs without an IOMMU (series of 2026); not told: a kernel without it */
      readonly IOMMUFD_NOIOMMU?: "y" | "m" | "n" | Unknown;
    };
  };
  readonly iommu: {
    /** names under /sys/class/iommu; []: no IOMMU is active */
    readonly units: readonly string[] | Unknown;
    /** what each unit can do; not told: the least that a unit can */
    readonly translation?: readonly IommuUnit[] | Unknown;
    /** isolated MSI: SET_IOMMU works without allow_unsafe_interrupts */
    readonly interruptRemapping: boolean | Unknown;
    /** DMA is coherent with the caches; not told: on x86 it is, elsewhere nobody knows */
    readonly coherent?: boolean | Unknown;
    readonly groups: readonly IommuGroup[] | Unknown;
  };
  /** modules present under /sys/module */
  readonly modules: {
    readonly [name: string]: {
      /** text as read, without the final newline */
      readonly parameters: {
        readonly [name: string]: string | Unknown;
      };
      /** loaded modules that need it; not told: it is built in, or the kernel unloads none */
      readonly holders?: readonly string[] | Unknown;
      /** what keeps it loaded: holders, and open files */
      readonly references?: number | Unknown;
    };
  } | Unknown;
  /** names under /sys/bus/pci/drivers */
  readonly drivers: readonly string[] | Unknown;
  readonly functions: readonly PciFunction[];
  readonly blockDevices: readonly BlockDevice[] | Unknown;
  readonly netdevs: readonly Netdev[] | Unknown;
  readonly routes: readonly Route[] | Unknown;
  /** addresses of established SSH sessions: the way in */
  readonly managementPeers: readonly string[] | Unknown;
  readonly users: readonly {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly string[];
    /** ambient capabilities at login, e.g. CAP_SYS_RAWIO; root has all */
    readonly capabilities: readonly string[] | Unknown;
  }[] | Unknown;
  readonly userGroups: readonly {
    readonly name: string;
    readonly gid: number;
  }[] | Unknown;
  /** /dev/vfio, /dev/iommu and /dev/kvm */
  readonly nodes: readonly DeviceNode[] | Unknown;
  /** /sys/class/vfio-dev; not told: no plan foretells which vfioX a function gets */
  readonly vfioDevices?: readonly {
    /** X of vfioX */
    readonly index: number;
    /** null: no PCI function (a mediated device) */
    readonly function: Address | null;
  }[] | Unknown;
  /** files by which a policy lasts; not told: nobody knows what stands in their places */
  readonly configuration?: Configuration | Unknown;
  /** what plans of vfioplan that are in effect have changed on the running machine, from their journals; not told: nothing is put back */
  readonly established?: readonly Established[] | Unknown;
}

/** Something that the snapshot could not tell, and why. */
export interface Unknown {
  /** why it is not known */
  readonly unknown: string;
}

export interface IommuUnit {
  readonly name: string;
  /** bits of an I/O address that it translates */
  readonly addressBits: number | Unknown;
  /** sizes of pages that it has, one bit each */
  readonly pageSizes: string | Unknown;
  /** it can make all DMA coherent with caches, whatever a device asks for: VFIO_DMA_CC_IOMMU */
  readonly snoopControl: boolean | Unknown;
  /** it can tell which pages devices wrote to: IOMMU_CAP_DIRTY_TRACKING; not told: it cannot */
  readonly dirtyTracking?: boolean | Unknown;
}

export interface IommuGroup {
  readonly id: number;
  /** DMA, DMA-FQ, identity, unknown … */
  readonly type: string | Unknown;
  readonly reserved: readonly {
    readonly start: string;
    readonly end: string;
    readonly type: "direct" | "direct-relaxable" | "reserved" | "msi";
  }[] | Unknown;
}

export interface PciFunction {
  readonly address: Address;
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string | Unknown;
  readonly subsystemDevice: string | Unknown;
  /** base class, sub class, programming interface */
  readonly class: string;
  readonly revision: string | Unknown;
  /** vendor and device names, for people only */
  readonly label?: string;
  /** 0 endpoint, 1 PCI bridge, 2 CardBus bridge */
  readonly headerType: number | Unknown;
  /** its header says that its device has other functions; not told: it does if there are others */
  readonly multifunction?: boolean | Unknown;
  /** null: no driver is bound */
  readonly driver: string | null | Unknown;
  /** null: no override */
  readonly driverOverride: string | null | Unknown;
  /** drivers of this kernel whose id table matches this function; variant drivers of VFIO among them, which match by override only */
  readonly drivers: readonly string[] | Unknown;
  /** null: the function has no IOMMU group */
  readonly iommuGroup: number | null | Unknown;
  /** the unit that it is behind; null: behind none; not told: any of them */
  readonly iommuUnit?: string | null | Unknown;
  /** device.function of each bridge from the root bus down, then of the function itself; the first element is the root, e.g. pci0000:00 */
  readonly slot: readonly string[] | Unknown;
  /** the name that the firmware gives it (SMBIOS type 41, ACPI _DSM); null: none */
  readonly firmwareLabel?: string | null | Unknown;
  /** PCIe device serial number, or of the disk or NIC */
  readonly serial: string | null | Unknown;
  /** -1: the firmware does not say */
  readonly numaNode: number | Unknown;
  readonly resetMethods: readonly ("device_specific" | "acpi" | "flr" | "af_flr" | "pm" | "bus" | "cxl_bus")[] | Unknown;
  readonly bars: readonly Bar[] | Unknown;
  readonly capabilities: {
    readonly express: boolean;
    /** 0: no MSI capability */
    readonly msiVectors: number;
    /** 0: no MSI-X capability */
    readonly msixVectors: number;
    /** where the MSI-X vectors are; not told: in any BAR */
    readonly msixTable?: {
      readonly bar: number;
      /** bytes from the start of the BAR */
      readonly offset: number;
    };
    /** 0: no INTx */
    readonly interruptPin: number;
    /** bytes: 256 or 4096 */
    readonly configSize: number;
  } | Unknown;
  /** null: not a physical function */
  readonly sriov: {
    readonly totalVfs: number;
    readonly numVfs: number;
    /** drivers are asked to take its virtual functions when they come; not told: they are */
    readonly driversAutoprobe?: boolean;
    /** where its virtual functions are, enabled or not */
    readonly routing?: {
      readonly offset: number;
      readonly stride: number;
      /** device ID of the virtual functions */
      readonly device: string;
    };
  } | null | Unknown;
  /** the PF of a virtual function; null: not a VF */
  readonly physicalFunction: Address | null | Unknown;
  readonly netdevs: readonly string[] | Unknown;
  /** whole disks below this function: nvme0n1, sda */
  readonly blockDevices: readonly string[] | Unknown;
}

/** A PCI address as the kernel prints it: `0000:03:00.0`. */
export type Address = string;

export interface Bar {
  /** 0-5 BAR, 6 ROM */
  readonly index: number;
  readonly start: string;
  /** bytes */
  readonly size: number;
  readonly kind: "memory" | "io" | "rom";
  readonly prefetchable: boolean;
}

export interface BlockDevice {
  readonly name: string;
  /** the PCI function it hangs on; null: none (loop, dm, md) */
  readonly function: Address | null | Unknown;
  /** the whole disk of a partition; null: a whole device */
  readonly parent: string | null;
  /** mount points, [] when none */
  readonly mounts: readonly string[] | Unknown;
  readonly swap: boolean | Unknown;
  /** dm, md and LVM devices stacked on it */
  readonly holders: readonly string[] | Unknown;
  /** file-system, RAID, LVM or partition-table signature; null: none found */
  readonly signature: string | null | Unknown;
  readonly serial: string | null | Unknown;
  /** device-mapper name or model, for people only */
  readonly label?: string;
}

export interface Netdev {
  readonly name: string;
  /** null: a virtual device */
  readonly function: Address | null | Unknown;
  readonly mac: string | null | Unknown;
  readonly up: boolean | Unknown;
  /** bond, bridge or team that it is enslaved to */
  readonly master: string | null | Unknown;
  /** devices below a VLAN, macvlan, bond or bridge */
  readonly lower: readonly string[] | Unknown;
  /** IP addresses with prefix length */
  readonly addresses: readonly string[] | Unknown;
  /** bond, bridge, vlan, macvlan, team …, for people only */
  readonly kind?: string;
}

export interface Route {
  /** default, or an address with prefix length */
  readonly destination: string;
  readonly netdev: string;
  readonly gateway: string | null;
}

export interface DeviceNode {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** permission bits */
  readonly mode: number;
}

export interface Configuration {
  /** the file system that holds /etc takes no changes */
  readonly readOnly: boolean | Unknown;
  /** of /etc, /etc/modprobe.d, modules-load.d, security/limits.d, udev/rules.d and systemd/system, and of the drop-in directories of services, those that are there */
  readonly directories: readonly {
    readonly path: string;
    /** something is in it beside what is listed here */
    readonly others: boolean;
  }[];
  /** those that have the name of a file of vfioplan, whoever wrote them */
  readonly files: readonly {
    readonly path: string;
    readonly text: string | Unknown;
  }[];
}

export interface Established {
  /** a file, named and shown as in a plan: a driver link, an override, a node */
  readonly path: string;
  /** what it showed before; null: it was not there */
  readonly found: string | null;
  /** what it showed when the plan was done */
  readonly left: string | null;
  /** vendor and device of the function that it belongs to; null: it belongs to none */
  readonly identity: string | null;
  /** of a node that has a number: the function whose node it is, whatever its number is by now */
  readonly of?: Address;
  /** of the journal that tells it last */
  readonly generation: number;
  /** the machine was started again since */
  readonly earlierBoot: boolean;
}
