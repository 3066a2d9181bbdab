import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { inFolder, vfioplan } from './world.ts';

const machine = fileURLToPath(
  new URL('../../../examples/04-shared-group-on-a-server/machine.json', import.meta.url),
);

const policy = `host rack-12 { snapshot "${machine}" }
device dataport on rack-12 { at 0000:81:00.1 }
policy dataplane on rack-12 {
  bind dataport to vfio-pci
  allow user vpp to use dataport via group
}
test "the owner gets in" on rack-12 {
  apply dataplane
  as user vpp { use dataport via group -> ok }
}
test "<a stranger> gets in" on rack-12 {
  apply dataplane
  as user nobody { open dataport -> ok }
}
test "by itself" on snapshot "${machine}" { expect machine unchanged }
`;

function withPolicy<T>(use: (file: string, folder: string) => Promise<T>, text = policy): Promise<T> {
  return inFolder((folder) => {
    const file = join(folder, 'policy.vfio');
    writeFileSync(file, text);
    return use(file, folder);
  });
}

test('says which tests hold, shows those that do not with the guard, and exits with 1', () =>
  withPolicy(async (file) => {
    const { code, out, err } = await vfioplan(['test', file, '--coverage']);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^ok {6}the owner gets in \(rack-12\)\nFAILED {2}<a stranger> gets in \(rack-12\)\n {4}1 {2}vfioplan: /,
    );
    expect(out).toContain('user nobody: open path=/dev/vfio/');
    expect(out).toContain('inode_permission)\n');
    expect(out).toContain(
      `\n  end  ${file}:13:20: VP6301: \`open\` was answered with EACCES, and not with ok\n`,
    );
    expect(out).toMatch(/\n3 tests: 1 failed\n2 of 2 statements exercised\n$/);
    expect(err).toContain('VP6301');
  }));

test('a filter chooses by name, and one that fits none is a mistake', () =>
  withPolicy(async (file, folder) => {
    const { code, out, err } = await vfioplan(['test', file, '--filter', 'itself', '--coverage']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^ok {6}by itself \(rack-12\)\n1 test: all passed\n0 of 2 statements exercised\n {2}not exercised: /,
    );
    expect(out).toContain('policy.vfio:4:3 in dataplane: bind dataport to vfio-pci\n');
    expect(await vfioplan(['test', file, '--filter', 'nowhere'])).toMatchObject({ code: 64, out: '' });
    // The host that a test is on, or that its snapshot stands for.
    const elsewhere = 'host other { iommu any }\ntest "there" on other { expect machine unchanged }\n';
    const both = join(folder, 'both.vfio');
    writeFileSync(both, policy + elsewhere);
    const there = await vfioplan(['test', both, '--host', 'other']);
    expect(there.out).toMatch(/^FAILED {2}there \(other\)\n {2}end {2}.*VP6305: .*\n1 test: 1 failed\n/);
  }));

test('JSON has every test with its trace, and JUnit is written beside', () =>
  withPolicy(async (file, folder) => {
    const xml = join(folder, 'results.xml');
    const { code, out } = await vfioplan(['test', file, '--format', 'json', '--junit', xml]);
    const { tests, coverage } = JSON.parse(out);
    expect(code).toBe(1);
    expect(tests).toMatchObject([
      { name: 'the owner gets in', host: 'rack-12', file, line: 7, column: 6, passed: true, codes: [] },
      { passed: false, codes: ['VP6301'] },
      { passed: true, trace: [] },
    ]);
    expect(tests[1].trace.at(-1)).toMatchObject({
      who: 'user nobody',
      answer: 'EACCES',
      reason: { errno: 'EACCES' },
    });
    expect(coverage).toMatchObject({ statements: 2, exercised: 2, unused: [], unrefused: [], refusals: [] });
    const written = readFileSync(xml, 'utf8');
    expect(written).toContain('<testsuites tests="3" failures="1" time="0.000">');
    expect(written).toContain(`<testsuite name="${file}" tests="3" failures="1" time="0.000">`);
    expect(written).toMatch(/<failure [^>]*>[^<]*&#10; {2}end {2}[^<]*VP6301: [^<]*<\/failure>/);
    expect(written).toContain('<testcase name="&lt;a stranger&gt; gets in" classname="rack-12"');
    expect(written.match(/<failure type="VP6301"/g)).toHaveLength(1);
    expect(await vfioplan(['test', file, '--junit', join(folder, 'no/such.xml')])).toMatchObject({ code: 1 });
  }));

test('no tests, wrong words and machines that are not there', async () => {
  const none = await withPolicy((file) => vfioplan(['test', file]), 'host a { iommu any }\n');
  expect(none).toMatchObject({ code: 0, out: 'the policies have no tests\n' });
  const wrong = await withPolicy((file) => vfioplan(['test', file]), 'test "x" on a { aply p }\n');
  expect(wrong).toMatchObject({ code: 1, out: '' });
  const gone = 'test "x" on snapshot "gone.json" { expect machine unchanged }\n';
  const { code, err } = await withPolicy((file) => vfioplan(['test', file]), gone);
  expect(code).toBe(1);
  expect(err).toContain('gone.json');
});
