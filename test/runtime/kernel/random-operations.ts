import fc from 'fast-check';
import type { Op } from '../../../src/model/op.ts';
import type { OpenFile, State, World } from '../../../src/model/state.ts';
import type { Cast, Context, Draw, Maker } from './random-context.ts';
import { containers, devices, general, groups } from './random-files.ts';
import { cdevs, iommufds } from './random-iommufd.ts';
import { pick, type Regions } from './random-mappings.ts';
import { physical, sysfs } from './random-sysfs.ts';

export type { Cast, Draw, Regions };
export { physical };

/**
 * Random operations that make sense often enough: most descriptors that they name are open, most names exist. An
 * operation is drawn as numbers and is made concrete by the state in which it is done, so that shrinking keeps it valid.
 */
export const draws = fc.array(
  fc.record({ kind: fc.nat(999999), pid: fc.nat(9), a: fc.nat(9999), b: fc.nat(9999), c: fc.nat(9999) }),
  { minLength: 1, maxLength: 100, size: 'max' },
);

const [nic, left] = ['0000:00:04.0', '0000:00:05.0'] as const;

/** Ways to begin, so that random operations meet open devices often: nothing, a real group's, one without an IOMMU. */
export function beginning(draw: number, pid: number): readonly Op[] {
  const use = (group: string, type: number, name: string): readonly Op[] => [
    { op: 'open', pid, path: '/dev/vfio/vfio' },
    { op: 'open', pid, path: `/dev/vfio/${group}` },
    { op: 'group.set_container', pid, fd: 4, container: 3 },
    { op: 'container.set_iommu', pid, fd: 3, type },
    { op: 'group.get_device_fd', pid, fd: 4, name },
  ];
  const noiommu: readonly Op[] = [
    { op: 'parameter.write', pid, module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' },
    { op: 'driver.unbind', pid, driver: 'e1000e', device: nic },
    { op: 'override.write', pid, device: nic, text: 'vfio-pci' },
    { op: 'driver.bind', pid, driver: 'vfio-pci', device: nic },
    ...use('noiommu-0', 8, nic),
  ];
  return pick([[], use('7', 1, left), use('7', 3, left), noiommu], draw);
}

export function operation(
  draw: Draw,
  world: World,
  state: State,
  pids: readonly number[],
  regions: Regions,
  cast: Cast = { devices: [...world.devices.keys()], drivers: ['e1000e'] },
): Op {
  const its = contextOf(draw, { world, state, pids, regions, cast });
  const share = draw.kind % 100;
  const makers = share < 25 ? sysfs : share < 40 ? general : onOpenFiles(its, Math.floor(draw.kind / 10_000));
  return pick(makers, Math.floor(draw.kind / 100) % 100)(its);
}

/** Most operations are the first process's. */
export function contextOf(
  draw: Draw,
  where: Pick<Context, 'world' | 'state' | 'pids' | 'regions' | 'cast'>,
): Context {
  const { pids } = where;
  const pid = pids[draw.pid < 8 ? 0 : 1 + (draw.a % (pids.length - 1))] ?? 0;
  return { ...draw, ...where, pid };
}

/** What is done with a kind of file that the process has open, or opens one. */
function onOpenFiles({ state, pid, world }: Context, number: number): readonly Maker[] {
  const files = state.descriptors.find((table) => table.pid === pid)?.files ?? [];
  const kinds = new Set(files.flatMap((file) => state.files[file]?.kind ?? []));
  const all = weights.flatMap(([kind, makers, weight]) =>
    kinds.has(kind) ? Array<readonly Maker[]>(weight).fill(makers) : [],
  );
  const knows = world.profile.build.iommufd !== 'n';
  return pick([...all, ...(knows ? [cdevs, ...(all.length === 0 ? [iommufds] : [])] : []), general], number);
}

/** A device has most to be asked, and is the hardest to come by. */
const weights: readonly (readonly [OpenFile['kind'], readonly Maker[], number])[] = [
  ['container', containers, 2],
  ['group', groups, 1],
  ['device', devices, 4],
  ['iommufd', iommufds, 2],
];
