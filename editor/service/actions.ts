import type { Span } from '../../grammar/span.ts';
import type { Diagnostic, Fix } from '../../src/diagnostics/diagnostic.ts';

/** A fix with what it mends. */
export interface Action {
  readonly fix: Fix;
  readonly diagnostic: Diagnostic;
  /** It may be made when nobody chooses: nothing else can have been meant. */
  readonly preferred: boolean;
}

/** The fixes of diagnostics that touch a span of a file. */
export function actionsIn(
  diagnostics: readonly Diagnostic[],
  file: string,
  { start, end }: Span,
): readonly Action[] {
  return diagnostics
    .filter(({ place }) => place.file === file && place.span.start <= end && start <= place.span.end)
    .flatMap((diagnostic) => diagnostic.fixes.map((fix) => ({ fix, diagnostic, preferred: fix.safe })));
}
