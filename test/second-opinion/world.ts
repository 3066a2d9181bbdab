import type { State, World } from '../../src/model/state.ts';
import { ROOT } from '../../src/model/world.ts';
import { boundedWorld } from '../src/model/bounded.ts';
import { functionAt, user } from '../src/model/machine.ts';

/** A small world that both opinions explore, as bounds.json gives it. */
export interface Bounds {
  readonly name: string;
  readonly kernels: readonly Kernel[];
  /** Of each device its IOMMU group, or null. */
  readonly groups: readonly (number | null)[];
  readonly containers: number;
  readonly groupFiles: number;
  readonly deviceFiles: number;
  readonly passes: boolean;
  readonly maps: boolean;
}

export type Kernel = '6.1' | '6.12';

/** The processes in the order of vfio.pml. */
export const pids: readonly number[] = [ROOT, user.pid];

/** The model's drivers in the order of vfio.pml. */
export const drivers: readonly (string | null)[] = [null, 'e1000e', 'vfio-pci'];

export function addressOf(device: number): string {
  return `0000:0${device + 1}:00.0`;
}

export function worldOf(bounds: Bounds, kernel: Kernel): { readonly world: World; readonly initial: State } {
  // Without a way to reset them, so that the first opening leaves nothing behind in them.
  const functions = bounds.groups.map((iommuGroup, device) =>
    functionAt(addressOf(device), { iommuGroup, driver: null, resetMethods: [] }),
  );
  return boundedWorld(kernel, functions, true);
}

/** A group's place in vfio.pml: the real ones in the order of their devices, then one for each device without. */
interface Place {
  readonly real: number | null;
  /** Its device, or the first of them. */
  readonly device: number;
}

const layouts = new WeakMap<
  Bounds,
  { readonly places: readonly Place[]; readonly homes: readonly number[] }
>();

export function layoutOf(bounds: Bounds): {
  readonly places: readonly Place[];
  /** For each device the place of its group. */
  readonly homes: readonly number[];
} {
  const known = layouts.get(bounds);
  if (known !== undefined) return known;
  const { groups } = bounds;
  const real = [...new Set(groups)].filter((group) => group !== null);
  const places = [
    ...real.map((group) => ({ real: group, device: groups.indexOf(group) })),
    ...groups.flatMap((group, device) => (group === null ? [{ real: null, device }] : [])),
  ];
  const homes = groups.map((group, device) =>
    places.findIndex((place) => (group === null ? place.device === device : place.real === group)),
  );
  layouts.set(bounds, { places, homes });
  return { places, homes };
}
