import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../../runtime/cli/files.ts';
import { inFolder } from './world.ts';

const limit = 1000;

test('reads a file up to the limit, and says when there is more', () =>
  inFolder((folder) => {
    const file = join(folder, 'a');
    writeFileSync(file, 'x'.repeat(limit));
    expect(nodeFiles.read(file, limit, false)).toMatchObject({ kind: 'bytes', bytes: { length: limit } });
    writeFileSync(file, 'x'.repeat(limit + 1));
    expect(nodeFiles.read(file, limit, false)).toMatchObject({ kind: 'too-large', size: limit + 1 });
  }));

test('reads files that claim to be empty, and stops at the limit of those without an end', () => {
  expect(nodeFiles.read('/proc/self/status', 100_000, false)).toMatchObject({ kind: 'bytes' });
  expect(nodeFiles.read('/proc/self/status', 10, false)).toMatchObject({ kind: 'too-large' });
});

test('says what stands where a file should', () =>
  inFolder((folder) => {
    mkdirSync(join(folder, 'folder'));
    symlinkSync('loop', join(folder, 'loop'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const read = (name: string) => nodeFiles.read(join(folder, name), limit, false);
    expect(read('absent')).toEqual({ kind: 'missing' });
    expect(read('folder')).toEqual({ kind: 'not-a-file', what: 'a directory' });
    expect(read('loop')).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining('ELOOP') });
    // A pipe that nobody writes to would block: it must be refused before it is read.
    expect(read('pipe')).toEqual({ kind: 'not-a-file', what: 'a pipe' });
    expect(nodeFiles.read('/dev/zero', limit, true)).toEqual({ kind: 'not-a-file', what: 'a device' });
  }));

test('two names of one file have one identity', () =>
  inFolder((folder) => {
    writeFileSync(join(folder, 'a'), 'text');
    symlinkSync('a', join(folder, 'b'));
    const identity = (name: string) => {
      const read = nodeFiles.read(join(folder, name), limit, false);
      return read.kind === 'bytes' ? read.identity : read.kind;
    };
    expect(identity('a')).toBe(identity('b'));
  }));

test('writes a file whole or not at all', () =>
  inFolder((folder) => {
    const file = join(folder, 'plan.json');
    expect(nodeFiles.write(file, 'first')).toBeNull();
    expect(nodeFiles.write(file, 'second')).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('second');
    expect(readdirSync(folder)).toEqual(['plan.json']);
    expect(nodeFiles.write(join(folder, 'no', 'plan.json'), 'x')).toContain('ENOENT');
    expect(nodeFiles.write(folder, 'x')).toBe('it is a directory');
    expect(nodeFiles.write('/dev/full', 'x')).toBe('it is a device');
    expect(existsSync(join(folder, 'no'))).toBe(false);
  }));

test('a file that is replaced keeps its mode, and a link what it is', () =>
  inFolder((folder) => {
    const [file, link] = [join(folder, 'plan.json'), join(folder, 'link')];
    writeFileSync(file, 'first');
    chmodSync(file, 0o604);
    symlinkSync('plan.json', link);
    expect(nodeFiles.write(link, 'second')).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('second');
    expect(statSync(file).mode & 0o7777).toBe(0o604);
    expect(readlinkSync(link)).toBe('plan.json');
    // A temporary file of the same name is somebody else's.
    const other = `${file}.${process.pid}.new`;
    writeFileSync(other, 'not ours');
    expect(nodeFiles.write(file, 'third')).toContain('EEXIST');
    expect(readFileSync(other, 'utf8')).toBe('not ours');
    expect(readFileSync(file, 'utf8')).toBe('second');
  }));

test('a file that may not be written to is not replaced, and one of another owner becomes the writer’s', () =>
  inFolder((folder) => {
    const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
    for (const file of [ours, theirs]) writeFileSync(file, 'first');
    chmodSync(ours, 0o444);
    chmodSync(theirs, 0o666);
    const writer = asSomebody(folder, [folder, ours]);
    try {
      expect(nodeFiles.write(ours, 'second')).toBe('permission denied (EACCES)');
      expect(nodeFiles.write(theirs, 'second')).toBeNull();
    } finally {
      writer.ends();
    }
    expect(readFileSync(ours, 'utf8')).toBe('first');
    expect(readFileSync(theirs, 'utf8')).toBe('second');
    const { uid, mode } = statSync(theirs);
    expect({ uid, mode: mode & 0o7777 }).toEqual({ uid: writer.uid, mode: 0o666 });
    expect(readdirSync(folder).sort()).toEqual(['ours', 'theirs']);
  }));

/** Goes on without root's privileges, which ask no mode, when there are any; the owner of these files meanwhile. */
function asSomebody(folder: string, owned: readonly string[]): { uid: number; ends: () => void } {
  const uid = process.geteuid?.() ?? -1;
  if (uid !== 0) return { uid, ends: () => {} };
  const nobody = 65534;
  chmodSync(folder, 0o755);
  for (const file of owned) chownSync(file, nobody, nobody);
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  const ends = () => {
    process.seteuid?.(0);
    process.setegid?.(0);
  };
  return { uid: nobody, ends };
}

test.skipIf(process.getuid?.() !== 0)('a full disk leaves the older file as it was', () =>
  inFolder((folder) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'vfioplan-test', folder]);
    try {
      const file = join(folder, 'plan.json');
      expect(nodeFiles.write(file, 'small')).toBeNull();
      expect(nodeFiles.write(file, 'x'.repeat(100_000))).toContain('ENOSPC');
      expect(readFileSync(file, 'utf8')).toBe('small');
      expect(readdirSync(folder)).toEqual(['plan.json']);
    } finally {
      execFileSync('umount', [folder]);
    }
  }),
);
