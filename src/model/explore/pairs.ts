/** Numbers by pairs of numbers: an open table of integers. */
export class Pairs {
  private count = 0;
  private room: number;
  /** A first number, a second, one more than their number; 0 there is a free place. */
  private table: Int32Array;

  constructor(room = 64) {
    this.room = room;
    this.table = new Int32Array(3 * room);
  }

  /** -1 where there is none. */
  get(first: number, second: number): number {
    const { table } = this;
    for (let at = this.home(first, second); ; at = (at + 1) & (this.room - 1)) {
      const there = table[3 * at + 2] as number;
      if (there === 0 || (table[3 * at] === first && table[3 * at + 1] === second)) return there - 1;
    }
  }

  /** Of a pair that has none yet. */
  set(first: number, second: number, number: number): void {
    if (2 * (this.count + 1) > this.room) this.grow();
    this.put(first, second, number);
    this.count += 1;
  }

  clear(): void {
    if (this.count > 0) this.table.fill(0);
    this.count = 0;
  }

  private put(first: number, second: number, number: number): void {
    let at = this.home(first, second);
    while (this.table[3 * at + 2] !== 0) at = (at + 1) & (this.room - 1);
    this.table[3 * at] = first;
    this.table[3 * at + 1] = second;
    this.table[3 * at + 2] = number + 1;
  }

  private home(first: number, second: number): number {
    const mixed = Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.room - 1);
  }

  private grow(): void {
    const { table } = this;
    this.room *= 2;
    this.table = new Int32Array(3 * this.room);
    for (let from = 0; from < table.length; from += 3) {
      const there = table[from + 2] as number;
      if (there !== 0) this.put(table[from] as number, table[from + 1] as number, there - 1);
    }
  }
}
