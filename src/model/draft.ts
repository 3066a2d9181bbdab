import { copyOf } from './places.ts';
import type { State } from './state.ts';

/**
 * The next state while one effect makes it. Its tables and their entries are the old state's until they are changed, and
 * what another state shows is never changed in place: `groupIn` and its like and `set` copy what is not the draft's own yet.
 *
 * One state may be taken out of that (`changeInPlace`): the one that a simulated kernel lives in, which nobody else looks
 * at. Copies are more than half of what a step costs there.
 */
export type Draft = { -readonly [Part in keyof State]: State[Part] };

type Table = 'devices' | 'iommuGroups' | 'groups' | 'containers' | 'iommufds' | 'files' | 'descriptors';
type Entry<Part extends Table> = NonNullable<State[Part][number]>;
type Changeable<T> = T extends object ? { -readonly [Field in keyof T]: T[Field] } : T;

/** The state that is changed in place, and the one that the latest draft was made of. */
let live: State | null = null;
let base: State | null = null;
let latest: Draft | null = null;

/** From now on drafts of this state are the state itself; null: of none. Answers of which it was so before. */
export function changeInPlace(state: State | null): State | null {
  const before = live;
  live = state;
  return before;
}

/** A draft of a state. It takes changes until the next one is made. */
export function draftOf(state: State): Draft {
  if (state === live) return state;
  base = state;
  latest = {
    modules: state.modules,
    taint: state.taint,
    devices: state.devices,
    bus: state.bus,
    iommuGroups: state.iommuGroups,
    groups: state.groups,
    containers: state.containers,
    containerNode: state.containerNode,
    iommufds: state.iommufds,
    iommuNode: state.iommuNode,
    files: state.files,
    descriptors: state.descriptors,
    locked: state.locked,
    kvm: state.kvm,
    configuration: state.configuration,
  };
  return latest;
}

/**
 * How an entry of a table, which must be there, is had to be changed. What it refers to is replaced, not changed. Each table
 * has a copier of its own, for a copy of things that all look alike costs a third of one of anything.
 */
function changes<Part extends Table>(
  part: Part,
  copy: (entry: Entry<Part>) => Entry<Part>,
): (draft: Draft, place: number) => Changeable<Entry<Part>> {
  return (draft, place) => {
    const there = draft[part][place] as Entry<Part> | null | undefined;
    if (there === null || there === undefined) throw new Error(`no entry ${place} of ${part}`);
    if (draft === live || !(baseOf(draft)[part] as readonly unknown[]).includes(there))
      return there as Changeable<Entry<Part>>;
    const own = copy(there);
    ownTable(draft, part)[place] = own;
    return own as Changeable<Entry<Part>>;
  };
}

export const deviceIn = changes('devices', (device) => ({ ...device }));
export const iommuGroupIn = changes('iommuGroups', (group) => ({ ...group }));
export const groupIn = changes('groups', (group) => ({ ...group }));
export const containerIn = changes('containers', (container) => ({ ...container }));
export const fileIn = changes('files', (file) => ({ ...file }));
const descriptorsIn = changes('descriptors', (table) => ({ ...table }));

/** Puts an entry into a table, or takes one away; a table has no free places at its end. */
export function set<Part extends Table>(
  draft: Draft,
  part: Part,
  place: number,
  its: State[Part][number] | null,
): void {
  const table = ownTable(draft, part);
  table[place] = its;
  while (table.length > 0 && table[table.length - 1] === null) table.pop();
}

/** A device of VFIO's, to be changed; the device is there and has one. */
export function vfioOf(draft: Draft, index: number): Changeable<NonNullable<Entry<'devices'>['vfio']>> {
  const before = draft.devices[index]?.vfio;
  const device = deviceIn(draft, index);
  if (!before) throw new Error(`device ${index} is not VFIO's`);
  if (draft !== live && baseOf(draft).devices[index]?.vfio === before) device.vfio = { ...before };
  return device.vfio as Changeable<typeof before>;
}

/** What a descriptor refers to from now on; -1: nothing. `place` is the table's, `at` the descriptor's in it. */
export function setDescriptor(draft: Draft, place: number, at: number, file: number): void {
  const table = descriptorsIn(draft, place);
  if (draft !== live && baseOf(draft).descriptors[place]?.files === table.files)
    table.files = copyOf(table.files);
  const files = table.files as number[];
  files[at] = file;
  while (files.length > 0 && files[files.length - 1] === -1) files.pop();
}

function ownTable<Part extends Table>(draft: Draft, part: Part): (State[Part][number] | null)[] {
  if (draft !== live && draft[part] === baseOf(draft)[part])
    draft[part] = copyOf<unknown>(draft[part]) as State[Part];
  return draft[part] as (State[Part][number] | null)[];
}

function baseOf(draft: Draft): State {
  if (draft !== latest || base === null) throw new Error('a draft was changed after the next one was made');
  return base;
}
