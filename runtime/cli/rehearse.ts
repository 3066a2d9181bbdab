import { report } from '../../src/diagnostics/report.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { root } from '../../src/model/world.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { execute } from '../execute/execute.ts';
import { memoryStore } from '../execute/memory-store.ts';
import { type Ending as Execution, refused } from '../execute/run.ts';
import { credentialsOf } from '../kernel/credentials.ts';
import { limitWords, SandboxFailure } from '../kernel/failure.ts';
import { bootSandbox } from '../kernel/sandbox.ts';
import type { Io } from './io.ts';
import { progressOn } from './progress.ts';
import { type Trial, tryAccess } from './trial.ts';

/** What a plan did on the simulated copy of a machine. Nothing real was touched. */
export interface Rehearsal {
  readonly plan: Plan;
  readonly execution: Execution;
  /** Who could open what afterwards; none when the plan did not come to its end. */
  readonly trials: readonly Trial[];
  /** What the simulated kernel logged while the plan was carried out. */
  readonly log: readonly string[];
}

/**
 * Boots the machine of the snapshot in a sandbox and carries the plan out on it, exactly as on a real one. A rehearsal
 * that reaches a limit of the sandbox is refused.
 */
export async function rehearse(io: Io, plan: Plan, snapshot: Snapshot): Promise<Rehearsal> {
  try {
    return await inSandbox(io, plan, snapshot);
  } catch (error) {
    if (!(error instanceof SandboxFailure) || error.failure === 'exception') throw error;
    const place = { file: `plan:${plan.host}`, span: { start: 0, end: 0 } };
    const cures = ['try again when the computer is less busy, or divide the policy by hosts and devices'];
    const holes = { host: plan.host, reason: limitWords[error.failure] };
    const execution = refused([report('VP6905', place, holes, { cures })]);
    return { plan, execution, trials: [], log: [] };
  }
}

async function inSandbox(io: Io, plan: Plan, snapshot: Snapshot): Promise<Rehearsal> {
  const progress = progressOn(io);
  const sandbox = await bootSandbox(snapshot, io.sandboxLimits ?? {});
  try {
    const booted = sandbox.kernelLog().length;
    const execution = execute(plan, sandbox.process(credentialsOf(root)), memoryStore(), {
      time: new Date(io.now()).toISOString(),
      bootId: null,
      onProgress: ({ step, sentence }) => progress.now(`${plan.host}: rehearsing step ${step}: ${sentence}`),
    });
    const done = execution.verdict === 'done';
    const trials = done ? tryAccess(plan, snapshot, (credentials) => sandbox.process(credentials)) : [];
    return { plan, execution, trials, log: sandbox.kernelLog().slice(booted) };
  } finally {
    progress.end();
    sandbox.dispose();
  }
}
