import { fileURLToPath, pathToFileURL } from 'node:url';
import { createConnection } from 'vscode-languageserver/node';
import type { Front, Loaded } from '../../../editor/server/front.ts';
import { serve } from '../../../editor/server/serve.ts';
import { readSnapshot } from '../../../src/wire/read.ts';
import { COMMAND_LINE } from '../command-line.ts';
import type { Ending } from '../exit.ts';
import type { FileRead, Files } from '../files.ts';
import type { Invocation } from '../invocation.ts';
import { dateOf } from '../io.ts';
import { load, withoutRepeats } from '../load.ts';
import { version } from '../version.ts';

/** `vfioplan lsp`: the language server, until its client ends it. */
export async function lsp(invocation: Invocation): Promise<Ending> {
  const { io } = invocation;
  const { input, output } = io.pipes;
  if (io.stdout.isTerminal)
    io.stderr.write('This speaks to an editor, not to a person: docs/editors.md says how one starts it.\n');
  const connection = createConnection(input, output);
  const ended = new Promise<void>((resolve) => {
    connection.onExit(resolve);
  });
  serve(connection, frontOf(invocation), version);
  return {
    exit: 'done',
    diagnostics: [],
    sources: new Map(),
    human: '',
    json: {},
    afterwards: () => ended,
  };
}

function frontOf(invocation: Invocation): Front {
  const { io, options, line } = invocation;
  const decode = remembering();
  return {
    fileOf,
    uriOf: (file) => (/^[a-z][a-z0-9+.-]+:/.test(file) ? file : pathToFileURL(file).href),
    today: () => (options.todayIsGiven ? options.today : dateOf(io)),
    load(file, open): Loaded {
      const files = overlaid(io.files, open);
      const loaded = load({ ...io, files }, line, [file], options.machine, undefined, decode);
      const { sources, machines, texts } = loaded;
      // The editor shows no command line: what is wrong with it is shown where the policy begins.
      const diagnostics = loaded.diagnostics.map((each) =>
        each.place.file === COMMAND_LINE ? { ...each, place: { file, span: { start: 0, end: 0 } } } : each,
      );
      return { sources, machines, texts, diagnostics, news: (found) => withoutRepeats(loaded, found) };
    },
  };
}

/** The path of a file; of what is no file (an editor's new text), the URI itself. */
function fileOf(uri: string): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri;
}

/** Files as they are in the editor, where they are open there. */
function overlaid(files: Files, open: ReadonlyMap<string, string>): Files {
  const read = (path: string, limit: number): FileRead => {
    const text = open.get(path);
    if (text === undefined) return files.read(path, limit, false);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > limit) return { kind: 'too-large', size: bytes.length };
    // One that is saved, too, has its own identity: it may be imported by another name.
    const saved = files.read(path, limit, false);
    return { kind: 'bytes', bytes, identity: saved.kind === 'bytes' ? saved.identity : `open:${path}` };
  };
  return { ...files, read };
}

/** A machine stays while the policy changes: the newest text of each file is decoded once. */
function remembering(): typeof readSnapshot {
  const known = new Map<string, { readonly text: string; readonly read: ReturnType<typeof readSnapshot> }>();
  return (file, text) => {
    const last = known.get(file);
    if (last?.text === text) return last.read;
    const read = readSnapshot(file, text);
    known.set(file, { text, read });
    return read;
  };
}
