import type { Code } from '../diagnostics/codes.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';

/** Names that lead nowhere: a statement with one means something that is not known. */
const dangling: ReadonlySet<Code> = new Set<Code>(['VP2002', 'VP2003', 'VP2010']);

/** What a host lacks, and a statement could mend whose names lead somewhere. */
const mended: ReadonlySet<Code> = new Set<Code>([
  'VP3106', // not isolated: the group may be taken whole
  'VP3109', // allowed and not bound
  'VP3123', // allowed and bound to another driver
  'VP3126', // without effect: what it is about may be named
  'VP4101', // the group is shared: its other functions may be bound
  'VP4198', // the model's answer to who opens it
  'VP4199', // the model's answer to a step
]);

/**
 * Diagnostics of something that is lacking: another statement could mend them. While a statement of the policy cannot
 * be read, it may be that very one, so they are left unsaid: one broken thing gives one message. What a further
 * statement could not mend is said all the same.
 */
const lacks: ReadonlySet<Code> = new Set<Code>([
  ...mended,
  'VP2002', // no such device declared
  'VP2003', // no such host
  'VP2004', // declared and never used
  'VP2009', // no snapshot for the host
  'VP2010', // not declared for this host
  'VP2014', // no such policy declared
  'VP2015', // no policy of that name for this host
  'VP2020', // a permission that lacks a part
  'VP2102', // more functions than one: a further property may choose
  'VP2103', // as many as the set may not have
  'VP3113', // no-IOMMU mode not allowed
  'VP4106', // a capability is not given
]);

export function withoutLacks(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ code }) => !lacks.has(code));
}

/**
 * The same where statements can be read, and a name in one of them leads nowhere: the name is told, and not what follows.
 * `general` is said of no host.
 */
export function withoutConsequences(
  diagnostics: readonly Diagnostic[],
  general: readonly Diagnostic[],
): readonly Diagnostic[] {
  const lost = [...general, ...diagnostics].some(({ code }) => dangling.has(code));
  return lost ? diagnostics.filter(({ code }) => !mended.has(code)) : diagnostics;
}
