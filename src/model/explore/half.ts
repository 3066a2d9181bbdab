import { Lists } from '../lists.ts';
import type { Edit } from './edit.ts';
import { grown, Ints } from './ints.ts';
import type { Write } from './shape.ts';
import type { Slot } from './slot.ts';

/**
 * One half of states: every combination of codes that was met, once, and the present one. Each has a number; what the
 * other half does not matter to is worked out once for each.
 */
export class Half {
  /** The present codes, by place. */
  now: Int32Array;
  count = 0;
  /** Room for the codes of a combination that is not present. */
  private other: Int32Array;
  private hash = 0;
  private readonly slots: readonly Slot[];
  private width: number;
  /** By number the codes, and keys. */
  private rows: Int32Array;
  private readonly keys = new Ints();
  /** Hash, and one more than the number; 0 there is a free place. */
  private table = new Int32Array(2 * 4096);
  private room = 4096;
  private factors: number[] = [];
  /** What a step writes, one after another. */
  private fresh = new Int32Array(64);
  /** By number what steps write. */
  private readonly writings: (readonly number[])[] = [];
  private readonly lists = new Lists();

  constructor(slots: readonly Slot[], codes: readonly number[]) {
    this.slots = slots;
    this.width = slots.length;
    this.now = Int32Array.from(codes);
    this.other = new Int32Array(this.width);
    this.rows = new Int32Array(1024 * this.width);
    this.writing([]);
    this.weigh();
    for (let place = 0; place < this.width; place += 1)
      this.hash = (this.hash + Math.imul(this.now[place] as number, this.factors[place] as number)) | 0;
  }

  /** -1 as long as it is not known. */
  key(number: number): number {
    return this.keys.at(number);
  }

  setKey(number: number, key: number): void {
    this.keys.array[number] = key;
  }

  codes(number: number): Int32Array {
    const from = number * this.width;
    return this.rows.subarray(from, from + this.width);
  }

  /** Makes a combination the present one. */
  load(number: number, facts: Int32Array): void {
    const { rows, now, slots, width } = this;
    const from = number * width;
    let { hash } = this;
    for (let place = 0; place < width; place += 1) {
      const code = rows[from + place] as number;
      const old = now[place] as number;
      if (code === old) continue;
      hash = (hash + Math.imul(code - old, this.factors[place] as number)) | 0;
      now[place] = code;
      (slots[place] as Slot).show(code, facts);
    }
    this.hash = hash;
  }

  /** The number of a combination that is not the present one. */
  numberOf(codes: ArrayLike<number>): number {
    const { now, hash } = this;
    this.now = this.other;
    this.hash = 0;
    for (let place = 0; place < this.width; place += 1) {
      const code = codes[place] ?? 0;
      this.now[place] = code;
      this.hash = (this.hash + Math.imul(code, this.factors[place] as number)) | 0;
    }
    const number = this.find(this.hash);
    this.now = now;
    this.hash = hash;
    return number;
  }

  /** The number of the present combination. */
  present(): number {
    return this.find(this.hash);
  }

  /** The number of writes, each a place and a code or, negative, an edit; 0: of none. */
  writing(writes: readonly Write[]): number {
    const list = writes.flatMap(({ slot, what }) => [slot.place, what]);
    const number = this.lists.number(list);
    if (number === this.writings.length) this.writings.push(list);
    return number;
  }

  /** The number of what becomes of the present combination by writes. */
  after(writing: number, edits: readonly Edit[]): number {
    return this.written(this.writings[writing] as readonly number[], edits);
  }

  private written(writes: readonly number[], edits: readonly Edit[]): number {
    const count = writes.length / 2;
    if (count > this.fresh.length) this.fresh = new Int32Array(2 * count);
    const { now, fresh, factors } = this;
    for (let write = 0; write < count; write += 1) {
      const what = writes[2 * write + 1] as number;
      fresh[write] =
        what >= 0 ? what : edited(edits[~what] as Edit, now[writes[2 * write] as number] as number);
    }
    let { hash } = this;
    for (let write = 0; write < count; write += 1) {
      const place = writes[2 * write] as number;
      const old = now[place] as number;
      const code = fresh[write] as number;
      hash = (hash + Math.imul(code - old, factors[place] as number)) | 0;
      now[place] = code;
      fresh[write] = old;
    }
    const number = this.find(hash);
    for (let write = 0; write < count; write += 1) now[writes[2 * write] as number] = fresh[write] as number;
    return number;
  }

  /** Makes room for slots that came meanwhile: nothing was there before. */
  widen(): void {
    const { slots, rows, width: old, now } = this;
    if (slots.length <= old) return;
    this.width = slots.length + 4;
    this.rows = new Int32Array(Math.max(1024, 2 * this.count) * this.width);
    for (let number = 0; number < this.count; number += 1)
      this.rows.set(rows.subarray(number * old, (number + 1) * old), number * this.width);
    this.now = grown(now, this.width);
    this.other = new Int32Array(this.width);
    this.weigh();
  }

  private find(hash: number): number {
    const { table, rows, now, width } = this;
    const mask = this.room - 1;
    for (let at = scrambled(hash) & mask; ; at = (at + 1) & mask) {
      const number = (table[2 * at + 1] as number) - 1;
      if (number === -1) return this.add(hash, at);
      if (table[2 * at] !== hash) continue;
      const from = number * width;
      let place = 0;
      while (place < width && rows[from + place] === now[place]) place += 1;
      if (place === width) return number;
    }
  }

  private add(hash: number, at: number): number {
    const number = this.count;
    const from = number * this.width;
    if (from + this.width > this.rows.length) this.rows = grown(this.rows, 2 * this.rows.length);
    this.rows.set(this.now, from);
    this.keys.push(-1);
    this.table[2 * at] = hash;
    this.table[2 * at + 1] = number + 1;
    this.count += 1;
    if (2 * this.count > this.room) this.spread();
    return number;
  }

  private spread(): void {
    const { table } = this;
    this.room *= 2;
    this.table = new Int32Array(2 * this.room);
    const mask = this.room - 1;
    for (let from = 0; from < table.length; from += 2) {
      if (table[from + 1] === 0) continue;
      let at = scrambled(table[from] as number) & mask;
      while (this.table[2 * at + 1] !== 0) at = (at + 1) & mask;
      this.table[2 * at] = table[from] as number;
      this.table[2 * at + 1] = table[from + 1] as number;
    }
  }

  /** Odd factors that have little to do with each other; code 0 weighs nothing, so rows keep their hashes. */
  private weigh(): void {
    for (let place = this.factors.length; place < this.width; place += 1) {
      const mixed = Math.imul(place + 1, 0x9e3779b1);
      this.factors.push(Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) | 1);
    }
  }
}

function edited(edit: Edit, code: number): number {
  return edit.results[code] ?? edit.make(code);
}

function scrambled(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
