import type { Snapshot } from '../../src/machine/snapshot.ts';
import { dispatch } from '../../src/model/dispatch.ts';
import { containerOf, fileAt } from '../../src/model/files.ts';
import { guardOf } from '../../src/model/guards.ts';
import type { Op } from '../../src/model/op.ts';
import { asking } from '../../src/model/ops.ts';
import type { Result } from '../../src/model/outcome.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { undoOf } from '../../src/model/undo.ts';
import { touched } from '../../src/model/view.ts';
import { worldFrom } from '../../src/model/world.ts';
import type { TraceOperation, TraceResult } from '../../src/wire/trace.ts';
import type { Credentials } from '../backend.ts';
import { Bindings } from './bindings.ts';
import { opOf, wide } from './operations.ts';
import { resultOf } from './results.ts';
import type { Present } from './stand-ins.ts';

/** Why an operation was answered as it was. */
export interface Reason {
  /** The guard that refused, or null where none did. */
  readonly guard: string | null;
  readonly words: string;
  /** Null where the call does not return. */
  readonly errno: string | null;
  readonly citation: string;
}

/** The model's own answer. */
export interface Foretold {
  readonly told: TraceResult;
  readonly reason: Reason | null;
}

/**
 * The model beside a kernel that runs a trace: it makes the same operations and knows what a kernel does not tell, which
 * guard refused and which files an operation touches.
 */
export class Shadow {
  private world: World;
  private state: State;
  /** Before the last operation. */
  private before: State;
  private nextPid = 1;
  private readonly bindings = new Bindings();
  private readonly pids = new Map<string, number>();

  constructor(snapshot: Snapshot, profile: ProfileId | undefined) {
    const { world, state } = worldFrom(snapshot, {
      ...(profile === undefined ? {} : { profile }),
      virtualFunctions: true,
    });
    this.world = world;
    this.state = state;
    this.before = state;
  }

  get profile(): World['profile'] {
    return this.world.profile;
  }

  introduce(name: string, credentials: Credentials): void {
    const pid = this.pids.get(name) ?? this.nextPid++;
    this.pids.set(name, pid);
    const { capabilities, memlock = null, ...who } = credentials;
    const process = { ...who, pid, memlock, capabilities: new Set(capabilities) };
    this.world = { ...this.world, processes: new Map(this.world.processes).set(pid, process) };
  }

  exit(name: string): void {
    const pid = this.pid(name);
    const open = this.state.descriptors.find((table) => table.pid === pid)?.files ?? [];
    for (const [place, file] of open.entries()) {
      if (file !== -1) this.state = step(this.world, this.state, { op: 'close', pid, fd: place + 3 }).state;
    }
    const processes = new Map(this.world.processes);
    processes.delete(pid);
    this.world = { ...this.world, processes };
    this.pids.delete(name);
  }

  private op(process: string, operation: TraceOperation): Op {
    return opOf(operation, this.pid(process), {
      descriptor: (_, name) => this.bindings.number(process, name),
      pid: (name) => this.pid(name),
    });
  }

  /** What the model answers, and why; the state goes on. */
  answer(process: string, operation: TraceOperation): Foretold {
    const { result, state } = step(this.world, this.state, this.op(process, operation));
    this.before = this.state;
    this.state = state;
    if ('as' in operation && operation.as !== undefined) {
      const owner = 'to' in operation ? operation.to : process;
      this.bindings.bind(owner, operation.as, result.ok ? result.value : -1);
    }
    const waits = 'blocks' in result ? this.namesOf(result.blocks) : [];
    return { told: resultOf(result, waits), reason: this.reasonOf(result) };
  }

  /** What the model would answer; nothing is done. */
  wouldAnswer(process: string, operation: TraceOperation): TraceResult {
    const { result } = step(this.world, this.state, this.op(process, operation));
    return resultOf(result, []);
  }

  /** What may stand in for what a trace does not tell of an operation. */
  present(process: string, operation: TraceOperation): Present {
    const op = this.op(process, operation);
    const container = 'fd' in op ? containerOf(this.state, op) : null;
    const all = container?.iommu?.driver === 'type1' ? container.iommu.mappings : [];
    const last = all.at(-1);
    const named = this.bindings.recentOf(process);
    const isContainer = (name: string): boolean =>
      fileAt(this.state, op.pid, this.bindings.number(process, name))?.kind === 'container';
    const some = [...all.slice(0, 100), ...(last === undefined || all.length <= 100 ? [] : [last])];
    return {
      descriptors: [...named.filter(isContainer), ...named.filter((name) => !isContainer(name))],
      devices: [...this.world.devices.keys()].slice(0, 1000),
      mappings: some.map(({ iova, size }) => ({ iova: wide(iova), size: wide(size) })),
    };
  }

  /** The operation that would take this one back, or why there is none. */
  undoOf(process: string, operation: TraceOperation): Op | { readonly none: string } {
    return undoOf(this.world, this.state, this.op(process, operation));
  }

  /** Paths that the operation names or changes. */
  touched(process: string, operation: TraceOperation): readonly string[] {
    return touched(this.world, this.state, this.op(process, operation));
  }

  /** The guard that made a refusal. */
  private reasonOf(result: Result): Reason | null {
    if (result.ok) return null;
    const { words, citation } = guardOf(this.world.profile, result.guard);
    return { guard: result.guard, words, citation, errno: 'errno' in result ? result.errno : null };
  }

  /** The guards that could have answered `errno` to the operation that was just made; null: let it wait. */
  couldAnswer(process: string, operation: TraceOperation, errno: string | null): readonly Reason[] {
    const { op } = dispatch(this.before, this.op(process, operation));
    return asking[this.world.profile.id][op].guards
      .filter((guard) => guard.errno === errno)
      .map(({ id, words, citation }) => ({ guard: id, words, citation, errno }));
  }

  private namesOf(pids: readonly number[]): readonly string[] {
    return [...this.pids].filter(([, pid]) => pids.includes(pid)).map(([name]) => name);
  }

  private pid(name: string): number {
    const pid = this.pids.get(name);
    if (pid === undefined) throw new Error(`no process ${name}, though the trace was read whole`);
    return pid;
  }
}
