/** Random sequences against one real kernel on one machine: `npm run lab:fuzz`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actors } from '../conformance/cast.ts';
import { needed } from '../conformance/differences.ts';
import { Lot } from '../conformance/lot.ts';
import type { Verdict } from '../conformance/run.ts';
import { drawSequence, resolve, type Sequence } from '../conformance/sequence.ts';
import { shrink } from '../conformance/shrink.ts';
import { type Theme, themeNamed } from '../conformance/themes.ts';
import { packAgent } from './agent/guest.ts';
import { Bench } from './bench.ts';
import { toJson } from './calls.ts';
import { machineNamed } from './machines.ts';

export interface Tally {
  readonly sequences: number;
  readonly operations: number;
  readonly succeeded: number;
  readonly boots: number;
  readonly seconds: number;
  readonly disagreements: readonly string[];
  readonly needed: Readonly<Record<string, number>>;
  /** Guards that refused on both. */
  readonly guards: readonly string[];
}

export interface Asked {
  /** Folder of the built kernel. */
  readonly kernel: string;
  /** Name of the machine. */
  readonly machine: string;
  /** Name of the theme; left out: everything. */
  readonly theme?: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  /** It begins no further sequence after so long. */
  readonly minutes: number;
}

/** Sequence number n of a seed is the same in every run. */
export function lotOf(seed: number, index: number): Lot {
  return new Lot(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
}

/** Disagreements after which a run stops. */
const enough = 5;

export async function fuzz(asked: Asked, say: (line: string) => void): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-fuzz-'));
  const machine = machineNamed(asked.machine);
  const { kernel } = asked;
  const theme = themeOf(asked);
  const initramfs = packAgent(kernel, folder);
  const bench = new Bench({ kernel, initramfs, machine, actors: theme?.actors ?? actors });
  const began = Date.now();
  const disagreements: string[] = [];
  const guards = new Set<string>();
  let [sequences, operations, succeeded, told] = [0, 0, 0, Date.now()];
  try {
    for (let index = asked.from; index < asked.from + asked.count; index += 1) {
      if (disagreements.length === enough || Date.now() - began > asked.minutes * 60_000) break;
      const sequence = drawn(asked, bench, index);
      const verdict = bench.run(sequence);
      sequences += 1;
      operations += verdict.operations;
      succeeded += verdict.succeeded;
      for (const guard of verdict.guards) guards.add(guard);
      if (verdict.differs.length > 0) {
        const report = await explain(asked, bench, index, sequence, verdict);
        disagreements.push(report);
        say(report);
      }
      if (Date.now() - told > 10_000) {
        told = Date.now();
        const rate = (sequences / ((told - began) / 1000)).toFixed(1);
        say(
          `${sequences} of ${asked.count} sequences, ${operations} operations, ${rate} sequences/s, ${disagreements.length} disagreements`,
        );
      }
    }
  } finally {
    bench.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  const boots = bench.boots;
  return {
    sequences,
    operations,
    succeeded,
    boots,
    seconds,
    disagreements,
    needed: Object.fromEntries(needed),
    guards: [...guards].sort(),
  };
}

function themeOf({ theme }: Asked): Theme | undefined {
  return theme === undefined ? undefined : themeNamed(theme);
}

function drawn(asked: Asked, bench: Bench, index: number): Sequence {
  const { seed, machine } = asked;
  const { devices } = machineNamed(machine);
  const drivers = new Set(Object.values(devices).filter((driver) => driver !== null));
  const { world, state } = bench.rest();
  const cast = { devices: Object.keys(devices), drivers: [...drivers] };
  return drawSequence(lotOf(seed, index), world, state, cast, themeOf(asked));
}

/** The shortest sequence that differs, as text with the way to repeat it. */
async function explain(
  { seed, machine, theme }: Asked,
  bench: Bench,
  index: number,
  sequence: Sequence,
  verdict: Verdict,
): Promise<string> {
  const again = bench.run(sequence);
  const steady = again.differs.length > 0;
  const shortest = steady
    ? await shrink(sequence, async (candidate) => bench.run(candidate).differs.length > 0)
    : sequence;
  const last = steady ? bench.run(shortest) : verdict;
  const made = new Map<number, number>();
  const words = shortest.map((each) => `  ${each.id}: ${toJson(resolve(each, made))} ${toJson(each.from)}`);
  const at = `sequence ${index} of seed ${seed} on machine ${machine}${theme === undefined ? '' : `, theme ${theme}`}${steady ? '' : ' (once: it did not come again)'}`;
  return [
    `DIFFERS ${at}`,
    ...words,
    `  ${last.at ?? 'on the way back'}: ${toJson(last.op)}`,
    ...last.differs.map((each) => `  ${each}`),
  ].join('\n');
}
