import type { Opened } from '../key.ts';
import { Lists } from '../lists.ts';
import type { State } from '../state.ts';
import { Edits } from './edit.ts';
import { type Facing, type Field, type Half, Slot, textOf } from './slot.ts';
import { TableEye, TableWindow } from './table.ts';
import { type Change, EntryEye, eyeOf, plain, Run, Window } from './view.ts';

/** Fields of a state whose keys are one number; those of the others are another. */
const machine: ReadonlySet<string> = new Set<keyof State>([
  'taint',
  'containerNode',
  'iommuNode',
  'kvmNode',
  'modules',
  'bus',
  'devices',
  'iommuGroups',
  'configuration',
]);

/** What becomes of a slot: another code, or, negative, the result of an edit. */
export interface Write {
  readonly slot: Slot;
  readonly what: number;
}

/** The slots of a table. */
export class Table {
  readonly length: Slot;
  readonly window: TableWindow;
  private readonly slots: Slot[] = [];
  /** The codes of how many there are. */
  private readonly counts: number[] = [];
  private readonly make: () => Slot;

  constructor(run: Run, make: () => Slot) {
    this.make = make;
    this.length = make();
    this.window = new TableWindow(run, this.length, (place) => this.slot(place));
  }

  slot(place: number): Slot {
    for (let each = this.slots.length; each <= place; each += 1) this.slots.push(this.make());
    return this.slots[place] as Slot;
  }

  count(codes: ArrayLike<number>): number {
    return Number(this.length.values[codes[this.length.place] as number]);
  }

  /** Puts the entries into a list. */
  entries(codes: ArrayLike<number>, entries: unknown[]): unknown[] {
    const count = this.count(codes);
    // A list that is set to no length lets its room go.
    if (entries.length > count) entries.length = count;
    for (let place = 0; place < count; place += 1) {
      const slot = this.slots[place] as Slot;
      entries[place] = slot.values[codes[slot.place] as number];
    }
    return entries;
  }

  /** Takes all entries away. */
  clear(codes: number[]): void {
    for (const slot of this.slots) codes[slot.place] = 0;
  }

  /** Makes what was put into places a table: null stands in those between. */
  fill(codes: number[]): void {
    let count = this.slots.length;
    while (count > 0 && !codes[(this.slots[count - 1] as Slot).place]) count -= 1;
    for (let place = 0; place < count; place += 1) {
      const slot = this.slots[place] as Slot;
      if (!codes[slot.place]) codes[slot.place] = slot.ofNull;
    }
    this.counts[count] ??= this.length.code(count);
    codes[this.length.place] = this.counts[count] as number;
  }
}

class Single {
  readonly slot: Slot;
  readonly window: Window;

