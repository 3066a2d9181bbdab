/** The test vectors of the model on a real kernel: what the table says, what the model says and what the kernel does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reply } from '../../runtime/lower/lower.ts';
import type { Op } from '../../src/model/op.ts';
import { same } from '../../src/model/same.ts';
import type { Sequence } from '../conformance/sequence.ts';
import { bare, bareToo, pair, sibling, single } from '../src/model/machine.ts';
import type { Session } from '../src/model/session.ts';
import { cdevVectors } from '../src/model/vectors-cdev.ts';
import { deviceVectors } from '../src/model/vectors-device.ts';
import { compatVectors, ioasVectors } from '../src/model/vectors-iommufd.ts';
import { noiommuVectors } from '../src/model/vectors-noiommu.ts';
import { pageTableVectors } from '../src/model/vectors-pagetables.ts';
import { realVectors } from '../src/model/vectors-real.ts';
import { sysfsVectors } from '../src/model/vectors-sysfs.ts';
import { GuestExecutor } from './agent/executor.ts';
import { packAgent } from './agent/guest.ts';
import { Bench } from './bench.ts';
import { perform, toJson } from './calls.ts';
import { machineNamed } from './machines.ts';
import { LabSession, NotHere, type Parts, vectorActors } from './vector-session.ts';

interface Asked {
  /** Folder of the built kernel, and which it is. */
  readonly kernel: string;
  readonly series: '6.1' | '6.12';
  readonly machine: string;
}

export interface VectorTally {
  /** Ids of the vectors that were run. */
  readonly ran: readonly string[];
  readonly operations: number;
  readonly seconds: number;
  readonly failures: readonly string[];
  /** What is wrong with the choice of vectors, on the machine that has all devices. */
  readonly unasked: readonly string[];
}

/** Which devices play which part. The machine `outside` has all of them; `none` has not what most vectors name. */
const parts: Readonly<Record<string, Parts>> = {
  none: { [bare]: '0000:03:00.0', [bareToo]: '0000:03:00.0' },
  outside: {
    [pair]: '0000:01:00.0',
    [sibling]: '0000:01:00.1',
    [single]: '0000:02:00.0',
    [bare]: '0000:41:00.0',
    [bareToo]: '0000:41:00.0',
  },
};

/** Vectors that no kernel of the lab can be asked, with the reason. */
const notAsked: Readonly<Record<string, string>> = {
  I5: 'the kernels have no transparent huge pages, which the addresses that it expects come from',
};

/** Those that the lab has to ask of a kernel and has not, and those that are declared and were asked. */
function unasked(series: Asked['series'], ran: readonly string[]): readonly string[] {
  const declared = (id: string) => Object.hasOwn(notAsked, id);
  const asked = new Set(ran);
  const missed = tableOf(series).filter(({ id }) => !asked.has(id) && !declared(id));
  const needless = ran.filter(declared);
  return [
    ...missed.map(({ id }) => `${id} was not asked`),
    ...needless.map((id) => `${id} was asked, and is declared as one that cannot be`),
  ];
}

interface Vector {
  readonly id: string;
  readonly sequence: string;
  readonly run: (session: LabSession) => readonly unknown[];
  readonly expected: readonly unknown[];
  readonly hugePages?: true;
}

/** Those of a kernel: T67 has two tables, one for kernels with device cdevs, as the lab's 6.12 is one. */
function tableOf(series: Asked['series']): readonly Vector[] {
  const cdevs = series === '6.12';
  const all = [...noiommuVectors, ...realVectors, ...deviceVectors, ...sysfsVectors];
  const its = all
    .filter(({ id }) => !(cdevs && id === 'T67'))
    .map((vector): Vector => {
      const { expected, ...rest } = vector;
      const told = Array.isArray(expected)
        ? expected
        : (expected as Record<string, readonly unknown[]>)[series];
      return { ...rest, run: (session: Session) => vector.run(session), expected: told ?? [] };
    });
  return cdevs ? [...its, ...cdevVectors, ...ioasVectors, ...pageTableVectors, ...compatVectors] : its;
}

export function vectors(asked: Asked, say: (line: string) => void): VectorTally {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-vectors-'));
  const { kernel } = asked;
  const machine = machineNamed(asked.machine);
  const bench = new Bench({
    ...{ kernel, initramfs: packAgent(kernel, folder), machine, actors: vectorActors },
    executor: (guest) => new ByHand(guest),
  });
  const began = Date.now();
  const ran: string[] = [];
  const failures: string[] = [];
  let operations = 0;
  try {
    const { hugePages } = bench.rest().world;
    for (const vector of tableOf(asked.series)) {
      if (vector.hugePages === true && !hugePages) continue;
      const answer = one(bench, vector, parts[asked.machine] ?? {}, machine.devices);
      if (answer === null) continue;
      ran.push(vector.id);
      operations += answer.operations;
      if (answer.differs.length === 0) continue;
      const words = `${vector.id} (${vector.sequence}): ${answer.differs.join('; ')}`;
      failures.push(words);
      say(`  ${words}`);
    }
  } finally {
    bench.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  const left = asked.machine === 'outside' ? unasked(asked.series, ran) : [];
  return { ran, operations, seconds, failures, unasked: left };
}

/** What differs; null where the machine has not what the vector needs. */
function one(
  bench: Bench,
  { run, expected }: Vector,
  its: Parts,
  drivers: Readonly<Record<string, string | null>>,
): { readonly differs: readonly string[]; readonly operations: number } | null {
  const session = new LabSession(bench.rest(), its, drivers);
  let said: readonly unknown[];
  try {
    said = run(session);
  } catch (error) {
    if (error instanceof NotHere) return null;
    throw error;
  }
  const table = same(said, expected) ? [] : [`the model says ${toJson(said)}, the table ${toJson(expected)}`];
  const { differs, operations, op } = bench.run(sequenceOf(session));
  return { differs: [...table, ...differs.map((each) => `${toJson(op)}: ${each}`)], operations };
}

/** What the session asked; a run ends by itself at a call that would not return and is not begun. */
function sequenceOf({ calls }: LabSession): Sequence {
  return calls.map(({ op }, id) => ({ id, op, from: {} }));
}

/** System calls as `calls.ts` makes them: a mistake in the product's own lowering does not hide itself here. */
class ByHand extends GuestExecutor {
  override perform(op: Op): Reply {
    if (op.op === 'descriptor.pass' || op.op === 'iommufd.ioas_allow_iovas') return super.perform(op);
    const { errno, value, out } = perform(this.of(op.pid), op);
    if (errno === null) return { ok: true, value, out };
    return { ok: false, errno: errno as Extract<Reply, { ok: false }>['errno'] };
  }
}
