import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { type FailureCause, SandboxFailure } from '../kernel/failure.ts';
import type { Invocation } from './invocation.ts';

/** A limit of the sandbox that a trace reached, as a diagnostic. Any other error is a bug, and is thrown on. */
export function limitReport({ line, operands }: Invocation, error: unknown): Diagnostic {
  if (!(error instanceof SandboxFailure) || error.failure === 'exception') throw error;
  const [file = ''] = operands;
  const cures = ['try again when the computer is less busy, or divide the trace'];
  return report('VP6203', line.placeOf(file), { file, reason: limits[error.failure] }, { cures });
}

const limits: Readonly<Record<Exclude<FailureCause, 'exception'>, string>> = {
  deadline: 'it took more time than a simulated kernel may take',
  memory: 'it needed more memory than a simulated kernel may have',
  stack: 'it called deeper than a simulated kernel may',
};
