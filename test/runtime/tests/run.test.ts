import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coverageOf } from '../../../runtime/tests/coverage.ts';
import type { TestResult } from '../../../runtime/tests/result.ts';
import { ownMark } from '../../../src/machine/configuration.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { type MachineWords, machine, usualConfiguration } from '../../machines.ts';
import { runAll } from './run-all.ts';

const words = (name: string) =>
  readFileSync(new URL(`../../pages/machines/${name}.json`, import.meta.url), 'utf8');
const server = machine(JSON.parse(words('server')) as MachineWords);

const limits = '/etc/security/limits.d/60-vfioplan.conf';

const policy = `
host server { iommu required }
device uplink { at 0000:03:00.0 }
policy dataplane {
  bind  uplink to vfio-pci
  allow user dpdk to use uplink via group
  limit user dpdk to 64 MiB locked memory
}
policy passthrough { allow vm guest to use uplink via group }
policy law { forbid vm * to use any device }
`;

function text(statements: string, on = 'server'): string {
  return `${policy}test "it" on ${on} { ${statements} }`;
}

async function run(statements: string, on?: string): Promise<TestResult> {
  const sources = [{ file: 'policy.vfio', text: text(statements, on) }];
  const [result, ...others] = await runAll({
    sources,
    machines: [
      { name: 'server', snapshot: server },
      { name: 'other.json', snapshot: server },
    ],
    today: '2026-11-22',
  });
  expect(others).toEqual([]);
  if (result === undefined) throw new Error('the test did not run');
  return result;
}

/** What does not hold, as the text that it stands at. */
async function failure(statements: string, on?: string): Promise<string | undefined> {
  const { passed, diagnostics } = await run(statements, on);
  expect(passed).toBe(diagnostics.length === 0);
  return diagnostics.map(
    ({ code, place: { span } }) => `${code} ${text(statements, on).slice(span.start, span.end)}`,
  )[0];
}

test.each([
  'apply dataplane as user dpdk { open uplink -> ok use uplink via group -> ok map 2 MiB at 0x0 -> ok }',
  'apply dataplane as user dpdk { use uplink via any -> ok }',
  // The limit of the policy is the process's.
  'apply dataplane as user dpdk { use uplink via group -> ok map 48 MiB at 0x0 -> ok map 48 MiB at 0x10000000 -> ENOMEM }',
  'apply dataplane as user dpdk { use uplink via group -> ok map 1 KiB at 0x0 -> EINVAL }',
  // Nothing was used, and there is nothing to map in.
  'apply dataplane as user dpdk { map 1 KiB at 0x0 -> EBADF open uplink -> ok map 2 MiB at 0x0 -> EBADF }',
  'apply dataplane as user mallory { open uplink -> EACCES use uplink via group -> EACCES }',
  'apply dataplane as vm guest { open uplink -> EACCES }',
  'apply dataplane as anyone { open uplink -> EACCES }',
  // The other's container is gone with its process.
  'apply dataplane as user dpdk { use uplink via group -> ok } as user dpdk { use uplink via group -> ok }',
  'as user dpdk { open uplink -> ENOENT } expect uplink bound to default expect machine unchanged',
  'apply dataplane expect uplink bound to vfio-pci expect uplink bound to vfio expect kernel not tainted',
  'apply dataplane apply dataplane expect uplink bound to vfio',
  'apply dataplane when step 1 fails with EBUSY expect machine unchanged',
  'apply dataplane when step 4 fails with ENOENT expect machine unchanged',
  'apply dataplane when killed after step 1 expect machine unchanged',
  'apply dataplane when killed after step 4 expect machine unchanged expect uplink bound to default',
  'apply dataplane apply dataplane when killed after step 2 expect machine unchanged',
  `expect file "${limits}" absent apply dataplane expect file "${limits}" present`,
  `apply dataplane expect file "${limits}" with line "dpdk - memlock 65536", "${ownMark}"`,
  `apply dataplane expect file "${limits}" with text "memlock 6", "dpdk - memlock 65536"`,
  `apply dataplane expect file "${limits}" with text "vfioplan(1).\\ndpdk"`,
  `apply dataplane apply law expect file "${limits}" absent`,
  `apply dataplane when step 5 fails with EROFS expect file "${limits}" absent`,
  `apply dataplane when step 5 fails with ENOENT expect file "${limits}" absent`,
  `apply dataplane when killed after step 5 expect file "${limits}" absent`,
])('holds: %s', async (statements) => {
  expect(await failure(statements)).toBeUndefined();
});

