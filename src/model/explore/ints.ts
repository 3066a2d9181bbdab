/** A list of 32-bit numbers that grows. */
export class Ints {
  array: Int32Array;
  length = 0;

  constructor(room = 1024) {
    this.array = new Int32Array(room);
  }

  push(value: number): number {
    if (this.length === this.array.length) this.array = grown(this.array, 2 * this.length);
    this.array[this.length] = value;
    this.length += 1;
    return this.length - 1;
  }

  at(place: number): number {
    return this.array[place] as number;
  }
}

export function grown(old: Int32Array, room: number): Int32Array {
  const array = new Int32Array(room);
  array.set(old);
  return array;
}
