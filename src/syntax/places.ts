import type { Place } from '../diagnostics/diagnostic.ts';

/** Where a declaration stands: its file, and the offset there from which the spans of its tree count. */
export interface Origin {
  readonly file: string;
  readonly base: number;
}

/** Where in its file a part of a declaration stands. */
export function placeOf({ file, base }: Origin, { span }: { readonly span: Place['span'] }): Place {
  return { file, span: { start: base + span.start, end: base + span.end } };
}
