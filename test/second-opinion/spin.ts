import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Bounds, type Kernel, layoutOf } from './world.ts';

const specification = fileURLToPath(new URL('vfio.pml', import.meta.url));

/** Why SPIN cannot be asked here, and the cure; null when it can. */
export function missingTools(): string | null {
  const missing = [
    ['spin', '-V'],
    ['gcc', '--version'],
  ].flatMap(([tool = '', version = '']) => (spawnSync(tool, [version]).error ? [tool] : []));
  if (missing.length === 0) return null;
  return `${missing.join(' and ')} cannot be run: install the packages (Debian: apt-get install spin gcc libc6-dev)`;
}

function definitions(bounds: Bounds, kernel: Kernel): readonly string[] {
  const places = layoutOf(bounds).places;
  const fakes = places.reduce((mask, { real }, place) => (real === null ? mask | (1 << place) : mask), 0);
  const homes = layoutOf(bounds).homes.reduce((packed, place, device) => packed + place * 16 ** device, 0);
  const values = {
    KERNEL: kernel === '6.1' ? 601 : 612,
    ND: bounds.groups.length,
    NG: places.length,
    NC: bounds.containers,
    GF: bounds.groupFiles,
    DF: bounds.deviceFiles,
    PASS: bounds.passes ? 1 : 0,
    MAPS: bounds.maps ? 1 : 0,
    HOMES: homes,
    FAKES: fakes,
  };
  return Object.entries(values).map(([name, value]) => `-D${name}=${value}`);
}

/** SPIN's checker of a world: a program, compiled to say every transition (`talks`) or to be fast. */
export function checker(bounds: Bounds, kernel: Kernel, talks: boolean): string {
  const cwd = mkdtempSync(join(tmpdir(), 'vfioplan-spin-'));
  const show = talks ? ['-DSHOW'] : [];
  // -o2: SPIN drops from the state what no guard reads, and nothing reads taint.
  execFileSync('spin', [...definitions(bounds, kernel), ...show, '-o2', '-a', specification], { cwd });
  // One process moves at a time and every move is atomic: partial orders have nothing to reduce.
  const options = ['-DSAFETY', '-DNOREDUCE', '-DNOBOUNDCHECK', '-DMEMLIM=8000', '-w'];
  execFileSync(
    'gcc',
    [talks ? '-O1' : '-O2', ...options, ...(talks ? ['-DPRINTF'] : []), '-o', 'pan', 'pan.c'],
    {
      cwd,
    },
  );
  return join(cwd, 'pan');
}

export interface Searched {
  /** Of SPIN's numbers the first eight digits. */
  readonly states: number;
  readonly transitions: number;
  /** Of a processor, whatever else the machine does. */
  readonly seconds: number;
}

const limits = ['-m4000000', '-w22', '-n'];

/** Lets the checker search everything, and hands on each line that it says on the way; it is gone afterwards. */
export async function search(pan: string, onLine: (line: string) => void): Promise<Searched> {
  // The shell tells, last, how long its children had a processor.
  const shell = ['-c', '"$0" "$@" || exit; times', pan, ...limits];
  const child = spawn('sh', shell, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const report: string[] = [];
  let rest = '';
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.includes(' = ') && line.includes('/')) onLine(line);
      else report.push(line);
    }
  });
  const [status] = await ended;
  rmSync(dirname(pan), { recursive: true });
  const text = report.join('\n');
  const whole = status === 0 && /errors: 0$/m.test(text) && !/depth too small|out of memory/.test(text);
  if (!whole) throw new Error(`SPIN did not search everything (${status}):\n${text}`);
  // SPIN writes eight digits, and what has more as 1.0973893e+08.
  const number = (what: RegExp) => Number(what.exec(text)?.[1]);
  return {
    states: number(/^\s*([\d.e+]+) states, stored/m),
    transitions: number(/^\s*([\d.e+]+) transitions/m),
    seconds: secondsOf(report.at(-1) ?? ''),
  };
}

/** `0m0.440s 0m0.110s`, of user and system, as POSIX's `times` prints them. */
function secondsOf(line: string): number {
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + 60 * Number(m) + Number(s),
    0,
  );
}

/** A random walk of SPIN's simulator. */
export async function simulate(
  bounds: Bounds,
  kernel: Kernel,
  seed: number,
  steps: number,
): Promise<readonly string[]> {
  const args = [...definitions(bounds, kernel), '-DSHOW', '-T', `-n${seed}`, `-u${steps}`, specification];
  const cwd = mkdtempSync(join(tmpdir(), 'vfioplan-spin-'));
  const child = spawn('spin', args, { cwd });
  const ended = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes(' = ') && line.includes('/')) lines.push(line);
  }
  const [status] = await ended;
  rmSync(cwd, { recursive: true });
  if (status !== 0) throw new Error(`spin ended with ${status}`);
  // The last move was cut off where the steps were used up.
  return lines.slice(0, -1);
}
