import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// Each example runs as written, through the built command line, and prints what its folder says. To renew after a change
// that is meant: `npx vitest run test/examples -u`, then read the diff.

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = join(root, 'examples');
const folders = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

function vfioplan(folder: string, ...args: readonly string[]): string {
  const run = spawnSync(process.execPath, [join(root, 'dist/vfioplan.mjs'), ...args], {
    cwd: join(examples, folder),
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return `${run.stdout}${run.stderr}exit code ${run.status}\n`;
}

describe('examples', () => {
  it('has four at least, and a built command line to run them with', () => {
    execFileSync(process.execPath, ['build/build.mjs', '--if-changed'], { cwd: root, stdio: 'ignore' });
    expect(folders.length).toBeGreaterThanOrEqual(4);
  }, 120_000);

  for (const folder of folders) {
    const files = readdirSync(join(examples, folder));
    const policies = files.filter((name) => name.endsWith('.vfio'));
    const traces = files.filter((name) => name.endsWith('.jsonl') && name !== 'script.jsonl');

    it(`${folder} says what it is, and has a machine`, () => {
      expect(readFileSync(join(examples, folder, 'README.md'), 'utf8')).toMatch(/^# /);
      expect(existsSync(join(examples, folder, 'machine.json'))).toBe(true);
      if (traces.length === 0) expect(policies).toContain('policy.vfio');
    });

    for (const trace of traces) {
      it(`${folder}: replay ${trace}`, async () => {
        const file = join(examples, folder, 'expected', `${trace.replace('.jsonl', '')}.replay.txt`);
        await expect(vfioplan(folder, 'replay', trace)).toMatchFileSnapshot(file);
      }, 60_000);
    }

    for (const log of files.filter((name) => name.endsWith('.strace'))) {
      it(`${folder}: replay ${log}`, async () => {
        const file = join(examples, folder, 'expected', `${log}.replay.txt`);
        const said = vfioplan(folder, 'replay', log, '--machine', 'machine.json');
        await expect(said).toMatchFileSnapshot(file);
      }, 60_000);
    }

    if (files.includes('script.jsonl')) {
      it(`${folder}: record script.jsonl`, () => {
        const recorded = readFileSync(join(examples, folder, 'agrees.jsonl'), 'utf8');
        expect(vfioplan(folder, 'record', 'script.jsonl')).toBe(`${recorded}exit code 0\n`);
      }, 60_000);
    }

    for (const policy of policies) {
      const name = policy.replace('.vfio', '');
      const tested = /^test "/m.test(readFileSync(join(examples, folder, policy), 'utf8'));
      for (const command of ['check', 'plan', 'apply', ...(tested ? ['test'] : [])]) {
        it(`${folder}: ${command} ${policy}`, async () => {
          const file = join(examples, folder, 'expected', `${name}.${command}.txt`);
          await expect(vfioplan(folder, command, policy, '--today', '2026-12-01')).toMatchFileSnapshot(file);
        }, 60_000);
      }
    }
  }
});
