import { Lists } from '../lists.ts';
import type { Edits } from './edit.ts';
import { grown, Ints } from './ints.ts';
import { bitsFor, Packed } from './packed.ts';
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
  private hash = 0;
  private readonly slots: readonly Slot[];
  /** By place the bits of its field, and where it is in a row. */
  private readonly bits: number[] = [];
  private packed = new Packed([]);
  /** The row of the present codes, and room for one that is not present and for its codes. */
  private row = new Int32Array(0);
  private other = new Int32Array(0);
  private unpacked = new Int32Array(0);
  /** By number the row, and keys. */
  private rows: Int32Array = new Int32Array(0);
  private readonly keys = new Ints();
  /** Hash, and one more than the number; 0 there is a free place. */
  private table = new Int32Array(2 * 4096);
  private room = 4096;
  private factors: number[] = [];
  /** What a step writes, one after another. */
  private fresh = new Int32Array(64);
  /** By number where in `writes` it stands what steps write: how much, and of each its place and what. */
  private readonly writings = new Ints();
  private readonly writes = new Ints();
  private readonly lists = new Lists();
  private readonly list: number[] = [];

  constructor(slots: readonly Slot[], codes: readonly number[]) {
    this.slots = slots;
    this.now = Int32Array.from(codes);
    this.writing([], 0);
    for (let place = 0; place < codes.length; place += 1) this.bits.push(bitsFor(codes[place] as number));
    this.pack();
    for (let place = 0; place < codes.length; place += 1)
      this.hash = (this.hash + Math.imul(this.now[place] as number, this.factors[place] as number)) | 0;
  }

  /** -1 as long as it is not known. */
  key(number: number): number {
    return this.keys.at(number);
  }

  setKey(number: number, key: number): void {
    this.keys.array[number] = key;
  }

  /** The codes of a combination, until another one is asked for. */
  codes(number: number): Int32Array {
    const { packed, unpacked, rows } = this;
    const from = number * packed.size;
    for (let place = 0; place < unpacked.length; place += 1) unpacked[place] = packed.code(rows, from, place);
    return unpacked;
  }

  /** Makes a combination the present one. */
  load(number: number, facts: Int32Array): void {
    const { rows, row, packed } = this;
    const from = number * packed.size;
    for (let word = 0; word < packed.size; word += 1) {
      if (row[word] === rows[from + word]) continue;
      row[word] = rows[from + word] as number;
      const end = packed.firsts[word + 1] as number;
      for (let place = packed.firsts[word] as number; place < end; place += 1) {
        const code = packed.code(row, 0, place);
        if (code !== this.now[place]) this.change(place, code, facts);
      }
    }
  }

  private change(place: number, code: number, facts: Int32Array): void {
    const old = this.now[place] as number;
    this.hash = (this.hash + Math.imul(code - old, this.factors[place] as number)) | 0;
    this.now[place] = code;
    (this.slots[place] as Slot).show(code, facts);
  }

  /** The number of a combination that is not the present one. */
  numberOf(codes: ArrayLike<number>): number {
    let hash = 0;
    for (let place = 0; place < this.bits.length; place += 1) {
      const code = codes[place] ?? 0;
      if (code > (this.packed.most[place] as number)) this.extend(place, code);
      hash = (hash + Math.imul(code, this.factors[place] as number)) | 0;
    }
    const { packed, other } = this;
    other.fill(0);
    for (let place = 0; place < this.bits.length; place += 1) {
      const code = codes[place] ?? 0;
      if (code !== 0) packed.put(other, 0, place, code);
    }
    return this.find(hash, other);
  }

  /** The number of the present combination. */
  present(): number {
    return this.find(this.hash, this.row);
  }

  /** The number of what is written to this half, each a place and a code or, negative, an edit; 0: of nothing. */
  writing(writes: readonly Write[], half: number): number {
    const { list } = this;
    let size = 0;
    for (let each = 0; each < writes.length; each += 1) {
      const { slot, what } = writes[each] as Write;
      if (slot.half !== half) continue;
      list[size] = slot.place;
      list[size + 1] = what;
      size += 2;
    }
    const number = this.lists.number(list, size);
    if (number < this.writings.length) return number;
    this.writings.push(this.writes.push(size / 2));
    for (let each = 0; each < size; each += 1) this.writes.push(list[each] as number);
    return number;
  }

  /** The number of what becomes of the present combination by writes. */
  after(writing: number, edits: Edits): number {
    const { writes, now, factors } = this;
    const begin = this.writings.at(writing) + 1;
    const end = begin + 2 * writes.at(begin - 1);
    if (end - begin > this.fresh.length) this.fresh = new Int32Array(end - begin);
    const { fresh } = this;
    for (let at = begin; at < end; at += 2) {
      const place = writes.at(at);
      const what = writes.at(at + 1);
      const old = now[place] as number;
      const code = what >= 0 ? what : edits.of(~what, old);
      if (code > (this.packed.most[place] as number)) this.extend(place, code);
      fresh[at - begin] = place;
      fresh[at - begin + 1] = code - old;
    }
    const { row, packed } = this;
    const { words, shifts } = packed;
    let { hash } = this;
    for (let each = 0; each < end - begin; each += 2) {
      const place = fresh[each] as number;
      const more = fresh[each + 1] as number;
      hash = (hash + Math.imul(more, factors[place] as number)) | 0;
      // No field of the row overflows, so a difference changes its own one alone.
      const word = words[place] as number;
      row[word] = (row[word] as number) + (more << (shifts[place] as number));
    }
    const number = this.find(hash, row);
    for (let each = 0; each < end - begin; each += 2) {
      const place = fresh[each] as number;
      const word = words[place] as number;
      row[word] = (row[word] as number) - ((fresh[each + 1] as number) << (shifts[place] as number));
    }
    return number;
  }

  /** Makes room for slots that came meanwhile: nothing was there before. */
  widen(): void {
    const { slots, bits } = this;
    if (slots.length <= bits.length) return;
    this.now = grown(this.now, slots.length);
    while (bits.length < slots.length) bits.push(8);
    this.pack();
  }

  /** Makes room for a code in a place. */
  private extend(place: number, code: number): void {
    this.bits[place] = bitsFor(code);
    this.pack();
  }

  /** Packs every row as fields are now. */
  private pack(): void {
    const { bits, count, packed: old, rows: before } = this;
    const packed = new Packed(bits);
    this.packed = packed;
    this.rows = new Int32Array(Math.max(1024, 2 * count) * packed.size);
    for (let number = 0; number < count; number += 1) {
      for (let place = 0; place < old.words.length; place += 1)
        packed.put(this.rows, number * packed.size, place, old.code(before, number * old.size, place));
    }
    this.row = new Int32Array(packed.size);
    for (let place = 0; place < bits.length; place += 1)
      packed.put(this.row, 0, place, this.now[place] as number);
    this.other = new Int32Array(packed.size);
    this.unpacked = new Int32Array(bits.length);
    this.weigh();
  }

  private find(hash: number, row: Int32Array): number {
    const { table, rows } = this;
    const { size } = this.packed;
    const mask = this.room - 1;
    for (let at = scrambled(hash) & mask; ; at = (at + 1) & mask) {
      const number = (table[2 * at + 1] as number) - 1;
      if (number === -1) return this.add(hash, at, row);
      if (table[2 * at] !== hash) continue;
      const from = number * size;
      let word = 0;
      while (word < size && rows[from + word] === row[word]) word += 1;
      if (word === size) return number;
    }
  }

  private add(hash: number, at: number, row: Int32Array): number {
    const number = this.count;
    const { size } = this.packed;
    const from = number * size;
    if (from + size > this.rows.length) this.rows = grown(this.rows, 2 * this.rows.length);
    for (let word = 0; word < size; word += 1) this.rows[from + word] = row[word] as number;
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
    for (let place = this.factors.length; place < this.bits.length; place += 1) {
      const mixed = Math.imul(place + 1, 0x9e3779b1);
      this.factors.push(Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) | 1);
    }
  }
}

function scrambled(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
