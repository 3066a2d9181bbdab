/**
 * A policy file as it is laid out. Only white space is changed; what cannot be read is not changed at all; and what comes
 * out is compared with what went in before anybody sees it.
 */
import { blockLimit } from '../../grammar/parse.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { diagnose } from '../syntax/issues.ts';
import { diagnosticLimit, fileLimit, unreadable } from '../syntax/read.ts';
import { elementsOf, type Kept } from './elements.ts';
import { type Line, linesOf } from './layout.ts';
import { difference, type Laid } from './prove.ts';
import { written } from './write.ts';

export interface Formatting {
  /** The text as it should be; the given one where a diagnostic is an error. */
  readonly text: string;
  /** What was not formatted, and why. What else is wrong with the policy is for `check` to say. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Never throws; linear in the length of the text. `file` is the name that diagnostics give it. */
export function format(file: string, text: string): Formatting {
  return formatWith(written, file, text);
}

/** `write` makes a text of the lines; a test gives one that makes mistakes. */
export function formatWith(write: typeof written, file: string, source: string): Formatting {
  const refused = unreadable(file, source);
  if (refused !== undefined) return { text: source, diagnostics: [refused] };
  const laid = layOut(write, source);
  const { text } = laid;
  const diagnostics = leftAlone(file, laid);
  if (text === source) return { text, diagnostics };
  if (text.length > fileLimit) return { text: source, diagnostics: [tooLong(file, text.length)] };
  const wrong = difference(file, laid, layOut(write, text));
  if (wrong !== undefined) return { text: source, diagnostics: [unfaithful(file, source, wrong)] };
  return { text, diagnostics };
}

function layOut(write: typeof written, source: string): Laid {
  const kept = new Set<number>();
  for (;;) {
    const elements = elementsOf(source, kept);
    const lines = linesOf(elements);
    const parts = write(lines, elements);
    const grown = overgrown(lines, parts);
    if (grown.length === 0) return { source, elements, text: parts.join('') };
    for (const start of grown) kept.add(start);
  }
}

/** The blocks that would be too long to be read when they are formatted. */
function overgrown(lines: readonly Line[], parts: readonly string[]): readonly number[] {
  const grown: number[] = [];
  let blocks = new Set<number>();
  let length = 0;
  const end = () => {
    if (length > blockLimit) for (const block of blocks) grown.push(block);
    blocks = new Set();
    length = 0;
  };
  lines.forEach((line, index) => {
    if (line.declares || line.kept) end();
    if (line.kept) return;
    blocks.add(line.block);
    length += parts[index]?.length ?? 0;
  });
  end();
  return grown;
}

/** A warning for each thing that is kept, up to as many as anybody reads. */
function leftAlone(file: string, { source, elements }: Laid): readonly Diagnostic[] {
  const found = elements.list.flatMap((element) => {
    if (element.kind !== 'kept') return [];
    const why = whyKept(file, source, element);
    return why === undefined ? [] : [why];
  });
  const more = found.length - diagnosticLimit;
  const diagnostics = found.slice(0, diagnosticLimit).map(({ place, cause }, index) => {
    const others = index === diagnosticLimit - 1 && more > 0 ? [`nor are ${more} more below`] : [];
    const cures = ['mend it first: `vfioplan check` says all that is wrong'];
    return report('VP1090', place, {}, { causes: [cause, ...others], cures });
  });
  return diagnostics;
}

interface Why {
  readonly place: Place;
  readonly cause: string;
}

function whyKept(file: string, source: string, { start, image, unread }: Kept): Why | undefined {
  const [issue] = unread.issues;
  if (issue !== undefined) {
    const { place, message } = diagnose(file, start, image, issue);
    return { place, cause: message };
  }
  const at = start + image.length - image.trimStart().length;
  const place = { file, span: { start: at, end: Math.min(at + 1, source.length) } };
  const [first] = unread.declarations;
  // A brace that is left over below a broken declaration, of which the warning stands there.
  if (first === undefined) return undefined;
  const cause =
    first.kind === 'broken'
      ? 'so much is wrong above it that it was not read'
      : `it would have more than the ${blockLimit} characters that are read`;
  return { place, cause };
}

function tooLong(file: string, size: number): Diagnostic {
  const place = { file, span: { start: 0, end: 1 } };
  const cures = ['split it into several files, and `import` them'];
  return report('VP1013', place, { what: 'the formatted file', size, limit: fileLimit }, { cures });
}

function unfaithful(file: string, source: string, what: string): Diagnostic {
  const place = { file, span: { start: 0, end: Math.min(1, source.length) } };
  const cures = [
    'nothing was changed; send the file, where you may, to the maintainers of vfioplan: it is a bug of the formatter',
  ];
  return report('VP9002', place, { what }, { cures });
}
