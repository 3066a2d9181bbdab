import { expect } from 'vitest';
import { type MachineWords, machine } from '../../machines.ts';
import { Life } from './life.ts';

export const nic = { id: '8086:1572', class: 'nic', driver: 'i40e', drivers: ['i40e'] } as const;
const parent = { totalVfs: 4, numVfs: 0, routing: { offset: 16, stride: 2, device: '154c' } };

/** Two cards alone, two in one group, and one with virtual functions; nothing of VFIO is loaded. */
export const words: MachineWords = {
  functions: [
    { ...nic, at: '03:00.0', group: 3 },
    { ...nic, at: '04:00.0', group: 4 },
    { ...nic, at: '05:00.0', group: 5 },
    { ...nic, at: '05:00.1', group: 5 },
    { ...nic, at: '06:00.0', group: 6, sriov: parent },
  ],
  users: [
    { name: 'dpdk', uid: 1000 },
    { name: 'spdk', uid: 1001 },
  ],
  replace: { modules: {}, nodes: [], drivers: ['i40e'], vfioDevices: [] },
};
export const fromStart = { driver: 'vfio-pci', driverOverride: 'vfio-pci' };
export const without: MachineWords = {
  ...words,
  iommu: 'none',
  functions: [
    { ...nic, at: '03:00.0' },
    { ...nic, at: '04:00.0' },
    { ...nic, at: '06:00.0', sriov: parent },
  ],
};

export const names = `
device a { at 0000:03:00.0 }
device b { at 0000:04:00.0 }
`;
export const more = `
${names}
devices pair { at 0000:05:00.0 or at 0000:05:00.1 }
device p { at 0000:06:00.0 }
devices vfs { virtual functions 0..1 of p }
`;

export async function living(
  use: (life: Life) => void | Promise<void>,
  of: MachineWords = words,
): Promise<void> {
  const life = await Life.begin(machine(of));
  try {
    await use(life);
  } finally {
    life.end();
  }
}

export function sentences(life: Life, text: string): readonly string[] {
  const { plan, ending } = life.apply(text);
  expect(ending.diagnostics).toEqual([]);
  expect(ending.verdict).toBe('done');
  return plan.steps.map(({ sentence }) => sentence);
}

/** What `check` says of it. */
export function said(life: Life, text: string): readonly string[] {
  return life.judge(text).diagnostics.map(({ code, message }) => `${code} ${message}`);
}

/** What a machine shows that plans change; a node whose number the kernel hands out by its function. */
export function seen(life: Life): object {
  const { functions, modules, nodes, drivers, vfioDevices } = life.read();
  const owners = new Map([
    ...functions.map(({ address, iommuGroup }) => [`/dev/vfio/noiommu-${iommuGroup}`, address] as const),
    ...(Array.isArray(vfioDevices)
      ? vfioDevices.map((each) => [`/dev/vfio/devices/vfio${each.index}`, each.function] as const)
      : []),
  ]);
  return {
    functions: functions.map(({ address, driver, driverOverride, sriov }) => ({
      ...{ address, driver, driverOverride },
      virtual: sriov !== null && 'numVfs' in sriov ? sriov.numVfs : 0,
    })),
    ...{ modules, drivers },
    nodes: Array.isArray(nodes)
      ? nodes
          .map((node) => ({ ...node, path: owners.get(node.path) ?? node.path }))
          .sort((a, b) => (a.path < b.path ? -1 : 1))
      : nodes,
  };
}
