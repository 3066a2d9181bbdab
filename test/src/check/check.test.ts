import { describe, expect, test } from 'vitest';
import { check } from '../../../src/check/check.ts';
import { checkPolicy, codesOf } from '../../checked.ts';
import { type MachineWords, machine } from '../../machines.ts';

const shared: MachineWords = {
  functions: [
    { at: '07:00.0', id: '10de:2684', class: 'gpu', driver: 'nouveau', group: 17 },
    { at: '07:00.1', id: '10de:22ba', class: 'audio', driver: 'snd_hda_intel', group: 17 },
  ],
};
const gpu = 'device gpu { at 07:00.0 }\n';

describe('one wrong thing gives one message', () => {
  test('a group that is not viable: not also the step and the access that fail by it', () => {
    const result = checkPolicy(
      `${gpu}policy p { bind gpu to vfio-pci allow user dpdk to use gpu via group }`,
      shared,
    );
    expect(codesOf(result)).toEqual(['VP4101']);
  });

  test('no permission for no-IOMMU mode: not also the bind that fails by it', () => {
    const words: MachineWords = {
      iommu: 'none',
      functions: [{ at: '07:00.0', id: '10de:2684', class: 'gpu', driver: 'nouveau' }],
    };
    const result = checkPolicy(`${gpu}policy p { bind gpu to vfio-pci }`, words);
    expect(codesOf(result)).toEqual(['VP3113']);
  });

  test('two wrong things give two', () => {
    const words: MachineWords = {
      functions: [
        { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', sriov: { totalVfs: 8, numVfs: 2 } },
        { at: '00:1c.0', id: '8086:a110', class: 'bridge', driver: 'pcieport' },
      ],
    };
    const text =
      'device a { at 03:00.0 } device b { at 00:1c.0 } policy p { bind a to vfio-pci bind b to vfio-pci }';
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP4104', 'VP4103']);
  });

  test('a statement about many functions is one thing wrong', () => {
    const functions = Array.from({ length: 8 }, (_, index) => ({
      at: `0${index}:00.0`,
      id: '8086:10d3',
      class: 'nic',
      driver: 'e1000e',
    }));
    const text = 'devices ports { class network } policy p { bind ports to vfio-pci }';
    const result = checkPolicy(text, { iommu: 'none', functions });
    expect(result.diagnostics.map(({ message }) => message)).toEqual([
      'no IOMMU group for 0000:00:00.0, 0000:01:00.0, 0000:02:00.0 and 5 more, and host `testbox` does not allow no-IOMMU mode',
    ]);
  });
});

test('the whole group is offered only when nothing that the host needs sits in it', () => {
  const text = `${gpu}policy p { bind gpu to vfio-pci }`;
  const fixes = ['insert `with its group`', 'leave `gpu` with its driver'];
  expect(checkPolicy(text, shared).diagnostics[0]?.fixes.map(({ title }) => title)).toEqual(fixes);
  const busy: MachineWords = {
    ...shared,
    disks: [{ name: 'sda', on: '07:00.1', mounts: ['/srv'], signature: 'xfs' }],
  };
  const [refusal] = checkPolicy(text, busy).diagnostics;
  expect(refusal?.code).toBe('VP4101');
  expect(refusal?.fixes.map(({ title }) => title)).toEqual(fixes.slice(1));
  expect(refusal?.causes.join('\n')).toMatch(/sda.*\n?.*\/srv|\/srv/);
});

test('what the host needs is protected without a word, and a statement that says so is named', () => {
  const words: MachineWords = {
    functions: [{ at: '04:00.0', id: '144d:a80a', class: 'nvme', driver: 'nvme' }],
    disks: [{ name: 'nvme0n1', on: '04:00.0', parts: [{ name: 'nvme0n1p1', mounts: ['/'] }] }],
  };
  const text = 'device d { at 04:00.0 }\npolicy p { bind d to vfio-pci }\n';
  const [plain] = checkPolicy(text, words).diagnostics;
  expect([plain?.code, plain?.related.length]).toEqual(['VP3101', 0]);
  const [stated] = checkPolicy(`${text}policy b { protect devices that hold root }`, words).diagnostics;
  expect([stated?.code, stated?.related.length]).toEqual(['VP3101', 1]);
});

describe('what is unknown', () => {
  const words: MachineWords = {
    functions: [
      { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', sriov: { unknown: 'not asked' } },
    ],
  };
  const text = 'device a { at 03:00.0 } policy p { bind a to vfio-pci }';

  test('is a warning and a precondition', () => {
    const result = checkPolicy(text, words);
    expect(result.diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['VP3305 warning']);
    expect(result.hosts[0]?.checked?.script.preconditions).toMatchObject([
      { fact: '/functions/0000:03:00.0/sriov/numVfs', expects: [0, null], unknown: 'not asked' },
    ]);
  });

  test('is an error when strict, and nothing is checked', () => {
    const result = checkPolicy(text, words, { strict: true });
    expect(result.diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['VP3305 error']);
    expect(result.hosts[0]?.checked).toBeUndefined();
  });

  test('of the caches is asked only where the IOMMU may leave them to others', () => {
    const functions = [{ at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' } as const];
    const board: MachineWords = { architecture: 'aarch64', functions };
    const result = checkPolicy(text, board);
    expect(result.diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['VP3304 warning']);
    expect(result.hosts[0]?.checked?.script.preconditions).toMatchObject([
      { fact: '/iommu/coherent', expects: [true] },
    ]);
    for (const words of [{ functions }, { ...board, coherent: true }, { ...board, kernel: '4.19.0' }]) {
      expect(checkPolicy(text, words).diagnostics).toEqual([]);
    }
    const groupless: MachineWords = { ...board, iommu: 'none', replace: {} };
    expect(checkPolicy(text, groupless).diagnostics.map(({ code }) => code)).not.toContain('VP3304');
  });

  test('and decides every step is an error at once: the IOMMU group of a bound function', () => {
    const groupless: MachineWords = {
      functions: [
        { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', group: { unknown: 'not asked' } },
      ],
    };
    const result = checkPolicy(text, groupless);
    expect(result.diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['VP3304 error']);
  });
});

describe('a checked policy', () => {
  const text = 'device a { at 03:00.0 } policy p { bind a to vfio-pci allow user dpdk to use a via group }';
  const words: MachineWords = {
    functions: [{ at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' }],
  };

  test('is there when nothing is an error', () => {
    const { hosts, diagnostics } = checkPolicy(text, words);
    expect(diagnostics).toEqual([]);
    expect(hosts[0]?.checked?.script.steps.map(({ op }) => op.op)).toEqual([
      'driver.unbind',
      'override.write',
      'driver.bind',
      'node.own',
    ]);
  });

  test('is on no host when a file could not be read whole', () => {
    const snapshot = machine(words);
    const sources = [
      { file: 'a.vfio', text },
      { file: 'b.vfio', text: 'policy broken {' },
    ];
    const { hosts, diagnostics } = check({
      sources,
      machines: [{ name: 'x', snapshot }],
      today: '2026-11-22',
    });
    expect(diagnostics.map(({ code, place }) => `${place.file} ${code}`)).toEqual(['b.vfio VP1003']);
    expect(hosts[0]?.checked).toBeUndefined();
  });

  test('is there for the other hosts when one is refused', () => {
    const machines = [
      { name: 'good', snapshot: machine(words) },
      { name: 'bad', snapshot: machine({ ...words, iommu: 'none', hostname: 'bad' }) },
    ];
    const { hosts } = check({ sources: [{ file: 'a.vfio', text }], machines, today: '2026-11-22' });
    expect(hosts.map(({ host, checked }) => `${host} ${checked !== undefined}`)).toEqual([
      'testbox true',
      'bad false',
    ]);
  });
});

describe('access', () => {
  const words: MachineWords = {
    iommu: 'none',
    functions: [{ at: '03:00.0', id: '8086:10d3', class: 'nic', driver: 'e1000e' }],
    users: [
      { name: 'spdk', uid: 1002, capabilities: ['CAP_SYS_RAWIO'] },
      { name: 'dpdk', uid: 1000 },
    ],
  };
  const host =
    'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } }\ndevice a { at 03:00.0 }\n';
  const allow = (who: string) => `${host}policy p { bind a to vfio-pci allow ${who} to use a via noiommu }`;

  test.each([
    ['user spdk', []],
    ['user dpdk', ['VP4106']],
    ['user dpdk with CAP_SYS_RAWIO', []],
    ['vm win', ['VP3115']],
    ['service vpp', ['VP3124', 'VP4106']],
    ['service vpp with CAP_SYS_RAWIO', ['VP3124']],
  ])('%s', (who, codes) => {
    expect(codesOf(checkPolicy(allow(who), words))).toEqual(codes);
  });

  test.each([
    ['forbid user mallory to use any device via any', 'allow group kvm'],
    ['forbid group kvm to use any device via any', 'allow user mallory'],
  ])('%s and %s', (forbid, allowed) => {
    const port = { at: '03:00.0', id: '8086:10d3', class: 'nic', driver: 'e1000e' };
    const member: MachineWords = {
      functions: [port],
      users: [{ name: 'mallory', uid: 1001, groups: ['kvm'] }],
    };
    const text = `device a { at 03:00.0 } policy p { bind a to vfio-pci ${allowed} to use a via group ${forbid} }`;
    expect(codesOf(checkPolicy(text, member))).toEqual(['VP3108']);
    const stranger: MachineWords = { functions: [port], users: [{ name: 'mallory', uid: 1001, groups: [] }] };
    expect(codesOf(checkPolicy(text, stranger))).toEqual([]);
    const untold: MachineWords = { functions: [port], replace: { users: { unknown: 'not asked' } } };
    expect(codesOf(checkPolicy(text, untold))).toContain('VP3306');
  });

  test('a node that stands open is found, even if nobody is allowed it', () => {
    const nodes = [{ path: '/dev/vfio/12', uid: 0, gid: 0, mode: 0o666 }];
    const open: MachineWords = {
      functions: [{ at: '03:00.0', id: '8086:10d3', class: 'nic', driver: 'vfio-pci', group: 12 }],
      replace: { nodes },
    };
    const text = 'device a { at 03:00.0 } policy p { bind a to vfio-pci }';
    expect(codesOf(checkPolicy(text, open))).toEqual(['VP4197']);
  });

  test('a kernel without type1 is refused by the model, with the call, the errno and the citation', () => {
    const text = 'device a { at 03:00.0 } policy p { bind a to vfio-pci allow user dpdk to use a via group }';
    const without: MachineWords = { ...words, iommu: 'intel', options: { VFIO_IOMMU_TYPE1: 'n' } };
    const [refusal] = checkPolicy(text, without).diagnostics;
    expect(refusal?.code).toBe('VP4198');
    expect(refusal?.kernel).toMatchObject({ step: 'VFIO_SET_IOMMU', errno: 'ENODEV' });
    expect(refusal?.kernel?.citation).toMatch(/container\.c/);
  });
});

test('a policy without anything to say is clean', () => {
  expect(checkPolicy('', shared)).toMatchObject({ diagnostics: [] });
});
