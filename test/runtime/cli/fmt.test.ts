import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../../runtime/cli/files.ts';
import type { Io } from '../../../runtime/cli/io.ts';
import { codesOf, inFolder, vfioplan } from './world.ts';

const wrong = 'host  a{iommu any}# why\n';
const right = 'host a { iommu any }  # why\n';
const broken = 'policy   p { bind x }\n';

/** Standard input with these bytes; other files are real. */
function piped(text: string | Uint8Array): Partial<Io> {
  const bytes = Buffer.from(text);
  const read: Io['files']['read'] = (path, limit, pipes) =>
    path === '-' ? { kind: 'bytes', bytes, identity: 'pipe' } : nodeFiles.read(path, limit, pipes);
  return { files: { ...nodeFiles, read } };
}

/** Runs in a folder with two files, one of them laid out already. */
function withFiles<T>(use: (folder: string, file: (name: string) => string) => Promise<T>): Promise<T> {
  return inFolder((folder) => {
    const file = (name: string) => join(folder, name);
    writeFileSync(file('a.vfio'), wrong);
    writeFileSync(file('b.vfio'), right);
    return use(folder, file);
  });
}

test('formats files in their place, and says which', () =>
  withFiles(async (folder, file) => {
    const argv = ['fmt', file('a.vfio'), file('b.vfio')];
    expect(await vfioplan(argv)).toEqual({ code: 0, out: `${file('a.vfio')}: formatted\n`, err: '' });
    expect(readFileSync(file('a.vfio'), 'utf8')).toBe(right);
    expect(await vfioplan(argv)).toEqual({ code: 0, out: 'nothing is to be changed\n', err: '' });
    expect(readdirSync(folder)).toEqual(['a.vfio', 'b.vfio']);
  }));

test('--check and --diff write nothing', () =>
  withFiles(async (_, file) => {
    const [a, b] = [file('a.vfio'), file('b.vfio')];
    const diff = `--- ${a}\n+++ ${a}\n@@ -1,1 +1,1 @@\n-${wrong}+${right}`;
    expect(await vfioplan(['fmt', '--check', a, b])).toEqual({
      code: 2,
      out: `${a}: not formatted\n`,
      err: '',
    });
    expect(await vfioplan(['fmt', '--check', b])).toMatchObject({ code: 0 });
    expect(await vfioplan(['fmt', '--diff', a, b])).toEqual({ code: 0, out: diff, err: '' });
    expect(await vfioplan(['fmt', '--diff', '--check', a, b])).toEqual({ code: 2, out: diff, err: '' });
    expect(readFileSync(a, 'utf8')).toBe(wrong);
  }));

test('what comes from standard input goes to stdout, named or not', async () => {
  for (const argv of [['fmt', '-'], ['fmt']]) {
    expect(await vfioplan(argv, piped(wrong))).toEqual({ code: 0, out: right, err: '' });
    expect(await vfioplan(argv, piped(right))).toEqual({ code: 0, out: right, err: '' });
    expect(await vfioplan([...argv, '--check'], piped(wrong))).toEqual({
      code: 2,
      out: 'standard input: not formatted\n',
      err: '',
    });
  }
});

test('a broken declaration is left, with a warning, and the rest is formatted', () =>
  withFiles(async (_, file) => {
    writeFileSync(file('a.vfio'), wrong + broken);
    const { code, err } = await vfioplan(['fmt', file('a.vfio')]);
    expect(code).toBe(0);
    expect(err).toMatch(/^warning\[VP1090\].*a\.vfio:2:21.*because: expected `to` after `x`/s);
    expect(readFileSync(file('a.vfio'), 'utf8')).toBe(right + broken);
    expect((await vfioplan(['fmt', '--check', file('a.vfio')])).code).toBe(0);
    const { code: pipe, out } = await vfioplan(['fmt'], piped(wrong + broken));
    expect({ pipe, out }).toEqual({ pipe: 0, out: right + broken });
  }));

test('JSON says of each file whether it was changed, with the diff or the text where they were asked for', () =>
  withFiles(async (_, file) => {
    const [a, b] = [file('a.vfio'), file('b.vfio')];
    const json = async (argv: readonly string[], changes: Partial<Io> = {}) =>
      JSON.parse((await vfioplan(['fmt', ...argv, '--format', 'json'], changes)).out);
    expect(await json(['--diff', a, b, file('c.vfio')])).toMatchObject({
      command: 'fmt',
      exitCode: 1,
      diagnostics: [{ code: 'VP2901' }],
      files: [
        { file: a, formatted: true, changed: true, diff: expect.stringContaining(`+${right}`) },
        { file: b, formatted: true, changed: false, diff: '' },
        { file: file('c.vfio'), formatted: false, changed: false },
      ],
    });
    expect(await json([], piped(wrong))).toMatchObject({
      exitCode: 0,
      files: [{ file: '-', formatted: true, changed: true, text: right }],
    });
  }));

