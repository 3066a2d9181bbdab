import { describe, expect, test } from 'vitest';
import { ownMark, ownPaths } from '../../../src/machine/configuration.ts';
import { checkPolicy, codesOf, planPolicy } from '../../checked.ts';
import { type MachineWords, usualConfiguration } from '../../machines.ts';
import { configurationAfter } from './configuration-after.ts';

/** `persist` as files: what they say, and that they come and go with the statement. */

const nic = { id: '8086:1572', class: 'nic', driver: 'i40e', drivers: ['i40e'] } as const;
const modules = {
  vfio: { parameters: { enable_unsafe_noiommu_mode: 'N' } },
  vfio_iommu_type1: { parameters: { allow_unsafe_interrupts: 'N' } },
  vfio_pci: { parameters: {} },
  i40e: { parameters: {} },
  igb: { parameters: {} },
};
const users = [
  { name: 'dpdk', uid: 500 },
  { name: 'spdk', uid: 501 },
  { name: 'alice', uid: 1000 },
];
const words: MachineWords = {
  functions: [
    { ...nic, at: '03:00.0', group: 7 },
    { ...nic, at: '04:00.0', id: '8086:1573', group: 8 },
  ],
  users,
  userGroups: { kvm: 36 },
  replace: { modules },
};
const bare: MachineWords = { ...words, iommu: 'none', functions: [{ ...nic, at: '03:00.0', group: null }] };
const allowed = 'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } }';

function policy(...statements: readonly string[]): string {
  return `device a { at 03:00.0 } policy p { bind a to vfio-pci\n${statements.join('\n')} }`;
}

function written(text: string, machine = words): Readonly<Record<string, string>> {
  const texts = planPolicy(text, machine).steps.flatMap(({ operation }) =>
    operation.op === 'config.write' ? [[operation.path, operation.text.replace(`${ownMark}\n`, '')]] : [],
  );
  return Object.fromEntries(texts);
}

function told(text: string, machine = words): readonly string[] {
  return planPolicy(text, machine).declared.map(({ sentence }) => sentence);
}

/** A function as rules name it. */
const isA = 'SUBSYSTEM=="pci", KERNEL=="0000:03:00.0", ATTR{vendor}=="0x8086", ATTR{device}=="0x1572"';
const bind = `ACTION=="add", ${isA}, DRIVER!="?*", ATTR{driver_override}="vfio-pci", ATTR{[subsystem/pci]drivers_probe}="0000:03:00.0"\n`;
const known = 'ATTR{[pci/0000:03:00.0]vendor}=="0x8086", ATTR{[pci/0000:03:00.0]device}=="0x1572"';

