/**
 * Cuts a file into pieces that can be read one without another, so that a keystroke costs one piece. A piece ends with
 * the brace that closes it, or where a line begins like a declaration: a forgotten brace then spoils one declaration,
 * not the file.
 */
import { commentPattern, stringPattern } from './tokens.ts';

export interface Piece {
  readonly start: number;
  readonly text: string;
  /** Where it nests deeper than `maxDepth`, relative to the piece. */
  readonly tooDeepAt: number | undefined;
}

/** The language itself never nests deeper than five; beyond this, text is not read. */
export const maxDepth = 32;

const name = String.raw`(?:"[^"\r\n]*"|[^\s{}#"]+)`;
/** Inside a block, a line that is nothing but the head of a declaration: the block above was never closed. */
const head = String.raw`(?:host|devices?|policy|test)[ \t]+${name}(?:[ \t]+on[ \t]+(?:snapshot[ \t]+)?${name})?[ \t]*\{|import[ \t]+"`;
const declares = `(?:import|host|devices?|policy|test)(?![A-Za-z0-9_*:+@/.-])`;

const scanner = new RegExp(
  [
    `(${stringPattern.source}|"[^\\r\\n]*|${commentPattern.source})`,
    '([{(])',
    '(\\})',
    '\\)',
    `[\\r\\n](?=(${head}))`,
    `[\\r\\n](?=${declares})`,
  ].join('|'),
  'g',
);

/**
 * The pieces joined are the text, from `from` on, where a piece begins. Linear in its length, and only as far as they are
 * asked for.
 */
export function* cut(text: string, from = 0): Generator<Piece> {
  let start = from;
  let braces = 0;
  let parentheses = 0;
  let tooDeepAt: number | undefined;
  // What is read next begins there: `matchAll` takes it over when it is called.
  scanner.lastIndex = from;
  for (const match of text.matchAll(scanner)) {
    const [image, string, open, close, declaration] = match;
    if (string !== undefined) continue;
    if (open !== undefined) {
      if (open === '{') braces += 1;
      else parentheses += 1;
      if (braces + parentheses > maxDepth) tooDeepAt ??= match.index - start;
      continue;
    }
    if (image === ')') {
      parentheses = Math.max(0, parentheses - 1);
      continue;
    }
    if (close !== undefined) {
      braces -= 1;
      parentheses = 0;
    }
    const ends = close !== undefined ? braces <= 0 : declaration !== undefined || braces === 0;
    if (!ends) continue;
    const end = match.index + image.length;
    yield { start, text: text.slice(start, end), tooDeepAt };
    start = end;
    braces = 0;
    parentheses = 0;
    tooDeepAt = undefined;
  }
  if (start < text.length) yield { start, text: text.slice(start), tooDeepAt };
}
