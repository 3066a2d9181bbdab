import { type LineIndex, lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { ChangedText, type Mending, together } from '../../src/diagnostics/mend.ts';
import { report } from '../../src/diagnostics/report.ts';
import { diff } from '../../src/format/diff.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { FileRead, Files } from './files.ts';
import type { Invocation } from './invocation.ts';
import { type Judged, judge } from './judge.ts';
import { beginsWithMark, kinds } from './read.ts';
import { printable } from './words.ts';

/** How often the texts are read again. A fix can show another mistake; no chain of them is this long. */
const rounds = 20;

/** A fix that was made, where in the text as it was then. */
interface Made {
  readonly code: string;
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Mended {
  /** What is judged: the texts with the fixes made. */
  readonly judged: Judged;
  readonly made: readonly Made[];
  /** The files that a fix changes, in the order in which they were read. */
  readonly changed: readonly { readonly file: string; readonly text: ChangedText }[];
  /** As the files were read, before any fix. */
  readonly read: (file: string) => FileRead | undefined;
}

/** Judges, makes what fixes are safe in the texts, and judges those, until there is none. Writes nothing. */
export function mend(invocation: Invocation, live?: Snapshot): Mended {
  const files = new MendedFiles(invocation.io.files);
  const within = { ...invocation, io: { ...invocation.io, files } };
  const made: Made[] = [];
  let judged = judge(within, live);
  for (let round = 0; round < rounds; round += 1) {
    const texts = new Map(judged.loaded.sources.map(({ file, text }) => [file, text]));
    const mendings = together(judged.diagnostics, texts);
    if (mendings.length === 0) break;
    made.push(...placed(mendings, texts));
    const edits = mendings.flatMap(({ fix }) => fix.edits);
    for (const [file, text] of texts) {
      const own = edits.filter((edit) => edit.file === file);
      if (own.length > 0) files.changed(file, text).make(own);
    }
    judged = judge(within, live);
  }
  return { judged, made, changed: files.all(), read: (file) => files.original(file) };
}

function placed(mendings: readonly Mending[], texts: ReadonlyMap<string, string>): readonly Made[] {
  const indexes = new Map<string, LineIndex>();
  return mendings.map(({ diagnostic: { code }, fix: { title, edits } }) => {
    const [{ file, span } = { file: '', span: { start: 0 } }] = edits;
    const index = indexes.get(file) ?? lineIndex(texts.get(file) ?? '');
    indexes.set(file, index);
    return { code, title, file, ...positionAt(index, span.start) };
  });
}

/** Files that are read once each, so that a pipe can be judged again, and whose texts can be changed before that. */
class MendedFiles implements Files {
  readonly #files: Files;
  readonly #read = new Map<string, FileRead>();
  readonly #changed = new Map<string, ChangedText>();

  constructor(files: Files) {
    this.#files = files;
  }

  read(path: string, limit: number, pipes: boolean): FileRead {
    const known = this.#read.get(path) ?? this.#files.read(path, limit, pipes);
    this.#read.set(path, known);
    const changed = this.#changed.get(path);
    if (changed === undefined || known.kind !== 'bytes') return known;
    return { ...known, bytes: new TextEncoder().encode(changed.text) };
  }

  write(path: string, text: string): string | null {
    return this.#files.write(path, text);
  }

  list(folder: string): readonly string[] {
    return this.#files.list(folder);
  }

  original(path: string): FileRead | undefined {
    return this.#read.get(path);
  }

  /** The file's text, to be changed. `text`: as it was read. */
  changed(file: string, text: string): ChangedText {
    const known = this.#changed.get(file) ?? new ChangedText(text);
    this.#changed.set(file, known);
    return known;
  }

  all(): readonly { readonly file: string; readonly text: ChangedText }[] {
    return [...this.#changed].map(([file, text]) => ({ file, text }));
  }
}

/** Writes the files that were changed, each whole or not at all, and answers why one could not be. */
export function write({ io, line }: Invocation, { changed, read }: Mended): readonly Diagnostic[] {
  return changed.flatMap(({ file, text }) => {
    const reason = replaced(io.files, file, read(file), text.text);
    if (reason === null) return [];
    const cures = ['run it again; what comes through a pipe can be shown with `--diff`, but not changed'];
    return [report('VP2909', line.placeOf(file), { file, reason }, { cures })];
  });
}

/** `before`: as it was read. What somebody else has written since is not lost. */
function replaced(files: Files, file: string, before: FileRead | undefined, text: string): string | null {
  const now = files.read(file, kinds.policy.limit, false);
  if (now.kind === 'not-a-file') return `it is ${now.what}`;
  if (before?.kind !== 'bytes' || now.kind !== 'bytes' || !equal(before.bytes, now.bytes))
    return 'it was changed while it was judged';
  return files.write(file, beginsWithMark(before.bytes) ? `\ufeff${text}` : text);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** What was done, a line each. */
export function madeText({ made }: Mended): string {
  return made
    .map(
      ({ code, title, file, line, column }) =>
        `${printable(file)}:${line}:${column}: ${printable(title)} (${code})\n`,
    )
    .join('');
}

/** What was changed, for patch(1). */
export function patch({ changed }: Mended): string {
  return changed
    .map(({ file, text }) => diff(printable(file), text.before, text.text, text.stayed()))
    .join('');
}
