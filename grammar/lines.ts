import type { Position } from './span.ts';

/** The offsets at which the lines of a text begin: found once a text, then every position is a binary search. */
export type LineIndex = readonly number[];

/** Lines end at LF, CR LF or a lone CR, as editors count them. */
export function lineIndex(text: string): LineIndex {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** Offsets outside the text are taken to its nearest end by the caller's own bounds; the first line and column are 1. */
export function positionAt(lines: LineIndex, offset: number): Position {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lines[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lines[low] ?? 0) + 1 };
}
