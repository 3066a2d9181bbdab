import type { Diagnostic, Plan } from '../src/index.ts';
import type { Service, Answer as ServiceAnswer } from './services.ts';

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

/** Something that the service is asked about the newest text. */
export interface Serving {
  readonly ask: 'service';
  /** Told again in the answer. */
  readonly request: number;
  readonly service: Service;
  /** What the service takes: `Words` of it. */
  readonly words: unknown;
}

export type Question = Judging | Serving;

/**
 * What the compiler says, in two waves: words and names at once, after every key; what else is wrong, with the plan, as
 * soon as no newer question waits. An answer to an older question than the newest is dropped.
 */
export type Judgement =
  | { readonly wave: 'words'; readonly version: number; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly wave: 'meaning';
      readonly version: number;
      /** Without those of the first wave. */
      readonly diagnostics: readonly Diagnostic[];
      /** One for each host that is sound. */
      readonly plans: readonly Plan[];
    }
  | { readonly wave: 'bug'; readonly version: number; readonly message: string };

export interface Served {
  readonly wave: 'served';
  readonly request: number;
  readonly answer?: ServiceAnswer<Service>;
  /** What the compiler threw, if it did. */
  readonly bug?: string;
}

export type Answer = Judgement | Served;
