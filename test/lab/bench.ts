/** A guest at rest: booted when there is none, and again when nothing else brings it back. */
import { probe } from '../../runtime/probe/probe.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { Op } from '../../src/model/op.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { worldFrom } from '../../src/model/world.ts';
import { type Actor, processesOf } from '../conformance/cast.ts';
import { recover } from '../conformance/recover.ts';
import { Run, type Verdict } from '../conformance/run.ts';
import type { Sequence } from '../conformance/sequence.ts';
import { GuestExecutor } from './agent/executor.ts';
import { Guest } from './agent/guest.ts';
import type { GuestProcess } from './agent/process.ts';
import { idleDriver, type LabMachine } from './machines.ts';

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

/** What is booted, and who acts there. */
interface Stage {
  /** Folder of the built kernel. */
  readonly kernel: string;
  /** The agent's archive. */
  readonly initramfs: string;
  readonly machine: LabMachine;
  readonly actors: readonly [Actor, ...Actor[]];
  /** How operations become system calls. */
  readonly executor?: (guest: Guest) => GuestExecutor;
}

interface Resting {
  readonly guest: Guest;
  readonly world: World;
  readonly state: State;
}

export class Bench {
  boots = 0;
  private readonly stage: Stage;
  private resting: Resting | null = null;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  /** Boots if need be. */
  rest(): Resting {
    this.resting ??= this.boot();
    return this.resting;
  }

  run(sequence: Sequence): Verdict {
    const resting = this.rest();
    const { guest, world, state } = resting;
    const verdict = new Run(world, state, this.executor(guest), this.stage.actors).run(sequence);
    const lost = sequence.some(({ op }) => lasting.has(op.op));
    const back = verdict.rest ?? (lost ? null : recover(world, state, this.executor(guest)));
    if (back === null) this.stop();
    else this.resting = { ...resting, state: back };
    return verdict;
  }

  stop(): void {
    this.resting?.guest.stop();
    this.resting = null;
  }

  private executor(guest: Guest): GuestExecutor {
    return this.stage.executor?.(guest) ?? new GuestExecutor(guest);
  }

  private boot(): Resting {
    const { kernel, initramfs, machine, actors } = this.stage;
    const guest = Guest.start(kernel, initramfs, machine, bootSeconds);
    this.boots += 1;
    const first = guest.spawn(actors[0].pid, actors[0]);
    const loaded = first.loadModule('vfio_pci');
    if (loaded !== 0) throw new Error(`vfio_pci does not load: ${loaded}\n${guest.lastWords()}`);
    const virtualises = machine.virtualises ? first.loadModule('kvm_amd') : 0;
    if (virtualises !== 0) throw new Error(`kvm_amd does not load: ${virtualises}\n${guest.lastWords()}`);
    const { world, state } = worldFrom(snapshotOf(guest, first), {
      processes: processesOf(actors),
      virtualFunctions: true,
    });
    guest.end();
    return { guest, world, state: calmed(this.stage, world, state, this.executor(guest)) };
  }
}

/**
 * A network driver takes a tenth of a second to take its card, and an open of a device that is reset as long: the cards
 * have no driver at first, and the other devices no way to be reset, but where that is drawn.
 */
function calmed({ machine, actors }: Stage, world: World, state: State, executor: GuestExecutor): State {
  const [first] = actors;
  const { pid } = first;
  executor.begin([first]);
  let rest = state;
  for (const device of Object.keys(machine.devices)) {
    const its = rest.devices[world.devices.get(device)?.index ?? -1];
    // A virtual function that is not enabled.
    if (its?.present !== true) continue;
    const { driver } = its;
    // Nobody resets it, and it has no file that says how.
    if ((driver === null || driver === idleDriver) && its.settings.resetMethods.length === 0) continue;
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
