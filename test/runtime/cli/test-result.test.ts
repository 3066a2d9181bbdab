import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { TestReport } from '../../../runtime/cli/generated/test-result.ts';
import type { Io } from '../../../runtime/cli/io.ts';
import type { testReportSchema } from '../../../runtime/cli/test-result.schema.ts';
import type { Frozen } from '../../frozen.ts';
import { inFolder, vfioplan } from './world.ts';

// What `vfioplan test --format json` writes, held to the schema that is published, by a validator that is not ours.

const root = new URL('../../../', import.meta.url);
const schema: unknown = JSON.parse(readFileSync(new URL('docs/schema/test-result.json', root), 'utf8'));
const validate = new Ajv2020({ allErrors: true }).compile(schema as object);
const machine = fileURLToPath(new URL('examples/04-shared-group-on-a-server/machine.json', root));

const policy = `host rack-12 { snapshot "${machine}" }
device dataport on rack-12 { at 0000:81:00.1 }
policy dataplane on rack-12 {
  bind dataport to vfio-pci
  allow user vpp to use dataport via group
}
policy law on * { forbid user vpp to use any device via noiommu  protect devices that hold root }
`;

/** What is written for a policy with these tests, which has to be as the schema says. */
function reportOf(
  tests: string,
  changes: Partial<Io> = {},
  words: readonly string[] = [],
): Promise<TestReport> {
  return inFolder(async (folder) => {
    const file = join(folder, 'p.vfio');
    writeFileSync(file, policy + tests);
    const { code, out } = await vfioplan(['test', file, '--format', 'json', ...words], changes);
    const report = JSON.parse(out) as TestReport;
    validate(report);
    expect(validate.errors ?? []).toEqual([]);
    expect(report.exitCode).toBe(code);
    return report;
  });
}

test('tests that pass and tests that fail, with the guard that answered and every statement that none has shown', {
  timeout: 120_000,
}, async () => {
  const report = await reportOf(`
test "passes" on rack-12 { apply dataplane as user vpp { use dataport via group -> ok } expect dataport bound to vfio }
test "is refused" on rack-12 { as user nobody { open dataport -> EACCES } }
test "gets in" on rack-12 { apply dataplane as user nobody { open dataport -> ok } }
test "is done" on rack-12 { apply dataplane when step 40 fails with EBUSY }
test "changes nothing" on rack-12 { apply dataplane expect machine unchanged }
test "is refused for that" on rack-12 { expect apply dataplane refused VP4101 }`);
  expect(report.tests?.map(({ passed, codes }) => [passed, ...codes])).toEqual([
    [true],
    [false, 'VP6301'],
    [false, 'VP6301'],
    [false, 'VP6302'],
    [false, 'VP6303'],
    [false, 'VP6304'],
  ]);
  expect(report.tests?.[2]?.trace.at(-1)?.reason).toMatchObject({ errno: 'EACCES' });
  expect(report.diagnostics.some(({ kernel }) => kernel?.errno === 'EACCES')).toBe(true);
  expect(report.coverage).toMatchObject({ statements: 4, exercised: 2, unused: [], refusals: [] });
  expect(report.coverage?.unrefused.map(({ kind }) => kind)).toEqual(['forbid', 'protect']);
});

test('tests that cannot run, and none at all', async () => {
  const one = 'test "one" on rack-12 { expect machine unchanged }';
  const late = await reportOf(one, { sandboxLimits: { deadlineMs: -1 } });
  expect(late.tests?.map(({ codes }) => codes)).toEqual([['VP6305']]);
  expect((await reportOf('')).tests).toEqual([]);
});

test('what is refused before any test runs has diagnostics, with their fixes, and no tests', async () => {
  const misspelt = await reportOf('test "one" on rack-12 { expect apply dataplan refused VP4101 }');
  expect(misspelt.diagnostics.flatMap(({ fixes }) => fixes)).not.toEqual([]);
  expect(misspelt.tests).toBeUndefined();
  const unknown = await reportOf('', {}, ['--filter', 'nowhere']);
  expect(unknown).toMatchObject({ command: 'test', exitCode: 64 });
  expect(await reportOf('', {}, ['--jobs', 'many'])).toMatchObject({ command: 'test', exitCode: 64 });
});

test('the schema takes nothing that it does not declare', async () => {
  const report = await reportOf('test "one" on rack-12 { expect machine unchanged }');
  const [first] = report.tests ?? [];
  for (const wrong of [
    { ...report, more: 1 },
    { ...report, version: 2 },
    { ...report, tests: [{ ...first, passed: 'yes' }] },
    { ...report, tests: [{ ...first, codes: ['VP1'] }] },
    { ...report, tests: [{ ...first, line: 0 }] },
  ])
    expect(validate(wrong)).toBe(false);
});

test('the generated type is that of the schema', () => {
  expectTypeOf<TestReport>().toEqualTypeOf<Frozen<z.infer<typeof testReportSchema>>>();
});
