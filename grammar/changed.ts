/** What two versions of a text have in common at their ends: a keystroke changes little between. */
export interface Change {
  /** The first offset at which they differ. */
  readonly start: number;
  /** Where the old text, and the new one, are the same again. */
  readonly oldEnd: number;
  readonly newEnd: number;
}

/** Compared in stretches: of two texts whole stretches are compared at once, and single characters in the last alone. */
const stretch = 4096;

export function changeOf(old: string, now: string): Change {
  const limit = Math.min(old.length, now.length);
  let start = 0;
  while (start + stretch <= limit && old.slice(start, start + stretch) === now.slice(start, start + stretch))
    start += stretch;
  while (start < limit && old.charCodeAt(start) === now.charCodeAt(start)) start += 1;
  let oldEnd = old.length;
  let newEnd = now.length;
  const rest = () => Math.min(oldEnd, newEnd) - start;
  while (rest() >= stretch && old.slice(oldEnd - stretch, oldEnd) === now.slice(newEnd - stretch, newEnd)) {
    oldEnd -= stretch;
    newEnd -= stretch;
  }
  while (rest() > 0 && old.charCodeAt(oldEnd - 1) === now.charCodeAt(newEnd - 1)) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  return { start, oldEnd, newEnd };
}
