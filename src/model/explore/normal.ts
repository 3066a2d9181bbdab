import { byProcess } from '../key.ts';
import { Lists } from '../lists.ts';
import type { Container, Device, IommuGroup, OpenFile, VfioGroup } from '../state.ts';
import { Ints } from './ints.ts';
import { type Numbered, Order } from './order.ts';
import type { Present } from './present.ts';
import type { Table } from './shape.ts';
import type { Slot } from './slot.ts';

/**
 * States that differ only in numbers which the kernel hands out (minors, places of containers and files, descriptors) behave
 * alike, but the model reads these numbers and would have to be asked anew of each. So they are numbered alike before any is
 * walked from. It need not be perfect, for keys say which states are one. Where a table has entries that may refer to more
 * than is renumbered here, all numbers stay.
 */
export class Normal {
  private readonly present: Present;
  private readonly order: Order;
  private readonly lists = new Lists();
  /** By list of integers: the code of an entry, or the number of a first half, that was renumbered. */
  private readonly results: number[] = [];
  /** The list that is asked for: a slot's place, a code, the new place, and what else is referred to. */
  private readonly list: number[] = [];
  private size = 0;
  private asked = 0;
  /** By second half: one more than the one that it becomes, and how its minors move. */
  private readonly becomes = new Ints();
  private readonly moves = new Ints();
  /** By number where minors go; by the first they stay. */
  private readonly minors: (readonly number[])[] = [[]];
  /** By such a number, and by first half, what that becomes; -1 where it was not asked yet. */
  private readonly firsts: Ints[] = [new Ints(1)];
  private readonly tables: Readonly<Record<keyof Numbered, Table>>;
  private readonly cleared: readonly Table[];
  /** How many there are of what is not renumbered. */
  private readonly others: readonly Slot[];
  /** The codes of what is renumbered, old and new. */
  private old: Int32Array = new Int32Array(0);
  private readonly codes: number[] = [];
  private readonly state: { readonly [Kind in keyof Numbered]: Numbered[Kind][number][] } = {
    groups: [],
    containers: [],
    files: [],
    descriptors: [],
  };
  /** Whether something refers to what is not there, as only a defect brings. */
  private lost = false;

  constructor(present: Present) {
    const { shape } = present;
    this.present = present;
    this.order = new Order(shape.table('devices').count(present.halves[0].now));
    const groups = shape.table('groups');
    const containers = shape.table('containers');
    const files = shape.table('files');
    const descriptors = shape.table('descriptors');
    this.tables = { groups, containers, files, descriptors };
    this.cleared = [groups, containers, files, descriptors];
    const known = [groups, containers, files, descriptors, shape.table('locked')];
    this.others = shape.lengths(1).filter((length) => known.every((table) => table.length !== length));
  }

  /** What a second half becomes. */
  second(number: number): number {
    this.cover(number);
    if (this.becomes.at(number) === 0) this.renumber(number);
    return this.becomes.at(number) - 1;
  }

  private cover(number: number): void {
    const { becomes, moves } = this;
    while (becomes.length <= number) {
      becomes.push(0);
      moves.push(0);
    }
  }

  /** How minors move in a second half, of which `second` was asked before; 0 where they stay. */
  move(number: number): number {
    return this.moves.at(number);
  }

  /** What the first half beside one becomes in which minors move. */
  first(number: number, move: number): number {
    const places = this.firsts[move] as Ints;
    while (places.length <= number) places.push(-1);
    if (places.at(number) === -1) places.array[number] = this.moved(number, move);
    return places.at(number);
  }

  private renumber(number: number): void {
    const { present, tables, order } = this;
    this.old = present.halves[1].codes(number);
    this.becomes.array[number] = number + 1;
    for (let each = 0; each < this.others.length; each += 1) {
      const { values, place } = this.others[each] as Slot;
      if (values[this.old[place] as number] !== 0) return;
    }
    const { state, old } = this;
    tables.groups.entries(old, state.groups);
    tables.containers.entries(old, state.containers);
    tables.files.entries(old, state.files);
    tables.descriptors.entries(old, state.descriptors);
    if (!order.find(state)) return;
    this.lost = false;
    this.write(state);
    present.settle();
    if (this.lost) return;
    const ordered = present.halves[1].numberOf(this.codes);
    this.cover(ordered);
    this.becomes.array[number] = ordered + 1;
    // What is in order stays as it is.
    this.becomes.array[ordered] = ordered + 1;
    this.moves.array[number] = this.moveOf(state.groups.length);
  }

