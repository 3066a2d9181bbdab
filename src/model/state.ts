import type { Address } from '../machine/snapshot.ts';
import type { Profile } from './profiles.ts';

/** What does not change while operations run: the kernel build, the hardware, who the processes are. */
export interface World {
  readonly profile: Profile;
  readonly devices: ReadonlyMap<Address, Hardware>;
  readonly processes: ReadonlyMap<number, Process>;
  /** Drivers that exist (built in or loadable), by name. */
  readonly drivers: ReadonlyMap<string, Driver>;
}

export interface Process {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly capabilities: ReadonlySet<string>;
  /** Soft RLIMIT_MEMLOCK in bytes; null is unlimited. */
  readonly memlock: number | null;
}

export interface Hardware {
  readonly address: Address;
  readonly headerType: number;
  /** The real IOMMU group, or null. */
  readonly group: number | null;
  /** Drivers whose id table matches, in registration order. */
  readonly drivers: readonly string[];
  readonly resets: boolean;
  readonly virtualFunctions: number;
  readonly bars: readonly {
    readonly index: number;
    readonly size: number;
    readonly kind: 'memory' | 'io' | 'rom';
  }[];
  readonly express: boolean;
  readonly msiVectors: number;
  readonly msixVectors: number;
  readonly interruptPin: number;
  readonly configSize: number;
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

/** Everything that operations change. Immutable: a step shares what it did not touch. */
export interface State {
  readonly todo?: never;
}