describe('the files', () => {
  test('a module for the boot, and a rule for the function', () => {
    expect(written(policy('persist across boots'))).toEqual({
      [ownPaths.modules]: 'vfio-pci\n',
      [ownPaths.rules]: bind,
    });
    expect(told(policy('persist across boots'))).toEqual([]);
  });

  test('before drivers: theirs are loaded behind, and the initramfs is told of', () => {
    const text = policy('persist across boots, before drivers');
    expect(written(text)[ownPaths.options]).toBe('softdep i40e pre: vfio-pci\n');
    expect(told(text)).toEqual([
      expect.stringMatching(/^policy p holds before other drivers come: an initramfs/),
    ]);
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP3133']);
  });

  test.each([
    ['nothing is said', ''],
    ['nothing shall persist', 'persist nothing'],
  ])('none where %s', (_, statement) => {
    expect(written(policy(statement))).toEqual({});
  });

  test('only of the policies that say so', () => {
    const text = `device a { at 03:00.0 } device b { at 04:00.0 }
      policy p { bind a to vfio-pci persist across boots }
      policy q { bind b to vfio-pci allow user dpdk to use a via group }`;
    expect(written(text)[ownPaths.rules]).toBe(bind);
  });

  test.each([
    ['user dpdk', 'group', 'OWNER="500", GROUP="0", MODE="0600"'],
    ['group kvm', 'group', 'OWNER="0", GROUP="36", MODE="0660"'],
  ])('a VFIO group of %s is known by its function, whatever its number', (who, via, owner) => {
    const text = policy(`allow ${who} to use a via ${via}`, 'persist across boots');
    expect(written(text)[ownPaths.rules]).toBe(
      `${bind}ACTION=="add", SUBSYSTEM=="vfio", KERNEL=="[0-9]*", TEST=="/sys/kernel/iommu_groups/%k/devices/0000:03:00.0", ${known}, ${owner}\n`,
    );
  });

  test("a device's own node, and /dev/iommu", () => {
    const text = policy('allow user dpdk to use a via iommufd', 'persist across boots');
    const machine = {
      ...words,
      replace: {
        modules: { ...modules, iommufd: { parameters: {} } },
        vfioDevices: [],
        nodes: [{ path: '/dev/iommu', uid: 0, gid: 0, mode: 0o660 }],
      },
    };
    expect(written(text, machine)[ownPaths.rules]).toBe(
      `${bind}ACTION=="add", SUBSYSTEM=="misc", KERNEL=="iommu", OWNER="500", GROUP="0", MODE="0600"\nACTION=="add", SUBSYSTEM=="vfio-dev", SUBSYSTEMS=="pci", KERNELS=="0000:03:00.0", ATTRS{vendor}=="0x8086", ATTRS{device}=="0x1572", OWNER="500", GROUP="0", MODE="0600"\n`,
    );
  });

  test('without an IOMMU: the switch, the fake group, and that no file knows the date', () => {
    const text = `${allowed}\n${policy('allow user dpdk with CAP_SYS_RAWIO to use a via noiommu', 'persist across boots')}`;
    expect(written(text, bare)).toEqual({
      [ownPaths.modules]: 'vfio-pci\n',
      [ownPaths.options]: 'options vfio enable_unsafe_noiommu_mode=1\n',
      [ownPaths.rules]: `${bind}ACTION=="add", SUBSYSTEM=="vfio", KERNEL=="noiommu-*", TEST=="/sys/kernel/iommu_groups/%n/devices/0000:03:00.0", ${known}, OWNER="500", GROUP="0", MODE="0600"\n`,
    });
    expect(told(text, bare)).toEqual([
      'no-IOMMU mode is off at boots after 2027-01-01: no file that a boot reads knows the date',
    ]);
  });

  test('virtual functions: made by their physical one, and taken by their own rules', () => {
    const machine: MachineWords = {
      ...words,
      functions: [
        {
          ...{ at: '07:00.0', id: '8086:10c9', class: 'nic', driver: 'igb', drivers: ['igb'] },
          sriov: { totalVfs: 7, numVfs: 0, routing: { offset: 128, stride: 2, device: '10ca' } },
        },
      ],
    };
    const text = `device pf { at 07:00.0 } device vf { virtual functions 0 of pf }
      policy p { create 1 virtual functions on pf bind vf to vfio-pci persist across boots }`;
    const lines = written(text, machine)[ownPaths.rules]?.split('\n');
    expect(lines).toEqual([
      'ACTION=="add|bind", SUBSYSTEM=="pci", KERNEL=="0000:07:00.0", ATTR{vendor}=="0x8086", ATTR{device}=="0x10c9", DRIVER=="igb", ATTR{sriov_numvfs}=="0", ATTR{sriov_drivers_autoprobe}="0", ATTR{sriov_numvfs}="1", ATTR{sriov_drivers_autoprobe}="1"',
      'ACTION=="add", SUBSYSTEM=="pci", KERNEL=="0000:07:10.0", ATTR{vendor}=="0x8086", ATTR{device}=="0x10ca", DRIVER!="?*", ATTR{driver_override}="vfio-pci", ATTR{[subsystem/pci]drivers_probe}="0000:07:10.0"',
      '',
    ]);
  });
});

