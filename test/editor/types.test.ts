import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

// The page has types of its own (the DOM's), which must not reach the rooms that know no browser.
it('the editor has no type error', () => {
  const compiler = join(root, 'node_modules/ts7/bin/tsc');
  const run = () =>
    execFileSync(process.execPath, [compiler, '--noEmit', '-p', join(root, 'editor')], { encoding: 'utf8' });
  expect(run()).toBe('');
});
