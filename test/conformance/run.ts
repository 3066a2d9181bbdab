/**
 * One sequence on the model and on a kernel in step: every answer, every field written back, every file that the
 * operation touches, and at the end all files and the log. Then the machine is brought back to where it began, which
 * is compared as well.
 */
import { dispatch } from '../../src/model/dispatch.ts';
import { logOf } from '../../src/model/log.ts';
import type { Op } from '../../src/model/op.ts';
import type { Result } from '../../src/model/outcome.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { show, touched } from '../../src/model/view.ts';
import { type Actor, actors } from './cast.ts';
import { answersDiffer, type Logged, logsDiffer } from './compare.ts';
import type { Executor } from './executor.ts';
import { everyPath } from './paths.ts';
import { restoring, rests } from './restore.ts';
import { makesDescriptor, resolve, type Sequence } from './sequence.ts';

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
  /** Of a call that waits: it goes on with what it logs when it ends. */
  private heldLog: readonly string[] = [];
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
      if (!result.ok && 'blocks' in result) {
        this.heldLog = logOf(this.world, this.state, op, outcome, 'vfioplan');
        const waits = this.executor.waits(op);
        if (!waits)
          return this.verdict([`returns, but the model says that it waits (${result.guard})`], op, each.id);
        this.guards.add(result.guard);
        return this.back(op);
      }
      const differs = this.make(op);
      if (differs.length > 0) return this.verdict(differs, op, each.id);
      if (result.ok && makesDescriptor(op)) made.set(each.id, result.value);
    }
    const all = this.filesDiffer(everyPath(this.world, this.begun, this.state));
    if (all.length > 0) return this.verdict(all, sequence.at(-1)?.op ?? null, sequence.at(-1)?.id ?? null);
    return this.back(null);
  }

  /** Everything closed, and the machine as it was; `late` is a call that now comes to its end. */
  private back(late: Op | null): Verdict {
    if (!this.executor.end()) return this.verdict(['a process would not end'], late, null);
    for (const { pid } of this.who) this.closeAll(pid);
    this.executor.begin(late === null ? this.who.slice(0, 1) : this.who);
    if (late !== null && this.executor.keepsWaiting) this.advance(late);
    else if (late !== null) {
      const differs = this.make(late);
      if (differs.length > 0) return this.verdict(differs, late, null);
    }
    for (let guard = 0; guard < 60; guard += 1) {
      const op = restoring(this.world, this.begun, this.state, guard);
      if (op === null) break;
      const differs = this.make(op);
      if (differs.length > 0) return this.verdict(differs, op, null);
    }
    const differs = [
      ...this.filesDiffer(everyPath(this.world, this.begun, this.state)),
      ...logsDiffer(this.expectedLog, this.executor.log()),
    ];
    this.executor.end();
    return this.verdict(differs, null, null, rests(this.begun, this.state) ? this.state : null);
  }

  private closeAll(pid: number): void {
    const files = this.state.descriptors.find((table) => table.pid === pid)?.files ?? [];
    for (const place of files.keys()) this.advance({ op: 'close', pid, fd: place + 3 });
  }

  private advance(op: Op): Result {
    const outcome = step(this.world, this.state, op);
    const lines = logOf(this.world, this.state, op, outcome, 'vfioplan');
    // Nothing that is closed meanwhile logs anything.
    this.expectedLog.push({ op, lines: op.op === 'close' ? lines : [...this.heldLog, ...lines] });
    if (op.op !== 'close') this.heldLog = [];
    this.state = outcome.state;
    return outcome.result;
  }

  private make(op: Op): readonly string[] {
    const paths = touched(this.world, this.state, op).filter((path) => modelled.test(path));
    const meant = dispatch(this.state, op).op === op.op && op.op !== 'ioctl';
    const result = this.advance(op);
    const reply = this.executor.perform(op);
    this.operations += 1;
    if (reply.ok) this.succeeded += 1;
    const differs = [...answersDiffer(op, result, reply, meant), ...this.filesDiffer(paths)];
    if (differs.length === 0 && !result.ok) this.guards.add(result.guard);
    return differs;
  }

  private filesDiffer(paths: readonly string[]): readonly string[] {
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

/** /dev/null and its like are no part of the model. */
const modelled = /^\/(dev\/(vfio|iommu)|sys|proc)(\/|$)/;
