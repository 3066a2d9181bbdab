import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { Backend } from '../backend.ts';
import type { NativeObstacle } from '../linux/obstacles.ts';

/** The machine that the command runs on: read by some commands, acted upon only by those that say so. */
export interface Machine {
  /** Reads it, or the tree captured in `sysroot`; null: there is no such folder. */
  read(sysroot: string | undefined): Promise<Reading | null>;
  /** What stands in the way of acting on it; null: nothing. */
  obstacle(): Promise<NativeObstacle | null>;
  /** Its kernel. Asked for only when there is no obstacle. */
  backend(): Promise<Backend>;
}

/** A snapshot, or why there is none. */
export interface Reading {
  readonly snapshot?: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
}
