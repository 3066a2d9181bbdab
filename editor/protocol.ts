import type { Diagnostic, Plan } from '../src/index.ts';

/** What is edited: the page sends it whole at every key, with a version that grows. */
export interface Question {
  readonly version: number;
  readonly file: string;
  readonly text: string;
  readonly machine: { readonly name: string; readonly json: string };
  /** `YYYY-MM-DD` */
  readonly today: string;
}

/**
 * What the compiler says, in two waves: the words at once, after every key; the meaning, with the plan, as soon as no
 * newer question waits. An answer to an older question than the newest is dropped.
 */
export type Answer =
  | { readonly wave: 'words'; readonly version: number; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly wave: 'meaning';
      readonly version: number;
      readonly diagnostics: readonly Diagnostic[];
      /** One for each host that is sound. */
      readonly plans: readonly Plan[];
    }
  | { readonly wave: 'bug'; readonly version: number; readonly message: string };
