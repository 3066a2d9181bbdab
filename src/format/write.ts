import type { Elements } from './elements.ts';
import { type Line, widthOf } from './layout.ts';
import { lineLimit } from './spacing.ts';

/** The text of each line, with the line breaks before it; the last with the one that ends the file. */
export function written(lines: readonly Line[], { breaksAtEnd, lineEnd }: Elements): readonly string[] {
  const columns = commentColumns(lines);
  let atLineStart = true;
  const parts = lines.map((line, index) => {
    const breaks = line.joins || atLineStart ? '' : line.blank ? lineEnd + lineEnd : lineEnd;
    const indent = line.joins || line.text === '' ? 0 : line.indent;
    const comment =
      line.comment === '' ? '' : ' '.repeat((columns[index] ?? 0) - widthOf(line)) + line.comment;
    atLineStart = line.kept && /[\r\n]$/.test(line.text);
    return breaks + ' '.repeat(indent) + line.text + comment;
  });
  // What is kept at the end of the file ends as it ended.
  const last = lines.at(-1);
  if (last !== undefined && !atLineStart && (!last.kept || breaksAtEnd > 0))
    parts.push((parts.pop() ?? '') + lineEnd);
  return parts;
}

/** How far from the words a comment stands, at least. */
const distance = 2;

/** For each line with a comment at its end, its column: the comments of adjacent lines share one. */
function commentColumns(lines: readonly Line[]): readonly number[] {
  const columns: number[] = [];
  let run: { readonly index: number; readonly width: number }[] = [];
  const end = () => {
    const shared = run.reduce((most, { width }) => (width <= lineLimit ? Math.max(most, width) : most), 0);
    for (const { index, width } of run) columns[index] = Math.max(shared, width) + distance;
    run = [];
  };
  lines.forEach((line, index) => {
    if (line.blank || line.comment === '' || line.joins) end();
    if (line.joins) columns[index] = distance;
    else if (line.comment !== '') run.push({ index, width: widthOf(line) });
  });
  end();
  return columns;
}
