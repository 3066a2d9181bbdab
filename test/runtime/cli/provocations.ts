import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeFiles } from '../../../runtime/cli/files.ts';
import type { Io } from '../../../runtime/cli/io.ts';
import type { Fault } from '../../../runtime/kernel/faults.ts';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { root } from '../../../src/model/world.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { machine } from '../../machines.ts';
import { codesOf, inFolder, ioWith, vfioplan } from './world.ts';

/**
 * What provokes the diagnostics of the command line, by the names that their pages use: each answers with the codes
 * that were reported. In a command line `@` is the folder of the files.
 */
interface Provocation {
  readonly argv: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly changes?: Partial<Io>;
  readonly prepare?: (folder: string) => void | Promise<void>;
}

const snapshot = machine({ hostname: 'h', functions: [] });
const files = { 'p.vfio': 'host h { snapshot "m.json" }', 'm.json': JSON.stringify(snapshot) };
const tested = {
  ...files,
  'p.vfio':
    'host h { snapshot "m.json" } test "a" on h { expect machine unchanged } test "ends" on h { expect machine unchanged }',
};
const threads = { tests: new URL('thread.mjs', import.meta.url), count: 2 };
const trace = '{"record":"header","format":"vfioplan.trace","version":1}\n';
const unreadable: Io['files'] = {
  ...nodeFiles,
  read: () => ({ kind: 'unreadable', reason: 'permission denied (EACCES)' }),
};
const withObstacle = (kind: 'no-vfio' | 'not-root'): Partial<Io> => ({
  machine: { ...ioWith({}).machine, obstacle: () => Promise.resolve(kind) },
});
const onThisMachine: Partial<Io> = {
  machine: {
    ...ioWith({}).machine,
    read: () => Promise.resolve({ snapshot: machine({ hostname: 'here', functions: [] }), diagnostics: [] }),
  },
};
const onMachineOfThePlan: Partial<Io> = {
  machine: {
    ...ioWith({}).machine,
    read: () => Promise.resolve({ snapshot, diagnostics: [] }),
    obstacle: () => Promise.resolve(null),
  },
};
const anyStep = {
  number: 1,
  sentence: 'load kernel module dummy',
  identity: null,
  before: {},
  after: {},
  undo: { none: 'it stays' },
  lasting: [],
  why: [],
};
const buggy: Io['files'] = {
  ...nodeFiles,
  read: () => {
    throw new Error('something that cannot be');
  },
};

