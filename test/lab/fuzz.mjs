// `npm run lab:fuzz -- --seed S --count N --kernel K --machine M`: N random sequences of operations, each on the model
// and on a real kernel under QEMU at once. Without --kernel or --machine: N on each of all; `--kernel 6.12-selftest` is the
// one with iommufd's self-test, whose devices are the machine `selftest`. `--from I` begins with the
// I-th sequence of the seed, `--minutes M` ends each machine's run after so long, `--jobs J` runs J machines at a time,
// `--theme T` draws sequences about one thing (test/conformance/themes.ts), `--record` writes the counts to
// test/conformance/runs.json, from which docs/fidelity.md is made.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { install, KERNELS, kernel, missingPackages, SELFTEST } from './kernel/build.mjs';
import { NEEDS } from './needs.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    from: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '600' },
    kernel: { type: 'string', multiple: true },
    machine: { type: 'string', multiple: true },
    theme: { type: 'string', multiple: true },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    record: { type: 'boolean', default: false },
  },
});
const number = (name) => {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`);
  return value;
};

register();
const { addRuns, modelNow } = await import('../conformance/runs.ts');
const { themes } = await import('../conformance/themes.ts');
const { machines } = await import('./machines.ts');
const { inWorker } = await import('./workers.ts');

async function main() {
  const missing = missingPackages(NEEDS);
  if (missing.length > 0) throw new Error(install(missing));
  const waiting = [];
  for (const series of chosen('kernel', KERNELS)) {
    const its = chosen('machine', [...Object.keys(machines), SELF]).filter((machine) =>
      fits(series, machine),
    );
    if (its.length === 0) continue;
    const folder = await kernel(series, (line) => process.stderr.write(`${line}\n`));
    for (const machine of its) {
      const [seed, count, from] = [number('seed'), number('count'), number('from')];
      const kind = machine === SELF ? 'selftest-sequences' : 'sequences';
      const job = { kind, series, kernel: folder, machine, seed, count, from, minutes: number('minutes') };
      for (const theme of drawnOn(machine)) waiting.push(theme === undefined ? job : { ...job, theme });
    }
  }
  // Before the run, which reads the model as it is now.
  const model = values.record ? modelNow() : null;
  const tallies = [];
  const worker = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) tallies.push(await run(job));
  };
  await Promise.all(Array.from({ length: Math.max(1, number('jobs')) }, worker));
  tell(tallies);
  if (model !== null) addRuns(tallies, model);
  return tallies.every(({ disagreements }) => disagreements.length === 0);
}

/** The self-test has devices of its own, and its sequences are about their page tables alone. */
const SELF = 'selftest';
const OWN_THEME = 'pagetables';

/** The themes that were asked for; none: everything. */
function drawnOn(machine) {
  const asked = values.theme === undefined ? [undefined] : chosen('theme', Object.keys(themes));
  return machine === SELF ? asked.filter((theme) => theme === undefined || theme === OWN_THEME) : asked;
}

function fits(series, machine) {
  return (series === SELFTEST) === (machine === SELF);
}

/** What was asked for, all of it known. */
function chosen(name, all) {
  const stranger = (values[name] ?? []).find((each) => !all.includes(each));
  if (stranger !== undefined) throw new Error(`no ${name} ${stranger} here: ${all.join(', ')}`);
  return values[name] ?? all;
}

async function run({ series, ...job }) {
  const { machine, theme, seed, from } = job;
  const where = [series, machine, theme].filter(Boolean).join(' ');
  const say = (line) => process.stdout.write(line.startsWith(' ') ? `${line}\n` : `${where}: ${line}\n`);
  const tally = await inWorker({ series, ...job }, say);
  return { kernel: series, machine, ...(theme === undefined ? {} : { theme }), seed, from, ...tally };
}

function tell(tallies) {
  const sum = (field) => tallies.reduce((all, tally) => all + tally[field], 0);
  for (const { kernel: series, machine, theme, seed, from, ...its } of tallies) {
    const { sequences, operations, succeeded, boots, seconds, disagreements } = its;
    const range = from === 0 ? `${sequences}` : `${from} to ${from + sequences - 1}:`;
    process.stdout.write(
      `${series} ${machine}${theme === undefined ? '' : ` ${theme}`}, seed ${seed}: ${range} sequences, ${operations} operations (${succeeded} not refused), ` +
        `${boots} boots, ${seconds} s, ${disagreements.length} disagreements\n`,
    );
  }
  const failed = tallies.reduce((all, { disagreements }) => all + disagreements.length, 0);
  process.stdout.write(
    `${sum('sequences')} sequences, ${sum('operations')} operations, ${failed} disagreements\n`,
  );
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
