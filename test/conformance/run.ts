/**
 * One sequence on the model and on a kernel in step: every answer, every field written back, every file that the
 * operation touches, and at the end all files and the log. Then the machine is brought back to where it began, which
 * is compared as well.
 */
import { dispatch } from '../../src/model/dispatch.ts';
import { isOpen } from '../../src/model/going.ts';
import { isAwaited } from '../../src/model/leaving.ts';
import { logOf, requestLine, requestLines } from '../../src/model/log.ts';
import { isGoing, moduleName } from '../../src/model/modules.ts';
import type { Op } from '../../src/model/op.ts';
import type { Outcome, Result } from '../../src/model/outcome.ts';
import { replace } from '../../src/model/places.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { taken } from '../../src/model/text.ts';
import { show, touched } from '../../src/model/view.ts';
import { type Actor, actors } from './cast.ts';
import { answersDiffer, type Logged, logsDiffer } from './compare.ts';
import type { Executor, Waiting } from './executor.ts';
import { everyPath, isReadable } from './paths.ts';
import { restoring, rests } from './restore.ts';
import { makesDescriptor, resolve, type Sequence } from './sequence.ts';

/** Milliseconds in which a kernel has disabled virtual functions, and in which a call goes on to what it waits for next. */
const disabling = 1500;
const going = 200;

export interface Verdict {
  /** What differs, where, in words; empty: nothing. */
  readonly differs: readonly string[];
  /** The operation after which it differed, as it was made. */
  readonly op: Op | null;
  /** Id of that step; null: in the way back. */
  readonly at: number | null;
  /** How many operations were compared. */
  readonly operations: number;
  /** How many of them the kernel did not refuse. */
  readonly succeeded: number;
  /** Guards that refused, where the kernel refused too. */
  readonly guards: readonly string[];
  /** The state of rest, for the next sequence; null: the kernel must begin anew. */
  readonly rest: State | null;
}

export class Run {
  private readonly world: World;
  private readonly executor: Executor;
  private readonly who: readonly Actor[];
  private state: State;
  private readonly begun: State;
  private readonly expectedLog: Logged[] = [];
  /** Of a call that waits and is made when the others have let go: it goes on with what it logs when it ends. */
  private heldLog: readonly string[] | null = null;
  /** Calls that have begun, and wait. */
  private readonly waiting: { readonly op: Op; readonly call: Waiting; readonly device: number }[] = [];
  private readonly guards = new Set<string>();
  private operations = 0;
  private succeeded = 0;

  /** The first of `who` brings the machine back. */
  constructor(world: World, state: State, executor: Executor, who: readonly Actor[] = actors) {
    this.who = who;
    this.world = world;
    this.state = state;
    this.begun = state;
    this.executor = executor;
  }

  run(sequence: Sequence): Verdict {
    this.executor.begin(this.who);
    this.executor.log();
    const made = new Map<number, number>();
    for (const each of sequence) {
      const op = resolve(each, made);
      const outcome = step(this.world, this.state, op);
      const { result } = outcome;
      const blocks = !result.ok && 'blocks' in result;
      if (blocks && outcome.state === this.state) return this.end(op, each.id, outcome);
      const differs = blocks ? this.begin(op, result.guard) : this.make(op);
      if (differs.length > 0) return this.verdict(differs, op, each.id);
      if (result.ok && makesDescriptor(op)) made.set(each.id, result.value);
    }
    const all = this.filesDiffer(everyPath(this.world, this.begun, this.state));
    if (all.length > 0) return this.verdict(all, sequence.at(-1)?.op ?? null, sequence.at(-1)?.id ?? null);
    return this.back(null);
  }

  /** A call that waits and has changed nothing yet: nothing can come after it but its end. */
  private end(op: Op, id: number, outcome: Outcome): Verdict {
    const { result } = outcome;
    const guard = result.ok ? '' : result.guard;
    const lines = logOf(this.world, this.state, op, outcome, 'vfioplan');
    if (this.executor.waits(op) === null) return this.verdict([returned(guard)], op, id);
    this.guards.add(guard);
    this.heldLog = lines;
    return this.back(op);
  }

