import type { CheckedHost } from '../../src/check/checked.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { root } from '../../src/model/world.ts';
import type { HostPolicy } from '../../src/policy/policy.ts';
import type { View } from '../../src/script/ways.ts';
import type { Fault } from '../../src/syntax/ast.ts';
import type { TraceOperation } from '../../src/wire/trace.ts';
import type { Backend, Credentials } from '../backend.ts';
import { execute } from '../execute/execute.ts';
import { memoryStore } from '../execute/memory-store.ts';
import { expire, recover, revert } from '../execute/revert.ts';
import type { Ending, Progress, RunOptions } from '../execute/run.ts';
import { difference } from '../execute/verify.ts';
import { credentialsOf } from '../kernel/credentials.ts';
import { ProcessKilled } from '../kernel/faults.ts';
import type { Sandbox, SimulatedProcess } from '../kernel/sandbox.ts';
import type { Deed } from '../lower/deeds.ts';
import { observe } from '../lower/observe.ts';
import { operationOf } from '../trace/operations.ts';
import { answerWords, resultOf } from '../trace/results.ts';
import { Shadow } from '../trace/shadow.ts';
import { type Stage, simulatedStage } from '../trace/stage.ts';
import { operationWords } from '../trace/words.ts';
import type { Case } from './cases.ts';
import { Mishap } from './fault.ts';
import type { Ground } from './ground.ts';
import type { TraceStep } from './result.ts';

/** Who carries plans out, in traces. */
const executor = 'vfioplan';

const everything = credentialsOf(root);

/** What became of policies that were to be applied. */
export type Applied =
  | { readonly refused: CheckedHost }
  | {
      readonly policy: HostPolicy;
      readonly ending: Ending | 'killed';
      readonly steps: number;
      /** It was done, and nobody confirmed it. */
      readonly held: boolean;
    };

/**
 * One machine during one test: a simulated kernel, the journal of what was applied on it, and the model beside it, which
 * knows which guard answers. What was applied before is put back first, as it is on a real machine when a policy no longer
 * names it.
 */
export class Scene {
  readonly trace: TraceStep[] = [];
  readonly snapshot: Snapshot;
  readonly #ground: Ground;
  readonly #case: Case;
  readonly #sandbox: Sandbox;
  readonly #stage: Stage;
  readonly #shadow: Shadow;
  readonly #looker: SimulatedProcess;
  readonly #store = memoryStore();
  /** What every path that was touched showed before. */
  readonly #before = new Map<string, string | null>();
  #inEffect = false;
  #policy: HostPolicy | undefined;
  readonly #onStep: () => void;
  #doing = '';
  /** Who does it, in traces. */
  #doer = executor;

  constructor(ground: Ground, its: Case, snapshot: Snapshot, sandbox: Sandbox, onStep: () => void) {
    this.#ground = ground;
    this.#case = its;
    this.snapshot = snapshot;
    this.#sandbox = sandbox;
    this.#stage = simulatedStage(sandbox);
    this.#shadow = new Shadow(snapshot, undefined);
    this.#onStep = onStep;
    this.#looker = sandbox.process(everything);
    this.#shadow.introduce(executor, everything);
  }

  /** The policies that are in effect. */
  get policy(): HostPolicy | undefined {
    return this.#policy;
  }

  /** Judges policies as if they alone were to be established, as far as they say what shall be. */
  judge(policies: readonly string[]): CheckedHost {
    return this.#ground.judge(this.#case, policies);
  }

