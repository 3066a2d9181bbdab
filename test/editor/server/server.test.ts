import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  CompletionTriggerKind,
  DefinitionRequest,
  DocumentFormattingRequest,
  DocumentHighlightRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  PrepareRenameRequest,
  ReferencesRequest,
  RenameRequest,
  SemanticTokensRangeRequest,
  SemanticTokensRequest,
} from 'vscode-languageserver-protocol/node';
import { Client } from './client.ts';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

let folder: string;
let client: Client;
let uri: string;
let text: string;

const none = (codes: readonly unknown[]) => codes.length === 0;
const has = (code: string) => (codes: readonly unknown[]) => codes.includes(code);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vfioplan lsp '));
  cpSync(join(examples, '01-nic-without-iommu'), folder, { recursive: true });
  client = await Client.start(folder, '--today', '2026-12-01');
  const file = join(folder, 'policy.vfio');
  uri = pathToFileURL(file).href;
  text = readFileSync(file, 'utf8');
});

afterAll(async () => {
  expect(await client.end()).toBe(0);
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  await client.open(uri, text);
  await client.diagnostics(uri, none);
  return () => client.close(uri);
});

/** What a client asks or tells of each capability. */
const asked: Readonly<Record<string, readonly string[]>> = {
  textDocumentSync: ['didOpen', 'didChange', 'didClose'],
  completionProvider: ['completion'],
  hoverProvider: ['hover'],
  definitionProvider: ['definition'],
  referencesProvider: ['references'],
  documentHighlightProvider: ['documentHighlight'],
  renameProvider: ['prepareRename', 'rename'],
  documentSymbolProvider: ['documentSymbol'],
  foldingRangeProvider: ['foldingRange'],
  semanticTokensProvider: ['semanticTokens/full', 'semanticTokens/range'],
  inlayHintProvider: ['inlayHint'],
  codeLensProvider: ['codeLens'],
  codeActionProvider: ['codeAction'],
  documentFormattingProvider: ['formatting'],
};

const whole = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };

