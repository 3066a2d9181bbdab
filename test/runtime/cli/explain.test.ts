import { expect, test } from 'vitest';
import { vfioplan } from './world.ts';

test('prints the page of a code, whatever the case of its letters', async () => {
  const { code, out, err } = await vfioplan(['explain', 'vp2901']);
  expect(code).toBe(0);
  expect(out).toMatch(/^# VP2901: file does not exist\n/);
  expect(err).toBe('');
});

test('gives programs the page with title and severity', async () => {
  const { out } = await vfioplan(['explain', 'VP2901', '--format', 'json']);
  expect(JSON.parse(out)).toMatchObject({
    format: 'vfioplan.result',
    version: 1,
    command: 'explain',
    exitCode: 0,
    code: 'VP2901',
    severity: 'error',
    page: expect.stringContaining('# VP2901'),
  });
});

test('falls back on the registry when the program was copied without its pages', async () => {
  const { code, out } = await vfioplan(['explain', 'VP2901'], { home: new URL('file:///nonexistent/') });
  expect(code).toBe(0);
  expect(out).toContain('# VP2901: file does not exist');
  expect(out).toContain('there is no file `{file}`');
});

test('lists every code', async () => {
  const { out } = await vfioplan(['explain']);
  expect(out).toMatch(/^VP2901 {2}error {4}file does not exist$/m);
  expect(out).toMatch(/^VP9001 /m);
});

test('an unknown code is a mistake of the caller, and not looked for among files', async () => {
  for (const word of ['VP0000', 'constructor', '../../package', '__proto__']) {
    const { code, out, err } = await vfioplan(['explain', word]);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain('error[VP2910]');
  }
});
