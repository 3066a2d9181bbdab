/** Diagnostics of a text before a change, as far as they hold after it: until the second wave comes. */
import { type Change, changeOf } from '../../grammar/changed.ts';
import type { Span } from '../../grammar/span.ts';
import type { Diagnostic, Fix, Place } from '../../src/diagnostics/diagnostic.ts';

/** Those of other places are moved along; those of what was changed are gone. */
export function carried(
  diagnostics: readonly Diagnostic[],
  file: string,
  old: string,
  now: string,
): readonly Diagnostic[] {
  if (old === now) return diagnostics;
  const change = changeOf(old, now);
  return diagnostics.flatMap((diagnostic) => {
    const place = movedPlace(diagnostic.place, file, change);
    if (place === undefined) return [];
    const related = diagnostic.related.flatMap(({ place, message }) => {
      const moved = movedPlace(place, file, change);
      return moved === undefined ? [] : [{ place: moved, message }];
    });
    const fixes = diagnostic.fixes.flatMap((fix) => movedFix(fix, file, change));
    return [{ ...diagnostic, place, related, fixes }];
  });
}

function movedFix({ edits, ...fix }: Fix, file: string, change: Change): readonly Fix[] {
  const moved = edits.flatMap(({ text, ...place }) => {
    const there = movedPlace(place, file, change);
    return there === undefined ? [] : [{ ...there, text }];
  });
  return moved.length === edits.length ? [{ ...fix, edits: moved }] : [];
}

function movedPlace(place: Place, file: string, change: Change): Place | undefined {
  if (place.file !== file) return place;
  const span = movedSpan(place.span, change);
  return span && { file, span };
}

function movedSpan({ start, end }: Span, change: Change): Span | undefined {
  if (end < change.start) return { start, end };
  if (start < change.oldEnd || start < change.start) return undefined;
  const by = change.newEnd - change.oldEnd;
  return { start: start + by, end: end + by };
}
