import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { machine } from '../../machines.ts';
import { codesOf, inFolder, vfioplan } from './world.ts';

const snapshot = machine({
  functions: [{ at: '03:00.0', id: '8086:10d3', class: 'nic', driver: 'vfio-pci', group: 7 }],
});
const header = { record: 'header', format: 'vfioplan.trace', version: 1, profile: '6.12' };
const root = {
  ...{ record: 'process', name: 'root', uid: 0, gid: 0, groups: [] },
  ...{ capabilities: ['CAP_SYS_RAWIO', 'CAP_DAC_OVERRIDE'], memlock: null },
};
const call = (operation: object, more: object = {}) => ({
  record: 'call',
  process: 'root',
  operation,
  ...more,
});
const session = [
  call({ op: 'open', path: '/dev/vfio/vfio', as: 'c' }, { result: { value: 3 } }),
  call({ op: 'open', path: '/dev/vfio/7', as: 'g' }, { result: { value: 9 } }),
  call({ op: 'group.set_container', fd: 'g', container: 'c' }, { result: { value: 0 } }),
  call({ op: 'container.set_iommu', fd: 'c', type: 1 }, { result: { value: 0 } }),
  call({ op: 'group.get_status', fd: 'g' }, { result: { value: 0, out: { flags: 3 } }, taint: 0 }),
];

/** Runs in a folder with `t.jsonl` and `m.json`; `@` is the folder. */
function inTraceFolder<T>(records: readonly object[], use: (folder: string) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, 'm.json'), JSON.stringify(snapshot));
    writeFileSync(join(folder, 't.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    return use(folder);
  });
}

const withFile = { ...header, machine: { file: 'm.json' } };

describe('replay', () => {
  test('says that all agrees, and what was compared', () =>
    inTraceFolder([withFile, root, ...session], async (folder) => {
      expect(await vfioplan(['replay', join(folder, 't.jsonl')])).toEqual({
        code: 0,
        out: 'agrees: 5 operations on the simulated kernel 6.12; compared: 5 answers, 2 observations\n',
        err: '',
      });
    }));

  test('shows the first difference as expected, got and why', () => {
    const denied = call({ op: 'open', path: '/dev/vfio/7', as: 'again' }, { result: { value: 5 } });
    return inTraceFolder([withFile, root, ...session, denied, ...session], async (folder) => {
      const { code, out, err } = await vfioplan(['replay', join(folder, 't.jsonl')]);
      expect(code).toBe(1);
      expect(out).toContain('>  8  root: open path=/dev/vfio/7 as=again = a descriptor   here: EBUSY');
      expect(err).toContain('VP6201');
      expect(err).toContain('the answer is a descriptor in the trace, and EBUSY here');
      expect(err).toMatch(/fails with EBUSY: .*\n.*drivers\/vfio/);
    });
  });

  test('and as data', () => {
    const wrong = call(
      { op: 'group.get_status', fd: 'g' },
      { result: { value: 0, out: { flags: 1 } }, shows: { '/dev/vfio/7': null }, taint: 64, log: ['x'] },
    );
    return inTraceFolder([withFile, root, ...session, wrong], async (folder) => {
      const { out } = await vfioplan(['replay', join(folder, 't.jsonl'), '--format', 'json']);
      expect(JSON.parse(out)).toMatchObject({
        exitCode: 1,
        agrees: false,
        made: 6,
        divergence: {
          line: 8,
          got: { value: 0, out: { flags: 3 } },
          differences: [
            { subject: 'out.flags', expected: '1', got: '3' },
            { subject: '/dev/vfio/7', expected: 'absent', got: '600 0:0' },
            { subject: 'taint', expected: '64', got: '0' },
            { subject: 'log', expected: 'x', got: 'nothing' },
          ],
          reason: null,
        },
      });
    });
  });

  test('a refusal that does not come is explained by the guards that make it', () => {
    const refused = call({ op: 'container.set_iommu', fd: 'c', type: 3 }, { result: { errno: 'EPERM' } });
    return inTraceFolder([withFile, root, ...session.slice(0, 3), refused], async (folder) => {
      const { out } = await vfioplan(['replay', join(folder, 't.jsonl'), '--format', 'json']);
      const { divergence } = JSON.parse(out) as { divergence: { silent: { errno: string }[] } };
      expect(divergence.silent.length).toBeGreaterThan(0);
      expect(divergence.silent.every(({ errno }) => errno === 'EPERM')).toBe(true);
    });
  });

  test.each([
    ['--profile', ['--profile', '6.1'], 0],
    ['a profile that is none', ['--profile', '6.2'], 1],
    ['a machine in place of the own', ['--machine', '@/m.json'], 0],
    ['two machines', ['--machine', '@/m.json', '--machine', '@/m.json'], 64],
    ['a machine that is missing', ['--machine', '@/none.json'], 1],
  ])('%s', (_, words, code) =>
    inTraceFolder([withFile, root, ...session], async (folder) => {
      const argv = ['replay', join(folder, 't.jsonl'), ...words.map((word) => word.replace('@', folder))];
      expect((await vfioplan(argv)).code).toBe(code);
    }),
  );

  test('a trace whose machine is a file that is missing, or a broken one', () =>
    inTraceFolder([{ ...header, machine: { file: 'none.json' } }, root], async (folder) => {
      expect(await codesOf(['replay', join(folder, 't.jsonl')])).toEqual(['VP2901']);
      writeFileSync(join(folder, 'none.json'), '{');
      expect(await codesOf(['replay', join(folder, 't.jsonl')])).toEqual(['VP3001']);
    }));
});

describe('record', () => {
  test('writes a trace that replays, with the answers of the kernel that was asked for', () =>
    inTraceFolder(
      [withFile, root, ...session.map((each) => ({ ...each, result: undefined }))],
      async (folder) => {
        const [script, out] = [join(folder, 't.jsonl'), join(folder, 'out.jsonl')];
        expect(await vfioplan(['record', script, '--out', out])).toEqual({ code: 0, out: '', err: '' });
        const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
        expect(JSON.parse(lines[4] ?? '')).toMatchObject({ result: { value: 0 } });
        expect(await vfioplan(['replay', out])).toMatchObject({ code: 0, err: '' });
        const { out: text } = await vfioplan(['record', script, '--profile', '6.1']);
        expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({
          profile: '6.1',
          from: { kernel: 'simulated' },
        });
      },
    ));

  test('refuses where the trace cannot be written', () =>
    inTraceFolder([withFile, root], async (folder) => {
      const argv = ['record', join(folder, 't.jsonl'), '--out', join(folder, 'none/out.jsonl')];
      expect(await codesOf(argv)).toEqual(['VP2909']);
    }));
});