  /** A call that waits, while others go on. */
  private begin(op: Op, guard: string): readonly string[] {
    const paths = this.paths(op);
    const before = this.state;
    this.advance(op);
    const call = this.executor.waits(op);
    this.settle(before);
    this.operations += 1;
    if (call === null) return [returned(guard)];
    const device = 'device' in op ? (this.world.devices.get(op.device ?? '')?.index ?? -1) : -1;
    this.waiting.push({ op, call, device });
    const differs = this.filesDiffer(paths);
    if (differs.length === 0) this.guards.add(guard);
    return differs;
  }

  /** Whether calls that wait still do, and have returned when nothing keeps them any more. */
  private heardDiffers(): readonly string[] {
    if (!this.executor.keepsWaiting) return [];
    const found: string[] = [];
    for (const its of [...this.waiting]) {
      const ended = !goesOn(this.state, its.op, its.device);
      const reply = its.call.answer(ended);
      const name = `${its.op.op} that waited`;
      if (reply === null && ended) found.push(`${name} waits on, the model says that it has ended`);
      if (reply !== null && !ended) found.push(`${name} has ended, the model says that it waits`);
      if (reply === null) continue;
      this.waiting.splice(this.waiting.indexOf(its), 1);
      if (!reply.ok) found.push(`${name} answers ${reply.errno}`);
      else if (reply.value !== written(its.op)) found.push(`${name} answers ${reply.value}`);
    }
    return found;
  }

  /** Everything closed, and the machine as it was; `late` is a call that now comes to its end. */
  private back(late: Op | null): Verdict {
    if (!this.executor.end()) return this.verdict(['a process would not end'], late, null);
    // What they waited for is closed, and so they have ended.
    this.waiting.length = 0;
    const open = this.state;
    for (const { pid } of this.who) this.closeAll(pid);
    if (late !== null) this.entered(late);
    this.executor.begin(late === null ? this.who.slice(0, 1) : this.who);
    if (late !== null && this.executor.keepsWaiting) this.advance(late);
    else if (late !== null) {
      const differs = this.make(late);
      if (differs.length > 0) return this.verdict(differs, late, null);
    }
    const perhaps = this.perhapsAwaited(open);
    for (let guard = 0; guard < 60; guard += 1) {
      const op = restoring(this.world, this.begun, this.state, guard);
      if (op === null) break;
      const differs = this.make(op);
      if (differs.length > 0) return this.verdict(differs, op, null);
    }
    const differs = [
      ...this.filesDiffer(everyPath(this.world, this.begun, this.state)),
      ...logsDiffer(this.expectedLog, this.executor.log(), perhaps),
    ];
    this.executor.end();
    return this.verdict(differs, null, null, rests(this.begun, this.state) ? this.state : null);
  }

  private closeAll(pid: number): void {
    const files = this.state.descriptors.find((table) => table.pid === pid)?.files ?? [];
    for (const place of files.keys()) {
      const op = { op: 'close', pid, fd: place + 3 } as const;
      this.advance(op, requestLines(this.world, this.state, step(this.world, this.state, op).state));
    }
  }

  /** Devices that were open and went when all was closed: who took them away has waited for one more, or come too late. */
  private perhapsAwaited(before: State): readonly Logged[] {
    const fd = -1;
    return this.world.hardware.flatMap(({ index }) => {
      const was = before.devices[index];
      if (was === undefined || !isOpen(was) || isAwaited(was)) return [];
      if (was.driver === this.state.devices[index]?.driver) return [];
      return [{ op: { op: 'close', pid: 0, fd } as const, lines: [requestLine(this.world, before, index)] }];
    });
  }

