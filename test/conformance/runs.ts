/** The runs on real kernels that were made, as docs/fidelity.md tells them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface FuzzRun {
  readonly kernel: string;
  readonly machine: string;
  /** Left out: of everything. */
  readonly theme?: string;
  /** The model that was compared: the beginning of git's id of the folder src/model. */
  readonly model: string;
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

type Tally = Omit<FuzzRun, 'disagreements' | 'model'> & {
  readonly disagreements: readonly string[];
  readonly guards: readonly string[];
};

const guardsFile = new URL('guards-met.json', import.meta.url);

/** By kernel: the guards that refused there, as the model said. */
export function guardsMet(): Readonly<Record<string, readonly string[]>> {
  return JSON.parse(readFileSync(guardsFile, 'utf8')) as Record<string, readonly string[]>;
}

function addGuards(tallies: readonly Tally[]): void {
  const met: Record<string, readonly string[]> = { ...guardsMet() };
  for (const { kernel, guards } of tallies) {
    // With the self-test of iommufd it is the same Linux.
    const series = kernel.replace('-selftest', '');
    met[series] = [...new Set([...(met[series] ?? []), ...guards])].sort();
  }
  writeFileSync(guardsFile, `${JSON.stringify(met, null, 2)}\n`);
}

/** Throws where the model is not the committed one: nobody could tell later what was compared. */
export function modelNow(): string {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const git = (...words: string[]) => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', 'src/model');
  if (changed !== '') throw new Error(`only a run of a committed model is recorded:\n${changed}`);
  return git('rev-parse', 'HEAD:src/model').slice(0, 12);
}

/** A run of the same sequences takes the earlier one's place. */
export function addRuns(tallies: readonly Tally[], model: string): void {
  addGuards(tallies);
  const added = tallies.map(
    ({
      kernel,
      machine,
      theme,
      seed,
      from,
      sequences,
      operations,
      succeeded,
      needed,
      disagreements,
    }): FuzzRun => ({
      ...{ kernel, machine, ...(theme === undefined ? {} : { theme }), model, seed, from },
      ...{ sequences, operations, succeeded, disagreements: disagreements.length, needed },
    }),
  );
  const name = (run: FuzzRun) => [run.kernel, run.machine, run.theme ?? '', run.seed, run.from].join(' ');
  const names = new Set(added.map(name));
  const all = [...recordedRuns().filter((run) => !names.has(name(run))), ...added];
  all.sort((a, b) => (name(a) < name(b) ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}
