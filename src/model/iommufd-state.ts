import type { IommuDriverName } from './iommu-drivers.ts';
import type { Memory } from './op.ts';
import type { IovaRange } from './state.ts';

/** What one open /dev/iommu holds (drivers/iommu/iommufd: struct iommufd_ctx and its objects). */
export interface Iommufd {
  /** Its place in `State.iommufds`. */
  readonly index: number;
  /** Its open file description; groups and bound devices hold it too. */
  readonly file: number;
  /** The object with id n at place n - 1: ids are the lowest free ones from 1. */
  readonly objects: readonly (IommufdObject | null)[];
  /** no_iommu_mode: a group without an IOMMU took it for its container. It stays so. */
  readonly noiommu: boolean;
  /** Id of the address space that VFIO's own ioctls work on (vfio_ioas), or null. */
  readonly compat: number | null;
  /** Pinned pages are charged to the process, as VFIO does it, not to its user (account_mode). */
  readonly perProcess: boolean;
}

export type IommufdObject = Ioas | Hwpt | NestedHwpt | BoundDevice | FaultQueue;

/** An address space. */
export interface Ioas {
  readonly kind: 'ioas';
  /** Sorted by iova, disjoint. */
  readonly areas: readonly Area[];
  /** What IOAS_ALLOW_IOVAS promised, sorted; empty: nothing was. */
  readonly allowed: readonly IovaRange[];
  readonly largePages: boolean;
  /** Ids of its page tables; the first of them is the one that pinned pages are read from (area->storage_domain). */
  readonly tables: readonly number[];
}

/** A page table of an address space (struct iommufd_hwpt_paging). */
export interface Hwpt {
  readonly kind: 'hwpt';
  readonly ioas: number;
  /** An attach made it, and it goes with the last device; otherwise HWPT_ALLOC did, and it stays until DESTROY. */
  readonly automatic: boolean;
  /** Made for a device whose IOMMU enforces coherency: one whose IOMMU does not cannot have it. */
  readonly coherent: boolean;
  /** It tells which pages devices wrote to (IOMMU_HWPT_ALLOC_DIRTY_TRACKING). */
  readonly tracksDirty: boolean;
  /** It does so now (IOMMU_HWPT_SET_DIRTY_TRACKING). */
  readonly tracking: boolean;
  /** Where the pages of the IOMMU begin that were written to, in order. */
  readonly dirty: readonly bigint[];
  /** Others may be nested in it (IOMMU_HWPT_ALLOC_NEST_PARENT). */
  readonly nestParent: boolean;
  /** Whose IOMMU reads it; null: none does, it is for devices without one (drivers/iommu/iommufd/hwpt_noiommu.c). */
  readonly driver: IommuDriverName | null;
}

/** A page table of the caller's own that is nested in another one (struct iommufd_hwpt_nested). */
export interface NestedHwpt {
  readonly kind: 'nested';
  /** Id of the page table that translates what this one says. */
  readonly parent: number;
  /** Id of the queue that faults of its devices go to, or null. */
  readonly queue: number | null;
}

export interface BoundDevice {
  readonly kind: 'device';
  /** `Hardware.index`. */
  readonly device: number;
  /** Id of the page table that it is attached to. */
  readonly hwpt: number | null;
}

/** Where page faults of devices would be told (struct iommufd_fault); its descriptor uses it while it is open. */
export interface FaultQueue {
  readonly kind: 'fault-queue';
}

/** A range of an address space, and the bytes of memory behind it. */
export interface Area {
  readonly iova: bigint;
  readonly length: bigint;
  /** WRITEABLE 2, READABLE 4; VFIO's own MAP_DMA may give neither. */
  readonly access: number;
  /** Where in `pages` it begins. */
  readonly start: bigint;
  readonly pages: Pages;
}

/** Memory that was mapped at once; copies and parts share it (struct iopt_pages). */
export interface Pages {
  /** The user address, page-aligned. */
  readonly vaddr: bigint;
  readonly memory: Memory;
  /** Mapped for writing: a copy may not ask for more. */
  readonly writable: boolean;
  readonly pid: number;
  readonly uid: number;
  /** Whom pinned pages are charged to; with CAP_IPC_LOCK nobody. */
  readonly charged: 'nobody' | 'user' | 'process';
}
