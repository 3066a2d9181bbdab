import type { Diagnostic, Plan } from '../src/index.ts';

/** What is edited: the page sends it whole at every key, with a version that grows. */
export interface Judging {
  readonly ask: 'judge';
  readonly version: number;
  readonly file: string;
  readonly text: string;
  readonly machine: { readonly name: string; readonly json: string };
  /** `YYYY-MM-DD` */
  readonly today: string;
}

/** The text, to be laid out. */
export interface Formatting {
  readonly ask: 'format';
  /** Told again in the answer. */
  readonly request: number;
  readonly file: string;
  readonly text: string;
}

export type Question = Judging | Formatting;

/**
 * What the compiler says, in two waves: the words at once, after every key; the meaning, with the plan, as soon as no
 * newer question waits. An answer to an older question than the newest is dropped.
 */
export type Judgement =
  | { readonly wave: 'words'; readonly version: number; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly wave: 'meaning';
      readonly version: number;
      readonly diagnostics: readonly Diagnostic[];
      /** One for each host that is sound. */
      readonly plans: readonly Plan[];
    }
  | { readonly wave: 'bug'; readonly version: number; readonly message: string };

/** The text as it should be; the one that was sent where there is an error. */
export interface Formatted {
  readonly wave: 'formatted';
  readonly request: number;
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  /** What the compiler threw, if it did. */
  readonly bug?: string;
}

export type Answer = Judgement | Formatted;
