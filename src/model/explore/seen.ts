import { grown } from './ints.ts';

/** Pairs of keys that were met: by second key a set of first keys, an open table in one array with all others. */
export class Seen {
  /** One after another: how many keys, how many places less one, and the places: one more than a key, 0 is free. */
  private sets: Int32Array = new Int32Array(1 << 16);
  private used = 1;
  /** By second key where its set is; 0: there is none. */
  private starts: Int32Array = new Int32Array(1 << 12);

  /** Whether the pair is new. */
  add(first: number, second: number): boolean {
    if (second >= this.starts.length) this.starts = grown(this.starts, 2 * second);
    let start = this.starts[second] as number;
    if (start === 0) {
      start = this.take(4);
      this.starts[second] = start;
    }
    const place = this.find(start, first);
    if (place === -1) return false;
    this.sets[place] = first + 1;
    this.sets[start] = (this.sets[start] as number) + 1;
    if (4 * (this.sets[start] as number) > 3 * (this.sets[start + 1] as number)) this.grow(second, start);
    return true;
  }

  /** The free place for a key; -1 when it is there. */
  private find(start: number, key: number): number {
    const { sets } = this;
    const mask = sets[start + 1] as number;
    const mixed = Math.imul(key, 0x9e3779b1);
    for (let at = (mixed ^ (mixed >>> 15)) & mask; ; at = (at + 1) & mask) {
      const there = sets[start + 2 + at] as number;
      if (there === 0) return start + 2 + at;
      if (there === key + 1) return -1;
    }
  }

  private grow(second: number, old: number): void {
    const room = (this.sets[old + 1] as number) + 1;
    const start = this.take(2 * room);
    this.sets[start] = this.sets[old] as number;
    this.starts[second] = start;
    for (let at = old + 2; at < old + 2 + room; at += 1) {
      const there = this.sets[at] as number;
      if (there !== 0) this.sets[this.find(start, there - 1)] = there;
    }
  }

  private take(room: number): number {
    const start = this.used;
    this.used += room + 2;
    if (this.used > this.sets.length) this.sets = grown(this.sets, 2 * this.used);
    this.sets[start + 1] = room - 1;
    return start;
  }
}
