import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../../runtime/execute/execute.ts';
import { linuxHolders } from '../../../runtime/execute/holders.ts';
import { linuxProcesses, type Processes } from '../../../runtime/execute/lock.ts';
import { recover, revert } from '../../../runtime/execute/revert.ts';
import { stateDirectory } from '../../../runtime/execute/state-directory.ts';
import { readJournal } from '../../../src/wire/read.ts';
import { FakeKernel } from './fake.ts';
import { scenarios } from './scenarios.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vfioplan-state-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const time = '2026-11-22T12:00:00Z';
const processes = (pid: number, alive: Readonly<Record<number, string>>, bootId = 'boot-1'): Processes => ({
  pid,
  bootId,
  startOf: (each) => alive[each] ?? null,
});

describe('journals on disk', () => {
  const [scenario] = scenarios;
  if (scenario === undefined) throw new Error('no scenario');
  const options = { time, bootId: 'boot-1' };
  const store = () => stateDirectory(join(directory, 'state'), linuxProcesses());

  test.skipIf(process.getuid?.() !== 0)('are not kept where somebody else may write, or leads to', () => {
    const kernel = new FakeKernel(scenario.snapshot);
    const place = join(directory, 'state');
    const verdict = () => {
      const { verdict: is, diagnostics } = execute(scenario.plan, kernel.backend(), store(), options);
      return [is, ...diagnostics.map(({ code, message }) => `${code} ${message.replace(/.*: /, '')}`)];
    };
    mkdirSync(place);
    for (const mode of [0o777, 0o1777, 0o770]) {
      chmodSync(place, mode);
      expect(verdict()).toEqual(['refused', 'VP6002 EPERM']);
    }
    chmodSync(place, 0o700);
    chownSync(place, 1234, 1234);
    expect(verdict()).toEqual(['refused', 'VP6002 EPERM']);
    expect(readdirSync(place)).toEqual([]);
    rmSync(place, { recursive: true });
    mkdirSync(join(directory, 'real'), { mode: 0o700 });
    symlinkSync('real', place);
    lchownSync(place, 1234, 1234);
    expect(verdict()).toEqual(['refused', 'VP6002 EPERM']);
    lchownSync(place, 0, 0);
    expect(verdict()).toEqual(['done']);
  });

  test('are whole lines that the reader takes, for root alone, one file a generation', () => {
    const kernel = new FakeKernel(scenario.snapshot);
    expect(execute(scenario.plan, kernel.backend(), store(), options).verdict).toBe('done');
    expect(revert(kernel.backend(), store(), options).verdict).toBe('reverted');
    expect(execute(scenario.plan, kernel.backend(), store(), options).generation).toBe(2);
    const path = join(directory, 'state/journal-1.jsonl');
    const { records, diagnostics } = readJournal(path, readFileSync(path, 'utf8'));
    expect(diagnostics).toEqual([]);
    expect(records?.[0]).toMatchObject({
      record: 'header',
      generation: 1,
      steps: scenario.plan.steps.length,
    });
    expect(records?.[records.length - 1]).toEqual({ record: 'end', verdict: 'reverted', left: [] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'state')).mode & 0o777).toBe(0o700);
    expect(store().generations()).toEqual([1, 2]);
    expect(existsSync(join(directory, 'state/lock'))).toBe(false);
  });

  test('a torn last line is cut off before the journal goes on', () => {
    const kernel = new FakeKernel(scenario.snapshot);
    kernel.before = (deed) => {
      if (deed === 3) throw new Error('stopped');
      return undefined;
    };
    expect(() => execute(scenario.plan, kernel.backend(), store(), options)).toThrow('stopped');
    kernel.before = () => undefined;
    const path = join(directory, 'state/journal-1.jsonl');
    appendFileSync(path, '{"record":"outcome","step":3,"errno":nu');
    expect(recover(kernel.backend(), store(), options)).toMatchObject({
      verdict: 'rolled back',
      diagnostics: [],
    });
    const text = readFileSync(path, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    expect(readJournal(path, text).diagnostics).toEqual([]);
  });

  test('a journal that is hostile, far too large or no file is refused, with nothing done', () => {
    const kernel = new FakeKernel(scenario.snapshot);
    const path = join(directory, 'state/journal-1.jsonl');
    mkdirSync(join(directory, 'state'));
    const codesFor = (text: string): readonly string[] => {
      writeFileSync(path, text);
      const ending = execute(scenario.plan, kernel.backend(), store(), options);
      expect(ending.verdict).toBe('refused');
      expect(recover(kernel.backend(), store(), options).verdict).toBe('refused');
      return ending.diagnostics.map(({ code }) => code);
    };
    expect(codesFor('garbage\n'.repeat(3))).toContain('VP3001');
    expect(codesFor('{"record":"intent"}\n')[0]).toMatch(/^VP30/);
    expect(codesFor(' '.repeat(40_000_000))).toEqual(['VP6002']);
    rmSync(path);
    mkdirSync(path);
    expect(execute(scenario.plan, kernel.backend(), store(), options).diagnostics[0]?.code).toBe('VP6002');
    expect(kernel.deeds).toBe(0);
  });

  test('a directory that cannot be made or written is refused, with nothing done', () => {
    const kernel = new FakeKernel(scenario.snapshot);
    writeFileSync(join(directory, 'file'), '');
    const under = stateDirectory(join(directory, 'file/state'), linuxProcesses());
    const ending = execute(scenario.plan, kernel.backend(), under, options);
    expect(ending).toMatchObject({ verdict: 'refused', diagnostics: [{ code: 'VP6002' }] });
    expect(ending.diagnostics[0]?.message).toContain('ENOTDIR');
    expect(kernel.deeds).toBe(0);
  });
});

