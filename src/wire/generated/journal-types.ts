// Generated from src/wire/journal.schema.ts by `npm run generate`; do not edit.

/** One line of a journal (JSON Lines): what was intended or done in one step of carrying out a plan. */
export type JournalRecord = JournalHeader | JournalIntent | {
  readonly record: "outcome";
  readonly step: number;
  /** name of the errno; null: success */
  readonly errno: string | null;
  readonly observed: {
    readonly [name: string]: string | null;
  };
  /** as predicted */
  readonly matches: boolean;
} | {
  readonly record: "undo";
  readonly step: number;
} | {
  readonly record: "undone";
  readonly step: number;
  /** name of the errno; null: success */
  readonly errno: string | null;
  readonly observed: {
    readonly [name: string]: string | null;
  };
  /** as predicted */
  readonly matches: boolean;
} | {
  readonly record: "resume";
  readonly why: "recover" | "revert" | "confirm" | "expire";
  /** as the caller gave it, ISO 8601 */
  readonly time: string;
  /** /proc/sys/kernel/random/boot_id; null: there is none */
  readonly bootId: string | null;
} | JournalEnd;

export interface JournalHeader {
  readonly record: "header";
  readonly format: "vfioplan.journal";
  readonly version: 1;
  readonly generation: number;
  readonly host: string;
  readonly backend: "simulated" | "linux";
  /** as the caller gave it, ISO 8601 */
  readonly time: string;
  /** /proc/sys/kernel/random/boot_id; null: there is none */
  readonly bootId: string | null;
  readonly policyDigest: string;
  readonly snapshotDigest: string;
  /** SHA-256 over the canonical plan */
  readonly planDigest: string;
  /** how many the plan has */
  readonly steps: number;
  /** seconds in which somebody has to confirm it; left out: nobody has to */
  readonly confirmWithin?: number;
}

/** the step is about to be done */
export interface JournalIntent {
  readonly record: "intent";
  readonly step: number;
  readonly operation: PlanOperation;
  readonly sentence: string;
  /** vendor:device of the function that is acted on, read again right before; null: none is */
  readonly identity: string | null;
  readonly before: {
    readonly [name: string]: string | null;
  };
  readonly after: {
    readonly [name: string]: string | null;
  };
  readonly undo: {
    readonly operation: PlanOperation;
    readonly sentence: string;
    /** what the touched paths show once the step is undone */
    readonly after: {
      readonly [name: string]: string | null;
    };
  } | {
    /** why nothing has to be undone */
    readonly none: string;
  };
}

export type PlanOperation = {
  readonly op: "module.load";
  readonly module: string;
} | {
  readonly op: "module.unload";
  readonly module: string;
  /** further modules, after it, in this order */
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
  readonly op: "device.sriov_autoprobe";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "device.sriov_numvfs";
  readonly device: string;
  readonly text: string;
} | {
  readonly op: "node.own";
  readonly path: string;
  /** the function whose node it is: one that comes back may have another number by then */
  readonly of?: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
} | {
  readonly op: "config.write";
  readonly path: string;
  /** the whole file */
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
};

export interface JournalEnd {
  readonly record: "end";
  readonly verdict: "done" | "rolled back" | "incomplete" | "reverted";
  /** what is still to be undone, and why it could not be */
  readonly left: readonly JournalLeft[];
}

export interface JournalLeft {
  readonly step: number;
  readonly sentence: string;
  readonly reason: string;
}
