import { format } from '../src/format/format.ts';
import { readDocument } from '../src/syntax/read.ts';
import { fleetPolicy } from './fleet.ts';

export interface FormatTimes {
  /** Milliseconds, with the proof of what came out. */
  readonly formatted: readonly number[];
  /** Of reading the same text to the diagnostics of its words. */
  readonly read: readonly number[];
}

/** Formats a policy of so many lines that has lost its layout, each time one that was never read before. */
export function formatTimes(lines: number, runs: number, now: () => number): FormatTimes {
  const text = fleetPolicy(lines).replace(/[ \t]+/g, ' ');
  const formatted: number[] = [];
  const read: number[] = [];
  for (let run = 0; run < runs; run++) {
    // Every declaration has the run in its name: what is remembered of others does not help.
    const named = (what: string) => text.replaceAll('edge-', `${what}${lines}x${run}-`);
    const [one, other] = [named('f'), named('r')];
    const from = now();
    const { diagnostics } = format('fleet.vfio', one);
    formatted.push(now() - from);
    if (diagnostics.length > 0) throw new Error(`not formatted: ${diagnostics[0]?.causes.join()}`);
    const reading = now();
    readDocument('fleet.vfio', other);
    read.push(now() - reading);
  }
  return { formatted, read };
}
