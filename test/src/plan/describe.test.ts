import { expect, test } from 'vitest';
import { ownMark, ownPaths } from '../../../src/machine/configuration.ts';
import { describePlan } from '../../../src/plan/describe.ts';
import { planPolicy } from '../../checked.ts';
import { machine, usualConfiguration } from '../../machines.ts';
import { planOf } from './policies.ts';

const nic = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'e1000e', drivers: ['e1000e'] } as const;

test('a plan as people read it', () => {
  const plan = planOf({
    snapshot: machine({
      iommu: 'none',
      functions: [{ ...nic, driverOverride: { unknown: 'not reported' } }],
    }),
    bind: { '03:00.0': 'vfio-pci' },
    allow: [['user dpdk', '03:00.0', 'noiommu']],
    noiommu: 'allowed',
  });
  expect(describePlan(plan)).toMatchInlineSnapshot(`
    "testbox: 5 steps, 1 lasting effect, 1 precondition (model of kernel 6.12)

      1  set vfio.enable_unsafe_noiommu_mode to Y
           /sys/module/vfio/parameters/enable_unsafe_noiommu_mode: N -> Y
           undo: set vfio.enable_unsafe_noiommu_mode to N
           wanted by policy.vfio:2:1: bind 03:00.0 to vfio-pci
           wanted by policy.vfio:1:1: noiommu allowed

      2  unbind 0000:03:00.0 (d0000:03:00.0) from e1000e
           /sys/bus/pci/devices/0000:03:00.0/driver: e1000e -> absent
           undo: bind 0000:03:00.0 (d0000:03:00.0) to e1000e
           wanted by policy.vfio:2:1: bind 03:00.0 to vfio-pci

      3  let only vfio-pci bind 0000:03:00.0 (d0000:03:00.0)
           /sys/bus/pci/devices/0000:03:00.0/driver_override: (null) -> vfio-pci
           undo: let any matching driver bind 0000:03:00.0 (d0000:03:00.0) again
           wanted by policy.vfio:2:1: bind 03:00.0 to vfio-pci

      4  bind 0000:03:00.0 (d0000:03:00.0) to vfio-pci
           /dev/vfio/noiommu-0: absent -> 600 0:0
           /proc/sys/kernel/tainted: 0 -> 64
           /sys/bus/pci/devices/0000:03:00.0/driver: absent -> vfio-pci
           /sys/bus/pci/devices/0000:03:00.0/iommu_group: absent -> 0
           /sys/class/vfio/noiommu-0: absent -> directory
           /sys/kernel/iommu_groups/0: absent -> directory
           /sys/kernel/iommu_groups/0/name: absent -> vfio-noiommu
           /sys/kernel/iommu_groups/0/type: absent -> unknown
           undo: unbind 0000:03:00.0 (d0000:03:00.0) from vfio-pci
           cannot be undone: the kernel stays tainted (64 in /proc/sys/kernel/tainted) until the next boot
           wanted by policy.vfio:2:1: bind 03:00.0 to vfio-pci

      5  give /dev/vfio/noiommu-0 to user dpdk (1000:0, mode 0600)
           /dev/vfio/noiommu-0: 600 0:0 -> 600 1000:0
           undo: give /dev/vfio/noiommu-0 to 0:0 with mode 0600
           wanted by policy.vfio:3:1: allow user dpdk to use 03:00.0 via noiommu

    Before applying, the machine must show that
      - 0000:03:00.0 has no driver override (not known: not reported)

    When it is done
      - user dpdk can use d0000:03:00.0 via noiommu (/dev/vfio/noiommu-0); its process must bring CAP_SYS_RAWIO
    "
  `);
});

test('what no step brings about is listed, and said to who is allowed', () => {
  const plan = planPolicy(
    `device a { at 03:00.0 }
policy p {
  bind a to e1000e
  persist across boots, before drivers
  limit vm win11 to 4096 MiB locked memory
}
policy q { bind b to vfio-pci allow vm win11 to use b via group persist nothing }
device b { at 04:00.0 }`,
    { functions: [nic, { ...nic, at: '04:00.0', driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 9 }] },
  );
  expect(plan.declared.map(({ what, sentence, why }) => [what, sentence, why[0]?.line])).toEqual([
    [
      'persist',
      'policy p holds before other drivers come: an initramfs that does not hold these files loads drivers before anybody reads them',
      4,
    ],
    ['limit', 'vm win11 may lock 4 GiB of memory: what starts a virtual machine sets its limits', 5],
  ]);
  expect(plan.access[0]?.needs).toEqual([
    'the nodes, handed over by what starts it',
    'RLIMIT_MEMLOCK of 4 GiB, for what it maps for DMA',
  ]);
  const [, ...said] = describePlan(plan).split('\n\n').slice(-2)[0]?.split('\n') ?? [];
  expect(said).toEqual([
    '  - policy p holds before other drivers come: an initramfs that does not hold these files loads drivers before anybody reads them (policy.vfio:4:3)',
    '  - vm win11 may lock 4 GiB of memory: what starts a virtual machine sets its limits (policy.vfio:5:3)',
  ]);
});

test('of a file the lines are shown that go and come', () => {
  const machineWords = {
    functions: [{ ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 9 }],
    replace: {
      configuration: {
        ...usualConfiguration,
        files: [{ path: ownPaths.limits, text: `${ownMark}\nspdk - memlock 5\n` }],
      },
    },
  };
  const text = `device a { at 03:00.0 }
policy p { bind a to vfio-pci allow group dpdk to use a via group limit group dpdk to 1 GiB locked memory }`;
  const said = describePlan(planPolicy(text, machineWords));
  expect(said.split('\n').filter((line) => /limits\.d|memlock|Written/.test(line))).toEqual([
    `  2  write ${ownPaths.limits}: group dpdk may lock 1 GiB of memory, from the next login on`,
    `       ${ownPaths.limits}: changed`,
    '         - spdk - memlock 5',
    `           ${ownMark}`,
    '         + @dpdk - memlock 1048576',
    `       undo: write ${ownPaths.limits}`,
  ]);
});

test('nothing to do is said in one line', () => {
  const plan = planOf({ snapshot: machine({ functions: [nic] }), bind: { '03:00.0': 'e1000e' } });
  expect(describePlan(plan)).toBe('testbox: nothing is to be done (model of kernel 6.12)\n');
  expect(describePlan(planOf(bound)).split('\n')[0]).toBe('testbox: 4 steps (model of kernel 6.12)');
});

const bound = {
  snapshot: machine({ functions: [nic] }),
  bind: { '03:00.0': 'vfio-pci' },
  allow: [['user dpdk', '03:00.0', 'group']],
} as const;
