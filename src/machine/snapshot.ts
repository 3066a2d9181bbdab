import type { Unknown } from './generated/snapshot.ts';

export type {
  Address,
  Bar,
  BlockDevice,
  DeviceNode,
  Established,
  IommuGroup,
  IommuUnit,
  Netdev,
  PciFunction,
  Route,
  Snapshot,
  Unknown,
} from './generated/snapshot.ts';

/** A fact of a machine, or the reason why it is not known. `snapshot.schema.ts` defines what a snapshot holds. */
export type Fact<T> = T | Unknown;

export function isUnknown<T>(fact: Fact<T>): fact is Unknown {
  return typeof fact === 'object' && fact !== null && 'unknown' in fact;
}

/** The value, or `fallback` when it is unknown. The caller must make the fallback the unsafe reading. */
export function known<T, U>(fact: Fact<T>, fallback: U): T | U {
  return isUnknown(fact) ? fallback : fact;
}
