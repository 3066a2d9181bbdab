import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Address } from '../machine/snapshot.ts';
import type { Assumption } from '../policy/policy.ts';
import type { Subject } from './subject.ts';

/** What a rule found: something wrong, or a fact that it would have had to know. */
export type Finding =
  | {
      readonly diagnostic: Diagnostic;
      /** Functions whose refusals by the model this explains: the model's own message for them is not given. */
      readonly about: readonly Address[];
    }
  | { readonly need: Assumption };

/** One rule, one file: the condition, the message and the fix together. */
export type Rule = (subject: Subject) => Iterable<Finding>;

export function found(diagnostic: Diagnostic, about: readonly Address[] = []): Finding {
  return { diagnostic, about };
}

export function needed(need: Assumption): Finding {
  return { need };
}
