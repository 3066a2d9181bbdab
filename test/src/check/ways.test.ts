import { describe, expect, test } from 'vitest';
import { checkPolicy, codesOf, planPolicy } from '../../checked.ts';
import { type MachineWords, withIommufd } from '../../machines.ts';

/** The ways by which a device is used: groups, iommufd, and the safest of them. */

const a = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', group: 12 } as const;
const b = { ...a, at: '04:00.0', group: 13 };
const modern: MachineWords = {
  functions: [a, b],
  // Another vfioX is taken.
  replace: { ...withIommufd, vfioDevices: [{ index: 0, function: null }] },
  users: [
    { name: 'dpdk', uid: 1000 },
    { name: 'spdk', uid: 1002 },
  ],
};
const text = (...allows: readonly string[]) =>
  `device a { at 03:00.0 } device b { at 04:00.0 }
   policy p { bind a to vfio-pci bind b to vfio-pci ${allows.join(' ')} }`;
const owned = (policy: string, words: MachineWords = modern) =>
  planPolicy(policy, words).steps.flatMap(({ operation, sentence }) =>
    operation.op === 'node.own' ? [sentence] : [],
  );

describe('via iommufd', () => {
  test("gives the function's own node and /dev/iommu, and the plan says so", () => {
    const plan = planPolicy(text('allow user dpdk to use a via iommufd'), modern);
    expect(plan.steps.slice(-2).map(({ sentence }) => sentence)).toEqual([
      'give /dev/iommu to user dpdk (1000:0, mode 0600)',
      'give /dev/vfio/devices/vfio1 to user dpdk (1000:0, mode 0600)',
    ]);
    expect(plan.access).toMatchObject([{ path: 'iommufd', nodes: ['/dev/vfio/devices/vfio1'] }]);
    expect(plan.relies).toHaveProperty('/vfioDevices');
  });

  test('/dev/iommu has the one user and the one group that need it, and is opened for more', () => {
    const both = text('allow user dpdk to use a via iommufd', 'allow group kvm to use b via iommufd');
    expect(owned(both)[0]).toBe('give /dev/iommu to user dpdk and group kvm (1000:36, mode 0660)');
    const two = text('allow user dpdk to use a via iommufd', 'allow user spdk to use b via iommufd');
    expect(owned(two)[0]).toBe('open /dev/iommu to every user, as several need it (mode 0666)');
  });

  test('two users of one function are a conflict, one by its group and one by its node are not', () => {
    const [dpdk, spdk] = ['allow user dpdk to use a via iommufd', 'allow user spdk to use a via iommufd'];
    expect(codesOf(checkPolicy(text(dpdk, spdk), modern))).toEqual(['VP3116']);
    const other = 'allow user spdk to use a via group';
    expect(codesOf(checkPolicy(text(dpdk, other), modern))).toEqual([]);
  });

  test('no function without an IOMMU group is used so', () => {
    const host = 'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } } ';
    const words: MachineWords = {
      ...modern,
      iommu: 'none',
      functions: [
        { ...a, group: null },
        { ...b, group: null },
      ],
    };
    const policy = `${host}${text('allow user dpdk with CAP_SYS_RAWIO to use a via iommufd')}`;
    expect(codesOf(checkPolicy(policy, words))).toEqual(['VP3120']);
  });

  test('a kernel that was built without it is refused, one that does not tell has to show it', () => {
    const policy = text('allow user dpdk to use a via iommufd');
    const without: MachineWords = { ...modern, options: { IOMMUFD: 'n', VFIO_DEVICE_CDEV: 'n' } };
    expect(codesOf(checkPolicy(policy, without))).toEqual(['VP4108']);
    const untold: MachineWords = { ...modern, options: { VFIO_DEVICE_CDEV: { unknown: 'not read' } } };
    const facts = checkPolicy(policy, untold).hosts[0]?.checked?.script.preconditions.map(({ fact }) => fact);
    expect(facts).toContain('/kernel/options/VFIO_DEVICE_CDEV');
  });

  test('where nobody tells which vfioX is taken, no node is given away by a guess', () => {
    const { vfioDevices: _, ...replace } = modern.replace ?? {};
    const { hosts } = checkPolicy(text('allow user dpdk to use a via iommufd'), { ...modern, replace });
    const script = hosts[0]?.checked?.script;
    expect(script?.preconditions.map(({ fact, expects }) => [fact, expects])).toEqual([
      ['/vfioDevices', undefined],
    ]);
    expect(script?.steps.filter(({ op }) => op.op === 'node.own' && op.path.includes('devices'))).toEqual([]);
  });

  test('what the kernel asks at the first claim is told with its own words', () => {
    const unmapped: MachineWords = { ...modern, interruptRemapping: false };
    const [unsafe] = checkPolicy(text('allow user dpdk to use a via iommufd'), unmapped).diagnostics;
    expect(unsafe).toMatchObject({
      code: 'VP4109',
      kernel: { errno: 'EPERM', citation: 'drivers/iommu/iommufd/device.c iommufd_device_bind (6.12)' },
    });
    const shared: MachineWords = { ...modern, functions: [a, { ...b, group: 12 }] };
    const alone =
      'device a { at 03:00.0 } policy p { bind a to vfio-pci allow user dpdk to use a via iommufd }';
    const [busy] = checkPolicy(alone, shared).diagnostics;
    expect(busy).toMatchObject({
      code: 'VP4101',
      kernel: { step: 'VFIO_DEVICE_BIND_IOMMUFD on 0000:03:00.0', errno: 'EPERM' },
    });
  });

  test('unsafe interrupts are forbidden for both ways', () => {
    const unsafe = { ...withIommufd.modules, iommufd: { parameters: { allow_unsafe_interrupts: 'Y' } } };
    const words = { ...modern, replace: { ...modern.replace, modules: unsafe } };
    expect(codesOf(checkPolicy('policy p { forbid unsafe interrupts }', words))).toEqual(['VP3121']);
  });
});

