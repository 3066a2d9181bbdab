import { isMissing, type Token } from '../../grammar/tree.ts';
import { replacement, wordMeant } from '../diagnostics/fixes.ts';
import type { Word } from './ast.ts';
import type { Lowering } from './lowering.ts';

/** Words that are one of a list, amounts of memory and spans of time. */

/** A word of a list that the kernel has; `otherwise` is the cure where none of them is like it. */
export function oneOf(
  at: Lowering,
  token: Token,
  code: 'VP1023' | 'VP1025' | 'VP1026' | 'VP1031',
  list: readonly string[],
  otherwise: string,
): Word | undefined {
  return at.shaped(token, { test: (text) => list.includes(text) }, (text) => {
    const place = at.place(token);
    const same = list.find((word) => plain(word) === plain(text));
    const meant =
      same === undefined
        ? wordMeant(place, text, list)
        : { cures: [`write \`${same}\``], fixes: [replacement(place, same, true)] };
    at.report(code, token, { text }, meant.fixes.length > 0 ? meant : { cures: [otherwise] });
  });
}

/** Without what may be left out by mistake, and may be no other word: `sys_rawio` is `CAP_SYS_RAWIO`. */
function plain(word: string): string {
  return word.toLowerCase().replace(/^cap_/, '');
}

/** The list, if nothing in it is broken. */
export function whole<T>(list: readonly (T | undefined)[]): readonly T[] | undefined {
  const there = list.filter((each) => each !== undefined);
  return there.length === list.length ? there : undefined;
}

export const units: Readonly<Record<string, number>> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `4 GiB` in bytes; at most what a number holds exactly, 8 PiB. */
export function lowerSize(at: Lowering, amount: Token, unit: Token): number | undefined {
  const word = oneOf(at, unit, 'VP1026', Object.keys(units), 'write `KiB`, `MiB`, `GiB` or `TiB`');
  const factor = units[word?.text ?? ''];
  if (factor === undefined) return undefined;
  const count = at.number(amount, Math.min(999_999_999, Math.floor(Number.MAX_SAFE_INTEGER / factor)));
  return count === undefined || isMissing(amount) ? undefined : count * factor;
}

export const timeUnits: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };

/** In seconds. A day: who has not confirmed by then has forgotten it. */
export const longestTime = 24 * 3600;

/** `120 s` in seconds, from one second to a day. */
export function lowerTime(at: Lowering, amount: Token, unit: Token): number | undefined {
  const word = oneOf(at, unit, 'VP1031', Object.keys(timeUnits), 'write `s`, `min` or `h`');
  const factor = timeUnits[word?.text ?? ''];
  if (factor === undefined) return undefined;
  const count = at.number(amount, longestTime / factor, 1);
  return count === undefined || isMissing(amount) ? undefined : count * factor;
}