  constructor(run: Run, slot: Slot) {
    this.slot = slot;
    this.window = new Window(run, slot.whole, null);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Stands in for a state: for the one that changes, or the one before. */
class StateEye implements ProxyHandler<State> {
  private readonly run: Run;
  private readonly parts: ReadonlyMap<string, Table | Single>;
  /** What was written to it; null: nothing can be. */
  private readonly own: Map<string, unknown> | null;

  constructor(run: Run, parts: ReadonlyMap<string, Table | Single>, own: Map<string, unknown> | null) {
    this.run = run;
    this.parts = parts;
    this.own = own;
  }

  get(target: State, key: string | symbol): unknown {
    return this.show(key, (target as unknown as Record<string | symbol, unknown>)[key]);
  }

  getOwnPropertyDescriptor(target: State, key: string | symbol): PropertyDescriptor | undefined {
    const own = Reflect.getOwnPropertyDescriptor(target, key);
    return own && { ...own, value: this.show(key, own.value) };
  }

  set(_target: State, key: string | symbol, value: unknown): boolean {
    if (this.own === null || this.run.settled || typeof key === 'symbol' || !this.parts.has(key))
      return false;
    this.own.set(key, value);
    return true;
  }

  deleteProperty(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  private show(key: string | symbol, value: unknown): unknown {
    const { own, parts } = this;
    const part = typeof key === 'string' ? parts.get(key) : undefined;
    if (part === undefined || typeof key === 'symbol') return value;
    if (own !== null && own.size > 0 && own.has(key)) return own.get(key);
    return part.window.look(value, own !== null);
  }
}

/** Which slots a state has: they are found as states come that need more. */
export class Shape {
  readonly run = new Run();
  readonly slots: readonly [Slot[], Slot[]] = [[], []];
  private readonly parts = new Map<string, Table | Single>();
  /** By half its parts; an object with a field for each, of which a copy grows no more; and what was open in the latest second half. */
  private readonly partsOf: readonly [[string, Table | Single][], [string, Table | Single][]] = [[], []];
  private readonly blank: Record<string, unknown> = {};
  private readonly opened: Record<string, unknown> = {};
  /** An edit is ~ its place here. */
  readonly edits = new Edits();
  /** Slots, each with its changes by their numbers: one of these is an edit. */
  private readonly edited = new Lists();
  private changes = 0;
  private readonly list: number[] = [];
  /** What was written to the state itself. */
  private readonly own = new Map<string, unknown>();
  private readonly moving = new StateEye(this.run, this.parts, this.own);
  private readonly still = new StateEye(this.run, this.parts, null);

  constructor(initial: State, facing: Facing) {
    for (const [key, value] of Object.entries(initial)) {
      const half: Half = machine.has(key) ? 0 : 1;
      const slots = this.slots[half];
      const make = () => {
        const slot = new Slot(half, slots.length, facing);
        slots.push(slot);
        return slot;
      };
      const part = Array.isArray(value) ? new Table(this.run, make) : new Single(this.run, make());
      this.parts.set(key, part);
      this.partsOf[half].push([key, part]);
      this.blank[key] = undefined;
      if (half === 1) this.opened[key] = [];
    }
  }

  table(key: keyof State): Table {
    const part = this.parts.get(key);
    if (!(part instanceof Table)) throw new Error(`${key} is no table`);
    return part;
  }

  /** How many entries the tables of a half have. */
  lengths(half: Half): readonly Slot[] {
    const tables = [...this.parts.values()].filter((part) => part instanceof Table);
    return tables.map(({ length }) => length).filter((length) => length.half === half);
  }

  /** The codes of a state that nobody watches. */
  codesOf(state: State): [number[], number[]] {
    const codes: [number[], number[]] = [[], []];
    const tell = (slot: Slot, value: unknown) => {
      codes[slot.half][slot.place] = slot.code(value);
    };
    for (const [key, part] of this.parts) {
      const value = (state as unknown as Fields)[key];
      if (part instanceof Single) {
        tell(part.slot, value);
        continue;
      }
      const entries = value as readonly unknown[];
      tell(part.length, entries.length);
      entries.forEach((entry, place) => {
        tell(part.slot(place), entry);
      });
    }
    return codes;
  }

  /** The state that has these codes. */
  stateOf(machine: ArrayLike<number>, files: ArrayLike<number>): State {
    const state = { ...this.blank };
    this.fill(state, 0, machine);
    this.fill(state, 1, files);
    return state as unknown as State;
  }

  /** What is there in the state that has these codes in its second half, until it is asked again. */
  openedOf(files: ArrayLike<number>): Opened {
    for (const [key, part] of this.partsOf[1]) {
      if (part instanceof Single) this.opened[key] = part.slot.values[files[part.slot.place] as number];
      else part.entries(files, this.opened[key] as unknown[]);
    }
    return this.opened as unknown as Opened;
  }

  private fill(state: Record<string, unknown>, half: Half, codes: ArrayLike<number>): void {
    for (const [key, part] of this.partsOf[half]) {
      if (part instanceof Single) state[key] = part.slot.values[codes[part.slot.place] as number];
      else state[key] = part.entries(codes, []);
    }
  }

  /** Another question is asked of a state. What is given is to be shown to the model in its place. */
  watch(state: State): State {
    this.run.begin();
    if (this.own.size > 0) this.own.clear();
    return this.shown(state, true);
  }

  /** The watched state as it was before the question. */
  before(state: State): State {
    return this.shown(state, false);
  }

  private shown(state: State, moves: boolean): State {
    return new Proxy(state, moves ? this.moving : this.still);
  }

  /** What the question made of the watched state `before`. */
  writes(before: State, watched: State, after: State): Write[] {
    const writes: Write[] = [];
    for (const [key, part] of this.partsOf[0]) this.written(key, part, before, watched, after, writes);
    for (const [key, part] of this.partsOf[1]) this.written(key, part, before, watched, after, writes);
    return writes;
  }

  private written(
    key: string,
    part: Table | Single,
    before: State,
    watched: State,
    after: State,
    writes: Write[],
  ): void {
    const old = (before as unknown as Fields)[key];
    const value = after === watched ? this.own.get(key) : (after as unknown as Fields)[key];
    if (part instanceof Single) this.writeSingle(part, old, value, writes);
    // Who was not shown a table has changed nothing of it.
    else if (value !== undefined || part.window.touched !== null)
      this.writeTable(part, old as readonly unknown[], value, writes);
  }

  private writeSingle({ slot, window }: Single, old: unknown, value: unknown, writes: Write[]): void {
    const its = value === undefined || (isObject(value) && windowOf(value) === window);
    if (!its) {
      if (value !== old || isObject(value) || !window.noted())
        writes.push({ slot, what: slot.code(plain(value)) });
    } else if (window.dirty()) writes.push(this.edit(slot));
  }

  private writeTable(table: Table, old: readonly unknown[], value: unknown, writes: Write[]): void {
    const eye = isObject(value) ? eyeOf(value) : (table.window.touched ?? undefined);
    if (eye !== undefined && !(eye instanceof TableEye && eye.table === table.window))
      throw new Error('a table of the state in the place of another');
    if (value !== undefined && !Array.isArray(value))
      throw new Error('a table of the state is none any more');
    const list: readonly unknown[] = eye === undefined ? ((value as readonly unknown[]) ?? old) : eye.list;
    if (eye === undefined && value !== undefined) table.window.length.look(0, false);
    for (let place = 0; place < list.length; place += 1) {
      const slot = table.slot(place);
      const entry = list[place];
      const window = table.window.entry(place);
      const rewritten = eye === undefined ? value !== undefined : eye.changed && eye.written[place] === true;
      if (rewritten && !this.kept(window, old[place], entry, place < old.length)) {
        writes.push({ slot, what: slot.code(plain(entry)) });
      } else if (window.dirty()) writes.push(this.edit(slot));
    }
    for (let place = list.length; place < old.length; place += 1)
      writes.push({ slot: table.slot(place), what: 0 });
    if (list.length !== old.length) writes.push({ slot: table.length, what: table.length.code(list.length) });
  }

  /** Whether what was put into a place of a table is what stood there, changed or not. */
  private kept(window: Window, old: unknown, entry: unknown, there: boolean): boolean {
    if (!there) return false;
    return isObject(entry) ? windowOf(entry) === window : entry === old && window.noted();
  }

  private edit(slot: Slot): Write {
    const { list, run } = this;
    list[0] = slot.half;
    list[1] = slot.place;
    let size = 2;
    for (const { field, key, value } of run.changes) {
      if (field.slot !== slot) continue;
      list[size] = this.change(field.child(key), value);
      size += 1;
    }
    const edit = this.edited.number(list, size);
    if (edit === this.edits.count) this.addEdit(slot);
    return { slot, what: ~edit };
  }

  /** The number of what is written to a field. */
  private change({ changes, made }: Field, value: unknown): number {
    const its = plain(value);
    const told = isObject(its) || Object.is(its, -0);
    const known = told ? made.get(textOf(its)) : changes.get(its);
    if (known !== undefined) return known;
    this.changes += 1;
    if (told) made.set(textOf(its), this.changes);
    else changes.set(its, this.changes);
    return this.changes;
  }

  private addEdit(slot: Slot): void {
    this.edits.add(slot, this.run.changes.filter(({ field }) => field.slot === slot).map(told));
  }
}

function told({ field, key, value }: Change): Change {
  return { field, key, value: plain(value) };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function windowOf(value: object): Window | null {
  const eye = eyeOf(value);
  return eye instanceof EntryEye ? eye.window : null;
}
