/**
 * The machine behind the files: the model's world and state, the snapshot that they came from, and the kernel log.
 * Whatever changes here changes through the model's `step`.
 */
import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import { disabledVirtualFunctions } from '../../../src/machine/virtual-functions.ts';
import { logOf, logs } from '../../../src/model/log.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Device, Hardware, Process, State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { worldFrom } from '../../../src/model/world.ts';
import type { Credentials } from '../../backend.ts';
import { commandName } from './process.ts';
import { refuse } from './refuse.ts';
import { WouldBlock } from './would-block.ts';

/** Operations after which other devices may be there than before. */
const moving: ReadonlySet<Op['op']> = new Set([
  'bus.rescan',
  'device.remove',
  'device.sriov_numvfs',
  'driver.unbind',
  'module.unload',
] as const);

export class Machine {
  readonly snapshot: Snapshot;
  /** Every function that is there or may come. */
  readonly functions: readonly PciFunction[];
  /** One line an event, without time stamps: there is no clock. */
  readonly log: string[] = [];
  world: World;
  state: State;

  constructor(snapshot: Snapshot, profile: ProfileId | undefined) {
    const { world, state } = worldFrom(snapshot, {
      ...(profile === undefined ? {} : { profile }),
      virtualFunctions: true,
    });
    this.snapshot = snapshot;
    this.functions = [...snapshot.functions, ...disabledVirtualFunctions(snapshot)];
    this.world = world;
    this.state = state;
  }

  /** How often devices may have come or gone. */
  moves = 0;

  /** The guard that refused the last operation. */
  refusedBy = '';

  /** Does what the model says. Throws `WouldBlock` for a call that would not return. */
  step(op: Op): Extract<Result, { ok: true }> | number {
    const before = this.state;
    const outcome = step(this.world, before, op);
    const { result, state } = outcome;
    if (state !== before) {
      this.state = state;
      if (moving.has(op.op)) this.moves += 1;
    }
    if (logs.has(op.op)) this.note(logOf(this.world, before, op, outcome, commandName));
    if (result.ok) return result;
    this.refusedBy = result.guard;
    if ('blocks' in result) throw new WouldBlock(`${result.guard}: waits for ${result.blocks.join(', ')}`);
    return refuse(result.errno);
  }

  private note(lines: readonly string[]): void {
    if (lines.length > 0) this.log.push(...lines);
  }

  /** As `step`, for operations whose value alone matters. */
  value(op: Op): number {
    const result = this.step(op);
    return typeof result === 'number' ? result : result.value;
  }

  /** A process exists, or is somebody else from now on. */
  introduce(pid: number, who: Credentials): void {
    const process: Process = {
      pid,
      uid: who.uid,
      gid: who.gid,
      groups: who.groups,
      capabilities: new Set(who.capabilities),
      memlock: who.memlock ?? null,
    };
    this.world = { ...this.world, processes: new Map(this.world.processes).set(pid, process) };
  }

  forget(pid: number): void {
    const processes = new Map(this.world.processes);
    processes.delete(pid);
    this.world = { ...this.world, processes };
  }

  present(hardware: Hardware): boolean {
    return this.state.devices[hardware.index]?.present === true;
  }

  device(hardware: Hardware): Device {
    const device = this.state.devices[hardware.index];
    if (device === undefined) throw new Error(`no state for ${hardware.address}`);
    return device;
  }
}