test.each([
  ['apply dataplane as user dpdk { use uplink via group -> EPERM }', 'VP6301 use uplink via group -> EPERM'],
  ['apply dataplane as user dpdk { use uplink via noiommu -> ok }', 'VP6301 use uplink via noiommu -> ok'],
  ['apply dataplane as user mallory { open uplink -> ok }', 'VP6301 open uplink -> ok'],
  ['apply passthrough', 'VP6302 apply passthrough'],
  ['apply dataplane when step 9 fails with EBUSY', 'VP6302 apply dataplane when step 9 fails with EBUSY'],
  ['apply dataplane when killed after step 9', 'VP6302 apply dataplane when killed after step 9'],
  ['apply dataplane expect machine unchanged', 'VP6303 expect machine unchanged'],
  ['apply dataplane expect uplink bound to none', 'VP6303 expect uplink bound to none'],
  ['apply dataplane expect uplink bound to default', 'VP6303 expect uplink bound to default'],
  ['apply dataplane expect kernel tainted', 'VP6303 expect kernel tainted'],
  [`expect file "${limits}" present`, `VP6303 expect file "${limits}" present`],
  [`apply dataplane expect file "${limits}" absent`, `VP6303 expect file "${limits}" absent`],
  // A line is whole, and every one that is named has to be there.
  [
    `apply dataplane expect file "${limits}" with line "dpdk - memlock"`,
    `VP6303 expect file "${limits}" with line "dpdk - memlock"`,
  ],
  [
    `apply dataplane expect file "${limits}" with text "dpdk", "spdk"`,
    `VP6303 expect file "${limits}" with text "dpdk", "spdk"`,
  ],
  [`expect file "${limits}" with text "a"`, `VP6303 expect file "${limits}" with text "a"`],
  ['expect apply dataplane refused VP4101', 'VP6304 expect apply dataplane refused VP4101'],
])('does not hold: %s', async (statements, expected) => {
  expect(await failure(statements)).toBe(expected);
});

test('a line that is misspelt is told with the one that is meant', async () => {
  const wrong = 'dpdk - memlok 65536';
  const statements = `apply dataplane expect file "${limits}" with line "${wrong}"`;
  const [diagnostic] = (await run(statements)).diagnostics;
  expect(diagnostic?.message).toBe(
    `\`${limits}\` shows \`${ownMark}\` and 1 more lines instead of the line \`${wrong}\``,
  );
  expect(diagnostic?.cures[0]).toBe('did you mean `dpdk - memlock 65536`?');
  const [edit] = diagnostic?.fixes[0]?.edits ?? [];
  expect(text(statements).slice(edit?.span.start, edit?.span.end)).toBe(`"${wrong}"`);
  expect(edit?.text).toBe('"dpdk - memlock 65536"');
});

test('of files that the snapshot does not tell nothing is said before a plan has looked', async () => {
  const { configuration: _, ...older } = server;
  const outcome = async (statements: string) => {
    const sources = [{ file: 'policy.vfio', text: text(statements) }];
    const machines = [{ name: 'server', snapshot: older }];
    const [result] = await runAll({ sources, machines, today: '2026-11-22' });
    return result?.diagnostics.map(({ code, message }) => `${code} ${message}`);
  };
  expect(await outcome(`expect file "${limits}" absent`)).toEqual([
    `VP6305 the test "it" cannot run: it is not known whether there is \`${limits}\`: the snapshot does not tell it`,
  ]);
  expect(await outcome(`apply dataplane expect file "${limits}" present`)).toEqual([]);
});

test.each(['fails with EACCES', 'fails with ENOENT'])(
  'a file that is there stays when its removal %s',
  async (fault) => {
    const file = { path: limits, text: `${ownMark}\ndpdk - memlock 1\n` };
    const configuration = { ...usualConfiguration, files: [file] };
    const statements = `apply law when step 1 ${fault} expect file "${limits}" with line "dpdk - memlock 1"
    apply law expect file "${limits}" absent`;
    const sources = [{ file: 'policy.vfio', text: text(statements) }];
    const machines = [{ name: 'server', snapshot: { ...server, configuration } }];
    const [result] = await runAll({ sources, machines, today: '2026-11-22' });
    expect(result?.diagnostics).toEqual([]);
  },
);

