/** Lists of integers, each by a number of its own: an open table of integers, which is much faster than a Map of texts. */
export class Lists {
  private size = 0;
  /** The lists one after another, each behind its length. */
  private items = new Int32Array(1 << 12);
  private used = 0;
  /** Hash, one more than the number, and where the list stands; a number of 0 is a free place. */
  private table = new Int32Array(3 << 10);
  private room = 1 << 10;

  /** Of a list, or of the first numbers of one. */
  number(list: readonly number[], length = list.length): number {
    let hash = length;
    for (let place = 0; place < length; place += 1) {
      hash = Math.imul(hash ^ (list[place] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const { table } = this;
    const mask = this.room - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const known = table[3 * at + 1] as number;
      if (known === 0) return this.add(list, length, hash, at);
      if (table[3 * at] === hash && this.equal(list, length, table[3 * at + 2] as number)) return known - 1;
    }
  }

  private equal(list: readonly number[], length: number, at: number): boolean {
    const { items } = this;
    if (items[at] !== length) return false;
    for (let place = 0; place < length; place += 1) if (items[at + 1 + place] !== list[place]) return false;
    return true;
  }

  private add(list: readonly number[], length: number, hash: number, at: number): number {
    const end = this.used + 1 + length;
    if (end > this.items.length) {
      const { items } = this;
      this.items = new Int32Array(2 * end);
      this.items.set(items);
    }
    this.items[this.used] = length;
    for (let place = 0; place < length; place += 1) this.items[this.used + 1 + place] = list[place] as number;
    this.size += 1;
    this.table.set([hash, this.size, this.used], 3 * at);
    this.used = end;
    if (2 * this.size > this.room) this.grow();
    return this.size - 1;
  }

  private grow(): void {
    const { table } = this;
    this.room *= 2;
    this.table = new Int32Array(3 * this.room);
    for (let from = 0; from < table.length; from += 3) {
      if (table[from + 1] === 0) continue;
      let at = (table[from] as number) & (this.room - 1);
      while (this.table[3 * at + 1] !== 0) at = (at + 1) & (this.room - 1);
      this.table.set(table.subarray(from, from + 3), 3 * at);
    }
  }
}
