import type { Diagnostic, Place } from '../../../src/diagnostics/diagnostic.ts';
import { report } from '../../../src/diagnostics/report.ts';
import { diff } from '../../../src/format/diff.ts';
import { format } from '../../../src/format/format.ts';
import { type Ending, hasErrors, refusal } from '../exit.ts';
import type { Exit } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { kinds, readText } from '../read.ts';
import { save } from '../save.ts';
import { printable, printableLines } from '../words.ts';

const standardInput = '-';

/** What became of one file; of one that could not be read or formatted, why. */
interface Formatted {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  /** What diagnostics point into. */
  readonly source?: string;
  readonly texts?: { readonly before: string; readonly after: string };
}

/** `vfioplan fmt [FILE…]`: lays policies out. */
export function fmt(invocation: Invocation): Ending {
  const { operands, line } = invocation;
  if (operands.length > 1 && operands.includes(standardInput)) {
    const what = 'standard input cannot be formatted beside files';
    return usage(invocation, standardInput, what, 'name files, or `-` alone');
  }
  if (operands.length > 0) {
    return ending(
      invocation,
      operands.map((file) => formatted(invocation, file, line.placeOf(file))),
    );
  }
  const piped = formatted(invocation, standardInput, line.placeOf('fmt'));
  if (piped.diagnostics.some(({ code }) => code === 'VP2903')) {
    const what = 'no file is named, and nothing is piped in';
    return usage(invocation, 'fmt', what, 'name the policies: `vfioplan fmt *.vfio`');
  }
  return ending(invocation, [piped]);
}

function usage({ line }: Invocation, word: string, what: string, cure: string): Ending {
  return refusal([report('VP2910', line.placeOf(word), { what }, { cures: [cure] })], new Map(), 'usage');
}

function formatted(invocation: Invocation, file: string, place: Place): Formatted {
  const { io, options } = invocation;
  const read = readText(io.files, file, place, kinds.policy, true);
  if ('problem' in read) return { file, diagnostics: [read.problem] };
  const { text: source, hasMark } = read;
  const { text: after, diagnostics } = format(file, source);
  if (hasErrors(diagnostics)) return { file, diagnostics, source };
  const before = hasMark ? `\ufeff${source}` : source;
  const writes = after !== before && file !== standardInput && !options.check && !options.diff;
  const problem = writes ? save(invocation, file, after) : null;
  if (problem !== null) return { file, diagnostics: [...diagnostics, ...problem.diagnostics], source };
  return { file, diagnostics, source, texts: { before, after } };
}

function ending(invocation: Invocation, files: readonly Formatted[]): Ending {
  const { options } = invocation;
  const diagnostics = files.flatMap((each) => each.diagnostics);
  const changed = files.filter(hasChanged);
  const pending = options.check && changed.length > 0;
  const exit: Exit = diagnostics.some(({ code }) => code === 'VP9002')
    ? 'bug'
    : hasErrors(diagnostics)
      ? 'refused'
      : pending
        ? 'pending'
        : 'done';
  const sources = new Map(
    files.flatMap(({ file, source }) => (source === undefined ? [] : [[file, source] as const])),
  );
  const json = { files: files.map((each) => asJson(invocation, each)) };
  return { exit, diagnostics, sources, human: humanText(invocation, files, changed), json };
}

function hasChanged({ texts }: Formatted): boolean {
  return texts !== undefined && texts.before !== texts.after;
}

function asJson({ options }: Invocation, each: Formatted): unknown {
  const { file, texts } = each;
  return {
    file,
    formatted: texts !== undefined,
    changed: hasChanged(each),
    ...(options.diff && texts !== undefined ? { diff: diff(file, texts.before, texts.after) } : {}),
    ...(file === standardInput && texts !== undefined ? { text: texts.after } : {}),
  };
}

function humanText(
  { io, options }: Invocation,
  files: readonly Formatted[],
  changed: readonly Formatted[],
): string {
  // A terminal is not to be commanded by a file; a pipe and a patch want it as it is.
  const shown = (text: string) =>
    io.stdout.isTerminal ? text.split('\t').map(printableLines).join('\t') : text;
  const [first] = files;
  if (options.diff) {
    return changed
      .map(({ file, texts }) => (texts === undefined ? '' : diff(printable(file), texts.before, texts.after)))
      .map(shown)
      .join('');
  }
  if (first?.file === standardInput && !options.check) return shown(first.texts?.after ?? '');
  const words = options.check ? 'not formatted' : 'formatted';
  const lines = changed.map(({ file }) => `${printable(nameOf(file))}: ${words}\n`);
  const others = files.filter(({ texts }) => texts !== undefined).length - changed.length;
  if (lines.length === 0 && others > 0) lines.push('nothing is to be changed\n');
  return lines.join('');
}

function nameOf(file: string): string {
  return file === standardInput ? 'standard input' : file;
}
