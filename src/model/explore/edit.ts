import type { Slot } from './slot.ts';
import { type Change, gone } from './view.ts';

/** Changes within the value of a slot: to each code another. */
export class Edit {
  /** By code; undefined where it was not made yet. */
  readonly results: number[] = [];
  private readonly slot: Slot;
  private readonly changes: readonly Change[];

  constructor(slot: Slot, changes: readonly Change[]) {
    this.slot = slot;
    this.changes = changes;
  }

  /** The code of what becomes of the value with this code. */
  make(code: number): number {
    const known = this.results[code];
    if (known !== undefined) return known;
    const value = copied(this.slot.values[code]);
    for (const { field, key, value: its } of this.changes) {
      const within = field.within(value) as Record<string, unknown>;
      if (its === gone) delete within[key];
      else within[key] = its;
    }
    const result = this.slot.code(value);
    this.results[code] = result;
    return result;
  }
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, copied(field)]));
}
