import type { Place } from '../../src/diagnostics/diagnostic.ts';

/**
 * The command line as a source text: a mistake in it is shown like one in a policy, with a caret under the word.
 */
export interface CommandLine {
  readonly text: string;
  /** The word that is, or ends with `=`, the given one; the whole line when there is none. */
  placeOf(word: string): Place;
}

export const COMMAND_LINE = 'command line';

export function commandLineOf(argv: readonly string[]): CommandLine {
  const words = ['vfioplan', ...argv.map(quoted)];
  const starts: number[] = [];
  let text = '';
  for (const word of words) {
    if (text !== '') text += ' ';
    starts.push(text.length);
    text += word;
  }
  const placeOf = (word: string): Place => {
    const index = argv.findIndex((given) => given === word || (word !== '' && given.endsWith(`=${word}`)));
    const start = starts[index + 1];
    const length = words[index + 1]?.length;
    const span =
      index < 0 || start === undefined || length === undefined
        ? { start: 0, end: text.length }
        : { start, end: start + length };
    return { file: COMMAND_LINE, span };
  };
  return { text, placeOf };
}

/** As a shell would need it, on one line: control characters would break the picture. */
function quoted(word: string): string {
  const printable = JSON.stringify(word).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  return /^[\w@%+=:,./*\\-]+$/.test(printable) ? printable : `'${printable}'`;
}
