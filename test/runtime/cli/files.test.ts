import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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
