/**
 * Where codes stand in rows of words: each slot has a field of 8 bits, or of 16 or 32 once it has so many codes. So a row takes
 * few words, and two are compared soon.
 */
export class Packed {
  /** Words of a row. */
  size = 0;
  /** By place its word, how far its field is moved in there, the largest code that it takes, and the bits of it. */
  readonly words: number[] = [];
  readonly shifts: number[] = [];
  readonly most: number[] = [];
  /** By word its first place; behind the last word how many places there are. */
  readonly firsts: number[] = [];

  constructor(bits: readonly number[]) {
    let used = 32;
    for (let place = 0; place < bits.length; place += 1) {
      const its = bits[place] as number;
      if (used + its > 32) {
        used = 0;
        this.firsts.push(place);
      }
      this.words.push(this.firsts.length - 1);
      this.shifts.push(used);
      this.most.push(2 ** Math.min(its, 31) - 1);
      used += its;
    }
    this.size = this.firsts.length;
    this.firsts.push(bits.length);
  }

  code(rows: Int32Array, from: number, place: number): number {
    return (
      ((rows[from + (this.words[place] as number)] as number) >>> (this.shifts[place] as number)) &
      (this.most[place] as number)
    );
  }

  /** Writes the code of a field in which there is none. */
  put(rows: Int32Array, from: number, place: number, code: number): void {
    const at = from + (this.words[place] as number);
    rows[at] = (rows[at] as number) | (code << (this.shifts[place] as number));
  }
}

/** The bits of a field that takes a code. */
export function bitsFor(code: number): number {
  if (code < 2 ** 8) return 8;
  return code < 2 ** 16 ? 16 : 32;
}
