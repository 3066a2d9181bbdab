import type { z } from 'zod';
import type { blockDevice, netdev, pciFunction, snapshotSchema } from './snapshot.schema.ts';

export type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** A machine as it was read, once, at the front door. Defined in `snapshot.schema.ts`. */
export type Snapshot = Frozen<z.infer<typeof snapshotSchema>>;
export type PciFunction = Frozen<z.infer<typeof pciFunction>>;
export type BlockDevice = Frozen<z.infer<typeof blockDevice>>;
export type Netdev = Frozen<z.infer<typeof netdev>>;

/** A PCI address as the kernel prints it: `0000:03:00.0`. */
export type Address = string;

/** Something that the snapshot could not tell, and why. */
export interface Unknown {
  readonly unknown: string;
}

export type Fact<T> = T | Unknown;

export function isUnknown<T>(fact: Fact<T>): fact is Unknown {
  return typeof fact === 'object' && fact !== null && 'unknown' in fact;
}

/** The value, or `fallback` when it is unknown. The caller must make the fallback the unsafe reading. */
export function known<T, U>(fact: Fact<T>, fallback: U): T | U {
  return isUnknown(fact) ? fallback : fact;
}
