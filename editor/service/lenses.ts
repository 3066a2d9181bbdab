import type { Span } from '../../grammar/span.ts';
import type { Reading } from '../../src/syntax/read.ts';

/** A test that can be run from where it stands. */
export interface Lens {
  /** Its name in the text. */
  readonly span: Span;
  /** As `vfioplan test --filter` takes it. */
  readonly test: string;
}

export function lensesOf({ document }: Reading): readonly Lens[] {
  return document.declarations.flatMap(({ base, node }) => {
    if (node.kind !== 'test') return [];
    const { text, span } = node.name;
    return [{ span: { start: base + span.start, end: base + span.end }, test: text }];
  });
}
