import type { Place } from '../diagnostics/diagnostic.ts';
import type { Address, PciFunction, Snapshot } from '../machine/snapshot.ts';
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
  readonly creates: readonly Create[];
  /** Virtual functions that come by `creates`, as far as the snapshot tells where they would be. */
  readonly arriving: readonly PciFunction[];
  readonly limits: readonly Limit[];
  readonly persists: readonly Persist[];
  readonly confirms: readonly Confirm[];
  /** What the host's statements say about the kernel release. */
  readonly kernel?: readonly KernelRelation[];
  /** Facts that the snapshot does not tell and that choosing the devices rested on. */
  readonly assumptions?: readonly Assumption[];
}

export interface KernelRelation {
  readonly relation: '>=' | '<=' | '>' | '<' | '=';
  /** `6.1`, `6.12.3`. */
  readonly version: string;
  readonly place: Place;
}

/** Something that must hold for the policy to mean what was resolved, and that nobody has seen yet. */
export interface Assumption {
  /** A path into the snapshot: `/functions/0000:51:00.0/serial`, `/routes`. */
  readonly fact: string;
  /** What must hold, as a person reads it. */
  readonly sentence: string;
  /** Why the snapshot does not know it. */
  readonly unknown: string;
  /** The values with which it holds; left out when no value of the one fact decides. */
  readonly expects?: readonly (string | number | boolean | null)[];
  readonly place: Place;
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
  /** The claim that it does no DMA. */
  readonly dmaNone?: DmaClaim;
  readonly place: Place;
}

/** Nobody can see whether a device does DMA: what rests on the claim is told wherever it is used. */
export interface DmaClaim {
  readonly reason: string;
  readonly place: Place;
}

export interface Bind {
  readonly policy: string;
  /** The device's name in the policy. */
  readonly device: string;
  /** Every function to bind, those that `with its group` brings included. */
  readonly functions: readonly Address[];
  readonly wholeGroup: boolean;
  /** The device's name where the statement names it. */
  readonly named?: Place;
  /** The word after `to`, as written: a driver's name, `vfio`, `none` or `default`. */
  readonly to: string;
  /** A driver name; `null` for `none`. `vfio` and `default` are resolved to a driver, or to `null`, per function. */
  readonly driver: (address: Address) => string | null;
  /** Where the word after `to` stands. */
  readonly toPlace?: Place;
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
  /** The device's name in the policy, or `any device`. */
  readonly device: string;
  readonly functions: readonly Address[];
  readonly via: Path;
  /** Where the principal's name stands, and the path's. */
  readonly whoPlace?: Place;
  readonly viaPlace?: Place;
  readonly place: Place;
}

/** How many virtual functions physical ones shall have, at least 1. */
export interface Create {
  readonly policy: string;
  /** The device's name in the policy. */
  readonly device: string;
  readonly functions: readonly Address[];
  readonly count: number;
  readonly countPlace: Place;
  readonly place: Place;
}

/** How much memory principals of this name, or pattern of names, may lock. */
export interface Limit {
  readonly policy: string;
  readonly who: Pick<WhoMay, 'kind' | 'name'>;
  /** Where the name stands. */
  readonly whoPlace: Place;
  readonly bytes: number;
  readonly place: Place;
}

/** What of a policy holds again after the next boot. */
export interface Persist {
  readonly policy: string;
  readonly until: 'nothing' | 'boots' | 'drivers';
  readonly place: Place;
}

/** How long a plan that was carried out waits to be confirmed before it is taken back. */
export interface Confirm {
  readonly policy: string;
  /** 1 to 86,400. */
  readonly seconds: number;
  readonly place: Place;
}

export interface Forbid {
  readonly policy: string;
  readonly what: 'use' | 'unsafe-interrupts';
  readonly who?: WhoMay;
  /** `undefined`: any device. */
  readonly device?: string;
  readonly functions?: readonly Address[];
  readonly via: Path;
  readonly place: Place;
}

export interface Protect {
  readonly policy: string;
  /** The device's name in the policy, if it names one. */
  readonly device?: string;
  readonly holding: readonly Holding[];
  readonly functions: readonly Address[];
  readonly place: Place;
}

export type Require = {
  readonly policy: string;
  readonly device: string;
  readonly functions: readonly Address[];
  readonly place: Place;
} & (
  | { readonly what: 'isolated' }
  /** The kernel can reset it in one of these ways. */
  | { readonly what: 'resets'; readonly methods: readonly string[] }
  | { readonly what: 'numa'; readonly nodes: readonly number[] }
  /** As `bind` has it: a driver's name, `vfio`, `none` or `default`. */
  | { readonly what: 'never'; readonly to: string }
);