const commandLines: Readonly<Record<string, Provocation>> = {
  'check-a-file': { files, argv: 'check @/p.vfio' },
  'check-a-missing-file': { argv: 'check @/p.vfio' },
  'check-an-unreadable-file': { argv: 'check @/p.vfio', changes: { files: unreadable } },
  'check-a-directory': { argv: 'check @' },
  'check-a-huge-file': { files: { 'p.vfio': '#'.repeat(9_000_000) }, argv: 'check @/p.vfio' },
  'check-bytes-that-are-no-text': {
    files: { 'p.vfio': new Uint8Array([0xff, 0xfe]) },
    argv: 'check @/p.vfio',
  },
  'check-one-file-under-two-names': {
    files,
    argv: 'check @/p.vfio @/q.vfio',
    prepare: (folder) => symlinkSync('p.vfio', join(folder, 'q.vfio')),
  },
  'check-five-files-of-thirty-thousand-declarations': crowd(5),
  'check-two-files-of-thirty-thousand-declarations': crowd(2),
  'check-two-machines-for-one-host': {
    files,
    argv: 'check @/p.vfio --machine h=@/m.json --machine h=@/m.json',
  },
  'check-two-machines': { files, argv: 'check @/p.vfio --machine h=@/m.json --machine i=@/m.json' },
  'save-a-plan': { files, argv: 'plan @/p.vfio --out @/plan.json' },
  'save-a-plan-where-there-is-no-folder': { files, argv: 'plan @/p.vfio --out @/none/plan.json' },
  'call-an-unknown-command': { argv: 'chekc @/p.vfio' },
  'apply-in-rehearsal': { files, argv: 'apply @/p.vfio' },
  'rehearse-with-no-time': {
    files,
    argv: 'apply @/p.vfio',
    changes: { sandboxLimits: { deadlineMs: -1 } },
  },
  'apply-natively-without-root': {
    files,
    argv: 'apply @/p.vfio --native',
    changes: withObstacle('not-root'),
  },
  'apply-natively-without-vfio': { files, argv: 'apply @/p.vfio --native', changes: withObstacle('no-vfio') },
  'apply-a-plan-without-a-snapshot': { argv: 'apply @/plan.json', prepare: savePlan },
  'apply-a-plan-with-its-snapshot': {
    files,
    argv: 'apply @/plan.json --machine @/m.json',
    prepare: savePlan,
  },
  'apply-a-plan-without-its-policy-natively': {
    argv: 'apply @/plan.json --native',
    prepare: savePlan,
    changes: onMachineOfThePlan,
  },
  'apply-a-plan-as-it-was-saved': {
    files,
    argv: 'apply @/plan.json --machine @/m.json',
    prepare: savePlanOf,
  },
  'apply-a-plan-that-was-edited': {
    files,
    argv: 'apply @/plan.json --machine @/m.json',
    prepare: async (folder) => {
      await savePlanOf(folder);
      const path = join(folder, 'plan.json');
      const plan: Plan = JSON.parse(readFileSync(path, 'utf8'));
      const more = { ...anyStep, operation: { op: 'module.load', module: 'dummy' } };
      writeFileSync(path, JSON.stringify({ ...plan, steps: [more] }));
    },
  },
  'run-tests-in-a-thread-that-ends': { files: tested, argv: 'test @/p.vfio --jobs 2', changes: { threads } },
  'run-tests-one-after-the-other': { files: tested, argv: 'test @/p.vfio --jobs 1', changes: { threads } },
  'check-live-on-another-host': { files, argv: 'check @/p.vfio --live', changes: onThisMachine },
  'check-live-on-the-host-that-is-named': {
    files,
    argv: 'check @/p.vfio --live --host h',
    changes: onThisMachine,
  },
  'replay-a-trace': { files: { ...files, 't.jsonl': trace }, argv: 'replay @/t.jsonl --machine @/m.json' },
  'replay-with-no-time': {
    files: { ...files, 't.jsonl': trace },
    argv: 'replay @/t.jsonl --machine @/m.json',
    changes: { sandboxLimits: { deadlineMs: -1 } },
  },
  'meet-a-bug': { argv: 'check @/p.vfio', changes: { files: buggy } },
};

const override = '/sys/bus/pci/devices/0000:03:00.0/driver_override';
const here = machine({
  hostname: 'here',
  functions: [{ at: '03:00.0', id: '8086:10d3', class: 'nic', driver: 'e1000e' }],
});

/** A script of one operation, recorded on a simulated kernel that stands for this machine. */
function recorded(operation: object, words: string, faults: readonly Fault[] = []) {
  return async (): Promise<readonly string[]> => {
    const sandbox = await bootSandbox(here, { faults });
    const backend = sandbox.process({ ...root, capabilities: [...root.capabilities] });
    const onIt: Partial<Io> = {
      machine: {
        read: () => Promise.resolve({ snapshot: here, diagnostics: [] }),
        obstacle: () => Promise.resolve(null),
        backend: () => Promise.resolve(backend),
      },
    };
    const who = { uid: 0, gid: 0, groups: [], capabilities: [], memlock: null };
    const records = [
      ...[trace.trim(), JSON.stringify({ record: 'process', name: 'me', ...who })],
      JSON.stringify({ record: 'call', process: 'me', operation }),
    ];
    const script = `${records.join('\n')}\n`;
    const argv = `record @/s.jsonl --native --out @/o.jsonl ${words}`.trim();
    const codes = await provoke({ files: { 's.jsonl': script }, argv, changes: onIt });
    sandbox.dispose();
    return codes;
  };
}