describe('via any', () => {
  const way = (who: string, words: MachineWords, permit = '') =>
    planPolicy(`${permit}${text(`allow ${who} to use a via any`)}`, words).access.map(({ path }) => path);

  test.each([
    ['user dpdk', 'iommufd'],
    ['group kvm', 'iommufd'],
    ['vm win11', 'group'],
    ['service vpp', 'group'],
    ['container c', 'group'],
  ])('takes for %s the safest that it can use for sure: %s', (who, path) => {
    expect(way(who, modern)).toEqual([path]);
  });

  test('takes groups where the kernel has no iommufd, or tells no numbers', () => {
    expect(way('user dpdk', { ...modern, options: { IOMMUFD: 'n', VFIO_DEVICE_CDEV: 'n' } })).toEqual([
      'group',
    ]);
    expect(way('user dpdk', { functions: [a, b] })).toEqual(['group']);
  });

  test('takes iommufd for everybody where the kernel has no groups', () => {
    expect(way('vm win11', { ...modern, options: { VFIO_GROUP: 'n', VFIO_CONTAINER: 'n' } })).toEqual([
      'iommufd',
    ]);
  });

  test('takes no-IOMMU mode only where nothing else is left', () => {
    const host = 'host testbox { noiommu allowed { owner "a" reason "b" until 2027-01-01 } } ';
    const bare: MachineWords = {
      iommu: 'none',
      functions: [
        { ...a, group: null },
        { ...b, group: null },
      ],
    };
    expect(way('user dpdk with CAP_SYS_RAWIO', bare, host)).toEqual(['noiommu']);
  });

  test('what is taken is what a forbid speaks of', () => {
    const forbid = 'forbid user dpdk to use any device via iommufd';
    expect(codesOf(checkPolicy(text('allow user dpdk to use a via any', forbid), modern))).toEqual([
      'VP3108',
    ]);
    expect(codesOf(checkPolicy(text('allow vm win11 to use a via any', forbid), modern))).toEqual([]);
  });
});

describe('whoever is not allowed cannot', () => {
  const bound = { ...a, driver: 'vfio-pci', driverOverride: 'vfio-pci' };
  const given = (path: string, uid: number, gid: number, mode: number): MachineWords => ({
    ...modern,
    functions: [bound],
    replace: {
      ...modern.replace,
      nodes: [...withIommufd.nodes, { path, uid, gid, mode }],
      vfioDevices: [{ index: 3, function: '0000:03:00.0' }],
    },
  });
  const policy = (allow: string) => `device a { at 03:00.0 } policy p { bind a to vfio-pci ${allow} }`;

  test.each([
    ['/dev/vfio/12', 1002, 0, 0o600, '', 'user spdk could open /dev/vfio/12'],
    ['/dev/vfio/12', 77, 0, 0o600, '', 'uid 77 could open /dev/vfio/12'],
    ['/dev/vfio/12', 0, 36, 0o660, '', 'group kvm could open /dev/vfio/12'],
    ['/dev/vfio/12', 0, 0, 0o666, '', 'anyone could open /dev/vfio/12'],
    ['/dev/vfio/devices/vfio3', 0, 78, 0o660, '', 'gid 78 could open /dev/vfio/devices/vfio3'],
    [
      '/dev/vfio/devices/vfio3',
      1000,
      0,
      0o600,
      'allow user dpdk to use a via group',
      'user dpdk could open /dev/vfio/devices/vfio3',
    ],
  ])('%s of %d:%d, mode %o: %s', (path, uid, gid, mode, allow, message) => {
    const { diagnostics } = checkPolicy(policy(allow), given(path, uid, gid, mode));
    expect(diagnostics.map(({ code }) => code)).toEqual(['VP4197']);
    expect(diagnostics[0]?.message).toContain(message);
  });

  test('what starts a virtual machine hands the node to whom it likes', () => {
    const running = given('/dev/vfio/12', 64055, 64055, 0o600);
    expect(codesOf(checkPolicy(policy('allow vm win11 to use a via group'), running))).toEqual([]);
  });

  test("a node that is given to who is allowed is nobody else's any more", () => {
    const once = given('/dev/vfio/12', 1002, 36, 0o660);
    expect(codesOf(checkPolicy(policy('allow user dpdk to use a via group'), once))).toEqual([]);
  });

  test('a group node is not a way to a sibling that is allowed to nobody', () => {
    const shared: MachineWords = { ...modern, functions: [a, { ...b, group: 12 }] };
    const codes = (...allows: readonly string[]) => codesOf(checkPolicy(text(...allows), shared));
    expect(codes('allow user dpdk to use a via group')).toEqual(['VP3136']);
    expect(codes('allow user dpdk to use a via iommufd')).toEqual([]);
    expect(codes('allow user dpdk to use a via group', 'allow user dpdk to use b via group')).toEqual([]);
    // One node for two: told of each for what it gives along, and not once more for the two owners.
    const two = ['allow user dpdk to use a via group', 'allow vm win to use b via group'] as const;
    expect(codes(...two)).toEqual(['VP3136', 'VP3136']);
    const both = ['user dpdk', 'vm win'].flatMap((who) =>
      ['a', 'b'].map((of) => `allow ${who} to use ${of} via group`),
    );
    expect(codes(...both)).toContain('VP3116');
    const whole =
      'device a { at 03:00.0 } policy p { bind a with its group to vfio-pci allow user dpdk to use a via group }';
    expect(codesOf(checkPolicy(whole, shared))).toEqual([]);
  });
});
