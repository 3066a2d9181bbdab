/** The runs on real kernels that were made, as docs/fidelity.md tells them. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface FuzzRun {
  readonly kernel: string;
  readonly machine: string;
  readonly seed: number;
  /** The first sequence of the seed, and how many. */
  readonly from: number;
  readonly sequences: number;
  readonly operations: number;
  readonly succeeded: number;
  readonly disagreements: number;
  /** How often a declared difference was needed, by its name. */
  readonly needed: Readonly<Record<string, number>>;
}

const file = new URL('runs.json', import.meta.url);

export function recordedRuns(): readonly FuzzRun[] {
  return JSON.parse(readFileSync(file, 'utf8')) as readonly FuzzRun[];
}

type Tally = Omit<FuzzRun, 'disagreements'> & { readonly disagreements: readonly string[] };

/** A run of the same sequences takes the earlier one's place. */
export function addRuns(tallies: readonly Tally[]): void {
  const added = tallies.map(
    ({ kernel, machine, seed, from, sequences, operations, succeeded, needed, disagreements }): FuzzRun => ({
      ...{ kernel, machine, seed, from, sequences, operations, succeeded },
      ...{ disagreements: disagreements.length, needed },
    }),
  );
  const name = (run: FuzzRun) => [run.kernel, run.machine, run.seed, run.from].join(' ');
  const names = new Set(added.map(name));
  const all = [...recordedRuns().filter((run) => !names.has(name(run))), ...added];
  all.sort((a, b) => (name(a) < name(b) ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}
