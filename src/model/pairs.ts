/** Pairs of numbers, each by a number of its own: an open table of integers, which is much faster than a Map of texts. */
export class Pairs {
  size = 0;
  private room = 1024;
  /** Left, right and one more than the number, in threes; 0 there is a free place. */
  private table = new Int32Array(3 * this.room);

  number(left: number, right: number): number {
    let place = this.place(left, right);
    for (; ; place = (place + 1) & (this.room - 1)) {
      const known = this.table[3 * place + 2] as number;
      if (known === 0) break;
      if (this.table[3 * place] === left && this.table[3 * place + 1] === right) return known - 1;
    }
    this.size += 1;
    this.table[3 * place] = left;
    this.table[3 * place + 1] = right;
    this.table[3 * place + 2] = this.size;
    if (2 * this.size > this.room) this.grow();
    return this.size - 1;
  }

  private place(left: number, right: number): number {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 0x7f4a7c15, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.room - 1);
  }

  private grow(): void {
    const { table } = this;
    this.room *= 2;
    this.table = new Int32Array(3 * this.room);
    for (let from = 0; from < table.length; from += 3) {
      if (table[from + 2] === 0) continue;
      let place = this.place(table[from] as number, table[from + 1] as number);
      while (this.table[3 * place + 2] !== 0) place = (place + 1) & (this.room - 1);
      this.table.set(table.subarray(from, from + 3), 3 * place);
    }
  }
}
