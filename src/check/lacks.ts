import type { Code } from '../diagnostics/codes.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { PlacedDeclaration } from '../syntax/ast.ts';
import type { Reading } from '../syntax/read.ts';

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
 * statement could not mend is said all the same. `declared`: whether every declaration is known.
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

export function withoutLacks(diagnostics: readonly Diagnostic[], declared: boolean): readonly Diagnostic[] {
  return diagnostics.filter(({ code }) => !lacks.has(code) || (declared && undeclared.has(code)));
}

/** Names that no declaration has: certain, where whatever cannot be read declares nothing. */
const undeclared: ReadonlySet<Code> = new Set<Code>(['VP2002', 'VP2003', 'VP2014']);

/** What can be wrong with the words of a statement, and leaves it where it stands, and its block as it is. */
const withinStatements: ReadonlySet<Code> = new Set<Code>([
  'VP1004',
  'VP1009',
  'VP1010',
  'VP1011',
  'VP1018',
  'VP1020',
  'VP1021',
  'VP1023',
  'VP1025',
  'VP1026',
  'VP1027',
  'VP1028',
  'VP1029',
  'VP1031',
  'VP1032',
]);

/** Whether all that cannot be read stands in statements of hosts, policies and tests, so that every declaration is known. */
export function declaresAll(read: readonly Reading[]): boolean {
  return read.every(({ document, diagnostics }) => {
    const { declarations } = document;
    let next = 0;
    // Both are in the order of their places.
    return diagnostics.every(({ severity, code, place }) => {
      if (severity !== 'error') return true;
      while (endOf(declarations[next]) < place.span.end) next += 1;
      const around = declarations[next];
      return (
        around !== undefined &&
        withinStatements.has(code) &&
        around.base + around.node.span.start < place.span.start &&
        (around.node.kind === 'policy' || around.node.kind === 'host' || around.node.kind === 'test')
      );
    });
  });
}

function endOf(declaration: PlacedDeclaration | undefined): number {
  return declaration === undefined ? Number.POSITIVE_INFINITY : declaration.base + declaration.node.span.end;
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
