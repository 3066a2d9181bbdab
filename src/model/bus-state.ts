import type { DynamicId } from './state.ts';

/** What the PCI bus itself keeps. */
export interface Bus {
  /** drivers_autoprobe: a driver that registers takes the devices that are there. */
  readonly autoprobe: boolean;
  /** Drivers that have ids of run time, by name; ids oldest first. */
  readonly ids: readonly { readonly driver: string; readonly ids: readonly DynamicId[] }[];
  /** Drivers that registered since the snapshot, in their order: the bus has them behind all others. */
  readonly registered: readonly string[];
  /** Devices that came since the snapshot, in their order: the bus has them behind all others. */
  readonly arrived: readonly number[];
  /**
   * Devices that drivers of modules have, in the order in which they took them: when a module goes, the last is let go of
   * first. Nothing shows that order when a snapshot is taken: it is that of the bus then, as when a driver registers.
   */
  readonly bound: readonly number[];
  /** Those of them whose driver's `unbind` somebody writes to, and waits: the file stays until the write is over. */
  readonly unbinding: readonly number[];
  /** Writes to `remove` and 0 to `sriov_numvfs` that have begun, and wait until what they take away is closed. */
  readonly removing: readonly Removal[];
  /** Unloads that have begun, and wait until a device of a driver that goes is closed. */
  readonly unloading: readonly Unloading[];
}

export interface Removal {
  readonly op: 'device.remove' | 'device.sriov_numvfs';
  /** By `Hardware.index`: whose file it is. */
  readonly device: number;
  readonly pid: number;
}

export interface Unloading {
  /** The module that is about to go, and those that its call unloads after it. */
  readonly modules: readonly string[];
  readonly pid: number;
}
