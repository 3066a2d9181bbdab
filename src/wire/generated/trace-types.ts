// Generated from src/wire/trace.schema.ts by `npm run generate`; do not edit.

/** One line of a trace (JSON Lines): a process, an operation on the kernel, what it answered. */
export type TraceRecord = TraceHeader | TraceProcess | TraceExit | TraceCall;

export interface TraceHeader {
  readonly record: "header";
  readonly format: "vfioplan.trace";
  readonly version: 1;
  /** kernel profile of the model; left out: the one nearest to the machine's release */
  readonly profile?: string;
  /** the machine as it was when the trace began */
  readonly machine?: {
    /** a snapshot; relative to the trace's folder */
    readonly file: string;
  } | {
    /** a snapshot: docs/schema/snapshot.json */
    readonly snapshot: {
      readonly [name: string]: unknown;
    };
  };
  /** who answered; a script has no answers */
  readonly from?: {
    readonly kernel: "simulated" | "linux";
    /** as `uname -r` says */
    readonly release?: string;
  };
  readonly about?: string;
}

/** a process begins, or an existing one is somebody else from now on; its descriptors stay */
export interface TraceProcess {
  readonly record: "process";
  readonly name: TraceProcessName;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** effective, in the initial user namespace */
  readonly capabilities: readonly string[];
  /** soft RLIMIT_MEMLOCK in bytes; null is unlimited */
  readonly memlock: number | null;
}

/** a process that an earlier record introduced */
export type TraceProcessName = string;

/** a process ends: all that it has open is closed */
export interface TraceExit {
  readonly record: "exit";
  readonly process: TraceProcessName;
}

/** one operation of one process, and what came of it */
export interface TraceCall {
  readonly record: "call";
  readonly process: TraceProcessName;
  readonly operation: TraceOperation;
  /** fields of the operation that nobody told: what stands there only holds the place */
  readonly untold?: readonly string[];
  readonly result?: TraceResult;
  /** what paths show afterwards: file text without its final newline, a link's last component, `mode uid:gid` of a node; null: absent */
  readonly shows?: {
    readonly [name: string]: string | null;
  };
  /** /proc/sys/kernel/tainted afterwards */
  readonly taint?: number;
  /** what VFIO, the IOMMU code and the driver core logged meanwhile, without time stamps */
  readonly log?: readonly string[];
  readonly comment?: string;
}

