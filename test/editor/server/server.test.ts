import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
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

const whole = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };

describe('the language server', () => {
  it('puts a lens on each test, with the file and the name for the client to run', async () => {
    const lenses = await client.connection.sendRequest(CodeLensRequest.type, { textDocument: { uri } });
    const names = [...text.matchAll(/^test "([^"]+)"/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(lenses?.map(({ command }) => command)).toEqual(
      names.map((name) => ({ title: 'run test', command: 'vfioplan.test', arguments: [uri, name] })),
    );
  });

  it('says who it is and what it can', () => {
    expect(client.result?.serverInfo?.name).toBe('vfioplan');
    expect(Object.keys(client.result?.capabilities ?? {}).length).toBeGreaterThan(12);
    expect(client.watched).toEqual(['workspace/didChangeWatchedFiles']);
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

  it('hovers with the meaning and the machine', async () => {
    const asked = client.find(uri, 'bind  fastpath', 8);
    const hover = await client.connection.sendRequest(HoverRequest.type, asked);
    expect(hover?.contents).toMatchObject({
      kind: 'markdown',
      value: expect.stringContaining('0000:00:03.0'),
    });
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
    expect(await client.connection.sendRequest(DocumentHighlightRequest.type, asked)).toHaveLength(8);
  });

  it('renames everywhere, and refuses what is no name', async () => {
    const asked = client.find(uri, 'bind  fastpath', 8);
    expect(await client.connection.sendRequest(PrepareRenameRequest.type, asked)).not.toBeNull();
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
    const folds = await client.connection.sendRequest(FoldingRangeRequest.type, { textDocument });
    expect(folds?.length).toBe(7);
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
    expect(part?.data.length).toBeLessThan(data.length);
  });

  it('hints at what a selector chose and which node is opened', async () => {
    const ask = () =>
      client.connection.sendRequest(InlayHintRequest.type, { textDocument: { uri }, range: whole });
    const hints = await client.eventually(ask, (answer) => (answer ?? []).length > 0);
    const labels = hints?.map(({ label }) => label);
    expect(labels).toContain('= 0000:00:03.0, no group');
    expect(labels).toContainEqual(expect.stringContaining('/dev/vfio/noiommu-'));
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
