import { afterAll, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { State, World } from '../../src/model/state.ts';
import { worldFrom } from '../../src/model/world.ts';
import { machine } from '../machines.ts';
import { type Actor, actors, processesOf } from './cast.ts';
import { Lot } from './lot.ts';
import { Run } from './run.ts';
import { drawSequence } from './sequence.ts';
import { simulatedExecutor } from './simulated.ts';
import { themes } from './themes.ts';

/** The sequences that real kernels are asked in the lab, on the simulated kernel: the same generator, the same comparison. */
const nic = { id: '8086:10d3', class: 'nic', driver: 'e1000e' } as const;
const bare = machine({
  functions: [
    { at: '0000:01:00.0', ...nic, group: 7 },
    { at: '0000:01:00.1', ...nic, group: 7 },
    { at: '0000:02:00.0', ...nic, group: 8 },
    { at: '0000:41:00.0', ...nic, group: null },
  ],
  drivers: ['vfio-pci', 'pci-stub', 'e1000e'],
  replace: {
    nodes: [
      { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
      { path: '/dev/kvm', uid: 0, gid: 0, mode: 0o660 },
    ],
  },
});
/** All of VFIO's modules loaded, with what they begin with: the way back loads them all. */
function snapshotFor(profile: ProfileId): Snapshot {
  const modules = worldFrom(bare, { profile }).world.modules.values();
  const loaded = [...modules].map(({ name, parameters }) => [name, { parameters }] as const);
  return { ...bare, modules: Object.fromEntries(loaded) };
}

const cast = {
  devices: ['0000:01:00.0', '0000:01:00.1', '0000:02:00.0', '0000:41:00.0'],
  drivers: ['e1000e'],
};
const count = Number(process.env['VFIOPLAN_SEQUENCES'] ?? 60);

describe.each(['6.1', '6.12'] as const)('the simulated %s, asked at random', (profile) => {
  let kernel: Awaited<ReturnType<typeof simulatedExecutor>> | undefined;
  let world: World;
  let rest: State;
  /** At first, and where no operation brings the machine back. */
  const boot = async (who: readonly Actor[]) => {
    kernel?.dispose();
    const snapshot = snapshotFor(profile);
    kernel = await simulatedExecutor(snapshot, profile);
    ({ world, state: rest } = worldFrom(snapshot, { profile, processes: processesOf(who) }));
  };
  afterAll(() => kernel?.dispose());

  const themed = [
    ['everything', undefined],
    ['unbinds that wait', themes['unbinding']],
    ['devices that are taken away', themes['removing']],
    ['virtual machines', themes['guests']],
    ['corners', themes['corners']],
    ['settings', themes['settings']],
    // Nothing of it is there before iommufd.
    ...(profile === '6.1'
      ? []
      : ([
          ['page tables', themes['pagetables']],
          ['unbinds that wait for who has yet to bind', themes['waits']],
          ['unloads that wait', themes['unloading']],
        ] as const)),
  ] as const;
  it.each(themed)(
    'answers, shows and logs what the model says: %s',
    { timeout: 240_000 },
    async (_, theme) => {
      const who = theme?.actors ?? actors;
      await boot(who);
      let succeeded = 0;
      let operations = 0;
      for (let seed = 0; seed < count; seed += 1) {
        if (kernel === undefined) throw new Error('no kernel');
        const sequence = drawSequence(new Lot(seed), world, rest, cast, theme);
        const verdict = new Run(world, rest, kernel, who).run(sequence);
        expect(
          { seed, ...verdict },
          JSON.stringify([verdict.differs, sequence.map((x) => x.op)], (_, v) =>
            typeof v === 'bigint' ? `${v}` : v,
          ),
        ).toMatchObject({ differs: [] });
        if (verdict.rest === null) await boot(who);
        else rest = verdict.rest;
        operations += verdict.operations;
        succeeded += verdict.succeeded;
      }
      // What is asked of a device while somebody waits for it is refused for the most part.
      expect(succeeded / operations).toBeGreaterThan(theme === themes['waits'] ? 0.3 : 0.4);
    },
  );
});
