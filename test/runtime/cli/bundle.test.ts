import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { inFolder } from './world.ts';

/** The built program, as a user starts it. `npm test` builds it first. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = join(root, 'dist/vfioplan.mjs');

function vfioplan(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: root, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], options);
  return { status, stdout, stderr };
}

beforeAll(() => {
  if (!existsSync(program)) throw new Error('dist/vfioplan.mjs is not built: run `npm run build` first');
});

test('--version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(vfioplan('--version')).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
});

test('explain finds its pages beside the bundle', () => {
  const { status, stdout } = vfioplan('explain', 'VP2901');
  expect(status).toBe(0);
  expect(stdout).toBe(readFileSync(join(root, 'src/diagnostics/pages/VP2901.md'), 'utf8'));
});

test('a mistake is a diagnostic on stderr, and exit code 64', () => {
  const { status, stdout, stderr } = vfioplan('chekc');
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
  expect(stderr).toContain('error[VP2910]: unknown command `chekc`');
});

test('fmt reads a pipe, and files, and says when there is neither', () => {
  const input = 'host  a{iommu any}';
  const options = { input, cwd: root, encoding: 'utf8' } as const;
  const piped = spawnSync(process.execPath, [program, 'fmt'], options);
  expect(piped).toMatchObject({ status: 0, stdout: 'host a { iommu any }\n', stderr: '' });
  expect(vfioplan('fmt', '--check', 'examples/01-nic-without-iommu/policy.vfio')).toMatchObject({
    status: 0,
  });
  const nothing = spawnSync(process.execPath, [program, 'fmt'], { stdio: ['ignore', 'pipe', 'pipe'] });
  expect(nothing.status).toBe(64);
});

test('checks an example, and says the same as JSON', () => {
  const policy = 'examples/01-nic-without-iommu/policy.vfio';
  expect(vfioplan('check', policy, '--today', '2026-11-22')).toMatchObject({ status: 0, stderr: '' });
  const { stdout } = vfioplan('check', policy, '--today', '2026-11-22', '--format', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 0, hosts: [{ host: 'edge-01', accepted: true }] });
});

test('tests say the same in one thread and in four, those that fail too', { timeout: 120_000 }, () =>
  inFolder((folder) => {
    const machine = join(root, 'examples/04-shared-group-on-a-server/machine.json');
    const answers = ['EACCES', 'ok', 'ok', 'EACCES', 'ok', 'ok'];
    const text = `host rack-12 { snapshot "${machine}" }
device dataport on rack-12 { at 0000:81:00.1 }
policy dataplane on rack-12 { bind dataport to vfio-pci allow user vpp to use dataport via group }
${answers.map((answer, number) => `test "number ${number}" on rack-12 { apply dataplane as user vpp { open dataport -> ${answer} } }`).join('\n')}
test "by itself" on snapshot "${machine}" { expect apply dataplane refused VP4101 }`;
    const file = join(folder, 'p.vfio');
    writeFileSync(file, text);
    for (const format of ['human', 'json']) {
      const argv = ['test', file, '--coverage', '--today', '2026-11-22', '--format', format];
      const one = vfioplan(...argv, '--jobs', '1');
      expect(vfioplan(...argv, '--jobs', '4')).toEqual(one);
      expect(one.status).toBe(1);
      expect(one.stdout).toContain('number 5');
      expect(`${one.stdout}${one.stderr}`).toContain('VP6304');
    }
  }),
);

test('a reader that goes away is no failure', () => {
  const command = `"${process.execPath}" "${program}" explain | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const [first, status] = execFileSync('bash', ['-c', command], { encoding: 'utf8' }).split('\n');
  expect(first).toMatch(/^VP1/);
  expect(status).toBe('0');
});

test('a full disk under stdout is one', () => {
  const command = `"${process.execPath}" "${program}" explain > /dev/full`;
  const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('error[VP2909]');
});

test('a policy can come through a pipe', () => {
  const command = `"${process.execPath}" "${program}" check <(echo 'policy p {')`;
  const { status, stdout } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toMatch(/error\[VP1\d+\]/);
});

test('50 MB of garbage are refused in little memory', () =>
  inFolder((folder) => {
    const file = join(folder, 'garbage.vfio');
    writeFileSync(file, Buffer.alloc(50 * 1024 * 1024, 0x7b));
    const result = spawnSync(process.execPath, ['--max-old-space-size=64', program, 'check', file], {
      encoding: 'utf8',
    });
    expect(result.status).toBe(1);
    expect(result.stdout).toContain('error[VP2904]');
  }));
