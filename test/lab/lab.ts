/** Every job of the lab: what runs in a guest is bundled, each scenario booted, the agent's machines are run; and counted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { agentJobs } from './agent-jobs.ts';
import { type Boot, boot, type Job, packInitramfs } from './boot.ts';
import type { Finding } from './findings.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A scenario takes a minute on an idle machine; only a hanging one comes near. */
const BOOT_TIMEOUT_MS = 900_000;
/** Drawn walks are the same in every run, unless another seed is asked for. */
const SEED = Number(process.env['VFIOPLAN_LAB_SEED'] ?? 20261122);
/** Each has a gigabyte of memory. */
const MOST_AT_ONCE = 4;
const MOST_DETAIL = 3000;

/** Folder of each built kernel, by series. */
type Kernels = Readonly<Record<string, string>>;

interface LabJob {
  readonly name: string;
  readonly run: () => Promise<boolean>;
}

/** Runs the jobs whose name contains one of `words` (all, without words). Answers whether everything held. */
export async function runLab(kernels: Kernels, words: readonly string[]): Promise<boolean> {
  const work = mkdtempSync(join(tmpdir(), 'vfioplan-lab-'));
  const verdicts: boolean[] = [];
  try {
    const all = [...agentJobs(kernels), ...scenarioJobs(kernels['6.12'], packInitramfs(work))];
    const waiting = all.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
    await bundleGuest();
    // An emulated machine has one processor: as many at once as there are real ones.
    const worker = async () => {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
        verdicts.push(await job.run());
    };
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), MOST_AT_ONCE) }, worker));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const passed = verdicts.filter((verdict) => verdict).length;
  process.stdout.write(`${passed} passed, ${verdicts.length - passed} failed\n`);
  return verdicts.length > 0 && passed === verdicts.length;
}

/** Only 6.12 has what Node needs. */
function scenarioJobs(folder: string | undefined, initramfs: string): readonly LabJob[] {
  if (folder === undefined) return [];
  return scenarios.map((scenario) => ({
    name: scenario.name,
    run: async () => tell(scenario, await boot({ folder, initramfs }, jobOf(scenario))),
  }));
}

function jobOf({ name, machine, commandLine }: Scenario): Job {
  const bundle = join(root, 'dist/lab/main.mjs');
  return { scenario: name, machine, commandLine, bundle, seed: SEED, timeoutMs: BOOT_TIMEOUT_MS };
}

async function bundleGuest(): Promise<void> {
  const entry = (url: URL) => fileURLToPath(url);
  await build({
    absWorkingDir: root,
    entryPoints: {
      main: entry(new URL('./guest/main.ts', import.meta.url)),
      access: entry(new URL('./guest/access.ts', import.meta.url)),
    },
    outdir: 'dist/lab',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['koffi'],
    logLevel: 'warning',
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  });
}

/** Prints what a boot found; true when all of it held and the scenario came to its end. */
function tell(scenario: Scenario, outcome: Boot): boolean {
  const findings = outcome.results
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Finding);
  const missed = findings.filter(({ holds }) => !holds);
  const ended = outcome.exit === 0;
  const holds = ended && missed.length === 0 && findings.length > 0;
  const seconds = Math.round(outcome.milliseconds / 1000);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`${holds ? 'ok  ' : 'FAIL'} ${scenario.name}: ${scenario.about} (${seconds} s)`);
  const count = (kind: Finding['kind'], among = findings) =>
    among.filter((each) => each.kind === kind).length;
  const steps = count('step');
  const checks = count('check');
  if (steps > 0) say(`     predicted = observed: ${steps - count('step', missed)} of ${steps} steps`);
  if (checks > 0) say(`     ${checks - count('check', missed)} of ${checks} checks hold`);
  for (const { what, detail } of missed) say(`     - ${what}: ${shortened(detail)}`);
  if (!ended) say(lastWords(outcome));
  return holds;
}

function shortened(detail: string): string {
  return detail.length > MOST_DETAIL ? `${detail.slice(0, MOST_DETAIL)} …` : detail;
}

function lastWords({ exit, stderr, serial, stdout, emulator }: Boot): string {
  const tail = (text: string, lines: number) => text.trimEnd().split('\n').slice(-lines).join('\n');
  const why =
    exit === null ? 'the guest did not come to its end; its console said last' : `the job ended with ${exit}`;
  return `     ${why}:\n${tail(serial, 20)}\n${tail(stdout, 20)}\n${tail(stderr, 30)}\n${exit === null ? tail(emulator, 10) : ''}`;
}
