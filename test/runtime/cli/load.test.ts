import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLineOf } from '../../../runtime/cli/command-line.ts';
import { type FileRead, nodeFiles } from '../../../runtime/cli/files.ts';
import { type Loaded, load } from '../../../runtime/cli/load.ts';
import { machine } from '../../machines.ts';
import { inFolder, ioWith } from './world.ts';

/** Writes files (objects as JSON) and loads the policies named, with paths relative to the folder shown as such. */
async function loading(
  files: Readonly<Record<string, string | object | Uint8Array>>,
  policies: readonly string[],
  machines: readonly string[] = [],
  prepare: (folder: string) => void = () => {},
): Promise<Loaded> {
  return inFolder((folder) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      const text =
        typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
      writeFileSync(join(folder, name), text);
    }
    prepare(folder);
    const read = (path: string, limit: number, pipes: boolean): FileRead =>
      nodeFiles.read(join(folder, path), limit, pipes);
    const argv = ['check', ...policies, ...machines.flatMap((word) => ['--machine', word])];
    return load(ioWith({ files: { ...nodeFiles, read } }), commandLineOf(argv), policies, machines);
  });
}

const named = (hostname: string): object => machine({ hostname, functions: [] });
const problems = ({ diagnostics }: Loaded): readonly string[] =>
  diagnostics.map(({ code, place }) => `${code} ${place.file}`);
const machinesOf = ({ machines }: Loaded): Record<string, unknown> =>
  Object.fromEntries(machines.map(({ name, snapshot }) => [name, snapshot.hostname]));

test('follows imports, each file once, by names relative to the importing file', async () => {
  const loaded = await loading(
    {
      'a.vfio': 'import "sub/b.vfio"\nimport "./sub/../c.vfio"',
      'sub/b.vfio': 'import "../c.vfio"',
      'c.vfio': '',
    },
    ['./a.vfio', 'c.vfio'],
  );
  expect(problems(loaded)).toEqual([]);
  expect(loaded.sources.map(({ file }) => file)).toEqual(['a.vfio', 'c.vfio', 'sub/b.vfio']);
});

test('circles end, and are left to check', async () => {
  const loaded = await loading({ 'a.vfio': 'import "b.vfio"', 'b.vfio': 'import "a.vfio"' }, ['a.vfio']);
  expect(problems(loaded)).toEqual([]);
  expect(loaded.sources).toHaveLength(2);
});

test('a circle through a folder that links to itself ends too', async () => {
  const loaded = await loading({ 'a.vfio': 'import "again/a.vfio"' }, ['a.vfio'], [], (folder) =>
    symlinkSync('.', join(folder, 'again')),
  );
  expect(problems(loaded)).toEqual(['VP2906 a.vfio']);
});

test('a chain of ten thousand imports is followed', () => {
  const read = (path: string): FileRead => {
    const number = Number(path.replace('.vfio', ''));
    const text = number < 9_999 ? `import "${number + 1}.vfio"` : '';
    return { kind: 'bytes', bytes: new TextEncoder().encode(text), identity: path };
  };
  const io = ioWith({ files: { ...nodeFiles, read } });
  expect(load(io, commandLineOf(['check', '0.vfio']), ['0.vfio'], []).sources).toHaveLength(10_000);
});

test('what cannot be read is reported where it is named', async () => {
  const files = {
    'a.vfio': 'import "folder"\nimport "bad.vfio"\nimport "pipe"\nhost h { snapshot "absent.json" }',
    'folder/x': '',
    'bad.vfio': new Uint8Array([0x23, 0x20, 0xc3, 0xa9, 0xff]),
  };
  const loaded = await loading(files, ['a.vfio', 'gone.vfio'], [], (folder) => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
  });
  expect(problems(loaded)).toEqual([
    'VP2901 command line',
    'VP2903 a.vfio',
    'VP2905 a.vfio',
    'VP2903 a.vfio',
    'VP2901 a.vfio',
  ]);
  expect(loaded.diagnostics[2]?.message).toContain('byte 4');
});

test('a policy above the limit is not read', async () => {
  const loaded = await loading({ 'a.vfio': '#'.repeat(8 * 1024 * 1024 + 1) }, ['a.vfio']);
  expect(problems(loaded)).toEqual(['VP2904 command line']);
});

test('snapshots are known by the host that names them, also when two folders use one name', async () => {
  const loaded = await loading(
    {
      'x/p.vfio': 'host one { snapshot "machine.json" }',
      'x/machine.json': named('first'),
      'y/p.vfio': 'host two { snapshot "machine.json" }',
      'y/machine.json': named('second'),
    },
    ['x/p.vfio', 'y/p.vfio'],
  );
  expect(machinesOf(loaded)).toEqual({ one: 'first', two: 'second' });
});

test('--machine NAME=FILE takes the place of the snapshot that the host names', async () => {
  const files = { 'p.vfio': 'host one { snapshot "absent.json" }', 'm.json': named('other') };
  const loaded = await loading(files, ['p.vfio'], ['one=m.json']);
  expect(problems(loaded)).toEqual([]);
  expect(machinesOf(loaded)).toEqual({ one: 'other' });
});

test('--machine FILE stands for the host of its host name, of its file name, or for the only one', async () => {
  const policy = 'host db-* { label role "prod" }\nhost web { label role "lab" }';
  const files = { 'p.vfio': policy, 'a.json': named('db-7'), 'web.json': named('x'), 'c.json': named('y') };
  const fitting = await loading(files, ['p.vfio'], ['a.json', 'web.json', 'c.json']);
  expect(machinesOf(fitting)).toEqual({ 'db-7': 'db-7', web: 'x', y: 'y' });
  const only = await loading(files, ['p.vfio'], ['c.json']);
  expect(machinesOf(only)).toEqual({ web: 'y' });
});

test('two machines for one host are refused', async () => {
  const files = { 'p.vfio': 'host one {}', 'm.json': named('a'), 'n.json': named('b') };
  const loaded = await loading(files, ['p.vfio'], ['one=m.json', 'one=n.json']);
  expect(problems(loaded)).toEqual(['VP2908 command line']);
});

test('a file whose name holds an equals sign can be named', async () => {
  const loaded = await loading(
    { 'p.vfio': 'host one {}', 'a=b.json': named('q') },
    ['p.vfio'],
    ['./a=b.json'],
  );
  expect(machinesOf(loaded)).toEqual({ one: 'q' });
});