describe('the language server', () => {
  it('puts a lens on each test, with the file and the name for the client to run', async () => {
    const lenses = await client.connection.sendRequest(CodeLensRequest.type, { textDocument: { uri } });
    const names = [...text.matchAll(/^test "([^"]+)"/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(lenses?.map(({ command }) => command)).toEqual(
      names.map((name) => ({ title: 'run test', command: 'vfioplan.test', arguments: [uri, name] })),
    );
    expect(lenses?.map(({ range }) => client.words(uri, range))).toEqual(names.map((name) => `"${name}"`));
  });

  it('says who it is and what it can', () => {
    expect(client.result?.serverInfo?.name).toBe('vfioplan');
    expect(Object.keys(client.result?.capabilities ?? {}).sort()).toEqual(Object.keys(asked).sort());
    const watchers = [{ globPattern: '**/*.vfio' }, { globPattern: '**/*.json' }];
    expect(client.watched).toEqual([['workspace/didChangeWatchedFiles', { watchers }]]);
  });

  it('publishes what is wrong with words and names, and what the model refuses, and takes it back', async () => {
    await client.replace(uri, 'bind  fastpath', 'bnd  fastpath');
    const [wrong] = await client.diagnostics(uri, has('VP1005'));
    expect(wrong).toMatchObject({ code: 'VP1005', severity: 1, source: 'vfioplan' });
    expect(wrong?.range.start).toEqual(client.find(uri, 'bnd').position);
    await client.replace(uri, 'bnd  fastpath', 'bind  fastpath');
    await client.diagnostics(uri, none);
    await client.replace(uri, 'noiommu  allowed', 'noiommu  forbidden');
    const refused = await client.diagnostics(uri, (codes) => codes.length > 0);
    expect(refused.map(({ code }) => code)).not.toContain(expect.stringMatching(/^VP[12]/));
  });

  it('publishes what a key has changed, and nothing that the client has already', async () => {
    const file = pathToFileURL(join(folder, 'other.vfio')).href;
    await client.open(file, 'device lost { at 0000:00:03.0 }\npolicy p { bind nowhere to vfio-pci }\n');
    await client.diagnostics(file, (codes) => codes.length > 0);
    const settled = () =>
      client.connection.sendRequest(DocumentSymbolRequest.type, { textDocument: { uri } });
    // Its hints tell that the second wave is over.
    const judged = () =>
      client.connection.sendRequest(InlayHintRequest.type, { textDocument: { uri: file }, range: whole });
    await judged();
    const from = client.published.length;
    const since = () => client.published.slice(from);
    await client.replace(uri, '# A virtual', '# Any virtual');
    await settled();
    expect(since()).toEqual([]);
    await client.replace(uri, 'bind  fastpath', 'bnd  fastpath');
    await client.diagnostics(uri, has('VP1005'));
    await client.replace(uri, 'bnd  fastpath', 'bind  fastpath');
    await client.diagnostics(uri, none);
    expect(since().map((each) => each.uri)).not.toContain(file);
    const sent = since().map(({ diagnostics }) => JSON.stringify(diagnostics));
    expect(sent.length).toBeGreaterThan(1);
    for (const [index, each] of sent.entries()) expect(each).not.toBe(sent[index - 1]);
    await client.close(file);
    await client.diagnostics(file, none);
  });

  it('completes with what the grammar, the policies and the machine have', async () => {
    await client.replace(uri, 'bind  fastpath to vfio-pci', 'bind  ');
    const asked = client.find(uri, 'bind  ', 6);
    const items = await client.connection.sendRequest(CompletionRequest.type, asked);
    expect(items).toMatchObject([{ label: 'fastpath' }]);
    await client.replace(uri, '8086:10d3', '80');
    const ids = await client.connection.sendRequest(CompletionRequest.type, client.find(uri, 'id 80', 5));
    const id = (Array.isArray(ids) ? ids : []).find(({ label }) => label === '8086:10d3');
    if (id?.textEdit === undefined || !('range' in id.textEdit)) throw new Error('no edit');
    expect(client.edited(uri, [id.textEdit])).toContain('id 8086:10d3');
  });

  it('completes behind each character that it asks to be told of', async () => {
    await client.replace(uri, 'iommu    absent', 'iommu    absent  label role "lab"');
    await client.replace(uri, 'device via noiommu', 'device via noiommu unless host role is ""');
    const typed: Readonly<Record<string, readonly [words: string, offered: string]>> = {
      ' ': ['via ', 'noiommu'],
      '"': ['role is "', '"lab"'],
      ':': ['id 8086:', '8086:10d3'],
      '.': ['at 0000:00:03.', '0000:00:03.0'],
    };
    const { triggerCharacters } = client.result?.capabilities.completionProvider ?? {};
    expect(triggerCharacters).toEqual(Object.keys(typed));
    for (const [triggerCharacter, [words, offered]] of Object.entries(typed)) {
      const context = { triggerKind: CompletionTriggerKind.TriggerCharacter, triggerCharacter };
      const params = { ...client.find(uri, words, words.length), context };
      const items = await client.connection.sendRequest(CompletionRequest.type, params);
      const texts = (Array.isArray(items) ? items : []).map(({ textEdit }) => textEdit?.newText);
      expect([words, texts]).toEqual([words, expect.arrayContaining([offered])]);
    }
  });

  it('counts places in UTF-16 units, as clients do that say nothing else', async () => {
    await client.replace(uri, 'owner  "net-team"', 'owner  "\u{1f5a7} net"  resson "no vIOMMU"');
    const [wrong] = await client.diagnostics(uri, (codes) => codes.length > 0);
    expect(wrong && client.words(uri, wrong.range)).toBe('resson');
  });

  it('hovers with the meaning and the machine', async () => {
    const asked = client.find(uri, 'bind  fastpath', 8);
    const hover = await client.connection.sendRequest(HoverRequest.type, asked);
    expect(hover?.contents).toMatchObject({
      kind: 'markdown',
      value: expect.stringContaining('0000:00:03.0'),
    });
    expect(hover?.range && client.words(uri, hover.range)).toBe('fastpath');
    expect(
      await client.connection.sendRequest(HoverRequest.type, client.find(uri, '# A virtual', 4)),
    ).toBeNull();
  });

  it('goes to the definition, of names and of files', async () => {
    const name = client.find(uri, 'bind  fastpath', 8);
    expect(await client.connection.sendRequest(DefinitionRequest.type, name)).toMatchObject([
      { uri, range: { start: client.find(uri, 'fastpath').position } },
    ]);
    const file = client.find(uri, '"machine.json"', 3);
    expect(await client.connection.sendRequest(DefinitionRequest.type, file)).toMatchObject([
      { uri: pathToFileURL(join(folder, 'machine.json')).href },
    ]);
  });

  it('finds references, with and without the declaration, and highlights them', async () => {
    const asked = client.find(uri, 'fastpath');
    const context = { includeDeclaration: false };
    const uses = await client.connection.sendRequest(ReferencesRequest.type, { ...asked, context });
    expect(uses).toHaveLength(7);
    const all = { ...asked, context: { includeDeclaration: true } };
    const places = (await client.connection.sendRequest(ReferencesRequest.type, all)) ?? [];
    expect(places.slice(1)).toEqual(uses);
    expect(places[0]?.range.start).toEqual(asked.position);
    expect(new Set(places.map(({ range }) => client.words(uri, range)))).toEqual(new Set(['fastpath']));
    const shown = await client.connection.sendRequest(DocumentHighlightRequest.type, asked);
    expect(shown?.map(({ range }) => range)).toEqual(places.map(({ range }) => range));
  });

  it('renames everywhere, and refuses what is no name', async () => {
    const asked = client.find(uri, 'bind  fastpath', 8);
    const [start, end] = [6, 14].map((after) => client.find(uri, 'bind  fastpath', after).position);
    expect(await client.connection.sendRequest(PrepareRenameRequest.type, asked)).toEqual({ start, end });
    const edit = await client.connection.sendRequest(RenameRequest.type, { ...asked, newName: 'nic' });
    expect(client.edited(uri, edit?.changes?.[uri] ?? [])).toBe(text.replaceAll('fastpath', 'nic'));
    const refused = client.connection.sendRequest(RenameRequest.type, { ...asked, newName: 'a b' });
    await expect(refused).rejects.toThrow('a name has letters');
    const keyword = client.find(uri, 'bind');
    expect(await client.connection.sendRequest(PrepareRenameRequest.type, keyword)).toBeNull();
  });

  it('shows symbols and folds', async () => {
    const textDocument = { uri };
    const symbols = await client.connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
    const names = symbols?.map(({ name }) => name);
    expect(names?.slice(0, 4)).toEqual(['edge-01', 'fastpath', 'dataplane', 'baseline']);
    expect(names?.length).toBe(6);
    const [, device] = (symbols ?? []).filter((each) => 'selectionRange' in each);
    if (device === undefined || !('selectionRange' in device)) throw new Error('no tree of symbols');
    expect(client.words(uri, device.range)).toMatch(/^device fastpath [^}]*}$/);
    expect(client.words(uri, device.selectionRange)).toBe('fastpath');
    expect(device.children?.map(({ name }) => name)).toEqual(['at 0000:00:03.0', 'id 8086:10d3']);
    const folds = await client.connection.sendRequest(FoldingRangeRequest.type, { textDocument });
    expect(folds?.length).toBe(7);
    expect(folds?.map(({ startLine }) => startLine)).toContain(
      client.find(uri, 'host edge-01').position.line,
    );
  });

  it('colours names by what they name', async () => {
    const textDocument = { uri };
    const tokens = await client.connection.sendRequest(SemanticTokensRequest.type, { textDocument });
    const data = tokens?.data ?? [];
    expect(data.length % 5).toBe(0);
    // The first is the host, in the line of its declaration.
    expect(data.slice(0, 5)).toEqual([2, 5, 'edge-01'.length, 0, 1]);
    const range = { start: client.find(uri, 'policy dataplane').position, end: whole.end };
    const part = await client.connection.sendRequest(SemanticTokensRangeRequest.type, {
      textDocument,
      range,
    });
    // The same but for what is before; the first counts from the beginning of the file.
    const rest = part?.data ?? [];
    expect(rest.length).toBeLessThan(data.length);
    expect(rest.slice(2)).toEqual(data.slice(data.length - rest.length + 2));
    const [line, character, length] = rest;
    const name = { line: line ?? 0, character: character ?? 0 };
    const end = { line: name.line, character: name.character + (length ?? 0) };
    expect(client.words(uri, { start: name, end })).toBe('dataplane');
  });

  it('hints at what a selector chose and which node is opened', async () => {
    const ask = () =>
      client.connection.sendRequest(InlayHintRequest.type, { textDocument: { uri }, range: whole });
    const hints = await client.eventually(ask, (answer) => (answer ?? []).length > 0);
    const labels = hints?.map(({ label }) => label);
    expect(labels).toContain('= 0000:00:03.0, no group');
    expect(labels).toContainEqual(expect.stringContaining('/dev/vfio/noiommu-'));
    const before = client.refreshes;
    await client.replace(uri, 'at 0000:00:03.0', 'at 00:03.0');
    const anew = await client.eventually(ask, (answer) => (answer ?? []).length > 0);
    expect(anew?.map(({ label }) => label)).toEqual(labels);
    expect(client.refreshes).toBeGreaterThan(before);
    const line = client.find(uri, 'device fastpath').position.line;
    const range = { start: { line, character: 0 }, end: { line: line + 1, character: 0 } };
    const few = await client.connection.sendRequest(InlayHintRequest.type, { textDocument: { uri }, range });
    expect(few?.map(({ position }) => position.line)).toEqual([line]);
  });

  it('mends by a code action', async () => {
    await client.replace(uri, 'bind  fastpath', 'bind  fastpth');
    const [wrong] = await client.diagnostics(uri, has('VP2002'));
    if (wrong === undefined) throw new Error('nothing is wrong');
    const params = { textDocument: { uri }, range: wrong.range, context: { diagnostics: [wrong] } };
    const [action] = (await client.connection.sendRequest(CodeActionRequest.type, params)) ?? [];
    if (action === undefined || !('edit' in action)) throw new Error('no action');
    expect(action).toMatchObject({ kind: 'quickfix', isPreferred: false });
    expect(client.edited(uri, action.edit?.changes?.[uri] ?? [])).toBe(text);
  });

  it('formats', async () => {
    const params = { textDocument: { uri }, options: { tabSize: 2, insertSpaces: true } };
    expect(await client.connection.sendRequest(DocumentFormattingRequest.type, params)).toEqual([]);
    await client.replace(uri, 'bind  fastpath', 'bind        fastpath');
    const edits = await client.connection.sendRequest(DocumentFormattingRequest.type, params);
    expect(client.edited(uri, edits ?? [])).toBe(text);
    await client.replace(uri, 'bind ', 'bind\0');
    const refused = client.connection.sendRequest(DocumentFormattingRequest.type, params);
    await expect(refused).rejects.toThrow('it holds a NUL character');
  });

  it('reads snapshots and imports anew when they change outside, and texts that are open as they are there', async () => {
    const machine = join(folder, 'machine.json');
    const before = readFileSync(machine, 'utf8');
    writeFileSync(machine, '{}');
    await client.changedOutside(pathToFileURL(machine).href);
    await client.diagnostics(pathToFileURL(machine).href, (codes) => codes.length > 0);
    writeFileSync(machine, before);
    await client.changedOutside(pathToFileURL(machine).href);
    await client.diagnostics(pathToFileURL(machine).href, none);
    await client.replace(uri, '# Address', 'import "base.vfio"\n\n# Address');
    await client.diagnostics(uri, has('VP2005'));
    const base = pathToFileURL(join(folder, 'base.vfio')).href;
    await client.open(base, 'policy more on edge-01 { forbid unsafe interrupts }\n');
    await client.replace(uri, 'import "base.vfio"', 'import "base.vfio" ');
    await client.diagnostics(uri, none);
    await client.replace(base, 'unsafe', 'unsfe');
    await client.diagnostics(base, (codes) => codes.length > 0);
    await client.close(base);
  });

  it('answers for a file that is imported, open or not', async () => {
    const base = join(folder, 'ports.vfio');
    writeFileSync(base, 'device port on edge-01 {\n  at 0000:00:03.0\n}\n');
    await client.replace(uri, '# Address', 'import "ports.vfio"\n\n# Address');
    await client.replace(uri, 'bind  fastpath', 'bind  port');
    const use = client.find(uri, 'bind  port', 7);
    const start = { line: 0, character: 'device '.length };
    const there = { uri: pathToFileURL(base).href, range: { start, end: { ...start, character: 11 } } };
    const ask = () => client.connection.sendRequest(DefinitionRequest.type, use);
    // The file is read with the second wave.
    const found = await client.eventually(ask, (answer) => Array.isArray(answer) && answer.length > 0);
    expect(found).toEqual([there]);
    const edit = await client.connection.sendRequest(RenameRequest.type, { ...use, newName: 'nic' });
    expect(edit?.changes?.[there.uri]).toEqual([{ range: there.range, newText: 'nic' }]);
    expect(client.edited(uri, edit?.changes?.[uri] ?? [])).toContain('bind  nic to vfio-pci');
    rmSync(base);
  });

  it('goes on after any text', async () => {
    await client.replace(uri, text, '');
    for (const key of 'policy p on h { allow user "')
      await client.replace(uri, client.textOf(uri), client.textOf(uri) + key);
    await client.diagnostics(uri, (codes) => codes.length > 0);
    await client.replace(uri, client.textOf(uri), `\0 {{{{ "\u202e`);
    await client.diagnostics(uri, has('VP1017'));
    await client.replace(uri, client.textOf(uri), text);
    await client.diagnostics(uri, none);
  });

  it('was asked for all that it announces', () => {
    const methods = Object.values(asked).flat();
    expect(methods.filter((method) => !client.sent.has(`textDocument/${method}`))).toEqual([]);
  });
});

describe('an editor’s new text', () => {
  it('has no file yet, and is judged all the same', async () => {
    const untitled = 'untitled:Untitled-1';
    await client.open(untitled, 'polcy p { }');
    await client.diagnostics(untitled, has('VP1005'));
    await client.close(untitled);
  });
});

it('ends with 1 when its client goes away without a word', async () => {
  const other = await Client.start(folder);
  const ended = new Promise((resolve) => {
    other.process.once('exit', resolve);
  });
  other.process.stdin.end();
  expect(await ended).toBe(1);
  other.connection.dispose();
});
