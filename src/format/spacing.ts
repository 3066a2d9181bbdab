import { Comma, LBrace, LParen, Range, RBrace, RParen } from '../../grammar/tokens.ts';
import type { Word } from './elements.ts';

/** How far what stands in braces or parentheses is moved in. */
export const step = 2;
/** How far a statement is moved in where it goes on in another line: further than a block, to be told from one. */
export const continuation = 4;
/** Columns of a line up to which a block may stand on it, and its comment beside the comments of its neighbours. */
export const lineLimit = 100;
/** Columns that a statement's first word may have to be aligned with others: every keyword has fewer. */
export const wordLimit = 16;

export const openers: ReadonlySet<Word['type']> = new Set([LBrace, LParen]);
export const closers: ReadonlySet<Word['type']> = new Set([RBrace, RParen]);

/** Marks that cling to the word before them, and to the word after them. Every other two words stand one space apart. */
const clingsBefore: ReadonlySet<Word['type']> = new Set([Comma, RParen, Range]);
const clingsAfter: ReadonlySet<Word['type']> = new Set([LParen, Range]);

/** Whether nothing stands between two words. */
function cling(a: Word, b: Word): boolean {
  // `1. ..2`: three points would be read otherwise.
  if (b.type === Range && a.image.endsWith('.')) return false;
  return clingsBefore.has(b.type) || clingsAfter.has(a.type);
}

/** Whether a line is never broken between two words: a list's comma ends its line, and a brace stands behind the head of its block. */
export function joined(a: Word, b: Word): boolean {
  return b.type === LBrace || (cling(a, b) && a.type !== LParen && b.type !== RParen);
}

/** What stands between two words of one line; `begins`: the second begins a statement, or a property among others. */
export function between(a: Word, b: Word, begins: boolean): string {
  if (a.type === LBrace) return b.type === RBrace ? '' : ' ';
  if (cling(a, b)) return '';
  return begins ? '  ' : ' ';
}
