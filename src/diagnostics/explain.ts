import { type Code, codes } from './codes.ts';
import type { Declaration } from './declare.ts';

/** What a code means, as its declaration says; its page, with an example, is `src/diagnostics/pages/CODE.md`. */
export interface Explanation extends Declaration {
  readonly code: Code;
}

/** The meaning of a code, `VP2901`; upper or lower case. `undefined`: there is no such code. */
export function explain(code: string): Explanation | undefined {
  const upper = code.toUpperCase();
  return isCode(upper) ? { code: upper, ...codes[upper] } : undefined;
}

/** Every code, in order. */
export function explainAll(): readonly Explanation[] {
  return Object.keys(codes)
    .filter(isCode)
    .sort()
    .map((code) => ({ code, ...codes[code] }));
}

function isCode(word: string): word is Code {
  return Object.hasOwn(codes, word);
}
