/**
 * Small tables: the kernel hands out the lowest free number (ida), and so do these. A table is an array with null in its
 * free places; nothing here changes an array in place.
 */

/** The lowest free place. */
export function lowestFree(table: readonly (object | null)[]): number {
  const free = table.indexOf(null);
  return free === -1 ? table.length : free;
}

/** The table with `entry` at `place`, without free places at its end. */
export function put<T extends object>(
  table: readonly (T | null)[],
  place: number,
  entry: T | null,
): (T | null)[] {
  const copy = [...table];
  copy[place] = entry;
  while (copy.length > 0 && copy[copy.length - 1] === null) copy.pop();
  return copy;
}

/** The list with the item at `place` replaced. */
export function replace<T>(list: readonly T[], place: number, item: T): T[] {
  const copy = [...list];
  copy[place] = item;
  return copy;
}
