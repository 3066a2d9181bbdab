import type { Fault } from '../faults.ts';
import type { CallName } from '../frame.ts';

/** A call, as faults see it. */
export interface Seen {
  readonly call: CallName;
  /** Every way to write the path that it touches. */
  readonly paths: readonly string[];
  readonly request?: number;
}

/** The planted faults, each with the number of calls that it has matched so far. */
export class Injection {
  private readonly faults: { readonly fault: Fault; matched: number }[];

  constructor(faults: readonly Fault[]) {
    this.faults = faults.map((fault) => ({ fault, matched: 0 }));
  }

  /** The fault that this call meets, if any. Every fault that matches counts the call. */
  next(seen: Seen): Fault | undefined {
    let met: Fault | undefined;
    for (const entry of this.faults) {
      if (!matches(entry.fault, seen)) continue;
      entry.matched += 1;
      const { nth = 1, times = 1 } = entry.fault;
      if (entry.matched >= nth && entry.matched < nth + times) met ??= entry.fault;
    }
    return met;
  }
}

function matches({ on }: Fault, seen: Seen): boolean {
  if (on.call !== undefined && on.call !== seen.call) return false;
  if (on.request !== undefined && on.request !== seen.request) return false;
  const { path } = on;
  if (path === undefined) return true;
  return seen.paths.some((its) => (path.endsWith('*') ? its.startsWith(path.slice(0, -1)) : its === path));
}
