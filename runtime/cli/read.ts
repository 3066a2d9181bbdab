import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { COMMAND_LINE } from './command-line.ts';
import type { Files } from './files.ts';

/** What a file is read as; it governs the limit and the words of a refusal. */
export interface Kind {
  /** "a policy" */
  readonly words: string;
  /** Bytes. */
  readonly limit: number;
}

export const kinds = {
  policy: { words: 'a policy', limit: 8 * 1024 * 1024 },
  snapshot: { words: 'a snapshot', limit: 32 * 1024 * 1024 },
  report: { words: 'a report', limit: 32 * 1024 * 1024 },
  plan: { words: 'a plan', limit: 32 * 1024 * 1024 },
  trace: { words: 'a trace', limit: 32 * 1024 * 1024 },
} as const satisfies Record<string, Kind>;

export type TextFile =
  /** `identity` is equal for two names of one file. A byte order mark is not in the text. */
  | { readonly text: string; readonly identity: string; readonly hasMark: boolean }
  | { readonly problem: Diagnostic };

/** Reads a file as UTF-8 text. `place` is where the name was written; `pipes`: see `Files.read`. */
export function readText(files: Files, file: string, place: Place, kind: Kind, pipes: boolean): TextFile {
  const answer = files.read(file, kind.limit, pipes);
  switch (answer.kind) {
    case 'bytes': {
      const text = decoded(answer.bytes);
      return typeof text === 'string'
        ? { text, identity: answer.identity, hasMark: beginsWithMark(answer.bytes) }
        : { problem: notText(file, place, kind, text.offset) };
    }
    case 'missing':
      return {
        problem: report(
          'VP2901',
          place,
          { file },
          {
            cures: [
              place.file === 'command line'
                ? 'names are relative to the folder that the command runs in; correct the name'
                : `names are relative to the folder of \`${place.file}\`; correct the name, or add the file`,
            ],
          },
        ),
      };
    case 'not-a-file':
      return { problem: notAFile(file, place, kind, answer.what) };
    case 'too-large':
      return {
        problem: report(
          'VP2904',
          place,
          { file, size: answer.size, limit: kind.limit, kind: kind.words },
          {
            cures: [`see whether it is ${kind.words} at all; a large policy can be divided with \`import\``],
          },
        ),
      };
    case 'unreadable':
      return {
        problem: report(
          'VP2902',
          place,
          { file, reason: answer.reason },
          { cures: ['let the user who runs vfioplan read the file and enter every folder above it'] },
        ),
      };
  }
}

function notAFile(file: string, place: Place, kind: Kind, what: string): Diagnostic {
  const cure =
    what === 'a directory' && kind === kinds.policy ? policiesIn(file, place) : 'name a regular file';
  return report('VP2903', place, { file, what }, { cures: [cure] });
}

/** A shell makes the names of its files of a pattern; an import names one file. */
function policiesIn(file: string, place: Place): string {
  return place.file === COMMAND_LINE
    ? `name the policies in it: \`${file.replace(/\/$/, '')}/*.vfio\``
    : 'import each of the policies in it';
}

function notText(file: string, place: Place, kind: Kind, offset: number): Diagnostic {
  return report(
    'VP2905',
    place,
    { file, offset },
    { cures: [`see whether it is ${kind.words} at all; if it is, save it as UTF-8`] },
  );
}

/** The text, or the offset of the first byte that is not UTF-8. A byte order mark is dropped. */
function decoded(bytes: Uint8Array): string | { readonly offset: number } {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { offset: firstBadByte(bytes) };
  }
}

export function beginsWithMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** Walks by the lengths that lead bytes announce: a sequence that does not decode alone is the bad one. */
function firstBadByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let offset = 0; offset < bytes.length; ) {
    const lead = bytes[offset] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      if (length > 1) decoder.decode(bytes.subarray(offset, offset + length));
    } catch {
      return offset;
    }
    offset += length;
  }
  return bytes.length;
}