test('refuses what is no text, a folder, and what is missing; the other files are formatted', () =>
  withFiles(async (folder, file) => {
    writeFileSync(file('nul.vfio'), 'host  a{}\0');
    writeFileSync(file('latin.vfio'), Uint8Array.of(0x23, 0xe4, 0x0a));
    writeFileSync(file('wide.vfio'), Buffer.from('\ufeffhost a{}', 'utf16le'));
    mkdirSync(file('folder'));
    const names = ['nul.vfio', 'latin.vfio', 'wide.vfio', 'folder', 'none.vfio', 'a.vfio'];
    const codes = await codesOf(['fmt', ...names.map(file)]);
    expect(codes).toEqual(['VP1017', 'VP2901', 'VP2903', 'VP2905', 'VP2905']);
    expect(readFileSync(file('nul.vfio'), 'utf8')).toBe('host  a{}\0');
    expect(readFileSync(file('a.vfio'), 'utf8')).toBe(right);
    expect(readdirSync(folder)).toHaveLength(6);
    const { code, out } = await vfioplan(['fmt', '-'], piped('host  a{}\0'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
  }));

test('a byte order mark is taken away, and CR LF stays', () =>
  withFiles(async (_, file) => {
    writeFileSync(file('a.vfio'), `\ufeff${right}`);
    expect((await vfioplan(['fmt', '--check', file('a.vfio')])).code).toBe(2);
    expect((await vfioplan(['fmt', '--diff', file('a.vfio')])).out).toContain(`-\ufeff${right}+${right}`);
    await vfioplan(['fmt', file('a.vfio')]);
    expect(readFileSync(file('a.vfio'))).toEqual(Buffer.from(right));
    const text = 'host a {\r\n  iommu any\r\n}\r\n';
    expect(await vfioplan(['fmt'], piped(text))).toMatchObject({ out: text });
  }));

test('says what cannot be written, and leaves the file as it was', () =>
  withFiles(async (_, file) => {
    const full: Partial<Io> = {
      files: { ...nodeFiles, write: () => 'no space is left on the disk (ENOSPC)' },
    };
    const { code, err, out } = await vfioplan(['fmt', file('a.vfio')], full);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('error[VP2909]');
    expect(readFileSync(file('a.vfio'), 'utf8')).toBe(wrong);
  }));

test('does not mix standard input with files, and does not wait for a terminal', async () => {
  expect(await vfioplan(['fmt', '-', 'a.vfio'])).toMatchObject({ code: 64, out: '' });
  const terminal: Partial<Io> = {
    files: { ...nodeFiles, read: () => ({ kind: 'not-a-file', what: 'a device' }) },
  };
  const { code, err } = await vfioplan(['fmt'], terminal);
  expect(code).toBe(64);
  expect(err).toContain('no file is named, and nothing is piped in');
});

test('a terminal is not commanded by a file', async () => {
  const out: string[] = [];
  const stdout = { isTerminal: true, write: (text: string) => out.push(text) };
  await vfioplan(['fmt', '-'], { ...piped('# \u001b[31m\tred\n'), stdout });
  expect(out.join('')).toBe('# \\u001b[31m\tred\n');
});

test('a file keeps its mode and its owner, and a link stays a link', () =>
  withFiles(async (folder, file) => {
    mkdirSync(file('real'));
    writeFileSync(file('real/c.vfio'), wrong);
    chmodSync(file('real/c.vfio'), 0o640);
    const root = process.getuid?.() === 0;
    if (root) chownSync(file('real/c.vfio'), 1234, 5678);
    symlinkSync('real/c.vfio', file('link.vfio'));
    expect((await vfioplan(['fmt', file('link.vfio')])).code).toBe(0);
    const { mode, uid, gid } = statSync(file('real/c.vfio'));
    expect(mode & 0o7777).toBe(0o640);
    expect({ uid, gid }).toEqual(
      root ? { uid: 1234, gid: 5678 } : { uid: process.getuid?.(), gid: process.getgid?.() },
    );
    expect(readFileSync(file('real/c.vfio'), 'utf8')).toBe(right);
    expect(
      readdirSync(folder, { withFileTypes: true })
        .find(({ name }) => name === 'link.vfio')
        ?.isSymbolicLink(),
    ).toBe(true);
    expect(readdirSync(file('real'))).toEqual(['c.vfio']);
  }));
