import type { Slot } from './slot.ts';
import { isIndex, origin, type Run, unchangeable, Window } from './view.ts';

/** The entries of a table, each with a slot; and a slot for how many there are. */
export class TableWindow {
  readonly run: Run;
  readonly length: Window;
  private readonly slotAt: (place: number) => Slot;
  private readonly entries: Window[] = [];
  private readonly moving: TableEye;
  private readonly still: TableEye;

  constructor(run: Run, length: Slot, slotAt: (place: number) => Slot) {
    this.run = run;
    this.length = new Window(run, length.whole, null);
    this.slotAt = slotAt;
    this.moving = new TableEye(this, true);
    this.still = new TableEye(this, false);
  }

  look(value: unknown, moves: boolean): unknown {
    return (moves || !this.dirty() ? this.moving : this.still).open(value as readonly unknown[]);
  }

  /** Whether the table or an entry of it was changed in place by the present question. */
  dirty(): boolean {
    return this.touched?.changed === true || this.entries.some((entry) => entry.dirty());
  }

  /** The one that changes, if it was shown. */
  get touched(): TableEye | null {
    return this.moving.isOpen ? this.moving : null;
  }

  entry(place: number): Window {
    let entry = this.entries[place];
    if (entry === undefined) {
      for (let each = this.entries.length; each <= place; each += 1)
        this.entries.push(new Window(this.run, this.slotAt(each).whole, null));
      entry = this.entries[place] as Window;
    }
    return entry;
  }
}

/** Stands in for a table. */
export class TableEye implements ProxyHandler<readonly unknown[]> {
  readonly table: TableWindow;
  changed = false;
  /** As it is now; an entry that was not written is as it was. */
  list: unknown[] = [];
  written: boolean[] = [];
  private readonly moves: boolean;
  private opened = 0;
  private proxy: readonly unknown[] = [];

  constructor(table: TableWindow, moves: boolean) {
    this.table = table;
    this.moves = moves;
  }

  get isOpen(): boolean {
    return this.opened === this.table.run.number;
  }

  open(value: readonly unknown[]): readonly unknown[] {
    if (this.isOpen) return this.proxy;
    this.opened = this.table.run.number;
    this.changed = false;
    this.list = value as unknown[];
    this.proxy = new Proxy(value, this);
    return this.proxy;
  }

  get(target: readonly unknown[], key: string | symbol): unknown {
    if (typeof key === 'symbol') return key === origin ? this : Reflect.get(target, key);
    if (key === 'length') return this.length();
    if (key === 'slice') return this.slicer();
    if (!isIndex(key)) return Reflect.get(target, key);
    const place = Number(key);
    if (place >= this.list.length || !Number.isInteger(place)) {
      this.length();
      return undefined;
    }
    if (this.changed && this.written[place] === true) return this.list[place];
    return this.table.entry(place).look(this.list[place], this.moves);
  }

  has(target: readonly unknown[], key: string | symbol): boolean {
    if (typeof key === 'symbol' || !isIndex(key)) return Reflect.has(target, key);
    return Number(key) < this.length();
  }

  ownKeys(): string[] {
    return [...Array.from({ length: this.length() }, (_, place) => `${place}`), 'length'];
  }

  getOwnPropertyDescriptor(target: readonly unknown[], key: string | symbol): PropertyDescriptor | undefined {
    if (typeof key === 'symbol' || !this.ownKeys().includes(key)) return undefined;
    const length = key === 'length';
    return { value: this.get(target, key), writable: true, enumerable: !length, configurable: !length };
  }

  set(_target: readonly unknown[], key: string | symbol, value: unknown): boolean {
    this.own();
    if (key === 'length') {
      this.length();
      this.list.length = Number(value);
    } else {
      const place = Number(key);
      if (place >= this.list.length) this.length();
      this.list[place] = value;
      this.written[place] = true;
    }
    return true;
  }

  deleteProperty(): boolean {
    // What `pop` takes away before it sets the length.
    this.own();
    return true;
  }

  defineProperty(target: readonly unknown[], key: string | symbol, description: PropertyDescriptor): boolean {
    return this.set(target, key, description.value);
  }

  private own(): void {
    if (!this.moves || this.table.run.settled) throw new TypeError(unchangeable);
    if (this.changed) return;
    this.changed = true;
    this.list = this.list.slice();
    this.written = [];
  }

  private length(): number {
    this.table.length.look(0, false);
    return this.list.length;
  }

  /** Apart, for a function that makes another needs a context at each call. */
  private slicer(): (...bounds: number[]) => unknown {
    return (...bounds) => this.slice(bounds);
  }

  /** A copy of the whole is another table that shares the entries; of a part, a list of them. */
  private slice(bounds: readonly number[]): unknown {
    if (bounds.length > 0) return Array.prototype.slice.apply(this.proxy, bounds as [number]);
    const copy = new TableEye(this.table, true);
    copy.open(this.list);
    if (this.changed) {
      copy.own();
      copy.written = this.written.slice();
    }
    return copy.proxy;
  }
}
