import type { Place } from '../diagnostics/diagnostic.ts';
import type { Address, Snapshot } from '../machine/snapshot.ts';
import type { Holding, Path } from '../syntax/ast.ts';

/** What the policy files say about one host, with names resolved and selectors matched against its snapshot. */
export interface HostPolicy {
  readonly host: string;
  readonly snapshot: Snapshot;
  readonly labels: ReadonlyMap<string, string>;
  readonly iommu: { readonly state: 'required' | 'absent' | 'any'; readonly place?: Place };
  readonly noiommu: NoIommuPermission;
  readonly devices: ReadonlyMap<string, ResolvedDevice>;
  readonly binds: readonly Bind[];
  readonly allows: readonly Allow[];
  readonly forbids: readonly Forbid[];
  readonly protects: readonly Protect[];
  readonly requires: readonly Require[];
}

/** No-IOMMU mode on this host: forbidden unless a statement allows it and has not expired. */
export interface NoIommuPermission {
  readonly allowed: boolean;
  readonly expired: boolean;
  readonly owner?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly place?: Place;
}

export interface ResolvedDevice {
  readonly name: string;
  readonly plural: boolean;
  readonly functions: readonly Address[];
  readonly place: Place;
}

export interface Bind {
  readonly policy: string;
  /** The device's name in the policy. */
  readonly device: string;
  /** Every function to bind, those that `with its group` brings included. */
  readonly functions: readonly Address[];
  readonly wholeGroup: boolean;
  /** The word after `to`, as written: a driver's name, `vfio`, `none` or `default`. */
  readonly to: string;
  /** A driver name; `null` for `none`. `vfio` and `default` are resolved to a driver, or to `null`, per function. */
  readonly driver: (address: Address) => string | null;
  readonly place: Place;
}

export interface WhoMay {
  readonly kind: 'user' | 'group' | 'service' | 'vm' | 'container' | 'anyone';
  readonly name: string;
  readonly capabilities: readonly string[];
}

export interface Allow {
  readonly policy: string;
  readonly who: WhoMay;
  readonly device: string;
  readonly functions: readonly Address[];
  readonly via: Path;
  readonly place: Place;
}

export interface Forbid {
  readonly policy: string;
  readonly what: 'use' | 'unsafe-interrupts';
  readonly who?: WhoMay;
  /** `undefined`: any device. */
  readonly functions?: readonly Address[];
  readonly via: Path;
  readonly place: Place;
}

export interface Protect {
  readonly policy: string;
  readonly holding: readonly Holding[];
  readonly functions: readonly Address[];
  readonly place: Place;
}

export interface Require {
  readonly policy: string;
  readonly what: 'isolated';
  readonly functions: readonly Address[];
  readonly place: Place;
}