  /** The number of how the first so many minors move. */
  private moveOf(count: number): number {
    const { minors } = this.order;
    let from = 0;
    while (from < count && stays(minors[from] as number, from)) from += 1;
    if (from === count) return 0;
    this.ask(-1, 0, 0);
    for (from = 0; from < count; from += 1) this.refer(minors[from] as number);
    const known = this.told();
    if (known !== undefined) return known;
    this.firsts.push(new Ints());
    return this.tell(this.minors.push(minors.slice(0, count)) - 1);
  }

  /** The codes of a state of which everything has its new number. */
  private write(state: Numbered): void {
    const { old, codes } = this;
    const { groups, containers, files, descriptors } = state;
    for (let place = 0; place < old.length; place += 1) codes[place] = old[place] as number;
    for (const table of this.cleared) table.clear(codes);
    for (let place = 0; place < groups.length; place += 1) this.writeGroup(groups[place], place);
    for (let place = 0; place < containers.length; place += 1) this.writeContainer(containers[place], place);
    for (let place = 0; place < files.length; place += 1) this.writeFile(files[place], place);
    const sorted = byProcess(descriptors);
    for (let place = 0; place < sorted.length; place += 1) {
      const table = sorted[place] as DescriptorTable;
      this.writeDescriptors(table, sorted === descriptors ? place : descriptors.indexOf(table), place);
    }
    for (const table of this.cleared) table.fill(codes);
  }

  private writeGroup(group: VfioGroup | null | undefined, place: number): void {
    if (!group) return;
    const { groups } = this.tables;
    const { minors, files, containers } = this.order;
    const minor = minors[place] as number;
    const file = this.newOf(group.file, files);
    const container = this.newOf(group.container, containers);
    if (minor === place && file === (group.file ?? -1) && container === (group.container ?? -1)) {
      this.keep(groups, place);
      return;
    }
    this.entry(groups, place, minor);
    this.refer(file);
    this.refer(container);
    if (this.put(groups, minor)) return;
    this.make(groups, minor, { ...group, minor, file: orNull(file), container: orNull(container) });
  }

  private writeContainer(container: Container | null | undefined, place: number): void {
    if (!container) return;
    const { minors, files, containers } = this.order;
    const index = containers[place] as number;
    const file = this.newOf(container.file, files);
    this.entry(this.tables.containers, place, index);
    this.refer(file);
    let same = index === place && file === (container.file ?? -1);
    for (let each = 0; each < container.groups.length; each += 1) {
      const minor = container.groups[each] as number;
      if (this.refer(this.newOf(minor, minors)) !== minor) same = false;
    }
    if (same) {
      this.keep(this.tables.containers, place);
      return;
    }
    if (this.put(this.tables.containers, index)) return;
    const groups = container.groups.map((minor) => this.newOf(minor, minors));
    this.make(this.tables.containers, index, { ...container, index, file: orNull(file), groups });
  }

  private writeFile(file: OpenFile | null | undefined, place: number): void {
    if (!file) return;
    const to = this.order.files[place] as number;
    const refers = this.referenceOf(file);
    if (to === place && refers === oldReferenceOf(file)) {
      this.keep(this.tables.files, place);
      return;
    }
    this.entry(this.tables.files, place, to);
    this.refer(refers);
    if (!this.put(this.tables.files, to)) this.make(this.tables.files, to, fileTo(file, refers));
  }

  private referenceOf(file: OpenFile): number {
    const { minors, files, containers } = this.order;
    switch (file.kind) {
      case 'container':
        return this.newOf(file.container, containers);
      case 'group':
        return this.newOf(file.group, minors);
      case 'device':
        return this.newOf(file.groupFile, files);
      default:
        return -1;
    }
  }

