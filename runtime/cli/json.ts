import { type LineIndex, lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';

/** Diagnostics for programs: places as 1-based lines and columns (UTF-16 units) beside offsets, `end` exclusive. */
export function diagnosticsToJson(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
): readonly unknown[] {
  const indexes = new Map<string, LineIndex>();
  const position = (file: string, offset: number): unknown => {
    const text = sources.get(file);
    if (text === undefined) return { offset };
    let index = indexes.get(file);
    if (index === undefined) {
      index = lineIndex(text);
      indexes.set(file, index);
    }
    return { ...positionAt(index, offset), offset };
  };
  const placed = ({ file, span }: Place): { file: string; range: unknown } => ({
    file,
    range: { start: position(file, span.start), end: position(file, span.end) },
  });
  return diagnostics.map((diagnostic) => ({
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    ...placed(diagnostic.place),
    related: diagnostic.related.map(({ place, message }) => ({ message, ...placed(place) })),
    causes: diagnostic.causes,
    cures: diagnostic.cures,
    ...(diagnostic.kernel === undefined ? {} : { kernel: diagnostic.kernel }),
    fixes: diagnostic.fixes.map(({ title, safe, edits }) => ({
      title,
      safe,
      edits: edits.map((edit) => ({ ...placed(edit), text: edit.text })),
    })),
  }));
}