export type TraceOperation = {
  readonly op: "module.load";
  readonly module: string;
  /** as modprobe takes them: `ids=8086:10d3` */
  readonly parameters?: readonly string[];
} | {
  readonly op: "module.unload";
  readonly module: string;
  readonly also?: readonly string[];
} | {
  readonly op: "parameter.write";
  readonly module: string;
  readonly parameter: string;
  readonly text: string;
} | {
  readonly op: "override.write";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "driver.bind";
  readonly driver: string;
  readonly device: string;
} | {
  readonly op: "driver.unbind";
  readonly driver: string;
  readonly device: string;
} | {
  readonly op: "drivers.probe";
  readonly device: string;
} | {
  readonly op: "driver.new_id";
  readonly driver: string;
  readonly text: string;
} | {
  readonly op: "driver.remove_id";
  readonly driver: string;
  readonly text: string;
} | {
  readonly op: "bus.autoprobe";
  readonly text: string;
} | {
  readonly op: "bus.rescan";
  /** on whose bus; left out: everywhere */
  readonly device?: string;
  readonly text: string;
} | {
  readonly op: "device.remove";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "device.enable";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "device.sysfs_reset";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "device.reset_method";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "device.sriov_numvfs";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "device.sriov_autoprobe";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "iommu_group.type";
  readonly group: number;
  readonly text: string;
} | {
  readonly op: "node.own";
  readonly path: string;
  /** whose node it is, where its number is handed out by the kernel: then whichever that function has */
  readonly of?: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
} | {
  readonly op: "config.write";
  readonly path: string;
  readonly text: string;
} | {
  readonly op: "config.remove";
  readonly path: string;
} | {
  readonly op: "config.make_directory";
  readonly path: string;
} | {
  readonly op: "config.remove_directory";
  readonly path: string;
} | {
  readonly op: "open";
  readonly path: string;
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "close";
  readonly fd: TraceDescriptor;
} | {
  readonly op: "descriptor.pass";
  readonly fd: TraceDescriptor;
  readonly to: TraceProcessName;
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "file.call";
  readonly fd: TraceDescriptor;
  readonly call: "read" | "write" | "mmap" | "lseek";
} | {
  readonly op: "eventfd";
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "container.api_version";
  readonly fd: TraceDescriptor;
} | {
  readonly op: "container.check_extension";
  readonly fd: TraceDescriptor;
  readonly extension: number;
} | {
  readonly op: "container.set_iommu";
  readonly fd: TraceDescriptor;
  readonly type: number;
} | {
  readonly op: "container.get_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
} | {
  readonly op: "container.map_dma";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly vaddr: TraceWide;
  readonly iova: TraceWide;
  readonly size: TraceWide;
  /** what stands behind vaddr */
  readonly memory: "writable" | "untouched" | "read-only" | "none";
} | {
  readonly op: "container.unmap_dma";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly iova: TraceWide;
  readonly size: TraceWide;
  readonly pgsize?: TraceWide;
  readonly bitmapSize?: TraceWide;
  /** what stands behind the address of a bitmap of dirty pages */
  readonly bitmap?: "writable" | "read-only" | "none" | "kernel" | "unreadable";
} | {
  readonly op: "container.dirty_pages";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly iova: TraceWide;
  readonly size: TraceWide;
  readonly pgsize?: TraceWide;
  readonly bitmapSize?: TraceWide;
  /** what stands behind the address of a bitmap of dirty pages */
  readonly bitmap?: "writable" | "read-only" | "none" | "kernel" | "unreadable";
} | {
  readonly op: "group.get_status";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
} | {
  readonly op: "group.set_container";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly container: TraceDescriptor;
} | {
  readonly op: "group.unset_container";
  readonly fd: TraceDescriptor;
} | {
  readonly op: "group.get_device_fd";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly name: string;
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "device.bind_iommufd";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly iommufd: TraceDescriptor;
  readonly flags: number;
  /** a UUID, anything else stands for zeros; left out, none can be read */
  readonly token?: string;
} | {
  readonly op: "device.attach_ioas";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly target: number;
  readonly flags: number;
} | {
  readonly op: "device.detach_ioas";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
} | {
  readonly op: "iommufd.destroy";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly id: number;
} | {
  readonly op: "iommufd.ioas_alloc";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly flags: number;
} | {
  readonly op: "iommufd.ioas_iova_ranges";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly ioas: number;
  readonly room: number;
} | {
  readonly op: "iommufd.ioas_allow_iovas";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly ioas: number;
  readonly ranges: readonly TraceWide[];
} | {
  readonly op: "iommufd.ioas_map";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly flags: number;
  readonly ioas: number;
  readonly vaddr: TraceWide;
  readonly length: TraceWide;
  readonly iova: TraceWide;
  /** what stands behind vaddr */
  readonly memory: "writable" | "untouched" | "read-only" | "none";
} | {
  readonly op: "iommufd.ioas_copy";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly flags: number;
  readonly dst: number;
  readonly src: number;
  readonly length: TraceWide;
  readonly dstIova: TraceWide;
  readonly srcIova: TraceWide;
} | {
  readonly op: "iommufd.ioas_unmap";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly ioas: number;
  readonly iova: TraceWide;
  readonly length: TraceWide;
} | {
  readonly op: "iommufd.option";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly option: number;
  readonly operation: number;
  readonly object: number;
  readonly value: TraceWide;
} | {
  readonly op: "iommufd.vfio_ioas";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly operation: number;
  readonly ioas: number;
} | {
  readonly op: "iommufd.hwpt_alloc";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly flags: number;
  readonly deviceId: number;
  readonly target: number;
  readonly dataType: number;
  readonly dataLength: number;
  /** the data can be read at its address; left out: it cannot */
  readonly behind?: "readable";
  /** id of a queue of page faults */
  readonly faultId?: number;
} | {
  readonly op: "iommufd.get_hw_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly flags: number;
  readonly deviceId: number;
  readonly length: number;
  /** what stands behind the address */
  readonly buffer: "writable" | "none";
} | {
  readonly op: "iommufd.hwpt_set_dirty_tracking";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly hwpt: number;
  readonly flags: number;
} | {
  readonly op: "iommufd.hwpt_get_dirty_bitmap";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly hwpt: number;
  readonly flags: number;
  readonly iova: TraceWide;
  readonly length: TraceWide;
  readonly pageSize: TraceWide;
} | {
  readonly op: "iommufd.hwpt_invalidate";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly hwpt: number;
  /** whether the address of entries is given */
  readonly array: boolean;
  readonly entryLength: number;
  readonly entries: number;
  /** what the entries are; 0 when left out */
  readonly dataType?: number;
  /** words at the address, and zeros behind them; left out: nothing is there */
  readonly content?: readonly number[];
} | {
  readonly op: "iommufd.fault_queue_alloc";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly flags: number;
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "iommufd.noiommu_get_pa";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** bytes that are not 0 stand behind the structure */
  readonly tail?: boolean;
  readonly reserved?: number;
  readonly flags: number;
  readonly ioas: number;
  readonly iova: TraceWide;
  readonly length: TraceWide;
} | {
  readonly op: "iommufd.api_version";
  readonly fd: TraceDescriptor;
} | {
  readonly op: "iommufd.check_extension";
  readonly fd: TraceDescriptor;
  readonly extension: number;
} | {
  readonly op: "iommufd.set_iommu";
  readonly fd: TraceDescriptor;
  readonly type: number;
} | {
  readonly op: "iommufd.get_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
} | {
  readonly op: "iommufd.map_dma";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly vaddr: TraceWide;
  readonly iova: TraceWide;
  readonly size: TraceWide;
  /** what stands behind vaddr */
  readonly memory: "writable" | "untouched" | "read-only" | "none";
} | {
  readonly op: "iommufd.unmap_dma";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly iova: TraceWide;
  readonly size: TraceWide;
} | {
  readonly op: "device.get_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
} | {
  readonly op: "device.region_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly index: number;
} | {
  readonly op: "device.irq_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly index: number;
} | {
  readonly op: "device.reset";
  readonly fd: TraceDescriptor;
} | {
  readonly op: "kvm.create_vm";
  readonly fd: TraceDescriptor;
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "kvm.create_device";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  /** names the descriptor that it answers, for the operations that follow */
  readonly as?: TraceName;
} | {
  readonly op: "kvm.add_group";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly file: TraceDescriptor;
} | {
  readonly op: "kvm.del_group";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly file: TraceDescriptor;
} | {
  readonly op: "device.set_irqs";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /** for each vector a byte, or the descriptor of an eventfd */
  readonly data: readonly TraceDescriptor[];
} | {
  readonly op: "device.read";
  readonly fd: TraceDescriptor;
  readonly offset: TraceWide;
  readonly count: number;
} | {
  readonly op: "device.write";
  readonly fd: TraceDescriptor;
  readonly offset: TraceWide;
  readonly bytes: readonly number[];
} | {
  readonly op: "device.mmap";
  readonly fd: TraceDescriptor;
  readonly offset: TraceWide;
  readonly length: number;
  readonly shared: boolean;
} | {
  readonly op: "device.hot_reset_info";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
} | {
  readonly op: "device.hot_reset";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly groups: readonly TraceDescriptor[];
} | {
  readonly op: "device.ioeventfd";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  readonly offset: TraceWide;
  readonly data: TraceWide;
  readonly eventfd: TraceDescriptor;
} | {
  readonly op: "device.feature";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly flags: number;
  /** a UUID; anything else stands for zeros */
  readonly token: string;
  readonly eventfd: TraceDescriptor;
} | {
  readonly op: "ioctl";
  readonly fd: TraceDescriptor;
  readonly argsz?: number | null;
  readonly request: number;
};

export type TraceName = string;

/** the name that the operation gave which opened it; a number stands for itself */
export type TraceDescriptor = TraceName | number;

/** an unsigned number of 64 bits, in hexadecimal */
export type TraceWide = string;

export type TraceResult = {
  /** what the call returned; of one that opens a descriptor its number there, which is not compared */
  readonly value?: number;
  /** fields that the kernel wrote back; those of 64 bits as `0x…` */
  readonly out?: {
    readonly [name: string]: number | string;
  };
} | {
  readonly errno: string;
} | {
  /** the call did not return; who had to let go first, as far as that is known */
  readonly blocks: readonly TraceProcessName[];
};
