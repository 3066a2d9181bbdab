import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import type { Reason } from '../trace/shadow.ts';

/** What became of one test on one machine. Plain data, so that it can come from another thread. */
export interface TestResult {
  readonly name: string;
  readonly place: Place;
  /** The host that the machine stands for. */
  readonly host: string;
  readonly passed: boolean;
  /** What did not hold; none when it passed. */
  readonly diagnostics: readonly Diagnostic[];
  readonly trace: readonly TraceStep[];
  /** Statements of policies that did what they are there for. */
  readonly exercised: readonly Place[];
  /** Codes with which policies were refused as the test expected. */
  readonly refusals: readonly string[];
}

/** One thing that was done, and what the simulated kernel answered. */
export interface TraceStep {
  readonly who: string;
  readonly what: string;
  /** `0`, `a descriptor`, an errno. */
  readonly answer: string;
  /** The guard that refused. */
  readonly reason?: Reason;
}
