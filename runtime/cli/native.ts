import type { Plan } from '../../src/plan/plan.ts';
import { execute } from '../execute/execute.ts';
import { recover, revert } from '../execute/revert.ts';
import type { Ending as Execution } from '../execute/run.ts';
import { acting, journals } from './acting.ts';
import { hold } from './confirmation.ts';
import type { Exit } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';

/** A plan carried out on this machine. */
export interface NativeDeed {
  readonly host: string;
  readonly steps: number;
  readonly execution: Execution;
  /** Somebody had to confirm it, and did. */
  readonly confirmed: boolean;
}

/**
 * Acts. The caller has seen to it that nothing stands in the way and that the plan came through its rehearsal. What has to
 * be confirmed is waited for, and taken back if nobody does.
 */
export async function carryOut(invocation: Invocation, plan: Plan): Promise<NativeDeed> {
  const seconds = invocation.options.confirmWithin ?? plan.confirmWithin;
  const held = seconds === undefined ? {} : { confirmWithin: seconds };
  const act = (): Promise<Execution> =>
    acting(invocation, (backend, options) =>
      execute(plan, backend, journals(invocation), { ...options, ...held }),
    );
  // Attended from before the first step: a session that is lost with the last one must not leave what is done unattended.
  const execution = await (seconds === undefined
    ? act()
    : invocation.io.attended(async (person) => hold(invocation, await act(), seconds, person)));
  const confirmed = seconds !== undefined && execution.verdict === 'done' && execution.generation !== null;
  return { host: plan.host, steps: plan.steps.length, execution, confirmed };
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
    case 'held':
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