  /** By file, so that a process has no free numbers before the last that it has. */
  private writeDescriptors(table: DescriptorTable, from: number, to: number): void {
    const { list } = this;
    this.entry(this.tables.descriptors, from, to);
    const begin = this.size;
    for (let fd = 0; fd < table.files.length; fd += 1) {
      const id = table.files[fd] as number;
      if (id === -1) continue;
      const its = this.refer(this.newOf(id, this.order.files));
      let at = this.size - 1;
      for (; at > begin && (list[at - 1] as number) > its; at -= 1) list[at] = list[at - 1] as number;
      list[at] = its;
    }
    let same = from === to && this.size - begin === table.files.length;
    for (let fd = 0; same && fd < table.files.length; fd += 1) same = list[begin + fd] === table.files[fd];
    if (same) {
      this.keep(this.tables.descriptors, from);
      return;
    }
    if (this.put(this.tables.descriptors, to)) return;
    this.make(this.tables.descriptors, to, { ...table, files: list.slice(begin, this.size) });
  }

  /** An entry of which nothing is renumbered. */
  private keep(table: Table, place: number): void {
    const slot = table.slot(place);
    this.codes[slot.place] = this.old[slot.place] as number;
  }

  /** Asks for an entry with its new place; what else it refers to is for the caller to add. */
  private entry(table: Table, from: number, to: number): void {
    const { place } = table.slot(from);
    this.ask(place, this.old[place] as number, to);
  }

  /** A new number; -1 for null. */
  private newOf(number: number | null, numbers: readonly number[]): number {
    if (number === null) return -1;
    const to = numbers[number] ?? -1;
    if (to === -1) this.lost = true;
    return to;
  }

  /** Whether the entry that is asked for is known; it is put into its place. */
  private put(table: Table, place: number): boolean {
    const known = this.told();
    if (known === undefined) return false;
    this.codes[table.slot(place).place] = known;
    return true;
  }

  private make(table: Table, place: number, entry: unknown): void {
    const slot = table.slot(place);
    this.codes[slot.place] = this.tell(slot.code(entry));
  }

  private ask(what: number, code: number, to: number): void {
    const { list } = this;
    list[0] = what;
    list[1] = code;
    list[2] = to;
    this.size = 3;
  }

  private refer(to: number): number {
    this.list[this.size] = to;
    this.size += 1;
    return to;
  }

  /** What is known of the list that is asked for. */
  private told(): number | undefined {
    this.asked = this.lists.number(this.list, this.size);
    return this.results[this.asked];
  }

  private tell(result: number): number {
    this.results[this.asked] = result;
    return result;
  }

  /** A first half with other minors. */
  private moved(number: number, move: number): number {
    const { halves, shape } = this.present;
    this.old = halves[0].codes(number);
    const minors = this.minors[move] as readonly number[];
    const codes = Array.from(this.old);
    const write = <T>(table: Table, its: (entry: T) => number | null, to: (entry: T, minor: number) => T) => {
      (table.entries(this.old, []) as T[]).forEach((entry, place) => {
        const minor = its(entry);
        if (minor === null) return;
        const slot = table.slot(place);
        this.ask(-2, slot.place, this.old[slot.place] as number);
        const moved = this.refer(this.newOf(minor, minors));
        codes[slot.place] = this.told() ?? this.tell(slot.code(to(entry, moved)));
      });
    };
    write<Device>(
      shape.table('devices'),
      ({ vfio }) => vfio?.group ?? null,
      (device, group) => ({ ...device, vfio: device.vfio && { ...device.vfio, group } }),
    );
    write<IommuGroup>(
      shape.table('iommuGroups'),
      ({ owner }) => owner,
      (group, owner) => ({ ...group, owner }),
    );
    return halves[0].numberOf(codes);
  }
}

/** Whether it is the old number, or nothing is there. */
function stays(to: number, from: number): boolean {
  return to === from || to === -1;
}

function oldReferenceOf(file: OpenFile): number {
  switch (file.kind) {
    case 'container':
      return file.container;
    case 'group':
      return file.group;
    case 'device':
      return file.groupFile ?? -1;
    default:
      return -1;
  }
}

type DescriptorTable = Numbered['descriptors'][number];

function orNull(number: number | undefined): number | null {
  return number === undefined || number === -1 ? null : number;
}

function fileTo(file: OpenFile, refers: number): OpenFile {
  switch (file.kind) {
    case 'container':
      return { ...file, container: refers };
    case 'group':
      return { ...file, group: refers };
    case 'device':
      return { ...file, groupFile: orNull(refers) };
    default:
      return file;
  }
}
