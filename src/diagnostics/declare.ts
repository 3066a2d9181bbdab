import type { Severity } from './diagnostic.ts';

/** A code's declaration. `message` has holes in braces, `{device}`; `report()` demands a value for each. */
export interface Declaration {
  readonly severity: Severity;
  /** The page's title: a short noun phrase, lower case. */
  readonly title: string;
  readonly message: string;
}
