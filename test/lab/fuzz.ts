/** Random sequences against one real kernel on one machine: `npm run lab:fuzz`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probe } from '../../runtime/probe/probe.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { Op } from '../../src/model/op.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { worldFrom } from '../../src/model/world.ts';
import { actors, processes } from '../conformance/cast.ts';
import { needed } from '../conformance/differences.ts';
import { Lot } from '../conformance/lot.ts';
import { recover } from '../conformance/recover.ts';
import { Run, type Verdict } from '../conformance/run.ts';
import { drawSequence, resolve, type Sequence } from '../conformance/sequence.ts';
import { shrink } from '../conformance/shrink.ts';
import { GuestExecutor } from './agent/executor.ts';
import { Guest, packAgent } from './agent/guest.ts';
import type { GuestProcess } from './agent/process.ts';
import { toJson } from './calls.ts';
import { idleDriver, type LabMachine, machines } from './machines.ts';

interface Tally {
  readonly sequences: number;
  readonly operations: number;
  readonly succeeded: number;
  readonly boots: number;
  readonly seconds: number;
  readonly disagreements: readonly string[];
  readonly needed: Readonly<Record<string, number>>;
}

interface Asked {
  /** Folder of the built kernel. */
  readonly kernel: string;
  /** Name of the machine. */
  readonly machine: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  /** It begins no further sequence after so long. */
  readonly minutes: number;
}

/** Sequence number n of a seed is the same in every run. */
function lotOf(seed: number, index: number): Lot {
  return new Lot(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
}

/** Disagreements after which a run stops. */
const enough = 5;

/** What they leave shows nowhere, when a sequence does not come to its end: only another boot takes it back. */
const lasting: ReadonlySet<Op['op']> = new Set([
  'bus.autoprobe',
  'device.enable',
  'device.remove',
  'device.sriov_numvfs',
  'driver.new_id',
  'iommu_group.type',
]);

/** No boot is kept longer, whatever it does. */
const bootSeconds = 3600;

export async function fuzz(asked: Asked, say: (line: string) => void): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-fuzz-'));
  const bench = new Bench(asked, packAgent(asked.kernel, folder));
  const began = Date.now();
  const disagreements: string[] = [];
  let [sequences, operations, succeeded, told] = [0, 0, 0, Date.now()];
  try {
    for (let index = asked.from; index < asked.from + asked.count; index += 1) {
      if (disagreements.length === enough || Date.now() - began > asked.minutes * 60_000) break;
      const { sequence, verdict } = bench.one(index);
      sequences += 1;
      operations += verdict.operations;
      succeeded += verdict.succeeded;
      if (verdict.differs.length > 0) {
        const report = await bench.explain(index, sequence, verdict);
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
  };
}

/** A guest at rest, booted when there is none. */
class Bench {
  boots = 0;
  private readonly asked: Asked;
  private readonly initramfs: string;
  private readonly machine: LabMachine;
  private guest: Guest | null = null;
  private world: World | null = null;
  private state: State | null = null;

  constructor(asked: Asked, initramfs: string) {
    const machine = machines[asked.machine];
    if (machine === undefined) throw new Error(`no machine ${asked.machine}`);
    this.machine = machine;
    this.asked = asked;
    this.initramfs = initramfs;
  }

  one(index: number): { sequence: Sequence; verdict: Verdict } {
    const { world, state } = this.ready();
    const { devices } = this.machine;
    const drivers = new Set(Object.values(devices).filter((driver) => driver !== null));
    const cast = { devices: Object.keys(devices), drivers: [...drivers] };
    const sequence = drawSequence(lotOf(this.asked.seed, index), world, state, cast);
    return { sequence, verdict: this.run(sequence) };
  }

  run(sequence: Sequence): Verdict {
    const { guest, world, state } = this.ready();
    const verdict = new Run(world, state, new GuestExecutor(guest)).run(sequence);
    const lost = sequence.some(({ op }) => lasting.has(op.op));
    this.state = verdict.rest ?? (lost ? null : recover(world, state, new GuestExecutor(guest)));
    if (this.state === null) this.stop();
    return verdict;
  }

  /** The shortest sequence that differs, as text with the way to repeat it. */
  async explain(index: number, sequence: Sequence, verdict: Verdict): Promise<string> {
    const again = this.run(sequence);
    const steady = again.differs.length > 0;
    const shortest = steady
      ? await shrink(sequence, async (candidate) => this.run(candidate).differs.length > 0)
      : sequence;
    const last = steady ? this.run(shortest) : verdict;
    const made = new Map<number, number>();
    const words = shortest.map((each) => `  ${each.id}: ${toJson(resolve(each, made))} ${toJson(each.from)}`);
    const { seed, machine } = this.asked;
    const at = `sequence ${index} of seed ${seed} on machine ${machine}${steady ? '' : ' (once: it did not come again)'}`;
    return [
      `DIFFERS ${at}`,
      ...words,
      `  ${last.at ?? 'on the way back'}: ${toJson(last.op)}`,
      ...last.differs.map((each) => `  ${each}`),
    ].join('\n');
  }

  stop(): void {
    this.guest?.stop();
    this.guest = null;
  }

  private ready(): { guest: Guest; world: World; state: State } {
    if (this.guest === null || this.world === null || this.state === null) this.boot();
    if (this.guest === null || this.world === null || this.state === null) throw new Error('no guest');
    return { guest: this.guest, world: this.world, state: this.state };
  }

  private boot(): void {
    const { kernel } = this.asked;
    const { machine } = this;
    const guest = Guest.start(kernel, this.initramfs, machine, bootSeconds);
    this.boots += 1;
    const first = guest.spawn(actors[0].pid, actors[0]);
    const loaded = first.loadModule('vfio_pci');
    if (loaded !== 0) throw new Error(`vfio_pci does not load: ${loaded}\n${guest.lastWords()}`);
    const { world, state } = worldFrom(snapshotOf(guest, first), { processes });
    guest.end();
    this.guest = guest;
    this.world = world;
    this.state = calmed(machine, world, state, new GuestExecutor(guest));
  }
}

/**
 * A network driver takes a tenth of a second to take its card, and an open of a device that is reset as long: the cards
 * have no driver at first, and the other devices no way to be reset, but where that is drawn.
 */
function calmed(machine: LabMachine, world: World, state: State, executor: GuestExecutor): State {
  executor.begin([actors[0]]);
  const [{ pid }] = actors;
  let rest = state;
  for (const [device, driver] of Object.entries(machine.devices)) {
    const op: Op =
      driver === null || driver === idleDriver
        ? { op: 'device.reset_method', pid, device, text: '\n' }
        : { op: 'driver.unbind', pid, driver, device };
    const { result, state: after } = step(world, rest, op);
    if (!result.ok || !executor.perform(op).ok) throw new Error(`${device} keeps what it has: ${op.op}`);
    rest = after;
  }
  executor.end();
  return rest;
}

function snapshotOf(guest: Guest, first: GuestProcess): Snapshot {
  const { snapshot, diagnostics } = probe(guest.files(first));
  if (snapshot === undefined) throw new Error(`the probe refused: ${JSON.stringify(diagnostics)}`);
  return snapshot;
}
