import { accessLines } from '../../src/plan/describe.ts';
import type { Ending as Execution } from '../execute/run.ts';
import type { Rehearsal } from './rehearse.ts';
import type { Trial } from './trial.ts';
import { counted, printable } from './words.ts';

/** A rehearsal as a person reads it: steps, predictions, kernel log, and who can do what. */
export function rehearsalView({ plan, execution, trials, log }: Rehearsal): string {
  const lines = [`${plan.host}: rehearsed on a simulated kernel`];
  for (const { number, sentence } of plan.steps) {
    lines.push(`  ${String(number).padStart(3)}  ${sentence}`);
  }
  lines.push(`  ${outcome(execution, plan.steps.length)}`);
  if (plan.preconditions.length > 0) {
    const assumed = plan.preconditions.map(({ sentence }) => `    - ${sentence}`);
    lines.push('  assumed, since the snapshot does not tell it', ...assumed);
  }
  if (log.length > 0) {
    lines.push('  the kernel logged', ...log.map((line) => `    ${line}`));
  }
  if (execution.verdict === 'done') {
    lines.push(...accessLines(plan).map((line) => `  ${line}`));
    lines.push(...trials.map((trial) => `      tried: ${trialLine(trial)}`));
  }
  return text(lines);
}

/** What was done on this machine. */
export function executionView(host: string, execution: Execution, steps: number, confirmed: boolean): string {
  const journal = execution.generation === null ? [] : [`  journal: generation ${execution.generation}`];
  const back =
    execution.verdict === 'done' && execution.generation !== null
      ? [`  to take it back: vfioplan revert ${execution.generation}`]
      : [];
  const word = confirmed ? ['  confirmed'] : [];
  return text([`${host}: on this machine`, `  ${outcome(execution, steps)}`, ...word, ...journal, ...back]);
}

/** What a revert or a recovery did on this machine. */
export function undoingView(execution: Execution): string {
  if (execution.generation === null) return execution.verdict === 'refused' ? '' : 'nothing had to be done\n';
  return text([`generation ${execution.generation}: ${verdicts[execution.verdict]}${seen(execution)}`]);
}

export const nothingTouched = 'Rehearsed on a simulated kernel; nothing on this machine was changed.\n';

const verdicts: Readonly<Record<Execution['verdict'], string>> = {
  done: 'done',
  held: 'done, and waits to be confirmed',
  reverted: 'reverted: everything is as it was before',
  refused: 'refused before the first step; nothing was changed',
  'rolled back': 'rolled back: everything is as it was before',
  incomplete: 'incomplete: the journal says what is left',
};

function outcome(execution: Execution, steps: number): string {
  if (execution.verdict !== 'done') return verdicts[execution.verdict];
  if (steps === 0) return 'nothing had to be done';
  return `${counted(steps, 'step')} done${seen(execution)}`;
}

function seen({ predictions: { compared, equal } }: Execution): string {
  if (compared === 0) return '';
  const all = equal === compared ? 'all as predicted' : `${equal} as predicted`;
  return `; ${counted(compared, 'file')} looked at, ${all}`;
}

function trialLine({ who, node, errno }: Trial): string {
  return errno === null ? `${who} opens ${node}` : `${who} opens ${node}: refused with ${errno}`;
}

function text(lines: readonly string[]): string {
  return `${lines.map(printable).join('\n')}\n`;
}
