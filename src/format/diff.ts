/**
 * What changed, as patch(1) reads it. No search is made for what two texts have in common: the characters that stayed are
 * the same in both, so a line's number of them before it says which lines belong together.
 */

/** Lines shown around a change. */
const context = 3;

interface Line {
  /** With its line break, if it has one. */
  readonly text: string;
  /** How many characters that stayed the text has up to its end. */
  readonly end: number;
}

interface Change {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Whether the character at an offset of the text before, and of the text after, is in both; they must be equally many. */
interface Stayed {
  readonly before: (offset: number) => boolean;
  readonly after: (offset: number) => boolean;
}

/**
 * A unified diff; empty when the texts are the same. Without `stayed`, as formatting leaves them: both must have the same
 * characters but for white space. Linear.
 */
export function diff(file: string, before: string, after: string, stayed?: Stayed): string {
  const { before: was, after: is } = stayed ?? {
    before: (offset: number) => !isSpace(before.charAt(offset)),
    after: (offset: number) => !isSpace(after.charAt(offset)),
  };
  const hunks = hunksOf(changesOf(linesOf(before, was), linesOf(after, is)));
  return hunks.length === 0 ? '' : `--- ${file}\n+++ ${file}\n${hunks.join('')}`;
}

function isSpace(character: string): boolean {
  return /\s/.test(character);
}

function linesOf(text: string, stayed: (offset: number) => boolean): readonly Line[] {
  let [at, end] = [0, 0];
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => {
    for (const next = at + line.length; at < next; at += 1) if (stayed(at)) end += 1;
    return { text: line, end };
  });
}

function changesOf(before: readonly Line[], after: readonly Line[]): readonly Change[] {
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  // What was taken out and not told yet: all of it is told before what came in its place.
  let added: Change[] = [];
  for (;;) {
    const [was, is] = [before[i], after[j]];
    const same = was !== undefined && was.text === is?.text && was.end === is.end;
    if (same || (was === undefined && is === undefined)) {
      for (const change of added) changes.push(change);
      added = [];
    }
    if (was === undefined && is === undefined) return changes;
    if (same) changes.push({ sign: ' ', text: was.text });
    const takes = was !== undefined && (is === undefined || was.end <= is.end);
    const gives = is !== undefined && (was === undefined || is.end <= was.end);
    if (takes) {
      if (!same) changes.push({ sign: '-', text: was.text });
      i += 1;
    }
    if (gives) {
      if (!same) added.push({ sign: '+', text: is.text });
      j += 1;
    }
  }
}

/** Changes that stand near each other, with the lines around them. */
function hunksOf(changes: readonly Change[]): readonly string[] {
  const changed = changes.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]));
  const hunks: string[] = [];
  let [oldLine, newLine, at] = [1, 1, 0];
  const skip = (to: number) => {
    for (; at < to; at++) {
      if (changes[at]?.sign !== '+') oldLine += 1;
      if (changes[at]?.sign !== '-') newLine += 1;
    }
  };
  for (let first = 0; first < changed.length; ) {
    let last = first;
    while ((changed[last + 1] ?? Number.POSITIVE_INFINITY) - (changed[last] ?? 0) <= 2 * context) last += 1;
    const from = Math.max(0, (changed[first] ?? 0) - context);
    skip(from);
    const shown = changes.slice(from, (changed[last] ?? 0) + context + 1);
    hunks.push(hunk(shown, oldLine, newLine));
    skip(from + shown.length);
    first = last + 1;
  }
  return hunks;
}

function hunk(changes: readonly Change[], oldLine: number, newLine: number): string {
  const range = (line: number, missing: Change['sign']) => {
    const count = changes.filter(({ sign }) => sign !== missing).length;
    // A range of no lines is told by the line before it.
    return `${count === 0 ? line - 1 : line},${count}`;
  };
  const lines = changes.map(({ sign, text }) =>
    text.endsWith('\n') ? sign + text : `${sign}${text}\n\\ No newline at end of file\n`,
  );
  return `@@ -${range(oldLine, '+')} +${range(newLine, '-')} @@\n${lines.join('')}`;
}
