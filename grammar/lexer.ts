/**
 * Text to tokens. Nothing is lost: tokens, comments, unexpected characters and the white space between them are the
 * text again. Keywords are words that the vocabulary lists, looked up once each: cheaper than a pattern for each, and
 * the longest word always wins.
 */
import { type IToken, Lexer, type TokenType } from 'chevrotain';
import { completeCategories, k, vocabulary, Word } from './tokens.ts';

interface Lexed {
  readonly tokens: IToken[];
  readonly comments: readonly IToken[];
  /** Characters that no word of the language can hold, a run each. */
  readonly unexpected: readonly IToken[];
}

const lexer = new Lexer(vocabulary, {
  positionTracking: 'onlyOffset',
  ensureOptimizations: true,
  skipValidations: true,
});

completeCategories();

const keywordTokens: ReadonlyMap<string, TokenType> = new Map(Object.entries(k));

/** Never throws; linear in the length of the text. */
export function lex(text: string): Lexed {
  const { tokens, groups } = lexer.tokenize(text);
  for (const token of tokens) {
    if (token.tokenType !== Word) continue;
    const keyword = keywordTokens.get(token.image);
    if (keyword === undefined) continue;
    token.tokenType = keyword;
    token.tokenTypeIdx = keyword.tokenTypeIdx as number;
  }
  return { tokens, comments: groups['comments'] ?? [], unexpected: runs(groups['unexpected'] ?? []) };
}

/** Joins neighbours, so that `→→` is one thing. */
function runs(tokens: readonly IToken[]): IToken[] {
  const joined: IToken[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    if (last !== undefined && endOf(last) === token.startOffset) {
      last.image += token.image;
      last.endOffset = token.startOffset + token.image.length - 1;
    } else {
      joined.push(token);
    }
  }
  return joined;
}

/** The offset after a token's last character. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}
