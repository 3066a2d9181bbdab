import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../../runtime/cli/files.ts';
import { thisMachine } from '../../../runtime/cli/this-machine.ts';
import { machine } from '../../machines.ts';
import { badPolicies, type Case } from './bad-policies.ts';
import { inFolder, vfioplan } from './world.ts';

const policy = 'host h { snapshot "m.json" }';
const snapshot = machine({ hostname: 'h', functions: [] });
const text = JSON.stringify(snapshot);
const withSnapshot = (bad: string | Uint8Array): NonNullable<Case['files']> => ({
  'p.vfio': policy,
  'm.json': bad,
});
const garbage = new Uint8Array(50 * 1024 * 1024).map((_, index) => (index * 7919) % 251);

/**
 * Bad input, all of it through the command line: every case must end with a coded error at a place with a cure, a
 * non-zero exit code, no stack trace, and no file written.
 */
const cases: Readonly<Record<string, Case>> = {
  'a policy that is cut off': { files: { 'p.vfio': 'host h { iommu' }, argv: 'check @/p.vfio', code: 'VP1' },
  'a policy of brackets': { files: { 'p.vfio': '{'.repeat(200_000) }, argv: 'check @/p.vfio', code: 'VP1' },
  'a policy of zero bytes': { files: { 'p.vfio': '\0'.repeat(5000) }, argv: 'check @/p.vfio', code: 'VP1' },
  'a policy nested deeply': {
    files: { 'p.vfio': `devices d { ${'not ('.repeat(50_000)}` },
    argv: 'check @/p.vfio',
    code: 'VP1',
  },
  ...badPolicies,
  'a policy that is missing': { argv: 'check @/p.vfio', code: 'VP2901' },
  'a policy that is a folder': { argv: 'check @', code: 'VP2903' },
  'a policy that is not text': {
    files: { 'p.vfio': garbage.subarray(1000, 2000) },
    argv: 'check @/p.vfio',
    code: 'VP2905',
  },
  'a policy that may not be read': {
    argv: 'check @/p.vfio',
    code: 'VP2902',
    changes: {
      files: { ...nodeFiles, read: () => ({ kind: 'unreadable', reason: 'permission denied (EACCES)' }) },
    },
  },
  'a policy of 50 MB of garbage': { files: { 'p.vfio': garbage }, argv: 'check @/p.vfio', code: 'VP2904' },
  'a snapshot that is missing': { files: { 'p.vfio': policy }, argv: 'check @/p.vfio', code: 'VP2901' },
  'a snapshot that is cut off': {
    files: withSnapshot(text.slice(0, text.length / 2)),
    argv: 'check @/p.vfio',
    code: 'VP3001',
  },
  'a snapshot that is empty': { files: withSnapshot(''), argv: 'check @/p.vfio', code: 'VP3001' },
  'a snapshot that is a list': { files: withSnapshot('[]'), argv: 'check @/p.vfio', code: 'VP3005' },
  'a snapshot of another kind': {
    files: withSnapshot('{"format":"vfioplan.plan","version":1}'),
    argv: 'check @/p.vfio',
    code: 'VP3005',
  },
  'a snapshot of a newer version': {
    files: withSnapshot(text.replace('"version":1', '"version":2')),
    argv: 'check @/p.vfio',
    code: 'VP3006',
  },
  'a snapshot with an unknown field': {
    files: withSnapshot(text.replace('"version":1', '"version":1,"extra":1')),
    argv: 'check @/p.vfio',
    code: 'VP3007',
  },
  'a snapshot with a wrong type': {
    files: withSnapshot(text.replace('"functions":[]', '"functions":{}')),
    argv: 'check @/p.vfio',
    code: 'VP3009',
  },
  'a snapshot with a huge number': {
    files: withSnapshot(
      JSON.stringify({ ...snapshot, kernel: { ...snapshot.kernel, taint: 0 } }).replace(
        '"taint":0',
        '"taint":1e999',
      ),
    ),
    argv: 'check @/p.vfio',
    code: 'VP30',
  },
  'a snapshot nested deeply': {
    files: withSnapshot('['.repeat(1_000_000)),
    argv: 'check @/p.vfio',
    code: 'VP3003',
  },
  'a snapshot of 50 MB of garbage': { files: withSnapshot(garbage), argv: 'check @/p.vfio', code: 'VP2904' },
  'a snapshot of 20 MB of garbage': {
    files: withSnapshot(garbage.subarray(0, 20 * 1024 * 1024)),
    argv: 'check @/p.vfio',
    code: 'VP2905',
  },
  'a machine that is missing': {
    files: { 'p.vfio': '' },
    argv: 'check @/p.vfio --machine @/m.json',
    code: 'VP2901',
  },
  'a plan that is cut off': {
    files: { 'plan.json': '{"format":' },
    argv: 'apply @/plan.json',
    code: 'VP3001',
  },
  'a plan that is a snapshot': { files: { 'plan.json': text }, argv: 'apply @/plan.json', code: 'VP3005' },
  'a plan of a newer version': {
    files: { 'plan.json': '{"format":"vfioplan.plan","version":99}' },
    argv: 'apply @/plan.json',
    code: 'VP3006',
  },
  'a plan nested deeply': {
    files: { 'plan.json': '{"a":'.repeat(300_000) },
    argv: 'apply @/plan.json',
    code: 'VP3003',
  },
  'a plan of 50 MB of garbage': {
    files: { 'plan.json': garbage },
    argv: 'apply @/plan.json',
    code: 'VP2904',
  },
  'a report that is no report': {
    files: { 'r.json': '{"hello":1}' },
    argv: 'snapshot import nixos-facter @/r.json',
    code: 'VP3030',
  },
  'a report that is no JSON': {
    files: { 'r.json': 'hardware: []' },
    argv: 'snapshot import nixos-facter @/r.json',
    code: 'VP3001',
  },
  'a report of an unknown format': {
    files: { 'r.json': '{}' },
    argv: 'snapshot import lshw @/r.json',
    code: 'VP2910',
    exit: 64,
  },
  'a tree without sysfs': {
    argv: 'snapshot --sysroot @',
    code: 'VP3040',
    changes: { machine: thisMachine({}) },
  },
  'a tree that is missing': { argv: 'snapshot --sysroot @/none --out @/m.json', code: 'VP2901' },
  'a plan saved where there is no folder': {
    files: withSnapshot(text),
    argv: 'plan @/p.vfio --out @/none/plan.json',
    code: 'VP2909',
  },
  'a refused plan is not saved': {
    files: { 'p.vfio': 'host h {' },
    argv: 'plan @/p.vfio --out @/plan.json',
    code: 'VP1',
  },
  'an apply without root': {
    files: withSnapshot(text),
    argv: 'apply @/p.vfio --native --state-dir @/state',
    code: 'VP6901',
  },
  'a revert without root': { argv: 'revert --state-dir @/state', code: 'VP6901' },
};

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

test.each(Object.entries(cases))('%s', (_, { files = {}, argv, code, exit = 1, changes = {} }) =>
  inFolder(async (folder) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const before = filesIn(folder);
    const words = argv.split(' ').map((word) => word.replace('@', folder));
    const human = await vfioplan(words, changes);
    expect(human.code).toBe(exit);
    expect(human.out + human.err).toContain(`error[${code}`);
    expect(human.out + human.err).not.toMatch(/^\s+at .*\d+:\d+\)?$/m);
    const json = await vfioplan([...words, '--format', 'json'], changes);
    const found = JSON.parse(json.out).diagnostics.find((each: { code: string }) =>
      each.code.startsWith(code),
    );
    expect(found).toMatchObject({ severity: 'error', file: expect.any(String), range: expect.any(Object) });
    expect(found.cures.length, 'cures').toBeGreaterThan(0);
    expect(filesIn(folder)).toEqual(before);
  }),
);