const overriding = { op: 'override.write', device: '0000:03:00.0', text: 'vfio-pci' };

export const provocations: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  ...Object.fromEntries(Object.entries(commandLines).map(([name, each]) => [name, () => provoke(each)])),
  'record-natively': recorded({ op: 'open', path: '/dev/vfio/vfio' }, ''),
  'record-natively-what-is-not-ours': recorded({ op: 'open', path: '/dev/sda' }, ''),
  'record-changes-natively': recorded(overriding, ''),
  'record-changes-natively-with-leave': recorded(overriding, '--allow-changes'),
  'record-natively-what-others-change': recorded(overriding, '--allow-changes', [
    { on: { call: 'write', path: override }, nth: 2, answer: 'EIO' },
  ]),
  'serve-the-editor': () =>
    inFolder((folder) => codesOf(['editor', '--port', '0'], { home: editorIn(folder) })),
  'serve-an-editor-that-is-not-built': () => codesOf(['editor'], { home: new URL('file:///nonexistent/') }),
  'serve-on-a-taken-port': () => inFolder(onTakenPort),
};

/** So many files of declarations, each with names of its own; the first imports the others. */
function crowd(count: number): Provocation {
  const names = Array.from({ length: count }, (_, index) => `p${index === 0 ? '' : index}.vfio`);
  const imports = names.slice(1).map((name) => `import "${name}"\n`);
  const given = names.map((name, index): [string, string] => {
    const hosts = Array.from({ length: 30_000 }, (_, host) => `host h${index}-${host} {}\n`);
    return [name, [...(index === 0 ? imports : []), ...hosts].join('')];
  });
  return { files: Object.fromEntries(given), argv: 'check @/p.vfio' };
}

/** The codes of a trace that is replayed beside `machine.json`. */
export function replayed(text: string): Promise<readonly string[]> {
  return provoke({
    argv: 'replay @/trace.jsonl',
    files: { 'trace.jsonl': text, 'machine.json': JSON.stringify(snapshot) },
  });
}

function provoke({
  argv,
  files: given = {},
  changes = {},
  prepare,
}: Provocation): Promise<readonly string[]> {
  return inFolder(async (folder) => {
    for (const [name, content] of Object.entries(given)) writeFileSync(join(folder, name), content);
    await prepare?.(folder);
    return codesOf(
      argv.split(' ').map((word) => word.replace('@', folder)),
      changes,
    );
  });
}

/** A plan whose policy is gone. */
async function savePlan(folder: string): Promise<void> {
  const policy = join(folder, 'q.vfio');
  const machineFile = join(folder, 'n.json');
  writeFileSync(policy, 'host h {}');
  writeFileSync(machineFile, JSON.stringify(snapshot));
  await vfioplan(['plan', policy, '--machine', machineFile, '--out', join(folder, 'plan.json')]);
  rmSync(policy);
}

/** A plan with its policy beside it. */
async function savePlanOf(folder: string): Promise<void> {
  const [policy, machineFile] = [join(folder, 'p.vfio'), join(folder, 'm.json')];
  await vfioplan(['plan', policy, '--machine', machineFile, '--out', join(folder, 'plan.json')]);
}

/** The folder of a program that has an editor beside it. */
function editorIn(folder: string): URL {
  const page = join(folder, 'editor/dist/index.html');
  mkdirSync(dirname(page), { recursive: true });
  writeFileSync(page, '');
  return pathToFileURL(`${join(folder, 'program')}/`);
}

async function onTakenPort(folder: string): Promise<readonly string[]> {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  try {
    return await codesOf(['editor', '--port', String(port)], { home: editorIn(folder) });
  } finally {
    other.close();
  }
}
