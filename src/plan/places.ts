import type { Place } from '../diagnostics/diagnostic.ts';
import type { PlanPlace } from './plan.ts';

export type Sources = readonly { readonly file: string; readonly text: string }[];

/** Turns places of the policy into those of a plan, which is read without the policy at hand. */
export function placesIn(sources: Sources): (place: Place) => PlanPlace {
  const files = new Map(sources.map(({ file, text }) => [file, { text, lines: lineStarts(text) }]));
  return ({ file, span }) => {
    const source = files.get(file);
    if (source === undefined) return { file, line: 1, column: 1, text: '' };
    const line = lineOf(source.lines, span.start);
    return {
      file,
      line: line + 1,
      column: span.start - (source.lines[line] ?? 0) + 1,
      text: source.text.slice(span.start, span.end).replace(/\s+/g, ' '),
    };
  };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The last line that starts at or before the offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
