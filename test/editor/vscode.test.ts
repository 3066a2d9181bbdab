import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { join, relative } from 'node:path';
import { runInThisContext } from 'node:vm';
import { crc32, inflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'editor/vscode/dist/extension');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

beforeAll(() => {
  if (!existsSync(join(root, 'dist/vfioplan.mjs'))) throw new Error('run `npm run build` first');
  execFileSync(process.execPath, ['build/vscode.mjs'], { cwd: root });
});

/** The files of an archive, as its own directory lists them. */
function unpacked(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06'));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [crc, packed] = [archive.readUInt32LE(at + 16), archive.readUInt32LE(at + 20)];
    const length = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + length);
    const local = archive.readUInt32LE(at + 42);
    expect(archive.toString('utf8', local + 30, local + 30 + length)).toBe(name);
    const start = local + 30 + length;
    const content = inflateRawSync(archive.subarray(start, start + packed));
    expect(crc32(content)).toBe(crc);
    expect(content.length).toBe(archive.readUInt32LE(at + 24));
    files.set(name, content);
    at += 46 + length;
  }
  expect(at).toBe(end);
  return files;
}

describe('the VS Code extension', () => {
  it('is packed whole, with what its installer reads', () => {
    const files = unpacked(readFileSync(join(folder, '../vfioplan.vsix')));
    const listed = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => `extension/${relative(folder, join(each.parentPath, each.name))}`);
    expect([...files.keys()].sort()).toEqual(
      ['[Content_Types].xml', 'extension.vsixmanifest', ...listed].sort(),
    );
    expect(files.get('extension/package.json')?.toString()).toBe(
      read('editor/vscode/dist/extension/package.json'),
    );
    const types = files.get('[Content_Types].xml')?.toString() ?? '';
    for (const name of listed) expect(types).toContain(`Extension=".${name.split('.').at(-1)}"`);
  });

  it('carries one QuickJS, for the lens on a test; the language server loads none', () => {
    const chunks = join(folder, 'server/chunks');
    const names = readdirSync(chunks);
    expect(names.filter((name) => name.startsWith('emscripten-module'))).toHaveLength(1);
    // How a WebAssembly module begins, in base64.
    const holdsWasm = (name: string) => readFileSync(join(chunks, name), 'utf8').includes('"AGFzbQEAAAA');
    expect(names.filter(holdsWasm)).toHaveLength(1);
    const loaded = new Set(names.filter((name) => name.startsWith('lsp-')));
    for (const name of loaded)
      for (const [, other = ''] of readFileSync(join(chunks, name), 'utf8').matchAll(
        /(?:from|import)"\.\/([^"]+)"/g,
      ))
        loaded.add(other);
    expect(loaded.size).toBeGreaterThan(3);
    expect([...loaded].filter(holdsWasm)).toEqual([]);
  });

  it('has every file that it names, the version of the program, and the generated grammar', () => {
    const manifest = JSON.parse(read('editor/vscode/dist/extension/package.json'));
    const { languages, grammars } = manifest.contributes;
    for (const path of [manifest.main, languages[0].configuration, grammars[0].path])
      expect(existsSync(join(folder, path)), path).toBe(true);
    expect(manifest.version).toBe(JSON.parse(read('package.json')).version);
    const grammar = readFileSync(join(folder, grammars[0].path), 'utf8');
    expect(grammar).toBe(read('grammar/generated/vfioplan.tmLanguage.json'));
    expect(grammars[0].scopeName).toBe(JSON.parse(grammar).scopeName);
  });

  it('carries a server that runs where it lies', () => {
    const server = join(folder, 'server/vfioplan.mjs');
    const { version } = JSON.parse(read('package.json'));
    expect(execFileSync(process.execPath, [server, '--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
    const refused = () => execFileSync(process.execPath, [server, 'lsp', '--today', 'x'], { stdio: 'pipe' });
    expect(refused).toThrow('is not a date');
  });

  it('has an entry that VS Code can load', () => {
    const { exports } = loaded(join(folder, 'extension.js'));
    expect(exports).toMatchObject({ activate: expect.any(Function), deactivate: expect.any(Function) });
  });
});

/** Loads the entry as VS Code does, with a module `vscode` that has whatever is asked of it. */
function loaded(path: string): { exports: unknown } {
  const anything: object = new Proxy(class {}, {
    get: (target, name) => (name in target ? Reflect.get(target, name) : anything),
  });
  const require = createRequire(path);
  const module = { exports: {} };
  const source = Module.wrap(readFileSync(path, 'utf8'));
  const run = runInThisContext(source, { filename: path });
  run(module.exports, (name: string) => (name === 'vscode' ? anything : require(name)), module, path, folder);
  return module;
}
