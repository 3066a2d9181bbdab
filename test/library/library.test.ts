import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The package as its users get it: imported by name from another folder, its types read without any of our packages.

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';

beforeAll(() => {
  execFileSync(process.execPath, ['build/build.mjs', '--if-changed'], { cwd: root, stdio: 'ignore' });
  folder = mkdtempSync(join(tmpdir(), 'vfioplan-library-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'vfioplan'));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function typesOf(source: string): string {
  writeFileSync(join(folder, 'user.ts'), source);
  const options = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--noEmit', '--types', ''];
  const tsc = join(root, 'node_modules/ts7/bin/tsc');
  return spawnSync(process.execPath, [tsc, ...options, 'user.ts'], { cwd: folder, encoding: 'utf8' }).stdout;
}

const use = `
import { check, plan, type Snapshot } from 'vfioplan';
declare const snapshot: Snapshot;
const sources = [{ file: 'policy.vfio', text: '' }];
const { hosts } = check({ sources, machines: [{ name: 'edge-01', snapshot }], today: '2026-12-01' });
const checked = hosts[0]?.checked;
export const steps: number = checked === undefined ? 0 : plan(checked, { sources, today: '2026-12-01' }).steps.length;
`;

describe('the library', () => {
  it('runs under its name', () => {
    writeFileSync(
      join(folder, 'user.mjs'),
      `import { check, explain, format } from 'vfioplan';
const { diagnostics } = check({ sources: [{ file: 'a.vfio', text: 'hst x {}' }], machines: [], today: '2026-12-01' });
console.log(diagnostics.map(({ code }) => code).join(), explain('vp4101').code, format('a.vfio', 'host  a{}').text.trim());`,
    );
    const run = spawnSync(process.execPath, ['user.mjs'], { cwd: folder, encoding: 'utf8' });
    expect(run.stdout + run.stderr).toBe('VP1005 VP4101 host a {}\n');
  });

  it('has types that stand by themselves', () => {
    expect(typesOf(use)).toBe('');
  }, 60_000);

  it('does not let an unknown fact or an unchecked policy pass for what it is not', () => {
    expect(typesOf(`${use}\nexport const release: string = snapshot.kernel.release;`)).toContain('TS2322');
    expect(typesOf(`${use}\nplan({ policy: {}, script: {} }, { sources, today: '' });`)).toContain('error');
  }, 60_000);
});