  /** A write to `sriov_numvfs` that waited for the lock of a device has it before the device is gone, which waits for the write. */
  private entered(late: Op): void {
    const index = late.op === 'device.sriov_numvfs' ? (this.world.devices.get(late.device)?.index ?? -1) : -1;
    const device = this.state.devices[index];
    if (device === undefined || device.present || !this.executor.keepsWaiting) return;
    const there = {
      ...this.state,
      devices: replace(this.state.devices, index, { ...device, present: true }),
    };
    const lines = logOf(this.world, there, late, step(this.world, there, late), 'vfioplan');
    this.heldLog = [...(this.heldLog ?? []), ...lines];
  }

  private advance(op: Op, apart: readonly string[] = []): Result {
    const outcome = step(this.world, this.state, op);
    const all = logOf(this.world, this.state, op, outcome, 'vfioplan');
    const lines = all.filter((line) => !apart.includes(line));
    // What ends with a close goes on beside it.
    if (op.op === 'close' && this.heldLog !== null) this.heldLog = [...this.heldLog, ...lines];
    else {
      this.expectedLog.push({ op, lines: [...(this.heldLog ?? []), ...lines] });
      this.heldLog = null;
    }
    this.state = outcome.state;
    return outcome.result;
  }

  private make(op: Op): readonly string[] {
    const paths = this.paths(op);
    const meant = dispatch(this.state, op).op === op.op && op.op !== 'ioctl';
    const before = this.state;
    const result = this.advance(op);
    const reply = this.executor.perform(op);
    this.settle(before);
    this.operations += 1;
    if (reply.ok) this.succeeded += 1;
    const answers = [...answersDiffer(op, result, reply, meant), ...this.heardDiffers()];
    const differs = [...answers, ...this.filesDiffer(paths)];
    if (differs.length === 0 && !result.ok) this.guards.add(result.guard);
    return differs;
  }

  /** Somebody who waited goes on to what is waited for next; drivers/pci/iov.c:sriov_disable sleeps a second on the way. */
  private settle(before: State): void {
    if (this.waiting.length === 0 && before.bus === this.state.bus) return;
    const disabled = before.devices.some(
      ({ settings }, index) =>
        settings.virtualFunctions > 0 && this.state.devices[index]?.settings.virtualFunctions === 0,
    );
    if (disabled) this.executor.rest(disabling);
    else if (requestLines(this.world, before, this.state).length > 0) this.executor.rest(going);
  }

  private paths(op: Op): readonly string[] {
    return touched(this.world, this.state, op).filter((path) => modelled.test(path));
  }

  private filesDiffer(all: readonly string[]): readonly string[] {
    const paths = all.filter((path) => isReadable(this.world, this.state, path));
    if (paths.length === 0) return [];
    const shown = this.executor.shows(paths);
    return paths.flatMap((path) => {
      const [is, said] = [shown.get(path) ?? null, show(this.world, this.state, path)];
      return is === said ? [] : [`${path} shows ${is}, the model says ${said}`];
    });
  }

  private verdict(
    differs: readonly string[],
    op: Op | null,
    at: number | null,
    rest: State | null = null,
  ): Verdict {
    const { operations, succeeded } = this;
    const guards = [...this.guards];
    return { differs, op, at, operations, succeeded, guards, rest: differs.length > 0 ? null : rest };
  }
}

/** Whether the model says that a call which has begun still waits. */
function goesOn({ devices, bus }: State, op: Op, device: number): boolean {
  if (op.op === 'driver.unbind') return devices[device]?.leaving !== null;
  if (op.op === 'module.unload') return isGoing({ bus }, moduleName(op.module));
  return bus.removing.some((its) => its.op === op.op && its.device === device);
}

/** What a call that was waited for answers. */
function written(op: Op): number {
  if (op.op === 'module.unload') return 0;
  if ('text' in op) return taken(op.text ?? '');
  return 'device' in op ? (op.device?.length ?? -1) : -1;
}

function returned(guard: string): string {
  return `returns, but the model says that it waits (${guard})`;
}

/** /dev/null and its like are no part of the model. */
const modelled = /^\/(dev\/(vfio|iommu|kvm)|sys|proc|etc)(\/|$)/;