describe('what no file brings about is told', () => {
  test('a driver in the kernel comes before udev', () => {
    const { i40e: _, ...others } = modules;
    const text = policy('persist across boots');
    expect(told(text, { ...words, replace: { modules: others } })).toEqual([
      '0000:03:00.0 is bound to vfio-pci after a boot: i40e is in the kernel and takes it before udev reads a rule',
    ]);
  });

  test('a function that shall have no driver', () => {
    const text = 'device a { at 03:00.0 } policy p { bind a to none persist across boots }';
    expect(told(text)).toEqual(['0000:03:00.0 has no driver after a boot: i40e takes it again']);
    expect(written(text)).toEqual({});
  });

  test('what the kernel chooses by itself needs no file', () => {
    const text = 'device a { at 03:00.0 } policy p { bind a to default persist across boots }';
    expect([told(text), written(text)]).toEqual([[], {}]);
  });

  test('a user who is none of the system', () => {
    const text = policy('allow user alice to use a via group', 'persist across boots');
    expect(told(text)).toEqual([
      expect.stringMatching(/^user alice has its nodes after a boot: its number 1000/),
    ]);
  });

  test('a card of the same kind that stays with the host, in whose slot it might stand', () => {
    const machine = {
      ...words,
      functions: ['03:00.0', '04:00.0', '05:00.0'].map((at, group) => ({ ...nic, at, group })),
    };
    expect(told(policy('persist across boots'), machine)).toEqual([
      'a boot knows 0000:03:00.0 from 0000:04:00.0 by more than its slot: both are 8086:1572, and udev sees no serial number of a card',
    ]);
    const all = 'devices d { id 8086:1572 count 3 } policy p { bind d to vfio-pci persist across boots }';
    expect(told(all, machine)).toEqual([]);
  });

  test('a machine without udev', () => {
    const directories = usualConfiguration.directories.filter(({ path }) => !path.startsWith('/etc/udev'));
    const machine = { ...words, replace: { modules, configuration: { ...usualConfiguration, directories } } };
    const text = policy('persist across boots');
    expect(Object.keys(written(text, machine))).toEqual([ownPaths.modules]);
    expect(told(text, machine)).toEqual([expect.stringMatching(/there is no \/etc\/udev here/)]);
  });
});

describe('what stands there already', () => {
  const text = policy('allow user dpdk to use a via group', 'persist across boots');
  const bound: MachineWords = {
    ...words,
    functions: [{ ...nic, at: '03:00.0', group: 7, driver: 'vfio-pci', driverOverride: 'vfio-pci' }],
    replace: {
      modules,
      nodes: [
        { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
        { path: '/dev/vfio/7', uid: 500, gid: 0, mode: 0o600 },
      ],
    },
  };
  const kept = configurationAfter(planPolicy(text, bound), usualConfiguration);
  const withKept = (machine: MachineWords): MachineWords => ({
    ...machine,
    replace: { ...machine.replace, configuration: kept },
  });
  const sentences = (its: string, machine: MachineWords) =>
    planPolicy(its, machine).steps.map(({ sentence }) => sentence);

  test('the same policy a second time plans nothing', () => {
    expect(sentences(text, withKept(bound))).toEqual([]);
  });

  test('what persists no more goes; the running machine stays as it is', () => {
    const once = policy('allow user dpdk to use a via group', 'persist nothing');
    expect(sentences(once, withKept(bound))).toEqual([
      `remove ${ownPaths.modules}, which no policy wants any more`,
      `remove ${ownPaths.rules}, which no policy wants any more`,
    ]);
  });

  test('udev does not answer to what a plan does: its rules go first and come back last', () => {
    const steps = sentences(text, withKept(words));
    expect(steps[0]).toBe(`remove ${ownPaths.rules}, so that udev leaves what follows alone`);
    expect(steps.at(-1)).toMatch(new RegExp(`^write ${ownPaths.rules}: `));
    expect(steps.length).toBe(sentences(text, words).length);
  });
});
