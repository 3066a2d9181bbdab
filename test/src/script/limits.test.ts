import { describe, expect, test } from 'vitest';
import { directoryMark, dropInPath, ownMark, ownPaths } from '../../../src/machine/configuration.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { checkPolicy, codesOf, planPolicy } from '../../checked.ts';
import { type MachineWords, usualConfiguration } from '../../machines.ts';
import { type Configuration, configurationAfter } from './configuration-after.ts';

/** `limit` as files: what they say, and that they come and go with the statement. */

const nic = { id: '8086:1572', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
const words = (configuration: Snapshot['configuration'] | null = usualConfiguration): MachineWords => ({
  functions: [
    { ...nic, at: '03:00.0', group: 7 },
    { ...nic, at: '04:00.0', group: 8 },
  ],
  users: [
    { name: 'dpdk', uid: 1000 },
    { name: 'spdk', uid: 1001 },
  ],
  replace: configuration === null ? {} : { configuration },
});

const limits = ownPaths.limits;
const dropIn = dropInPath('vpp.service');

function policy(...statements: readonly string[]): string {
  return `device a { at 03:00.0 } device b { at 04:00.0 } policy p { bind a to vfio-pci bind b to vfio-pci
  ${statements.join('\n')} }`;
}

/** The files that a plan writes, by path. */
function written(text: string, machine = words()): Readonly<Record<string, string>> {
  const { steps } = planPolicy(text, machine);
  return Object.fromEntries(
    steps.flatMap(({ operation }) =>
      operation.op === 'config.write' ? [[operation.path, operation.text]] : [],
    ),
  );
}

function ops(text: string, machine = words()): readonly string[] {
  return planPolicy(text, machine).steps.flatMap(({ operation }) =>
    operation.op.startsWith('config.') && 'path' in operation ? [`${operation.op} ${operation.path}`] : [],
  );
}

describe('the files', () => {
  test('users and groups stand in one, in KiB; a service has its own, in bytes', () => {
    const text = policy(
      'allow user dpdk to use a via group',
      'allow group kvm to use b via group',
      'allow service vpp to use b via group',
      'limit user dpdk to 4 GiB locked memory',
      'limit group kvm to 3 KiB locked memory',
      'limit service vpp to 1 GiB locked memory',
    );
    expect(written(text)).toEqual({
      [limits]: `${ownMark}\n@kvm - memlock 3\ndpdk - memlock 4194304\n`,
      [dropIn]: `${ownMark}\n${directoryMark}\n[Service]\nLimitMEMLOCK=1073741824\n`,
    });
  });

  test('a pattern stands for those whom it covers and who are allowed; one that names them comes before', () => {
    const text = policy(
      'allow user dpdk to use a via group',
      'allow user spdk to use b via group',
      'limit user *pdk to 4 GiB locked memory',
    );
    expect(written(text)[limits]).toBe(`${ownMark}\ndpdk - memlock 4194304\nspdk - memlock 4194304\n`);
  });

  test('a unit is named as it is', () => {
    const text = policy(
      'allow service "vpp.service" to use b via group',
      'limit service "vpp.service" to 1 GiB locked memory',
    );
    expect(Object.keys(written(text))).toEqual([dropIn]);
  });

  test.each([
    ['user "a b"', '/etc/security/limits.d'],
    ['user "*"', 'anybody'],
    ['service "../../../cron.d/x"', 'a path'],
    ['service "a\\nb"', 'two lines'],
  ])('no name of %s becomes a line or a path', (who) => {
    const checking = checkPolicy(
      policy(`allow ${who} to use a via group`, `limit ${who} to 1 GiB locked memory`),
      {
        ...words(),
        users: [{ name: 'a b', uid: 5 }],
      },
    );
    const script = checking.hosts[0]?.checked?.script.steps ?? [];
    expect(script.filter(({ op }) => op.op.startsWith('config.'))).toEqual([]);
    expect(codesOf(checking)).not.toEqual([]);
  });
});

describe('what stands there already', () => {
  const one = policy('allow user dpdk to use a via group', 'limit user dpdk to 4 GiB locked memory');
  const both = policy(
    'allow user dpdk to use a via group',
    'allow service vpp to use b via group',
    'limit user dpdk to 4 GiB locked memory',
    'limit service vpp to 1 GiB locked memory',
  );

  function applied(text: string, before: Configuration = usualConfiguration): Configuration {
    return configurationAfter(planPolicy(text, words(before)), before);
  }

  test.each([one, both])('the same policy a second time plans nothing', (text) => {
    expect(planPolicy(text, words(applied(text))).steps.map(({ sentence }) => sentence)).toEqual(
      planPolicy(text, words())
        .steps.filter(({ operation }) => !operation.op.startsWith('config.'))
        .map(({ sentence }) => sentence),
    );
  });

  test('what is wanted no more goes, with the directory that was made for it', () => {
    expect(ops(one, words(applied(both)))).toEqual([
      `config.remove ${dropIn}`,
      'config.remove_directory /etc/systemd/system/vpp.service.d',
    ]);
    expect(applied(policy('allow user dpdk to use a via group'), applied(both))).toEqual(usualConfiguration);
  });

  test('a directory that was there, or that somebody else uses by now, stays', () => {
    const directory = { path: '/etc/systemd/system/vpp.service.d', others: true };
    const there = { ...usualConfiguration, directories: [...usualConfiguration.directories, directory] };
    expect(written(both, words(there))[dropIn]).not.toContain(directoryMark);
    expect(applied(one, applied(both, there))).toEqual({ ...applied(one, there) });
    const shared = applied(both);
    const used = shared.directories.map((each) => (each.path === directory.path ? directory : each));
    expect(ops(one, words({ ...shared, directories: used }))).toEqual([`config.remove ${dropIn}`]);
  });

  test('a file of ours is replaced, and the undo has its text', () => {
    const files = [{ path: limits, text: `${ownMark}\ndpdk - memlock 1\n` }];
    const { steps } = planPolicy(one, words({ ...usualConfiguration, files }));
    expect(steps.at(-1)).toMatchObject({
      before: { [limits]: `${ownMark}\ndpdk - memlock 1` },
      undo: { operation: { op: 'config.write', path: limits, text: `${ownMark}\ndpdk - memlock 1\n` } },
    });
  });

  test("somebody else's file is not touched: the policy is refused, or the file is not asked for", () => {
    const files = [{ path: limits, text: 'dpdk - memlock 1\n' }];
    const machine = words({ ...usualConfiguration, files });
    expect(codesOf(checkPolicy(one, machine))).toEqual(['VP3137']);
    expect(ops(policy('allow user dpdk to use a via group'), machine)).toEqual([]);
  });
});

describe('what is not known, or cannot be', () => {
  const text = policy('allow user dpdk to use a via group', 'limit user dpdk to 4 GiB locked memory');
  const needs = (configuration: Snapshot['configuration']) =>
    planPolicy(text, words(configuration)).preconditions.map(({ fact, expects }) => [fact, expects]);

  test('nothing is overwritten that a snapshot does not tell', () => {
    expect(needs({ unknown: 'not read' })).toEqual([
      ['/configuration//etc/security/limits.d', ['directory']],
      [`/configuration/${limits}`, [null]],
    ]);
  });

  test('a file whose text cannot be read gives no step', () => {
    const configuration = { ...usualConfiguration, files: [{ path: limits, text: { unknown: 'EIO' } }] };
    expect(needs(configuration)).toEqual([[`/configuration/${limits}`, undefined]]);
    expect(ops(text, words(configuration))).toEqual([]);
  });

  test.each([
    [{ ...usualConfiguration, readOnly: true }, 'takes no changes'],
    [{ ...usualConfiguration, directories: [] }, 'there is no /etc/security'],
  ])('where no file helps, it is told', (configuration, cause) => {
    const plan = planPolicy(text, words(configuration));
    expect(plan.declared.map(({ sentence }) => sentence)).toEqual([expect.stringContaining(cause)]);
    expect(codesOf(checkPolicy(text, words(configuration)))).toEqual(['VP3133']);
    expect(ops(text, words(configuration))).toEqual([]);
  });

  test('a directory that is missing below one that is there is made', () => {
    const directories = [{ path: '/etc/security', others: true }];
    const made = [`config.make_directory /etc/security/limits.d`, `config.write ${limits}`];
    const machine = words({ ...usualConfiguration, directories });
    expect(ops(text, machine)).toEqual(made);
    expect(written(text, machine)[limits]).toContain(directoryMark);
  });
});
