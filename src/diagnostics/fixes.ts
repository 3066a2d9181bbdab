/**
 * Fixes, as they are declared with the diagnostics that carry them. Each says what its edits do; what is `safe` is said
 * where it is made, by who knows what else could have been meant.
 */
import { nearest } from '../../grammar/nearest.ts';
import { written } from '../../grammar/written.ts';
import type { Fix, Place } from './diagnostic.ts';

/** Puts `text` in the place of what stands there. */
export function replacement(place: Place, text: string, safe = false): Fix {
  return { title: `write \`${short(text)}\``, safe, edits: [{ ...place, text }] };
}

/** Takes out what stands there. `what`: "`;`", "the allow". */
export function removal(place: Place, what: string, safe = false): Fix {
  return { title: `remove ${what}`, safe, edits: [{ ...place, text: '' }] };
}

/** Two statements or declarations that cannot both stand: which one goes is for their author to say. */
export function oneOfTwo(here: Place, there: Place): readonly Fix[] {
  return [removal(here, 'this one'), removal(there, 'the other one')];
}

/** Puts words before the place, with a space between them and what stands there; `glued`: no space stands before it. */
export function insertionBefore({ file, span }: Place, words: string, safe = false, glued = false): Fix {
  const edit = { file, span: { start: span.start, end: span.start }, text: `${glued ? ' ' : ''}${words} ` };
  return { title: `insert \`${words}\``, safe, edits: [edit] };
}

/** Puts words behind the place, with a space between what stands there and them. */
export function insertionAfter({ file, span }: Place, words: string, safe = false): Fix {
  const edit = { file, span: { start: span.end, end: span.end }, text: ` ${words}` };
  return { title: `insert \`${words}\``, safe, edits: [edit] };
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** What a misspelt word may mean: a cure and a fix, or neither. Spread into what `report` takes. */
export interface Meant {
  readonly cures: readonly string[];
  readonly fixes: readonly Fix[];
}

/** A name that is not among the candidates. Another name is only ever a suggestion: names choose devices and people. */
export function nameMeant(place: Place | undefined, name: string, candidates: Iterable<string>): Meant {
  const others = [...candidates].filter((candidate) => candidate !== name);
  const meant = nearest(name, others);
  if (meant === undefined) return { cures: [], fixes: [] };
  return { cures: [`did you mean \`${meant}\`?`], fixes: place ? [replacement(place, written(meant))] : [] };
}

/** A word that is none of a fixed list. In capitals or in small letters it is the same word, and can mean no other. */
export function wordMeant(place: Place, word: string, list: readonly string[]): Meant {
  const meant = nearest(word, list);
  if (meant === undefined) return { cures: [], fixes: [] };
  const same = meant.toLowerCase() === word.toLowerCase();
  return { cures: [`did you mean \`${meant}\`?`], fixes: [replacement(place, meant, same)] };
}
