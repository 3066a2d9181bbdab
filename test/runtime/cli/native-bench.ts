import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Io } from '../../../runtime/cli/io.ts';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { observeAll } from '../../../runtime/lower/observe.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { root } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';
import { type Deed, inFolder, vfioplan } from './world.ts';

export const policy = `
host edge {
  iommu absent
  noiommu allowed { owner "net-team" reason "no vIOMMU" until 2027-03-01 }
}
device nic on edge { at 0000:03:00.0 id 8086:1572 }
policy dataplane on edge {
  bind nic to vfio-pci
  allow user dpdk with CAP_SYS_RAWIO to use nic via noiommu
}
`;

export const edge = machine({
  hostname: 'edge',
  iommu: 'none',
  functions: [{ at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' }],
  users: [{ name: 'dpdk', uid: 990 }],
});

const watched = [
  '/sys/bus/pci/devices/0000:03:00.0/driver',
  '/sys/bus/pci/devices/0000:03:00.0/driver_override',
  '/sys/module/vfio/parameters/enable_unsafe_noiommu_mode',
  '/dev/vfio/noiommu-0',
];

/** A folder with the policy, the snapshot and a state directory, and a machine (simulated) to act upon natively. */
export interface Bench {
  readonly folder: string;
  readonly call: (argv: string) => Promise<Deed>;
  readonly shows: () => Readonly<Record<string, string | null>>;
}

export async function onBench(
  use: (bench: Bench) => Promise<void>,
  seen: Snapshot = edge,
  others: Partial<Io> = {},
): Promise<void> {
  const sandbox = await bootSandbox(edge);
  const backend = sandbox.process({ ...root, capabilities: [...root.capabilities] });
  const changes: Partial<Io> = {
    ...others,
    machine: {
      read: () => Promise.resolve({ snapshot: seen, diagnostics: [] }),
      obstacle: () => Promise.resolve(null),
      backend: () => Promise.resolve(backend),
    },
  };
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'p.vfio'), policy);
    writeFileSync(join(folder, 'edge.json'), JSON.stringify(edge));
    const call = (argv: string): Promise<Deed> => vfioplan(argv.replaceAll('@', folder).split(' '), changes);
    await use({ folder, call, shows: () => observeAll(backend, watched) });
  });
  sandbox.dispose();
}

export type Answer = Awaited<ReturnType<Parameters<Parameters<Io['attended']>[0]>[0]['answer']>>;

/** A bench whose clock goes on while somebody is waited for, and a person who answers; `c.vfio` has to be confirmed. */
export function waitingBench(
  answer: (bench: Bench, asked: number) => Answer | Promise<Answer>,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  let [now, asked] = [0, 0];
  let bench: Bench | undefined;
  const others: Partial<Io> = {
    elapsed: () => now,
    attended: (work) =>
      work({
        answer: async (milliseconds) => {
          asked += 1;
          now += milliseconds;
          return bench === undefined ? 'nothing' : await answer(bench, asked);
        },
      }),
  };
  return onBench(
    (its) => {
      bench = its;
      const confirming = policy.replace('bind nic', 'confirm within 2 min\n  bind nic');
      writeFileSync(join(its.folder, 'c.vfio'), confirming);
      return use(its);
    },
    undefined,
    others,
  );
}

/** An apply that somebody has to confirm, and nobody does: the codes of what it said. */
export async function unconfirmed(): Promise<readonly string[]> {
  const codes: string[] = [];
  await waitingBench(
    () => 'nothing',
    async ({ call }) => {
      const { out } = await call('apply @/c.vfio --native --state-dir @/state --format json');
      const { diagnostics } = JSON.parse(out) as { diagnostics: readonly { code: string }[] };
      codes.push(...diagnostics.map(({ code }) => code));
    },
  );
  return codes;
}