  apply(policies: readonly string[], fault: Fault | undefined): Applied {
    const judged = this.judge(policies);
    if (judged.checked === undefined) return { refused: judged };
    this.#putBack();
    const plan = this.#ground.plan(judged.checked);
    for (const { before, after } of plan.steps) {
      for (const path of [...Object.keys(before), ...Object.keys(after)])
        if (!this.#before.has(path)) this.#before.set(path, this.look(path));
    }
    const { policy } = judged.checked;
    const process = this.#sandbox.process(everything);
    const unconfirmed = fault?.kind === 'unconfirmed';
    const mishap = fault === undefined || unconfirmed ? undefined : new Mishap(fault, process);
    const held = unconfirmed ? plan.confirmWithin : undefined;
    const options = {
      ...this.#options(mishap, executor),
      ...(held === undefined ? {} : { confirmWithin: held }),
    };
    let ending: Ending | 'killed';
    try {
      ending = execute(plan, mishap?.backend() ?? process, this.#store, options);
      if (ending.verdict === 'held') ending = this.#takeBack(process, ending);
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
      const what = `go on after ${fault !== undefined && 'step' in fault ? `step ${fault.step}` : 'that'}`;
      this.#note({ who: executor, what, answer: 'killed, as the test wants it' });
      // Whoever starts next does what `vfioplan recover` does.
      const recovered = recover(
        this.#sandbox.process(everything),
        this.#store,
        this.#options(undefined, `${executor} recover`),
      );
      ending = recovered.verdict === 'rolled back' ? 'killed' : recovered;
    }
    const done = ending !== 'killed' && ending.verdict === 'done';
    this.#inEffect = done && plan.steps.length > 0;
    this.#policy = done ? policy : undefined;
    return { policy, ending, steps: plan.steps.length, held: held !== undefined && plan.steps.length > 0 };
  }

  /** Nobody confirms it: what carried the plan out takes it back. */
  #takeBack(process: Backend, { generation }: Ending): Ending {
    this.#note({ who: executor, what: 'wait to be confirmed', answer: 'nobody does, as the test wants it' });
    return expire(process, this.#store, this.#options(undefined, executor), generation ?? 0);
  }

  #putBack(): void {
    if (!this.#inEffect) return;
    const process = this.#sandbox.process(everything);
    const { verdict } = revert(process, this.#store, this.#options(undefined, `${executor} revert`));
    if (verdict !== 'reverted') throw new Error(`what was applied before is ${verdict}, and not reverted`);
    this.#inEffect = false;
    this.#policy = undefined;
  }

  #options(mishap: Mishap | undefined, doer: string): RunOptions {
    this.#doer = doer;
    const time = `${this.#ground.today}T00:00:00Z`;
    const onProgress = (progress: Progress): void => {
      this.#doing = `${progress.kind} ${progress.step}: ${progress.sentence}`;
      mishap?.at(progress);
    };
    return { time, bootId: null, onProgress, onDeed: (op, errno) => this.#done(op, errno, mishap) };
  }

  /** The model does what the kernel did: what was refused by a fault is not done. */
  #done(op: Deed, errno: string | null, mishap: Mishap | undefined): void {
    const step = { who: this.#doer, what: this.#doing, answer: errno ?? '0' };
    if (errno !== null && mishap?.happened) {
      this.#note({ ...step, answer: `${errno}, as the test wants it` });
      return;
    }
    const operation = operationOf(op, { descriptor: (_, fd) => fd, process: (id) => `${id}` });
    const { reason } = this.#shadow.answer(executor, operation);
    this.#note({ ...step, ...(reason === null ? {} : { reason }) });
  }

  begin(process: string, credentials: Credentials): void {
    this.#stage.introduce(process, credentials);
    this.#shadow.introduce(process, credentials);
  }

  end(process: string): void {
    this.#stage.exit(process);
    this.#shadow.exit(process);
  }

  /** One call of a process: what it answered, by the names of a trace. */
  call(process: string, operation: TraceOperation): { readonly answer: string; readonly ioas: number } {
    const { reply, memory } = this.#stage.perform(process, operation);
    if (reply === null) throw new Error(`${operation.op} cannot be asked for`);
    const done = memory === undefined ? operation : ({ ...operation, memory } as TraceOperation);
    const { reason } = this.#shadow.answer(process, done);
    const words = answerWords(operation, resultOf(reply));
    const step = { who: process, what: operationWords(operation), answer: words };
    this.#note(reply.ok || reason === null ? step : { ...step, reason });
    const ioas = reply.ok ? Number(reply.out?.['out_ioas_id'] ?? 0) : 0;
    return { answer: reply.ok ? 'ok' : reply.errno, ioas };
  }

  /** Whether a plan of this test has something to do with the path. */
  touches(path: string): boolean {
    return this.#before.has(path);
  }

  look(path: string): string | null {
    return observe(this.#looker, path);
  }

  #note(step: TraceStep): void {
    this.trace.push(step);
    this.#onStep();
  }

  get view(): View {
    return {
      shows: (path) => this.look(path),
      cdevOf: (address) => {
        const names = this.#looker.list(`/sys/bus/pci/devices/${address}/vfio-dev`);
        const [name] = typeof names === 'number' ? [] : names;
        const node = `/dev/vfio/devices/${name}`;
        return name === undefined || this.look(node) === null ? null : node;
      },
    };
  }

  /** The first path that was touched and shows something else than before; the kernel's taint can never be taken back. */
  changed(): ReturnType<typeof difference> {
    const touched = [...this.#before].filter(([path]) => path !== taintPath);
    const found = Object.fromEntries(touched.map(([path]) => [path, this.look(path)]));
    return difference(Object.fromEntries(touched), found);
  }
}

export const taintPath = '/proc/sys/kernel/tainted';
