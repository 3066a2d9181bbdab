import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diff } from '../../../src/format/diff.ts';
import { format } from '../../../src/format/format.ts';
import { sample } from '../../grammar/sample.ts';

it('says nothing of texts that are the same', () => {
  expect(diff('a.vfio', sample, sample)).toBe('');
});

it('shows three lines around what changed, and joins what stands near', () => {
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
  const before = `a  b\n${numbered(2, 20)}c   d\n\n\n${numbered(24, 28)}e\tf`;
  const after = `a b\n${numbered(2, 20)}c d\n\n${numbered(24, 28)}e f\n`;
  expect(diff('a.vfio', before, after)).toBe(`--- a.vfio
+++ a.vfio
@@ -1,4 +1,4 @@
-a  b
+a b
 line 2
 line 3
 line 4
@@ -18,12 +18,11 @@
 line 18
 line 19
 line 20
-c   d
+c d
 
-
 line 24
 line 25
 line 26
 line 27
 line 28
-e\tf
\\ No newline at end of file
+e f
`);
});

it.each([
  ['a sample without its layout', sample.replace(/[ \t]+/g, ' ').replace(/\n/g, '\n\n\n')],
  ['a file that becomes empty', '\n\n\n'],
  ['a file without an end', 'host a{}'],
  ['CR LF', sample.replace(/ {2}/g, '').replaceAll('\n', '\r\n')],
  ['a line that is split', 'import "a" import "b" host a { iommu any # x\n}'],
])('is a patch for git: %s', (_, before) => {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-diff-'));
  try {
    const { text: after } = format('a.vfio', before);
    const file = join(folder, 'a.vfio');
    writeFileSync(file, before);
    const args = ['apply', '-p0', '--whitespace=nowarn'];
    execFileSync('git', args, { cwd: folder, input: diff('a.vfio', before, after) });
    expect(readFileSync(file, 'utf8')).toBe(after);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
