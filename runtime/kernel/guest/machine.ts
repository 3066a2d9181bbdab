/**
 * The machine behind the files: the model's world and state, the snapshot that they came from, and the kernel log.
 * Whatever changes here changes through the model's `step`.
 */
import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import { disabledVirtualFunctions } from '../../../src/machine/virtual-functions.ts';
import { changeInPlace } from '../../../src/model/draft.ts';
import { fileAt } from '../../../src/model/files.ts';
import type { Asked, Done } from '../../../src/model/guard.ts';
import { logOf, logs, logsTheSame } from '../../../src/model/log.ts';
import type { Op } from '../../../src/model/op.ts';
import { type Asking, asking } from '../../../src/model/ops.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Device, Hardware, Process, State, World } from '../../../src/model/state.ts';
import { carriedOut, refusal, step } from '../../../src/model/step.ts';
import { worldFrom } from '../../../src/model/world.ts';
import type { Credentials } from '../../backend.ts';
import { commandName } from './process.ts';
import { refuse } from './refuse.ts';
import { Tellers } from './told.ts';
import { WouldBlock } from './would-block.ts';

/** Operations after which other devices may be there than before. */
const moving: { readonly [op in Op['op']]?: true } = {
  'bus.rescan': true,
  'device.remove': true,
  'device.sriov_numvfs': true,
  'driver.unbind': true,
  'module.unload': true,
};

export class Machine {
  readonly snapshot: Snapshot;
  /** Every function that is there or may come. */
  readonly functions: readonly PciFunction[];
  /** One line an event, without time stamps: there is no clock. */
  readonly log: string[] = [];
  world: World;
  /** Changed in place: nobody here keeps an earlier one. */
  readonly state: State;
  readonly tellers = new Tellers();
  private readonly asking: Asking;
  /** Of the operations that log something: whether the state that one changes in place cannot tell afterwards what. */
  private readonly telling: { readonly [op in Op['op']]?: (op: Op) => boolean };

  constructor(snapshot: Snapshot, profile: ProfileId | undefined) {
    const { world, state } = worldFrom(snapshot, {
      ...(profile === undefined ? {} : { profile }),
      virtualFunctions: true,
    });
    this.snapshot = snapshot;
    this.functions = [...snapshot.functions, ...disabledVirtualFunctions(snapshot)];
    this.world = world;
    this.state = { ...state };
    changeInPlace(this.state);
    this.asking = asking[world.profile.id];
    this.telling = Object.fromEntries(
      [...logs].filter((op) => !logsTheSame(world, op)).map((op) => [op, this.tellerOf(op)]),
    );
  }

  /** How often devices may have come or gone. */
  moves = 0;

  /** The guard that refused the last operation. */
  refusedBy = '';

  /**
   * Does what the model says; a negative errno where it refuses. Throws `WouldBlock` for a call that would not return.
   * `file` is the place of what its descriptor names, where that is known.
   */
  step(op: Op, file?: number): Done | number {
    const { world, state, telling } = this;
    if (telling[op.op]?.(op) === true) return this.stepTold(op);
    const done = carriedOut(this.asking, world, state, op, file === undefined ? null : state.files[file]);
    if (done === null) return this.refused(refusal.guard, op);
    const { state: after } = done;
    if (after !== undefined && (after !== state || moving[op.op] === true)) this.moveTo(after, op);
    if (op.op === 'group.get_device_fd') this.note(op, done);
    return done;
  }

  /** The guard that would refuse an operation, if one would. Nothing is done. */
  refusalOf(op: Op): Exclude<Result, { readonly ok: true }> | null {
    const { result } = step(this.world, { ...this.state }, op);
    return result.ok ? null : result;
  }

  /** As `step`, for what only asks and says nothing to the log. */
  ask(op: Op, file?: number): Done | number {
    const { world, state } = this;
    const done = carriedOut(this.asking, world, state, op, file === undefined ? null : state.files[file]);
    return done ?? this.refused(refusal.guard, op);
  }

  private tellerOf(op: Op['op']): (op: Op) => boolean {
    // An open only logs what the module does that it loads.
    if (op === 'open') return () => this.state.modules[this.world.vfioModule] === null;
    return op === 'close' ? (its) => this.endsMore(its) : () => true;
  }

  /** Whether a close may log what the end of an unbind does that waited for it; nothing else of it is logged. */
  private endsMore(op: Op): boolean {
    if (op.op !== 'close') return true;
    const file = fileAt(this.state, op.pid, op.fd);
    if (file?.kind === 'vm' || file?.kind === 'kvm-device') return true;
    return file?.kind === 'device' && this.state.devices[file.device]?.leaving !== null;
  }

  /** A step on a copy, so that the states before and after it tell what is logged. */
  private stepTold(op: Op): Done | number {
    const before = { ...this.state };
    const outcome = step(this.world, before, op);
    const { result, state } = outcome;
    this.log.push(...logOf(this.world, before, op, outcome, commandName));
    if (state !== before) this.moveTo(state, op);
    if (result.ok) return result;
    this.refusedBy = result.guard;
    if ('blocks' in result) throw new WouldBlock(`${result.guard}: waits for ${result.blocks.join(', ')}`);
    return refuse(result.errno);
  }

  /** What VFIO logs of a device that is opened: of one without an IOMMU. */
  private note(op: Op, { value }: Done): void {
    const { groups } = this.state;
    for (let minor = 0; minor < groups.length; minor += 1) {
      if (groups[minor]?.noiommu !== true) continue;
      const outcome = { result: { ok: true, value }, state: this.state } as const;
      this.log.push(...logOf(this.world, this.state, op, outcome, commandName));
      return;
    }
  }

  private refused(guard: Asked, op: Op): number {
    this.refusedBy = guard.id;
    // Nothing was changed, and a refusal is not frequent.
    if (guard.refusal === null || guard.leaves !== undefined || logs.has(op.op))
      return this.stepTold(op) as number;
    return refuse(guard.errno ?? 'EINTR');
  }

  private moveTo(state: State, { op }: Op): void {
    // With a close devices may go whose end waited for it, and then it was not made in place.
    if (moving[op] === true || (op === 'close' && state !== this.state)) this.moves += 1;
    if (state !== this.state) Object.assign(this.state, state);
  }

  /** As `step`, for operations whose value alone matters. */
  value(op: Op, file?: number): number {
    const result = this.step(op, file);
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
