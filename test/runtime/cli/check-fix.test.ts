import { execFileSync } from 'node:child_process';
import {
  chmodSync,
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
import { machine } from '../../machines.ts';
import { type Deed, inFolder, vfioplan } from './world.ts';

const good = `host web-1 { snapshot "web-1.json" }
device card on web-1 { at 0000:03:00.0 }
policy give on web-1 {
  bind card to vfio-pci  # for dpdk
  allow user dpdk to use card via group
}
`;
const bad = good
  .replace('"web-1.json"', 'web-1.json')
  .replace('0000:03:00.0', '0:3:0.0')
  .replace('card to', 'card')
  .replace('group\n', 'group;\n');
const snapshot = machine({
  hostname: 'web-1',
  functions: [{ at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' }],
  users: [{ name: 'dpdk', uid: 990 }],
});

/** Runs command lines in a folder with the policy and its machine; `@` is the folder. */
function inPlace<T>(
  text: string,
  use: (
    call: (argv: string, changes?: Partial<Io>) => Promise<Deed>,
    file: (name: string) => string,
  ) => Promise<T>,
): Promise<T> {
  return inFolder((folder) => {
    const file = (name: string) => join(folder, name);
    writeFileSync(file('p.vfio'), text);
    writeFileSync(file('web-1.json'), JSON.stringify(snapshot));
    return use((argv, changes) => vfioplan(argv.replaceAll('@', folder).split(' '), changes), file);
  });
}

test('makes the safe fixes, judges again, and says what it changed', () =>
  inPlace(bad, async (call, file) => {
    expect((await call('check @/p.vfio')).code).toBe(1);
    const p = file('p.vfio');
    expect(await call('check --fix @/p.vfio')).toEqual({
      code: 0,
      out: `${p}:1:23: write \`"web-1.json"\` (VP1021)
${p}:2:27: write \`0000:03:00.0\` (VP1007)
${p}:4:13: insert \`to\` (VP1004)
${p}:5:40: remove \`;\` (VP1001)
web-1: accepted
nothing is wrong
`,
      err: '',
    });
    expect(readFileSync(p, 'utf8')).toBe(good);
    expect(await call('check --fix @/p.vfio')).toMatchObject({
      code: 0,
      out: 'web-1: accepted\nnothing is wrong\n',
    });
  }));

test('leaves what only its author can know, and says so', () =>
  inPlace(bad.replace('user dpdk', 'user dpkd').replace('via group', 'via grop'), async (call, file) => {
    const { code, out } = await call('check --fix @/p.vfio');
    expect(code).toBe(1);
    expect(out).toContain('fix: write `group`');
    expect(readFileSync(file('p.vfio'), 'utf8')).toBe(
      good.replace('user dpdk', 'user dpkd').replace('via group', 'via grop'),
    );
  }));

test('--diff writes nothing, and stdout is the patch alone', () =>
  inPlace(bad, async (call, file) => {
    const { code, out, err } = await call('check --fix --diff @/p.vfio');
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(readFileSync(file('p.vfio'), 'utf8')).toBe(bad);
    execFileSync('git', ['apply', '-p0', '--unsafe-paths'], {
      cwd: '/',
      input: out.replaceAll(/^(---|\+\+\+) \//gm, '$1 '),
    });
    expect(readFileSync(file('p.vfio'), 'utf8')).toBe(good);
    expect(await call('check --fix --diff @/p.vfio')).toEqual({ code: 0, out: '', err: '' });
    writeFileSync(file('p.vfio'), bad.replace('device card', 'device crad'));
    const broken = await call('check --fix --diff @/p.vfio');
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/^--- /);
    expect(broken.err).toContain('error[VP2002]');
  }));

test('JSON tells the fixes that were made, with what is left', () =>
  inPlace(bad, async (call, file) => {
    const { out } = await call('check --fix --diff --format json @/p.vfio');
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      exitCode: 2,
      diagnostics: [],
      hosts: [{ host: 'web-1', accepted: true }],
    });
    expect(result.fixed[3]).toEqual({
      code: 'VP1001',
      title: 'remove `;`',
      file: file('p.vfio'),
      line: 5,
      column: 40,
    });
    expect(result.diff).toContain('+  bind card to vfio-pci  # for dpdk\n');
    expect(JSON.parse((await call('check --fix --format json @/p.vfio')).out).fixed).toHaveLength(4);
    expect(readFileSync(file('p.vfio'), 'utf8')).toBe(good);
  }));

test('an imported file is mended too, a snapshot never', () =>
  inPlace('import "base.vfio"\n', async (call, file) => {
    writeFileSync(file('base.vfio'), bad);
    const machineText = JSON.stringify({ ...snapshot, hostnam: 'x' });
    writeFileSync(file('web-1.json'), machineText);
    const { out } = await call('check --fix @/p.vfio');
    expect(out).toContain('error[VP3007]');
    expect(readFileSync(file('base.vfio'), 'utf8')).toBe(good);
    expect(readFileSync(file('web-1.json'), 'utf8')).toBe(machineText);
  }));

test('a file keeps its mode, its byte order mark and its line ends, and a link stays a link', () =>
  inPlace('', async (call, file) => {
    mkdirSync(file('real'));
    writeFileSync(file('real/q.vfio'), `\ufeff${bad.replaceAll('\n', '\r\n')}`);
    writeFileSync(file('real/web-1.json'), JSON.stringify(snapshot));
    chmodSync(file('real/q.vfio'), 0o640);
    symlinkSync('real/q.vfio', file('link.vfio'));
    expect((await call('check --fix @/link.vfio')).code).toBe(0);
    expect(readFileSync(file('real/q.vfio'), 'utf8')).toBe(`\ufeff${good.replaceAll('\n', '\r\n')}`);
    expect(statSync(file('real/q.vfio')).mode & 0o7777).toBe(0o640);
    expect(readdirSync(file('real'))).toEqual(['q.vfio', 'web-1.json']);
  }));

test('what was changed meanwhile, and what cannot be written, is left as it is', () =>
  inPlace(bad, async (call, file) => {
    const other = `# somebody else\n${bad}`;
    let reads = 0;
    const read: Io['files']['read'] = (path, limit, pipes) => {
      if (path.endsWith('p.vfio') && ++reads === 2) writeFileSync(path, other);
      return nodeFiles.read(path, limit, pipes);
    };
    const late = await call('check --fix @/p.vfio', { files: { ...nodeFiles, read } });
    expect(late.code).toBe(1);
    expect(late.out).toContain('it was changed while it was judged');
    expect(late.out).not.toContain('(VP1001)');
    expect(readFileSync(file('p.vfio'), 'utf8')).toBe(other);
    const write = () => 'no space is left on the disk (ENOSPC)';
    const full = await call('check --fix @/p.vfio', { files: { ...nodeFiles, write } });
    expect(full.code).toBe(1);
    expect(full.out).toContain('no space is left on the disk (ENOSPC)');
  }));

test('standard input is mended only to be shown', async () => {
  const bytes = Buffer.from('host a { iommu any; }\n');
  let reads = 0;
  const read: Io['files']['read'] = () => ({
    kind: 'bytes',
    bytes: ++reads === 1 ? bytes : Buffer.alloc(0),
    identity: 'pipe',
  });
  const piped = { files: { ...nodeFiles, read } };
  expect(await vfioplan(['check', '--fix', '-'], piped)).toMatchObject({ code: 64, out: '' });
  const { out } = await vfioplan(['check', '--fix', '--diff', '-'], piped);
  expect(out).toContain('+host a { iommu any }\n');
  expect(await vfioplan(['check', '--diff', '-'], piped)).toMatchObject({ code: 64, out: '' });
});
