import type { Container, State, VfioGroup, World } from '../../src/model/state.ts';
import { type Bounds, drivers, layoutOf, pids } from './world.ts';

/** A state of the model as vfio.pml sees it: its objects under the numbers that they have there. */
export interface Seen {
  /** For each open file the processes that have a descriptor of it, a bit each. */
  readonly holders: readonly number[];
  /** For each group's place the minor of its VFIO group, or -1. */
  readonly groups: readonly number[];
  /** For each container's place its index in the model. */
  readonly containers: readonly number[];
  /** Minors of revoked groups whose file is open. */
  readonly revoked: readonly number[];
}

const none = 15;

export function see(bounds: Bounds, state: State): Seen {
  const holders = holdersOf(state);
  const groups = groupsOf(bounds, state);
  const containers = containersOf(state, holders, groups);
  return { holders, groups, containers, revoked: revokedOf(bounds, state, holders) };
}

/** The state as vfio.pml prints it. */
export function textOf(bounds: Bounds, world: World, state: State, seen: Seen): string {
  const { holders, groups, containers, revoked } = seen;
  const parameter = state.modules[world.vfioModule]?.[world.profile.noiommuParameter] === 'Y';
  const tainted = Math.floor(state.taint / 64) % 2 === 1;
  const words = [digits(parameter ? 1 : 0, tainted ? 1 : 0)];
  state.devices.forEach(({ driver, leaving }, device) => {
    words.push(
      digits(drivers.indexOf(driver), leaving === null ? 0 : 1, deviceHolders(state, holders, device)),
    );
  });
  groups.forEach((minor, place) => {
    words.push(groupText(bounds, state, holders, containers, minor, place));
  });
  const unlisted = Array.from(groups, () => none);
  for (let place = 0; place < bounds.containers; place += 1) {
    const container = state.containers[containers[place] ?? -1];
    words.push(
      container
        ? digits(...containerFields(container, holders), ...listOf(container, groups))
        : digits(0, 0, 0, 0, 0, 0, ...unlisted),
    );
  }
  for (let place = 0; place < bounds.groupFiles; place += 1) {
    const minor = revoked[place];
    words.push(digits(minor === undefined ? 0 : revokedNumber(bounds, state, holders, minor)));
  }
  return words.join('/');
}

function deviceHolders(state: State, holders: readonly number[], device: number): number {
  return state.files.reduce(
    (mask, file, id) =>
      file?.kind === 'device' && file.device === device ? mask | (holders[id] ?? 0) : mask,
    0,
  );
}

function digits(...numbers: readonly number[]): string {
  return numbers.map((number) => number.toString(16)).join('');
}

function holdersOf(state: State): readonly number[] {
  const holders = state.files.map(() => 0);
  for (const { pid, files } of state.descriptors) {
    for (const id of files) if (id !== -1) holders[id] = (holders[id] ?? 0) | (1 << pids.indexOf(pid));
  }
  return holders;
}

function groupsOf(bounds: Bounds, state: State): readonly number[] {
  return layoutOf(bounds).places.map((_place, place) => minorAt(bounds, state, place));
}

/** The minor of the VFIO group at a place, or -1. */
export function minorAt(bounds: Bounds, state: State, place: number): number {
  const { real = null, device = -1 } = layoutOf(bounds).places[place] ?? {};
  const id = real ?? state.devices[device]?.group ?? null;
  return id === null ? -1 : state.groups.findIndex((group) => group !== null && group.iommuGroup === id);
}

function groupText(
  bounds: Bounds,
  state: State,
  holders: readonly number[],
  containers: readonly number[],
  minor: number,
  place: number,
): string {
  const group = state.groups[minor];
  const { real, device } = layoutOf(bounds).places[place] ?? { real: null, device: -1 };
  const id = real ?? state.devices[device]?.group;
  const iommuGroup = state.iommuGroups.find((other) => other.id === id);
  return digits(
    group?.devices.length ?? 0,
    holders[group?.file ?? -1] ?? 0,
    group?.container == null ? none : containers.indexOf(group.container),
    group?.containerUsers ?? 0,
    iommuGroup?.ownerCount ?? 0,
    iommuGroup?.owner == null ? 0 : 1,
  );
}

function containerFields(container: Container, holders: readonly number[]): readonly number[] {
  const { file, noiommu, iommu, groups } = container;
  const mapping = iommu?.driver === 'type1' ? iommu.mappings[0] : undefined;
  return [
    1,
    file === null ? 0 : (holders[file] ?? 0),
    noiommu ? 1 : 0,
    iommu === null ? 0 : iommu.driver === 'noiommu' ? 8 : iommu.type,
    mapping === undefined ? 0 : 1 + pids.indexOf(mapping.pid),
    groups.length,
  ];
}

function listOf({ groups: attached }: Container, groups: readonly number[]): readonly number[] {
  return groups.map((_minor, place) => {
    const minor = attached[place];
    return minor === undefined ? none : groups.indexOf(minor);
  });
}

/** In the order of vfio.pml: its `weight`, then the first group. */
function containersOf(
  state: State,
  holders: readonly number[],
  groups: readonly number[],
): readonly number[] {
  const there = state.containers.flatMap((container, index) => {
    if (container === null) return [];
    const [is = 0, fds = 0, noiommu = 0, iommu = 0, mapped = 0, held = 0] = containerFields(
      container,
      holders,
    );
    const weight = is + 2 * (fds + 4 * (noiommu + 2 * (iommu + 16 * (mapped + 4 * held))));
    return [{ index, weight, first: listOf(container, groups)[0] ?? none }];
  });
  return there.sort((a, b) => b.weight - a.weight || a.first - b.first).map(({ index }) => index);
}

function revokedOf(bounds: Bounds, state: State, holders: readonly number[]): readonly number[] {
  return state.groups
    .flatMap((group, minor) => (group !== null && group.iommuGroup === null ? [minor] : []))
    .sort((a, b) => revokedNumber(bounds, state, holders, b) - revokedNumber(bounds, state, holders, a));
}

function revokedNumber(bounds: Bounds, state: State, holders: readonly number[], minor: number): number {
  const group: VfioGroup | null | undefined = state.groups[minor];
  const place = layoutOf(bounds).places.findIndex(({ real }) =>
    real === null ? group?.noiommu === true : group?.name === `${real}`,
  );
  return 4 * place + (holders[group?.file ?? -1] ?? 0);
}
