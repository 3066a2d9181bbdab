import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../src/check/check.ts';
import { fromFacter } from '../src/machine/facter.ts';
import { cedarWaves } from './cedar.ts';
import { firstWaves, memoryOver, peerWaves, policyOf, secondWaves } from './editing.ts';
import { formatTimes } from './format.ts';
import { simulatedCalls } from './kernel.ts';
import { milliseconds, now, quantile, rate, say, sorted } from './report.ts';
import { testsOf, testTimes } from './tests.ts';

// Figures for docs/performance.md. Each line: what, figure, and where it helps, its ratio to something measured beside
// it in the same run. Nothing is asserted: a machine under load is not a failing test.

const cli = 'dist/vfioplan.mjs';
const example = 'examples/02-gpu-for-a-vm/policy.vfio';
/** Milliseconds of the processor that this process has had: what else the machine does is not in it. */
const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

function timed(runs: number, work: () => void): readonly number[] {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const from = now();
    work();
    times.push(now() - from);
  }
  return sorted(times);
}

function startUp(): void {
  const node = (...args: readonly string[]) => {
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  };
  const bare = timed(15, () => node('-e', '0'));
  const version = timed(15, () => node(cli, '--version'));
  const checked = timed(15, () => node(cli, 'check', example));
  const over = (times: readonly number[]) =>
    `${milliseconds(quantile(times, 0.5) - quantile(bare, 0.5))} over bare Node`;
  say('node -e 0, median of 15', milliseconds(quantile(bare, 0.5)));
  say('vfioplan --version, median of 15', milliseconds(quantile(version, 0.5)), over(version));
  say('vfioplan check of an example, median of 15', milliseconds(quantile(checked, 0.5)), over(checked));
}

function spread(times: readonly number[]): string {
  const of = (share: number) => milliseconds(quantile(times, share));
  return `p50 ${of(0.5)}, p99 ${of(0.99)}, worst ${of(1)}`;
}

const clocks = [
  ['by the clock', now],
  ['of the processor', processor],
] as const;

/** What the services of others need for a file of so many lines. */
function peers(lines: number): void {
  for (const [whose, waves] of [
    ["TypeScript's service, a key to both", peerWaves],
    ["Cedar's validator, a key to policies and schema", cedarWaves],
  ] as const) {
    for (const [clock, reads] of clocks) {
      const times = sorted(waves(lines, 60, reads));
      const words = `${lines.toLocaleString('en')} lines, ${whose}, ${clock}, p95`;
      say(words, milliseconds(quantile(times, 0.95)), spread(times));
    }
  }
}

/** `edits`: how often a text is changed to see whether memory grows. */
function typing(edits: number): void {
  const lines = 10_000;
  const sound = policyOf(lines, false);
  const first = sorted(firstWaves(sound, 200, now));
  for (const [what, text] of [
    ['sound', sound],
    ['broken', policyOf(lines, true)],
  ] as const) {
    for (const [clock, reads] of clocks) {
      const times = sorted(firstWaves(text, 1000, reads));
      const words = `10,000 ${what} lines, a key to words and names, ${clock}, p95`;
      say(words, milliseconds(quantile(times, 0.95)), spread(times));
    }
  }
  say('the first 200 keys after a start, p95', milliseconds(quantile(first, 0.95)), spread(first));
  peers(lines);
  const text = `${sound}\n# never read before`;
  const whole = timed(1, () =>
    check({ sources: [{ file: 'cold.vfio', text }], machines: [], today: '2026-12-01' }),
  );
  say('10,000 lines, check of words and names, whole', milliseconds(quantile(whole, 0.5)));
  for (const [clock, reads] of clocks) {
    const second = sorted(secondWaves(300, 200, reads));
    say(
      `300 functions, a pause to the plan, ${clock}, p95`,
      milliseconds(quantile(second, 0.95)),
      spread(second),
    );
  }
  const used = memoryOver(edits, () => globalThis.gc?.()).map((bytes) => (bytes / 2 ** 20).toFixed(1));
  say(
    `heap after a tenth, and after all of ${edits.toLocaleString('en')} edits`,
    `${used.at(-1)} MB`,
    `${used.join(' ')} MB`,
  );
}

