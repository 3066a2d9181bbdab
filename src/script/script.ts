import type { Place } from '../diagnostics/diagnostic.ts';
import type { Op } from '../model/op.ts';

/**
 * The operations, in order, that would establish what a host's policy says: derived from policy and snapshot, not yet
 * judged. The checker runs it on the model to learn refusals; the planner makes a plan of it.
 */
export interface Script {
  readonly steps: readonly ScriptStep[];
  /** What the script relies on and the snapshot does not tell; `apply --native` reads them and refuses if one fails. */
  readonly preconditions: readonly Precondition[];
}

export interface ScriptStep {
  readonly op: Op;
  /** What a person reads: "bind 0000:03:00.0 (uplink) to vfio-pci". */
  readonly sentence: string;
  /** The statements that want it. */
  readonly why: readonly Place[];
}

/** A fact that a live machine must show. */
export interface Precondition {
  /** A JSON-pointer-like path into the snapshot: `/functions/0000:51:00.0/driverOverride`, `/routes`. */
  readonly fact: string;
  readonly sentence: string;
  /** Why the snapshot does not know it. */
  readonly unknown: string;
  /**
   * The values of the fact, as a snapshot holds them, with which the steps are right; null: absent. Without it no
   * value will do: the steps themselves depend on the fact, and a plan must be made anew once it is known.
   */
  readonly expects?: readonly (string | number | boolean | null)[];
  readonly why: readonly Place[];
}