test('what other policies forbid holds too', async () => {
  const { passed, trace, refusals } = await run('expect apply passthrough refused VP4101');
  expect({ passed, trace, refusals }).toEqual({ passed: false, trace: [], refusals: [] });
  const codes = (await run('apply passthrough')).diagnostics[0]?.causes.map((cause) => cause.slice(0, 6));
  expect(codes?.length).toBeGreaterThan(0);
  expect(await failure(`expect apply passthrough refused ${codes?.[0]}`)).toBeUndefined();
});

test('a machine by itself stands for the host of the policy', async () => {
  const result = await run('apply dataplane expect uplink bound to vfio', 'snapshot "other.json"');
  expect(result).toMatchObject({ passed: true });
});

test('a machine by itself takes the place of the one that the host has', async () => {
  const bare = { ...server, functions: [] };
  const statements = 'apply dataplane';
  const [result] = await runAll({
    sources: [{ file: 'policy.vfio', text: text(statements, 'snapshot "bare.json"') }],
    machines: [
      { name: 'server', snapshot: server },
      { name: 'bare.json', snapshot: bare },
    ],
    today: '2026-11-22',
  });
  expect(result).toMatchObject({ host: 'server', passed: false, diagnostics: [{ code: 'VP6302' }] });
  expect(result?.diagnostics[0]?.causes).toContainEqual(
    expect.stringMatching(/^VP2101: .*matches no function/),
  );
});

test('a refusal is shown with the guard that answered, and what a fault refused with none', async () => {
  const { trace } = await run(
    'apply dataplane when step 2 fails with EBUSY apply dataplane as user mallory { open uplink -> EACCES }',
  );
  const refused = trace.filter(({ answer }) => answer.startsWith('E'));
  expect(refused.map(({ who, answer, reason }) => [who, answer, reason?.citation])).toEqual([
    ['vfioplan', 'EBUSY, as the test wants it', undefined],
    ['user mallory', 'EACCES', 'fs/namei.c:may_open, inode_permission'],
  ]);
});

test('a kill is shown with what whoever starts next takes back, and so is what an earlier apply left', async () => {
  const { passed, trace } = await run(
    'apply dataplane apply dataplane when killed after step 2 expect machine unchanged',
  );
  expect(passed).toBe(true);
  const killed = trace.findIndex(({ answer }) => answer === 'killed, as the test wants it');
  expect(trace[killed]).toMatchObject({ who: 'vfioplan', what: 'go on after step 2' });
  const [before, after] = [trace.slice(0, killed), trace.slice(killed + 1)];
  expect(after.length).toBeGreaterThanOrEqual(2);
  expect(after.every(({ who, what }) => who === 'vfioplan recover' && what.startsWith('undo '))).toBe(true);
  const reverted = before.filter(({ who }) => who === 'vfioplan revert').map(({ what }) => what);
  expect(reverted.length).toBeGreaterThan(2);
  expect(reverted.every((what) => what.startsWith('undo '))).toBe(true);
});

test('coverage tells wishes that nobody established or used, and laws that refused nothing', async () => {
  const covered = async (statements: string) => {
    const result = await run(statements);
    const { document } = readDocument('policy.vfio', text(statements));
    const { unused, unrefused, statements: all, exercised } = coverageOf([document], [result]);
    expect(all - exercised).toBe(unused.length + unrefused.length);
    return [...unused, ...unrefused].map(({ policy: of, kind }) => `${of} ${kind}`);
  };
  expect(await covered('apply dataplane')).toEqual(['dataplane allow', 'passthrough allow', 'law forbid']);
  expect(await covered('apply dataplane as user dpdk { open uplink -> ok }')).toEqual([
    'passthrough allow',
    'law forbid',
  ]);
  const [code = ''] =
    (await run('apply passthrough')).diagnostics[0]?.causes.map((cause) => cause.slice(0, 6)) ?? [];
  expect(await covered(`expect apply passthrough refused ${code}`)).not.toContain('law forbid');
});
