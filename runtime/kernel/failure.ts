/** What stopped the sandbox. */
export type FailureCause = 'deadline' | 'memory' | 'stack' | 'exception';

/**
 * The sandbox itself failed: a limit was reached, or the code inside threw. Either is a bug of vfioplan or hostile
 * input, never an answer of the simulated kernel. The sandbox is gone afterwards; every later call throws it again.
 */
export class SandboxFailure extends Error {
  override readonly name = 'SandboxFailure';
  readonly failure: FailureCause;

  constructor(failure: FailureCause, message: string) {
    super(message);
    this.failure = failure;
  }
}
