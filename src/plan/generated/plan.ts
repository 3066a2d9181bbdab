// Generated from src/plan/plan.schema.ts by `npm run generate`; do not edit.

/** What vfioplan plans to do on one machine, step by step, with what it expects and how it is undone. */
export interface Plan {
  readonly format: "vfioplan.plan";
  readonly version: 1;
  readonly host: string;
  readonly today: string;
  /** last day on which the no-IOMMU permission that the plan uses holds */
  readonly until?: string;
  /** kernel profile of the model */
  readonly profile: string;
  /** SHA-256 over the policy files */
  readonly policyDigest: string;
  /** names of those files, as they were given: where `apply` looks whether the policy changed */
  readonly policyFiles?: readonly string[];
  /** SHA-256 over the canonical snapshot */
  readonly snapshotDigest: string;
  /** facts of the machine that the plan rests on: path into the snapshot, value as canonical JSON */
  readonly relies: {
    readonly [name: string]: string;
  };
  readonly steps: readonly PlanStep[];
  /** seconds in which somebody has to confirm what was done on the real machine; else it is taken back */
  readonly confirmWithin?: number;
  readonly preconditions: readonly {
    readonly fact: string;
    readonly sentence: string;
    readonly unknown: string;
    readonly expects?: readonly (string | number | boolean | null)[];
    readonly why: readonly PlanPlace[];
  }[];
  /** what the policy says shall be and no step brings about */
  readonly declared: readonly {
    readonly what: "limit" | "persist";
    readonly sentence: string;
    readonly why: readonly PlanPlace[];
  }[];
  /** who can use what when the plan is done */
  readonly access: readonly {
    readonly who: string;
    readonly device: string;
    readonly path: "group" | "noiommu" | "iommufd";
    readonly nodes: readonly string[];
    /** capabilities and limits the process must bring */
    readonly needs: readonly string[];
  }[];
}

export interface PlanStep {
  readonly number: number;
  readonly operation: PlanOperation;
  readonly sentence: string;
  /** vendor:device of the function that is acted on, read again right before; null: none is */
  readonly identity: string | null;
  /** what the touched paths show before */
  readonly before: {
    readonly [name: string]: string | null;
  };
  /** what they show after, when all goes well */
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
  /** what undo cannot take back, such as the taint */
  readonly lasting: readonly string[];
  readonly why: readonly PlanPlace[];
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

export interface PlanPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** the statement, as written */
  readonly text: string;
}
