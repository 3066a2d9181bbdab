import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Backend } from '../../../runtime/backend.ts';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { linuxBackend } from '../../../runtime/linux/linux.ts';
import { isLowered, lower } from '../../../runtime/lower/lower.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import { usualDirectories } from '../../../src/machine/configuration.ts';
import { besideOf } from '../../../src/model/configuration.ts';
import type { Op } from '../../../src/model/op.ts';
import { step } from '../../../src/model/step.ts';
import { show, touched } from '../../../src/model/view.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';

/**
 * Configuration files as the model has them, as the simulated kernel has them, and as the kernel has them on which the tests
 * run: there below a directory of its own, for files are files everywhere. The answers are the same, and what is seen then.
 */
const snapshot = machine({});
const { world, state: start } = worldFrom(snapshot);
const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER'] };

const directories = ['/etc/modprobe.d', '/etc/systemd/system/vpp.service.d', '/etc/nowhere'];
const paths = [
  ...directories,
  ...directories.map((path) => `${path}/60-vfioplan.conf`),
  '/etc/modprobe.d/further',
  '/etc/modprobe.d/60-vfioplan.conf/below',
];
const path = fc.constantFrom(...paths);
const text = fc.constantFrom('', '\n', 'a\n', 'a\nb\n', `${'x'.repeat(5000)}\n`, 'ä without an end');
const operation: fc.Arbitrary<Op> = fc
  .oneof(
    { weight: 3, arbitrary: fc.record({ op: fc.constant('config.write' as const), path, text }) },
    fc.record({
      op: fc.constantFrom(
        'config.remove' as const,
        'config.make_directory' as const,
        'config.remove_directory' as const,
      ),
      path,
    }),
  )
  .map((op) => ({ ...op, pid: ROOT }) as Op);
const operations = fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' });

/** Makes the operations on a kernel that has /etc at `etc`, beside the model. */
function compare(backend: Backend, etc: string, ops: readonly Op[]): void {
  let state = start;
  const there = (its: string) => `${etc}${its.slice('/etc'.length)}`;
  for (const op of ops) {
    const { result, state: after } = step(world, state, op);
    if (!('path' in op) || !isLowered(op)) throw new Error('no operation on a file');
    const reply = lower(backend, { ...op, path: there(op.path) } as typeof op);
    const said = JSON.stringify([ops, op]);
    if (result.ok) expect(reply, said).toEqual({ ok: true, value: 0 });
    else expect(reply, said).toEqual({ ok: false, errno: 'errno' in result ? result.errno : 'blocked' });
    const seen = new Set([...touched(world, state, op), ...paths, ...paths.map(besideOf)]);
    for (const each of seen) expect(observe(backend, there(each)), said).toBe(show(world, after, each));
    state = after;
  }
}

test('the simulated kernel answers and shows what the model does', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (ops) => {
      const sandbox = await bootSandbox(snapshot);
      compare(sandbox.process(root), '/etc', ops);
      sandbox.dispose();
    }),
    { seed, numRuns: 40 },
  );
});

test('the kernel of the tests answers and shows what the model does', { timeout: 120_000 }, async () => {
  const linux = await linuxBackend();
  fc.assert(
    fc.property(operations, (ops) => {
      const folder = mkdtempSync(join(tmpdir(), 'vfioplan-etc-'));
      for (const directory of usualDirectories) {
        mkdirSync(join(folder, directory), { recursive: true });
        writeFileSync(join(folder, directory, 'of-somebody-else'), '');
      }
      compare(linux, join(folder, 'etc'), ops);
      rmSync(folder, { recursive: true });
    }),
    { seed, numRuns: 100 },
  );
});
