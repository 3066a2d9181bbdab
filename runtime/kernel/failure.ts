/** What stopped the sandbox. */
export type FailureCause = 'deadline' | 'memory' | 'stack' | 'exception';

/** What reaching a limit means to whoever rehearses or tests, as the end of a sentence. */
export const limitWords: Readonly<Record<Exclude<FailureCause, 'exception'>, string>> = {
  deadline: 'it took more time than a rehearsal may take',
  memory: 'it needed more memory than a rehearsal may have',
  stack: 'it called deeper than a rehearsal may',
};

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
