import type { Address } from '../machine/snapshot.ts';

/**
 * One userspace-visible operation. Every op names the process that makes it (`pid` of a `Process` of the world).
 * Arguments are values, not bytes: `argument` says only what matters of the memory behind a pointer.
 */
export type Op =
  // --- sysfs, modules, nodes: what a plan is made of
  /**
   * As modprobe does it: what the module needs first, what its soft dependencies name afterwards. `parameters` stand behind
   * the name, `ids=8086:10d3`, and are for the module alone; what modprobe.d says is not asked.
   */
  | {
      readonly op: 'module.load';
      readonly pid: number;
      readonly module: string;
      readonly parameters?: readonly string[];
    }
  /** delete_module(2) of `module`, then of each in `also`, in that order; a refusal refuses them all. */
  | {
      readonly op: 'module.unload';
      readonly pid: number;
      readonly module: string;
      readonly also?: readonly string[];
    }
  | {
      readonly op: 'parameter.write';
      readonly pid: number;
      readonly module: string;
      readonly parameter: string;
      readonly text: string;
    }
  /** `text` without its newline; the empty text clears the override. */
  | { readonly op: 'override.write'; readonly pid: number; readonly device: Address; readonly text: string }
  | { readonly op: 'driver.bind'; readonly pid: number; readonly driver: string; readonly device: Address }
  | { readonly op: 'driver.unbind'; readonly pid: number; readonly driver: string; readonly device: Address }
  | { readonly op: 'drivers.probe'; readonly pid: number; readonly device: Address }
  /** chown and chmod of a node under /dev, as one deed; `mode` holds permission bits. */
  | {
      readonly op: 'node.own';
      readonly pid: number;
      readonly path: string;
      /** Whose node it is, where the path has a number that the kernel hands out: whichever the function's is by then. */
      readonly of?: Address;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  // --- configuration files, and directories that they need
  /** The whole text, put in the place of the old one at once (a file beside it, and rename(2)). */
  | { readonly op: 'config.write'; readonly pid: number; readonly path: string; readonly text: string }
  | { readonly op: 'config.remove'; readonly pid: number; readonly path: string }
  | { readonly op: 'config.make_directory'; readonly pid: number; readonly path: string }
  | { readonly op: 'config.remove_directory'; readonly pid: number; readonly path: string }
  // --- sysfs, where the text is told to the byte as it is written
  | DriverWrite<'driver.new_id'>
  | DriverWrite<'driver.remove_id'>
  | { readonly op: 'bus.autoprobe'; readonly pid: number; readonly text: string }
  /** Of the whole bus, or of the bus that a device is on. */
  | { readonly op: 'bus.rescan'; readonly pid: number; readonly device?: Address; readonly text: string }
  | DeviceWrite<'device.remove'>
  | DeviceWrite<'device.enable'>
  | DeviceWrite<'device.sysfs_reset'>
  | DeviceWrite<'device.reset_method'>
  | DeviceWrite<'device.sriov_numvfs'>
  | DeviceWrite<'device.sriov_autoprobe'>
  | { readonly op: 'iommu_group.type'; readonly pid: number; readonly group: number; readonly text: string }
  // --- files
  | { readonly op: 'open'; readonly pid: number; readonly path: string }
  | { readonly op: 'close'; readonly pid: number; readonly fd: number }
  /** Another process gets a descriptor of the same open file (SCM_RIGHTS); answers its number there. */
  | { readonly op: 'descriptor.pass'; readonly pid: number; readonly fd: number; readonly to: number }
  /** read, write, mmap or lseek of one unit, for the answers that VFIO's files give to calls they lack. */
  | {
      readonly op: 'file.call';
      readonly pid: number;
      readonly fd: number;
      readonly call: 'read' | 'write' | 'mmap' | 'lseek';
    }
  /** A counter to be signalled by (eventfd2); answers its descriptor. */
  | { readonly op: 'eventfd'; readonly pid: number }
  // --- container
  | { readonly op: 'container.api_version'; readonly pid: number; readonly fd: number }
  | {
      readonly op: 'container.check_extension';
      readonly pid: number;
      readonly fd: number;
      readonly extension: number;
    }
  | { readonly op: 'container.set_iommu'; readonly pid: number; readonly fd: number; readonly type: number }
  | ({ readonly op: 'container.get_info' } & Call)
  | ({
      readonly op: 'container.map_dma';
      readonly flags: number;
      readonly vaddr: bigint;
      readonly iova: bigint;
      readonly size: bigint;
      readonly memory: Memory;
    } & Call)
  | ({
      readonly op: 'container.unmap_dma';
      readonly flags: number;
      readonly iova: bigint;
      readonly size: bigint;
    } & Call &
      Partial<DirtyBitmap>)
  | ({
      readonly op: 'container.dirty_pages';
      readonly flags: number;
      readonly iova: bigint;
      readonly size: bigint;
    } & Call &
      Partial<DirtyBitmap>)
  // --- group
  | ({ readonly op: 'group.get_status' } & Call)
  /** `container` is the descriptor that the int holds. */
  | ({ readonly op: 'group.set_container'; readonly container: number } & Call)
  | { readonly op: 'group.unset_container'; readonly pid: number; readonly fd: number }
  | ({ readonly op: 'group.get_device_fd'; readonly name: string } & Call)
  // --- device
  /**
   * `iommufd` is a descriptor of /dev/iommu; a cdev is of no use before it. `token`: the UUID behind the pointer that flag
   * 1 is about; left out, nothing can be read there.
   */
  | ({
      readonly op: 'device.bind_iommufd';
      readonly iommufd: number;
      readonly flags: number;
      readonly token?: string;
    } & Structure)
  | ({ readonly op: 'device.get_info' } & Call)
  | ({ readonly op: 'device.region_info'; readonly index: number } & Call)
  | ({ readonly op: 'device.irq_info'; readonly index: number } & Call)
  | { readonly op: 'device.reset'; readonly pid: number; readonly fd: number }
  /** `target`: id of an address space or a page table of the iommufd. */
  | ({ readonly op: 'device.attach_ioas'; readonly target: number; readonly flags: number } & Call)
  | ({ readonly op: 'device.detach_ioas'; readonly flags: number } & Call)
  // --- iommufd: objects by id
  | ({ readonly op: 'iommufd.destroy'; readonly id: number } & Structure)
  | ({ readonly op: 'iommufd.ioas_alloc'; readonly flags: number } & Structure)
  | ({ readonly op: 'iommufd.ioas_iova_ranges'; readonly ioas: number; readonly room: number } & Reserved)
  /** `ranges`: first and last address of each, one after another. */
  | ({
      readonly op: 'iommufd.ioas_allow_iovas';
      readonly ioas: number;
      readonly ranges: readonly bigint[];
    } & Reserved)
  | ({
      readonly op: 'iommufd.ioas_map';
      readonly flags: number;
      readonly ioas: number;
      readonly vaddr: bigint;
      readonly length: bigint;
      readonly iova: bigint;
      readonly memory: Memory;
    } & Reserved)
  | ({
      readonly op: 'iommufd.ioas_copy';
      readonly flags: number;
      readonly dst: number;
      readonly src: number;
      readonly length: bigint;
      readonly dstIova: bigint;
      readonly srcIova: bigint;
    } & Structure)
  | ({
      readonly op: 'iommufd.ioas_unmap';
      readonly ioas: number;
      readonly iova: bigint;
      readonly length: bigint;
    } & Structure)
  | ({
      readonly op: 'iommufd.option';
      readonly option: number;
      readonly operation: number;
      readonly object: number;
      readonly value: bigint;
    } & Reserved)
  | ({ readonly op: 'iommufd.vfio_ioas'; readonly operation: number; readonly ioas: number } & Reserved)
  /**
   * `target`: id of an address space, or of the page table that it shall be nested in. `behind`: whether the data can be read
   * at its address, as far as it goes; what it says is the driver's affair.
   */
  | ({
      readonly op: 'iommufd.hwpt_alloc';
      readonly flags: number;
      readonly deviceId: number;
      readonly target: number;
      readonly dataType: number;
      readonly dataLength: number;
      readonly behind?: 'readable';
      readonly faultId?: number;
    } & Reserved)
  /** `buffer`: what stands behind the address for `length` bytes; more than 1 MiB never does. */
  | ({
      readonly op: 'iommufd.get_hw_info';
      readonly flags: number;
      readonly deviceId: number;
      readonly length: number;
      readonly buffer: 'writable' | 'none';
    } & Reserved)
  | ({
      readonly op: 'iommufd.hwpt_set_dirty_tracking';
      readonly hwpt: number;
      readonly flags: number;
    } & Structure)
  | ({
      readonly op: 'iommufd.hwpt_get_dirty_bitmap';
      readonly hwpt: number;
      readonly flags: number;
      readonly iova: bigint;
      readonly length: bigint;
      readonly pageSize: bigint;
    } & Reserved)
  /**
   * `array`: whether an address is given, of as many entries as `entries` says. `content`: the words of 32 bits that stand
   * there, and zeros behind them to the end of the page; nothing, where it is left out.
   */
  | ({
      readonly op: 'iommufd.hwpt_invalidate';
      readonly hwpt: number;
      readonly array: boolean;
      readonly entryLength: number;
      readonly entries: number;
      readonly dataType?: number;
      readonly content?: readonly number[];
    } & Reserved)
  /** Answers the descriptor that faults are read from. */
  | ({ readonly op: 'iommufd.fault_queue_alloc'; readonly flags: number } & Structure)
  /** In kernels of the series of 2026 alone. */
  | ({
      readonly op: 'iommufd.noiommu_get_pa';
      readonly flags: number;
      readonly ioas: number;
      readonly iova: bigint;
      readonly length: bigint;
    } & Reserved)
  // --- iommufd: VFIO's own requests, as where it stands for a container
  | { readonly op: 'iommufd.api_version'; readonly pid: number; readonly fd: number }
  | {
      readonly op: 'iommufd.check_extension';
      readonly pid: number;
      readonly fd: number;
      readonly extension: number;
    }
  | { readonly op: 'iommufd.set_iommu'; readonly pid: number; readonly fd: number; readonly type: number }
  | ({ readonly op: 'iommufd.get_info' } & Call)
  | ({
      readonly op: 'iommufd.map_dma';
      readonly flags: number;
      readonly vaddr: bigint;
      readonly iova: bigint;
      readonly size: bigint;
      readonly memory: Memory;
    } & Call)
  | ({
      readonly op: 'iommufd.unmap_dma';
      readonly flags: number;
      readonly iova: bigint;
      readonly size: bigint;
    } & Call)
  // --- virtual machines: as much of KVM as it takes to tell one of VFIO's files
  | { readonly op: 'kvm.create_vm'; readonly pid: number; readonly fd: number }
  /** Of KVM_DEV_TYPE_VFIO; answers its descriptor. */
  | ({ readonly op: 'kvm.create_device' } & Call)
  /** `file` is the descriptor that the int holds. */
  | ({ readonly op: 'kvm.add_group'; readonly file: number } & Call)
  | ({ readonly op: 'kvm.del_group'; readonly file: number } & Call)
  /** `data`: what stands behind the structure, as many as `count`: descriptors of eventfds, bytes, or nothing. */
  | ({
      readonly op: 'device.set_irqs';
      readonly flags: number;
      readonly index: number;
      readonly start: number;
      readonly count: number;
      readonly data: readonly number[];
    } & Call)
  | ({
      readonly op: 'device.ioeventfd';
      readonly flags: number;
      readonly offset: bigint;
      readonly data: bigint;
      readonly eventfd: number;
    } & Call)
  /** One read or write of a device's file at an offset (pread64, pwrite64). */
  | {
      readonly op: 'device.read';
      readonly pid: number;
      readonly fd: number;
      readonly offset: bigint;
      readonly count: number;
    }
  | {
      readonly op: 'device.write';
      readonly pid: number;
      readonly fd: number;
      readonly offset: bigint;
      readonly bytes: readonly number[];
    }
  /** Maps memory of a device and unmaps it again. */
  | {
      readonly op: 'device.mmap';
      readonly pid: number;
      readonly fd: number;
      readonly offset: bigint;
      readonly length: number;
      readonly shared: boolean;
    }
  | ({ readonly op: 'device.hot_reset_info' } & Call)
  /** `groups`: descriptors that prove whose the devices are; as many as `count` says. */
  | ({
      readonly op: 'device.hot_reset';
      readonly flags: number;
      readonly groups: readonly number[];
    } & Call)
  /** Behind the structure stand 16 bytes of a `token`, or the descriptor of a wake-up `eventfd`, by the feature. */
  | ({
      readonly op: 'device.feature';
      readonly flags: number;
      readonly token: string;
      readonly eventfd: number;
    } & Call)
  /**
   * Any ioctl by number; the model answers as the file's kind does. Of the memory behind the pointer only `argsz` is
   * told, the rest reads as zero; a request by value has the value 0.
   */
  | ({ readonly op: 'ioctl'; readonly request: number } & Call);

interface DriverWrite<Name extends string> {
  readonly op: Name;
  readonly pid: number;
  readonly driver: string;
  readonly text: string;
}

interface DeviceWrite<Name extends string> {
  readonly op: Name;
  readonly pid: number;
  readonly device: Address;
  readonly text: string;
}

/** An ioctl with a pointer argument. */
export interface Call {
  readonly pid: number;
  readonly fd: number;
  /** `null`: a pointer that cannot be read (EFAULT). Otherwise the structure's `argsz`; leave out for "large enough". */
  readonly argsz?: number | null;
}

/**
 * What stands behind the user address of a mapping. `writable` was written to before; `untouched` may be written, but
 * nobody did yet, and `read-only` never was.
 */
export type Memory = 'writable' | 'untouched' | 'read-only' | 'none';

/** Where the kernel shall write which pages are dirty: struct vfio_bitmap. What is left out is zero. */
interface DirtyBitmap {
  /** Bytes that a bit stands for. */
  readonly pgsize: bigint;
  readonly bitmapSize: bigint;
  /** What stands behind its address; `kernel` is no address of a process, `unreadable` is the structure itself. */
  readonly bitmap: 'writable' | 'read-only' | 'none' | 'kernel' | 'unreadable';
}
/** A structure that may be longer than the kernel knows it (copy_struct_from_user): `argsz` is its size. */
interface Structure extends Call {
  /** Bytes that are not 0 stand behind what the kernel knows of it; `argsz`, when told, says how long it is with them. */
  readonly tail?: boolean;
}

interface Reserved extends Structure {
  /** A field that must be 0, and is when left out. */
  readonly reserved?: number;
}

export type OpKind = Op['op'];