describe('the lock', () => {
  const lock = (who: Processes) => stateDirectory(directory, who).lock(time);
  const release = (held: object) => {
    if (!('release' in held)) throw new Error('not held');
    (held as { release(): void }).release();
  };

  test('is held by one at a time, and free again afterwards', () => {
    const alive = { 10: 'a', 11: 'b' };
    const first = lock(processes(10, alive));
    expect(lock(processes(11, alive))).toEqual({ pid: 10, since: time });
    release(first);
    release(lock(processes(11, alive)));
    expect(existsSync(join(directory, 'lock'))).toBe(false);
  });

  test.each([
    ['its process is gone', processes(11, { 11: 'b' })],
    ['its number belongs to another process now', processes(11, { 10: 'later', 11: 'b' })],
    ['the machine was started anew', processes(11, { 10: 'a', 11: 'b' }, 'boot-2')],
  ])('is taken over when %s', (_, who) => {
    lock(processes(10, { 10: 'a' }));
    const held = lock(who);
    expect(held).toHaveProperty('release');
    expect(lock(processes(12, { 11: 'b', 12: 'c' }, who.bootId ?? ''))).toMatchObject({ pid: 11 });
    release(held);
  });

  test.each(['', 'garbage', '{"pid":"x"}', '[]'])('a file that says nothing (%j) holds nobody up', (text) => {
    writeFileSync(join(directory, 'lock'), text);
    release(lock(processes(10, { 10: 'a' })));
  });

  test('a takeover that was stopped half-way is named', () => {
    lock(processes(10, {}));
    writeFileSync(join(directory, 'lock.takeover'), '');
    const failed = lock(processes(11, { 11: 'b' }));
    expect(failed).toEqual({ path: join(directory, 'lock.takeover'), errno: 'EEXIST' });
  });

  test('of this very process is alive', () => {
    const me = linuxProcesses();
    const held = lock(me);
    expect(lock({ ...me, pid: 1 })).toMatchObject({ pid: me.pid });
    release(held);
  });
});

describe('who has a function open', () => {
  const proc = (
    pid: number,
    fds: Readonly<Record<string, string>>,
    info: Readonly<Record<string, string>> = {},
  ) => {
    mkdirSync(join(directory, `${pid}/fd`), { recursive: true });
    mkdirSync(join(directory, `${pid}/fdinfo`), { recursive: true });
    writeFileSync(join(directory, `${pid}/comm`), 'qemu\n');
    for (const [fd, target] of Object.entries(fds)) symlinkSync(target, join(directory, `${pid}/fd/${fd}`));
    for (const [fd, text] of Object.entries(info))
      writeFileSync(join(directory, `${pid}/fdinfo/${fd}`), text);
  };
  const holders = () => linuxHolders('0000:03:00.0', ['/dev/vfio/7', '/dev/vfio/devices/vfio2'], directory);

  test('by its group, by its device, or perhaps', () => {
    proc(1, { 3: '/dev/null' });
    proc(20, { 3: '/dev/vfio/vfio', 4: '/dev/vfio/7' });
    proc(30, { 4: '/dev/vfio/8', 5: 'anon_inode:[vfio-device]' });
    proc(40, { 5: 'anon_inode:[vfio-device]' });
    proc(
      50,
      { 5: 'anon_inode:[vfio-device]' },
      { 5: 'pos: 0\nvfio-device-syspath:\t/sys/devices/a/0000:03:00.0\n' },
    );
    proc(60, { 5: 'anon_inode:[vfio-device]' }, { 5: 'vfio-device-syspath:\t/sys/devices/a/0000:04:00.0\n' });
    proc(70, { 4: '/dev/vfio/devices/vfio2', 5: '/dev/iommu' });
    proc(80, { 4: '/dev/vfio/devices/vfio1', 5: '/dev/iommu' });
    expect(holders()).toEqual([20, 40, 50, 70].map((pid) => `qemu (process ${pid})`));
  });

  test('nobody, where nothing can be read', () => {
    mkdirSync(join(directory, '7'));
    chmodSync(join(directory, '7'), 0);
    expect(holders()).toEqual([]);
  });
});
