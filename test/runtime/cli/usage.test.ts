import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../../../runtime/cli/commands.ts';
import { generate } from '../../../runtime/cli/generate.ts';
import { defaultStateDirectory } from '../../../runtime/execute/state-directory.ts';
import { vfioplan } from './world.ts';

const nothing = /(?:)/;
const mistakes: readonly (readonly [string, RegExp, RegExp])[] = [
  ['', /no command is named/, /vfioplan --help/],
  ['chekc a.vfio', /unknown command `chekc`/, /`check`/],
  ['status', /unknown command `status`/, nothing],
  ['check', /missing required argument/, nothing],
  ['check a.vfio --machin m.json', /unknown option `--machin`/, /`--machine`/],
  ['check a.vfio --format xml', /`xml`/, /human|--help/],
  ['check a.vfio --today 2026-02-30', /`2026-02-30` is not a date/, /YYYY-MM-DD/],
  ['check a.vfio --today 0000-01-01', /`0000-01-01` is not a date/, /YYYY-MM-DD/],
  ['check a.vfio --machine', /--machine .*argument missing/, nothing],
  ['editor --port 70000', /`70000` is not a TCP port/, nothing],
  ['editor --port -1', /`-1` is not a TCP port|argument missing/, nothing],
  ['test a.vfio --jobs 0', /`0` is not a number of tests to run at once/, /from 1 to 256/],
  ['test a.vfio --jobs 2.5', /`2.5` is not a number of tests/, nothing],
  ['test a.vfio --jobs 1000', /`1000` is not a number of tests/, nothing],
  ['explain VP1 VP2', /`VP2` is a word too many/, nothing],
  ['snapshot impotr x', /`impotr` is a word too many/, /`vfioplan snapshot import`/],
  ['snapshot import nixos-facter', /missing required argument `file`/, nothing],
  ['apply a.vfio --native --machine m.json', /takes no snapshot/, nothing],
];

test.each(mistakes)('refuses `vfioplan %s`', async (argv, message, cure) => {
  const { code, out, err } = await vfioplan(argv.split(' ').filter((word) => word !== ''));
  expect(code).toBe(64);
  expect(out).toBe('');
  expect(err).toContain('error[VP2910]');
  expect(err).toMatch(message);
  expect(err).toMatch(cure);
});

test('a program that asked for JSON gets its mistakes as JSON', async () => {
  for (const format of [['--format', 'json'], ['--format=json']]) {
    const { code, out } = await vfioplan(['check', 'a.vfio', '--stritc', ...format]);
    expect(code).toBe(64);
    const { diagnostics } = JSON.parse(out);
    expect(diagnostics[0]).toMatchObject({
      code: 'VP2910',
      file: 'command line',
      range: { start: { line: 1, column: 23 }, end: { line: 1, column: 31 } },
    });
  }
});

test('--help shows every command that there is, and none that there is not', async () => {
  const { code, out, err } = await vfioplan(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const listed = [...out.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name);
  const names = commands.map(({ name }) => name.split(' ')[0]);
  expect(new Set(listed.filter((name) => name !== 'vfioplan'))).toEqual(new Set([...names, 'help']));
});

test.each(commands.map(({ name }) => name))(
  '`vfioplan %s --help` has purpose, options, examples and exit codes',
  async (name) => {
    const { code, out, err } = await vfioplan([...name.split(' '), '--help']);
    const command = commands.find((each) => each.name === name);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Usage: vfioplan ${name} [options]`);
    expect(out.toLowerCase()).toContain(command?.purpose.toLowerCase().slice(0, 60));
    for (const { flags } of command?.options ?? []) expect(out).toContain(flags);
    expect(command?.examples.length).toBeGreaterThanOrEqual(2);
    for (const { words } of command?.examples ?? []) expect(out).toContain(words);
    expect(out).toMatch(/Exit codes:\n {2}0 /);
  },
);

test('every example of --help is understood', async () => {
  const { parse } = await import('../../../runtime/cli/program.ts');
  for (const { examples, name } of commands) {
    for (const { words } of examples) {
      const argv =
        words
          .split(' | ')[0]
          ?.replace(/^(sudo )?vfioplan /, '')
          .split(' ') ?? [];
      const io = { stdout: { write: () => {} }, stderr: { write: () => {} } };
      const parsed = await parse(io as never, argv);
      expect(parsed, words).toHaveProperty('description.name', name);
    }
  }
});

test('the state directory that --help shows is the one that is used', () => {
  const shown = commands.flatMap(({ options }) => options.filter(({ key }) => key === 'stateDir'));
  expect(new Set(shown.map(({ shows }) => shows))).toEqual(new Set([defaultStateDirectory]));
});

test('the manual is the one that the table of commands gives', () => {
  for (const [file, text] of Object.entries(generate())) {
    const there = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect(there, `${file} is stale: npm run generate`).toBe(text);
  }
});
