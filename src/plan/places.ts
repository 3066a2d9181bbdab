import { lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Place } from '../diagnostics/diagnostic.ts';
import type { PlanPlace } from './plan.ts';

export type Sources = readonly { readonly file: string; readonly text: string }[];

/** Turns places of the policy into those of a plan, which is read without the policy at hand. */
export function placesIn(sources: Sources): (place: Place) => PlanPlace {
  const files = new Map(sources.map(({ file, text }) => [file, { text, lines: lineIndex(text) }]));
  return ({ file, span }) => {
    const source = files.get(file);
    if (source === undefined) return { file, line: 1, column: 1, text: '' };
    const text = source.text.slice(span.start, span.end).replace(/\s+/g, ' ');
    return { file, ...positionAt(source.lines, span.start), text };
  };
}
