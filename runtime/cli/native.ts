import type { Plan } from '../../src/plan/plan.ts';
import type { Backend } from '../backend.ts';
import { execute } from '../execute/execute.ts';
import { linuxHolders } from '../execute/holders.ts';
import { linuxProcesses } from '../execute/lock.ts';
import { recover, revert } from '../execute/revert.ts';
import type { Ending as Execution, RunOptions } from '../execute/run.ts';
import { defaultStateDirectory, stateDirectory } from '../execute/state-directory.ts';
import type { JournalStore } from '../execute/store.ts';
import { observe } from '../lower/observe.ts';
import type { Exit } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { progressOn } from './progress.ts';

/** A plan carried out on this machine. */
export interface NativeDeed {
  readonly host: string;
  readonly steps: number;
  readonly execution: Execution;
}

/** Acts. The caller has seen to it that nothing stands in the way and that the plan came through its rehearsal. */
export async function carryOut(invocation: Invocation, plan: Plan): Promise<NativeDeed> {
  const execution = await acting(invocation, (backend, options) =>
    execute(plan, backend, journals(invocation), options),
  );
  return { host: plan.host, steps: plan.steps.length, execution };
}

/** Takes a generation back; without a number, the newest. */
export function takeBack(invocation: Invocation, generation: number | undefined): Promise<Execution> {
  return acting(invocation, (backend, options) => revert(backend, journals(invocation), options, generation));
}

/** Finishes or undoes what a run that was stopped left behind. */
export function putRight(invocation: Invocation): Promise<Execution> {
  return acting(invocation, (backend, options) => recover(backend, journals(invocation), options));
}

/** The exit code of an execution. */
export function exitOf(verdict: Execution['verdict']): Exit {
  switch (verdict) {
    case 'done':
    case 'reverted':
      return 'done';
    case 'refused':
      return 'refused';
    case 'rolled back':
      return 'rolled-back';
    case 'incomplete':
      return 'rollback-incomplete';
  }
}

function journals({ options }: Invocation): JournalStore {
  return stateDirectory(options.stateDir ?? defaultStateDirectory, linuxProcesses());
}

async function acting(
  { io }: Invocation,
  act: (backend: Backend, options: RunOptions) => Execution,
): Promise<Execution> {
  const backend = await io.machine.backend();
  const progress = progressOn(io);
  try {
    const options: RunOptions = {
      time: new Date(io.now()).toISOString(),
      bootId: observe(backend, '/proc/sys/kernel/random/boot_id'),
      ...(backend.kind === 'linux' ? { holders: linuxHolders } : {}),
      onProgress: ({ kind, step, sentence }) =>
        progress.now(`${kind === 'undo' ? 'undoing ' : ''}step ${step}: ${sentence}`),
    };
    return io.uninterrupted(() => act(backend, options));
  } finally {
    progress.end();
  }
}
