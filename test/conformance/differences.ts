/** What must differ between model and kernel, each with its reason. An entry that no run needs any more fails the suite. */
import type { Op } from '../../src/model/op.ts';

/** A field that an answer has: as the kernel wrote it, and as the model says it. */
export interface Differing {
  readonly op: Op;
  readonly field: string;
  readonly is: number | bigint | string | undefined;
  readonly said: number | bigint | string;
}

interface Declared {
  readonly what: string;
  readonly why: string;
  readonly covers: (differing: Differing) => boolean;
}

/** By name. */
export type Differences = Readonly<Record<string, Declared>>;

export const declared: Differences = {};

/** How often each entry was needed. */
export const needed = new Map<string, number>();

/** Whether it must differ: then it counts as needed. */
export function mustDiffer(differing: Differing, table: Differences = declared): boolean {
  for (const [name, { covers }] of Object.entries(table)) {
    if (!covers(differing)) continue;
    needed.set(name, (needed.get(name) ?? 0) + 1);
    return true;
  }
  return false;
}
