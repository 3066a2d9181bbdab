/** Names by what they name: what no pattern can tell, and a highlighter of words does not. */
import type { Span } from '../../grammar/span.ts';
import type { Reading } from '../../src/syntax/read.ts';
import { type Occurrence, occurrencesIn } from './occurrences.ts';

/** The token types of the Language Server Protocol that are used, in the order of their numbers. */
export const colourTypes = ['namespace', 'variable', 'class', 'property', 'enumMember', 'parameter'] as const;
export type ColourType = (typeof colourTypes)[number];

export interface Colour {
  readonly span: Span;
  readonly type: ColourType;
  readonly declares: boolean;
}

const types: Readonly<Record<Exclude<Occurrence['kind'], 'file'>, ColourType>> = {
  host: 'namespace',
  device: 'variable',
  policy: 'class',
  label: 'property',
  capability: 'enumMember',
  user: 'parameter',
  group: 'parameter',
  service: 'parameter',
  vm: 'parameter',
  container: 'parameter',
};

/** In the order of the text, none over another. `within`: only what touches it. */
export function coloursOf({ document }: Reading, within?: Span): readonly Colour[] {
  const colours: Colour[] = [];
  for (const { base, node } of document.declarations) {
    if (within !== undefined && (base + node.span.end < within.start || within.end < base + node.span.start))
      continue;
    for (const { kind, span, declares } of occurrencesIn(node)) {
      if (kind === 'file') continue;
      colours.push({ span: { start: base + span.start, end: base + span.end }, type: types[kind], declares });
    }
  }
  return colours.sort((a, b) => a.span.start - b.span.start);
}
