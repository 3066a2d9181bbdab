import { describe, expect, test } from 'vitest';
import { checkPolicy, codesOf, planPolicy } from '../../checked.ts';
import type { MachineWords } from '../../machines.ts';

/** What a policy says shall be beside `bind` and `allow`: what is required, created, limited, kept and claimed. */

describe('what is required', () => {
  const words: MachineWords = {
    functions: [
      { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', resetMethods: ['pm'], numaNode: 1 },
      { at: '04:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', resetMethods: [], numaNode: -1 },
    ],
  };
  const text = (...statements: readonly string[]) =>
    `device a { at 03:00.0 } device b { at 04:00.0 } policy p { protect b require a isolated ${statements.join(' ')} }`;

  test.each([
    ['require a resets by flr, pm', []],
    ['require a resets by flr', ['VP3128']],
    ['require b resets by flr', ['VP3128']],
    ['require a numa 0, 1', []],
    ['require a numa 0', ['VP3129']],
    ['require b numa 0, 1', ['VP3129']],
    ['require a never bound to vfio', []],
    ['require a never bound to i40e', ['VP3130']],
    ['require a never bound to default', ['VP3130']],
    ['require a never bound to none', []],
  ])('%s, of the machine as it is', (statement, codes) => {
    expect(codesOf(checkPolicy(text(statement), words))).toEqual(codes);
  });

  test.each([
    ['require a never bound to vfio', ['VP3130']],
    ['require a never bound to vfio-pci', ['VP3130']],
    ['require a never bound to i40e', []],
    ['require a never bound to none', ['VP3130']],
    ['require b never bound to vfio', []],
  ])('%s, on the way of a plan that binds it to vfio-pci', (statement, codes) => {
    const { diagnostics } = checkPolicy(text('bind a to vfio-pci', statement), words);
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
    if (codes.length > 0) expect(diagnostics[0]?.related[0]?.message).toMatch(/wants the step/);
  });

  test('what the snapshot does not tell has to be seen first', () => {
    const dark = { unknown: 'not read' };
    const functions = [
      { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', resetMethods: dark, numaNode: dark },
      { at: '04:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' },
    ];
    const statements = text('require a resets by flr', 'require a numa 0');
    const { hosts } = checkPolicy(statements, { functions });
    expect(hosts[0]?.checked?.script.preconditions.map(({ fact, expects }) => [fact, expects])).toEqual([
      ['/functions/0000:03:00.0/resetMethods', undefined],
      ['/functions/0000:03:00.0/numaNode', [0]],
    ]);
  });
});

describe('virtual functions that a policy creates', () => {
  const routing = { offset: 128, stride: 2, device: '10ca' };
  const port = (more: object) => ({ at: '03:00.0', id: '8086:10c9', class: 'nic', driver: 'igb', ...more });
  const able = port({ sriov: { totalVfs: 7, numVfs: 0, routing } });
  const text = (create = 'create 2 virtual functions on pf', rest = '') =>
    `device pf { at 03:00.0 } devices vfs { virtual functions of pf }
     policy p { ${create} bind vfs to vfio-pci allow user dpdk to use vfs via group ${rest} }`;
  const first = (functions: MachineWords['functions'], policy = text()) =>
    codesOf(checkPolicy(policy, { functions: functions ?? [] }));

  test('are chosen, bound without a driver of the host in between, and given away', () => {
    const plan = planPolicy(text(), { functions: [able] });
    expect(plan.steps.map(({ sentence }) => sentence)).toEqual([
      'let no driver take virtual functions of 0000:03:00.0 (pf) by itself',
      'create 2 virtual functions on 0000:03:00.0 (pf)',
      'let drivers take virtual functions of 0000:03:00.0 (pf) by themselves again',
      'let only vfio-pci bind 0000:03:10.0 (vfs)',
      'bind 0000:03:10.0 (vfs) to vfio-pci',
      'let only vfio-pci bind 0000:03:10.2 (vfs)',
      'bind 0000:03:10.2 (vfs) to vfio-pci',
      'give /dev/vfio/1 to user dpdk (1000:0, mode 0600)',
      'give /dev/vfio/2 to user dpdk (1000:0, mode 0600)',
    ]);
    expect(plan.steps[4]?.identity).toBe('8086:10ca');
    expect(plan.relies['/functions/0000:03:10.0/vendor']).toBe('null');
  });

  test('are there when they are: then nothing is created', () => {
    const vf = (at: string) => ({ at, id: '8086:10ca', class: 'nic', physicalFunction: '0000:03:00.0' });
    const functions = [port({ sriov: { totalVfs: 7, numVfs: 2, routing } }), vf('03:10.0'), vf('03:10.2')];
    const plan = planPolicy(text(), { functions });
    expect(plan.steps.map(({ operation }) => operation.op)).not.toContain('device.sriov_numvfs');
  });

  test('a machine that never asks drivers is left so', () => {
    const quiet = port({ sriov: { totalVfs: 7, numVfs: 0, driversAutoprobe: false, routing } });
    const { steps } = planPolicy(text(), { functions: [quiet] });
    expect(steps[0]?.operation).toMatchObject({ op: 'device.sriov_numvfs', text: '2' });
  });

  test.each([
    ['too many', able, 'create 8 virtual functions on pf', 'VP4111'],
    ['another number', port({ sriov: { totalVfs: 7, numVfs: 1, routing } }), undefined, 'VP4112'],
    ['no routing told', port({ sriov: { totalVfs: 7, numVfs: 0 } }), undefined, 'VP3135'],
    ['no capability', port({ sriov: null }), undefined, 'VP3134'],
    ['no driver', port({ driver: null, sriov: { totalVfs: 7, numVfs: 0, routing } }), undefined, 'VP4113'],
    [
      'a driver that cannot',
      port({ driver: 'e1000e', sriov: { totalVfs: 7, numVfs: 0, routing } }),
      undefined,
      'VP4113',
    ],
    [
      'vfio-pci without enable_sriov',
      port({ driver: 'vfio-pci', sriov: { totalVfs: 7, numVfs: 0, routing } }),
      undefined,
      'VP4113',
    ],
  ])('%s is refused, in one message for the statement', (_, fn, create, code) => {
    const codes = first([fn], text(create));
    expect(codes.filter((each) => each !== 'VP2103')).toEqual([code]);
    if (!code.startsWith('VP4')) return;
    const [refusal] = checkPolicy(text(create), { functions: [fn] }).diagnostics.filter(
      (d) => d.code === code,
    );
    expect(refusal?.kernel?.citation).toContain('sriov_numvfs_store');
  });

  test('two numbers for one function are a conflict', () => {
    const other = 'create 2 virtual functions on pf create 3 virtual functions on pf';
    expect(first([able], text(other))).toEqual(['VP3132']);
    const same = 'create 2 virtual functions on pf create 2 virtual functions on pf';
    expect(first([able], text(same))).toEqual(['VP3126']);
  });

  test('a device that is protected is given none', () => {
    expect(first([able], text(undefined, 'protect pf'))).toEqual(['VP3105']);
  });

  test('none is created on a virtual function, also not when it would come by the same policy', () => {
    const nics = `devices nics { class network } policy p { create 1 virtual functions on nics }`;
    expect(first([able], nics)).toEqual(['VP3134']);
  });

  test('vfio-pci with enable_sriov keeps them for itself at once, and asks their users for its token', () => {
    const replace = {
      modules: {
        vfio: { parameters: { enable_unsafe_noiommu_mode: 'N' } },
        vfio_iommu_type1: { parameters: {} },
        vfio_pci: { parameters: { enable_sriov: 'Y' } },
      },
    };
    const pf = port({
      driver: 'vfio-pci',
      driverOverride: 'vfio-pci',
      sriov: { totalVfs: 7, numVfs: 0, routing },
    });
    const unused = text().replace('allow user dpdk to use vfs via group', '');
    const { steps } = planPolicy(unused, { functions: [pf], replace });
    expect(steps.map(({ operation }) => operation.op)).toEqual([
      'device.sriov_autoprobe',
      'device.sriov_numvfs',
      'device.sriov_autoprobe',
    ]);
    const [refused] = checkPolicy(text(), { functions: [pf], replace }).diagnostics;
    expect(refused).toMatchObject({ code: 'VP4198', kernel: { errno: 'EACCES' } });
  });
});

test('which driver the kernel would choose has to be known where it shall choose', () => {
  const functions = [
    { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'vfio-pci', drivers: { unknown: 'not read' } },
  ];
  const { hosts } = checkPolicy('device a { at 03:00.0 } policy p { bind a to default }', { functions });
  expect(hosts[0]?.checked?.script.preconditions.map(({ fact }) => fact)).toContain(
    '/functions/0000:03:00.0/drivers',
  );
});

describe('wishes that no plan carries out', () => {
  const words: MachineWords = {
    functions: [
      { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' },
      { at: '04:00.0', id: '8086:1573', class: 'nic', driver: 'i40e' },
    ],
    users: [
      { name: 'dpdk', uid: 1000 },
      { name: 'root', uid: 0 },
      { name: 'strong', uid: 1001, capabilities: ['CAP_IPC_LOCK'] },
    ],
  };
  const devices = 'device a { at 03:00.0 } device b { at 04:00.0 }';
  const limited = (who: string, ...limits: readonly string[]) =>
    `${devices} policy p { bind a to vfio-pci protect b allow ${who} to use a via group ${limits.join(' ')} }`;

  test.each([
    ['user dpdk', ['limit user dpdk to 4 GiB locked memory'], []],
    ['user dpdk', ['limit user d* to 4 GiB locked memory'], []],
    ['vm win11', ['limit vm win11 to 4 GiB locked memory'], ['VP3133']],
    ['vm win11', ['limit vm win* to 4 GiB locked memory'], ['VP3133']],
    ['user dpdk', ['limit group dpdk to 4 GiB locked memory'], ['VP3126']],
    ['user dpdk', ['limit user spdk to 4 GiB locked memory'], ['VP3126']],
    ['user dpdk', ['limit user dpdk to 4 GiB locked memory', 'limit user * to 4096 MiB locked memory'], []],
    [
      'user dpdk',
      ['limit user dpdk to 4 GiB locked memory', 'limit user * to 1 GiB locked memory'],
      ['VP3132'],
    ],
    ['user strong', ['limit user strong to 4 GiB locked memory'], ['VP3131']],
    ['user root', ['limit user root to 4 GiB locked memory'], ['VP3131']],
    ['user dpdk with CAP_IPC_LOCK', ['limit user dpdk to 4 GiB locked memory'], ['VP3131']],
  ])('allow %s, %s', (who, limits, codes) => {
    expect(codesOf(checkPolicy(limited(who, ...limits), words))).toEqual(codes);
  });

  test('a limit says nothing where no memory is mapped', () => {
    const host = 'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } }\n';
    const text = `${host}device a { at 03:00.0 } policy p { bind a to vfio-pci
      allow user dpdk with CAP_SYS_RAWIO to use a via noiommu
      limit user dpdk to 4 GiB locked memory }`;
    expect(codesOf(checkPolicy(text, { ...words, iommu: 'none' }))).toEqual(['VP3126']);
  });

  test.each([
    ['persist across boots', 'persist across boots', ['VP3133', 'VP3133']],
    ['persist across boots', 'persist nothing', ['VP3133', 'VP3132']],
    [
      'persist across boots',
      'persist across boots, before drivers',
      ['VP3133', 'VP3132', 'VP3133', 'VP3133'],
    ],
    ['persist nothing', '', []],
  ])('two policies for one device: %s and %s', (first, second, codes) => {
    const text = `${devices} policy p { bind a to vfio-pci ${first} } policy q { bind a to vfio-pci bind b to none ${second} }`;
    const found = codesOf(checkPolicy(text, words)).filter((code) => code !== 'VP3126');
    expect(found).toEqual(codes);
  });

  test('a policy that keeps nothing has nothing to persist', () => {
    const text = `${devices} policy p { protect a protect b persist across boots }`;
    expect(codesOf(checkPolicy(text, words))).toEqual(['VP3126']);
  });
});

describe('the claim that a device does no DMA', () => {
  const words: MachineWords = {
    iommu: 'none',
    functions: [{ at: '03:00.0', id: '8086:10d3', class: 'nic', driver: 'e1000e' }],
    users: [{ name: 'spdk', uid: 1002, capabilities: ['CAP_SYS_RAWIO'] }],
  };
  const host = 'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } }\n';
  const claimed = `${host}device a { at 03:00.0 dma none "fused off" }\n`;
  const use = 'bind a to vfio-pci allow user spdk to use a via noiommu';

  test('isolates it without an IOMMU, and what rests on it is told', () => {
    const unclaimed = `${host}device a { at 03:00.0 }\npolicy p { ${use} require a isolated }`;
    expect(codesOf(checkPolicy(unclaimed, words))).toEqual(['VP3106']);
    const { diagnostics, hosts } = checkPolicy(`${claimed}policy p { ${use} require a isolated }`, words);
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['info VP3127']);
    expect(diagnostics[0]?.related.map(({ message }) => message)).toEqual([
      'its use without an IOMMU is safe only if the claim is true',
      'without an IOMMU it is isolated only if the claim is true',
    ]);
    expect(diagnostics[0]?.causes.join()).toMatch(/fused off.*bus mastering/);
    expect(hosts[0]?.checked).toBeDefined();
  });

  test('permits nothing that is forbidden', () => {
    const forbidden = `${claimed}policy p { ${use} forbid anyone to use any device via noiommu }`;
    expect(codesOf(checkPolicy(forbidden, words))).toContain('VP3108');
    const vm = `${claimed}policy p { bind a to vfio-pci allow vm win to use a via noiommu }`;
    expect(codesOf(checkPolicy(vm, words))).toContain('VP3115');
  });

  test('has no effect where an IOMMU keeps the device in', () => {
    const text = 'device a { at 03:00.0 dma none "fused off" } policy p { bind a to vfio-pci }';
    expect(codesOf(checkPolicy(text, { ...words, iommu: 'intel' }))).toEqual(['VP3126']);
  });
});
