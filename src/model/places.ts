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
  const copy = copyOf(table);
  copy[place] = entry;
  while (copy.length > 0 && copy[copy.length - 1] === null) copy.pop();
  return copy;
}

/** The list with the item at `place` replaced. */
export function replace<T>(list: readonly T[], place: number, item: T): T[] {
  const copy = copyOf(list);
  copy[place] = item;
  return copy;
}

/** The list with one item more, at `place`. */
export function inserted<T>(list: readonly T[], place: number, item: T): T[] {
  // Most tables are empty, and a few are long: those the engine copies as a whole.
  if (list.length === 0) return [item];
  const longer = copyOf(list);
  longer.splice(place, 0, item);
  return longer;
}

/** The item with this `id`. */
export function byId<T extends { readonly id: number }>(
  list: readonly T[],
  id: number | null | undefined,
): T | undefined {
  return list[placeOfId(list, id)];
}

/** Where it is; -1: nowhere. Counted loops throughout: to the sandbox's engine a closure costs more than a short table. */
export function placeOfId(list: readonly { readonly id: number }[], id: number | null | undefined): number {
  for (let place = 0; place < list.length; place += 1) if (list[place]?.id === id) return place;
  return -1;
}

export function copyOf<T>(list: readonly T[]): T[] {
  return list.slice();
}
