import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Io } from '../../../runtime/cli/io.ts';
import type { Fault } from '../../../runtime/kernel/faults.ts';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { observeAll } from '../../../runtime/lower/observe.ts';
import { root } from '../../../src/model/world.ts';
import { readTrace } from '../../../src/wire/read-trace.ts';
import { machine } from '../../machines.ts';
import { codesOf, type Deed, inFolder, vfioplan } from './world.ts';

/** `record --native`, on a simulated kernel that stands for this machine. */

const nic = '0000:03:00.0';
const disk = '0000:04:00.0';
const here = machine({
  hostname: 'here',
  iommu: 'none',
  functions: [
    { at: nic, id: '8086:1572', class: 'nic', driver: 'i40e' },
    { at: disk, id: '144d:a808', class: 'nvme', driver: 'nvme' },
  ],
  disks: [{ name: 'nvme0n1', on: disk, mounts: ['/'] }],
});

const header = { record: 'header', format: 'vfioplan.trace', version: 1 };
const me = {
  ...{ record: 'process', name: 'me', uid: 7, gid: 7, groups: [] },
  ...{ capabilities: [], memlock: 0 },
};
const call = (operation: object) => ({ record: 'call', process: 'me', operation });
const container = call({ op: 'open', path: '/dev/vfio/vfio', as: 'c' });
const take = [
  call({ op: 'parameter.write', module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' }),
  call({ op: 'driver.unbind', driver: 'i40e', device: nic }),
  call({ op: 'override.write', device: nic, text: 'vfio-pci' }),
  call({ op: 'driver.bind', driver: 'vfio-pci', device: nic }),
];
const use = [
  container,
  call({ op: 'open', path: '/dev/vfio/noiommu-0', as: 'g' }),
  call({ op: 'group.set_container', fd: 'g', container: 'c' }),
  call({ op: 'container.set_iommu', fd: 'c', type: 8 }),
  call({ op: 'group.get_device_fd', fd: 'g', name: nic, as: 'd' }),
  call({ op: 'device.get_info', fd: 'd' }),
];
const load = call({ op: 'module.load', module: 'vfio_pci' });
const unbindOpen = call({ op: 'driver.unbind', driver: 'vfio-pci', device: nic });

const watched = [
  ...['driver', 'driver_override', 'iommu_group'].map((file) => `/sys/bus/pci/devices/${nic}/${file}`),
  ...['/sys/module/vfio_pci', '/dev/vfio/noiommu-0'],
];

interface Bench {
  readonly record: (records: readonly object[], words?: string) => Promise<Deed>;
  readonly codes: (records: readonly object[], words?: string) => Promise<readonly string[]>;
  readonly text: () => string;
  readonly written: () => boolean;
  readonly shows: () => Readonly<Record<string, string | null>>;
  readonly descriptors: () => readonly string[] | number;
}

async function onBench(
  use: (bench: Bench) => Promise<void>,
  changes: Partial<Io['machine']> = {},
  faults: readonly Fault[] = [],
) {
  const sandbox = await bootSandbox(here, { faults });
  const backend = sandbox.process({ ...root, capabilities: [...root.capabilities] });
  const io: Partial<Io> = {
    machine: {
      read: () => Promise.resolve({ snapshot: here, diagnostics: [] }),
      obstacle: () => Promise.resolve(null),
      backend: () => Promise.resolve(backend),
      ...changes,
    },
  };
  await inFolder(async (folder) => {
    const out = join(folder, 'out.jsonl');
    const argvOf = (records: readonly object[], words = '--allow-changes') => {
      writeFileSync(join(folder, 's.jsonl'), records.map((each) => `${JSON.stringify(each)}\n`).join(''));
      return [
        'record',
        join(folder, 's.jsonl'),
        '--native',
        '--out',
        out,
        ...words.split(' ').filter(Boolean),
      ];
    };
    await use({
      record: (records, words) => vfioplan(argvOf(records, words), io),
      codes: (records, words) => codesOf(argvOf(records, words), io),
      text: () => readFileSync(out, 'utf8'),
      written: () => existsSync(out),
      shows: () => observeAll(backend, watched),
      descriptors: () => backend.list('/proc/self/fd'),
    });
  });
  sandbox.dispose();
}

describe('record --native', () => {
  test('writes what this machine answers, who asked, and the machine', () =>
    onBench(async ({ record, text, descriptors }) => {
      const before = descriptors();
      const { code, out, err } = await record([header, me, container], '');
      expect({ code, out, err }).toEqual({
        code: 0,
        out: 'recorded: 1 operation on this machine\n',
        err: '',
      });
      const { trace, diagnostics } = readTrace('out.jsonl', text());
      expect(diagnostics).toEqual([]);
      expect(trace?.snapshot).toEqual(here);
      expect(trace?.header.record).toMatchObject({
        profile: '6.12',
        from: { kernel: 'linux', release: '6.12.0' },
      });
      expect(trace?.records.map(({ record }) => record)).toMatchObject([
        {
          record: 'process',
          name: 'me',
          uid: 0,
          memlock: null,
          capabilities: expect.arrayContaining(['CAP_SYS_RAWIO']),
        },
        { record: 'call', operation: { as: 'c' }, result: { value: 3 } },
      ]);
      expect(descriptors()).toEqual(before);
    }));

  test('takes back what it changed, and what it recorded replays', () =>
    onBench(async ({ record, text, shows, descriptors }) => {
      const before = [shows(), descriptors()];
      const { code, out, err } = await record([header, me, load, ...take, ...use, unbindOpen]);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(
        /^recorded: 11 operations on this machine; line 14 was not made: it would wait until/,
      );
      expect(out).toMatch(/this process closes the device; taken back: [345] changes\n$/);
      expect([shows(), descriptors()]).toEqual(before);
      expect(text().match(/driver.unbind/g)?.length).toBe(1);
      await inFolder(async (folder) => {
        writeFileSync(join(folder, 't.jsonl'), text());
        expect(await vfioplan(['replay', join(folder, 't.jsonl')])).toMatchObject({ code: 0, err: '' });
      });
    }));

  test('says what it could not take back', () =>
    onBench(
      async ({ record }) => {
        const { code, err } = await record([header, me, take[2] ?? {}]);
        expect(code).toBe(4);
        expect(err).toContain('VP6206');
        expect(err).toContain(`driver_override\` shows \`vfio-pci\` and showed \`(null)\` before`);
      },
      {},
      [{ on: { call: 'write', path: `/sys/bus/pci/devices/${nic}/driver_override` }, nth: 2, answer: 'EIO' }],
    ));

  test.each<[string, readonly object[], string]>([
    ['changes without leave', [me, ...take], 'VP6205 VP6205 VP6205 VP6205'],
    ['a module without leave', [me, load], 'VP6205'],
  ])('refuses %s, and does nothing', (_, records, codes) =>
    onBench(async ({ codes: codesFor, written }) => {
      expect(await codesFor([header, ...records], '')).toEqual(codes.split(' '));
      expect(written()).toBe(false);
    }),
  );

  test.each<[string, readonly object[]]>([
    ['a disk that is mounted', [me, call({ op: 'driver.unbind', driver: 'nvme', device: disk })]],
    ["a module that is not VFIO's", [me, call({ op: 'module.unload', module: 'vfio', also: ['nvme'] })]],
    [
      'a module with parameters',
      [me, call({ op: 'module.load', module: 'vfio_pci', parameters: ['ids=8086:1572'] })],
    ],
    [
      "a parameter that is not VFIO's",
      [me, call({ op: 'parameter.write', module: 'nvme', parameter: 'p', text: '1' })],
    ],
    ["a file that is not VFIO's", [me, call({ op: 'open', path: '/dev/sda' })]],
    ['a way out of the folder', [me, call({ op: 'open', path: '/dev/vfio/../sda' })]],
    ["a node that is not VFIO's", [me, call({ op: 'node.own', path: '/dev/sda', uid: 0, gid: 0, mode: 0 })]],
    ['a number that may be our own', [me, call({ op: 'close', fd: 1 })]],
    ['a number inside', [me, container, call({ op: 'group.set_container', fd: 'c', container: 2 })]],
    ['a second process', [me, { ...me, name: 'other' }]],
    ['a device of the host', [me, call({ op: 'open', path: '/dev/kvmx' })]],
    ['the end of the process', [me, { record: 'exit', process: 'me' }]],
    ['passing a descriptor', [me, container, call({ op: 'descriptor.pass', fd: 'c', to: 'me', as: 'x' })]],
  ])('refuses %s, and does nothing', (_, records) =>
    onBench(async ({ codes, written, shows }) => {
      const before = shows();
      expect(await codes([header, ...records])).toEqual(['VP6204']);
      expect(written()).toBe(false);
      expect(shows()).toEqual(before);
    }),
  );

  test('takes impossible numbers for what they are', () =>
    onBench(async ({ record, text }) => {
      await record([header, me, call({ op: 'close', fd: -1 }), call({ op: 'close', fd: 1048576 })]);
      const answers = text().match(/"result":\{[^}]*\}/g);
      expect(answers).toEqual(['"result":{"errno":"EBADF"}', '"result":{"errno":"EBADF"}']);
    }));

  test('needs root, a file for the trace, and no snapshot', () =>
    onBench(
      async ({ codes, record }) => {
        expect(await codes([header, me])).toEqual(['VP6901']);
        expect((await record([header, me], '--machine x.json')).code).toBe(64);
        expect((await vfioplan(['record', 's.jsonl', '--native'])).code).toBe(64);
      },
      { obstacle: () => Promise.resolve('not-root') },
    ));
});