function formatting(): void {
  formatTimes(2000, 3, now);
  const [half, whole] = [formatTimes(5000, 9, now), formatTimes(10_000, 9, now)];
  const [time, read] = [quantile(sorted(whole.formatted), 0.5), quantile(sorted(whole.read), 0.5)];
  say(
    '10,000 lines formatted and proved, median of 9',
    milliseconds(time),
    `${(time / read).toFixed(1)} times reading them (${milliseconds(read)}); ${(time / quantile(sorted(half.formatted), 0.5)).toFixed(1)} times 5,000 lines`,
  );
}

async function languageTests(): Promise<void> {
  for (const functions of [1, 300]) {
    const { shared, alone } = await testTimes(functions, 20, processor);
    const [together, apart] = [quantile(sorted(shared), 0.5), quantile(sorted(alone), 0.5)];
    say(
      `a test of the language, ${functions} functions, of the processor`,
      milliseconds(together),
      `${(apart / together).toFixed(2)} times as long if each judges and plans for itself (${milliseconds(apart)})`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-bench-'));
  try {
    const { snapshot, text } = testsOf(1, 40);
    writeFileSync(join(folder, 'big.json'), JSON.stringify(snapshot));
    writeFileSync(join(folder, 'big.vfio'), text);
    const run = (jobs: readonly string[]): number => {
      const from = now();
      const argv = [cli, 'test', join(folder, 'big.vfio'), ...jobs];
      if (spawnSync(process.execPath, argv).status !== 0) throw new Error('vfioplan test failed');
      return now() - from;
    };
    const [one, all] = [run(['--jobs', '1']), run([])];
    say(
      '40 tests in threads, by the clock',
      milliseconds(all),
      `${(one / all).toFixed(2)} times as fast as in one`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The real machines' reports lie outside the repository; without them this says so. */
function realMachines(): void {
  const folder = process.env['VFIOPLAN_MACHINES'];
  if (folder === undefined || !existsSync(folder)) {
    say('real machines', 'not measured', 'VFIOPLAN_MACHINES names no folder of reports');
    return;
  }
  const reports = readdirSync(folder).filter((name) => name.endsWith('.facter.json'));
  const from = now();
  let functions = 0;
  for (const report of reports) {
    const { snapshot } = fromFacter(JSON.parse(readFileSync(join(folder, report), 'utf8')), 20);
    if (snapshot === undefined) throw new Error(`${report} is no report`);
    functions += snapshot.functions.length;
    const text =
      'host m { noiommu forbidden }\npolicy baseline on m { protect devices that hold root, boot, swap, management }\n';
    check({
      sources: [{ file: 'policy.vfio', text }],
      machines: [{ name: 'm', snapshot }],
      today: '2026-12-01',
    });
  }
  say(
    `${reports.length} real machines, ${functions} functions, read and checked`,
    milliseconds(now() - from),
  );
}

function peakOf(...command: readonly string[]): void {
  const tell = `process.on("exit", () => process.stderr.write("peak " + process.resourceUsage().maxRSS + "\\n"))`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, cli, ...command];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const peak = /^peak (\d+)$/m.exec(stderr)?.[1];
  if (peak === undefined) throw new Error(`no peak of memory from ${command.join(' ')}: ${stderr}`);
  say(`memory of vfioplan ${command[0]}, at its highest (resident)`, `${Math.round(Number(peak) / 1024)} MB`);
}

console.log(`Node ${process.versions.node}, ${process.arch}`);
startUp();
typing(100_000);
formatting();
await rate('simulated system calls through the sandbox, with boot', async () => {
  await simulatedCalls(50_000);
  return 50_000;
});
await languageTests();
realMachines();
say('memory after all of it (resident)', `${Math.round(process.memoryUsage().rss / 1024 / 1024)} MB`);
peakOf('apply', example);
