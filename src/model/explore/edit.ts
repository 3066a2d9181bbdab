import { grown, Ints } from './ints.ts';
import type { Slot } from './slot.ts';
import { type Change, gone } from './view.ts';

/** Changes within the value of a slot, each set of them once: to each code another. */
export class Edits {
  private readonly made: Edit[] = [];
  /** By edit where in `results` it stands: for how many codes there is room, and for each one more than what becomes of it. */
  private readonly starts = new Ints();
  private results: Int32Array = new Int32Array(1 << 12);
  private used = 0;

  get count(): number {
    return this.made.length;
  }

  add(slot: Slot, changes: readonly Change[]): void {
    this.made.push({ slot, changes });
    this.starts.push(this.take(slot.values.length));
  }

  /** The code of what becomes of the value with this code. */
  of(edit: number, code: number): number {
    const { results } = this;
    const start = this.starts.at(edit);
    if (code < (results[start] as number)) {
      const known = results[start + 1 + code] as number;
      if (known !== 0) return known - 1;
    }
    return this.make(edit, code);
  }

  private make(edit: number, code: number): number {
    const { slot, changes } = this.made[edit] as Edit;
    const value = copied(slot.values[code]);
    for (const { field, key, value: its } of changes) {
      const within = field.within(value) as Record<string, unknown>;
      if (its === gone) delete within[key];
      else within[key] = its;
    }
    const result = slot.code(value);
    let start = this.starts.at(edit);
    const room = this.results[start] as number;
    if (code >= room) {
      const old = start;
      start = this.take(2 * code);
      this.results.copyWithin(start + 1, old + 1, old + 1 + room);
      this.starts.array[edit] = start;
    }
    this.results[start + 1 + code] = result + 1;
    return result;
  }

  private take(room: number): number {
    const start = this.used;
    this.used += room + 1;
    if (this.used > this.results.length) this.results = grown(this.results, 2 * this.used);
    this.results[start] = room;
    return start;
  }
}

interface Edit {
  readonly slot: Slot;
  readonly changes: readonly Change[];
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, copied(field)]));
}
