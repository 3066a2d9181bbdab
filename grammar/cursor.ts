/** What the grammar has to say about one place in a text: the token there, and what may be written there. */
import { type Context, type Keyword, keywords } from './keywords.ts';
import { endOf, lex } from './lexer.ts';
import type { PlacedBlock } from './parse.ts';
import { type Expected, parser } from './parser.ts';
import { runsOf } from './runs.ts';
import type { Span } from './span.ts';
import { k, LBrace, LParen, RBrace, RParen, Text, UnclosedText, Word } from './tokens.ts';
import type { Token } from './tree.ts';

/** A place where something can be written. */
export interface Cursor {
  /** What is written there already, up to the place: a word that has begun, or nothing. */
  readonly begun: Span;
  /** Whether that word is in quotes. */
  readonly quoted: boolean;
  /** The tokens of the declaration before it, those of complete statements left out. */
  readonly before: readonly Token[];
  readonly expected: readonly Expected[];
}

/** The block that an offset of the text stands in; its end is its own. */
export function blockAt(blocks: readonly PlacedBlock[], offset: number): PlacedBlock | undefined {
  let low = 0;
  let high = blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((blocks[middle]?.start ?? 0) < offset) low = middle;
    else high = middle - 1;
  }
  return blocks[low];
}

/** The token that an offset stands in, or at the end of; spans are those of the text that is given. */
export function tokenAt(text: string, offset: number): Token | undefined {
  const { tokens, comments } = lex(text);
  if (comments.some(({ startOffset, image }) => startOffset < offset && offset <= startOffset + image.length))
    return undefined;
  const at = tokens.findIndex((token) => token.startOffset <= offset && offset <= endOf(token));
  const [here, next] = [tokens[at], tokens[at + 1]];
  // Between two tokens that touch, a word is meant rather than a mark.
  const isWord = here !== undefined && /[\w"]$/.test(here.image);
  return !isWord && next?.startOffset === offset ? next : here;
}

/** `undefined` in a comment. `block`: the text of the block that the offset, from its beginning, stands in. */
export function cursorAt(block: string, offset: number): Cursor | undefined {
  const text = block.slice(0, offset);
  const { tokens, comments } = lex(text);
  const comment = comments.at(-1);
  if (comment !== undefined && endOf(comment) === offset) return undefined;
  const last = tokens.at(-1);
  const open = last !== undefined && endOf(last) === offset && isOpen(last) ? last : undefined;
  const begun = { start: open?.startOffset ?? offset, end: offset };
  const complete = open === undefined ? tokens : tokens.slice(0, -1);
  const run = runsOf(complete, text).at(-1) ?? [];
  const before = isWhole(run) ? [] : withoutStatements(run);
  const quoted = open?.tokenType === UnclosedText || open?.tokenType === Text;
  return { begun, quoted, before, expected: parser.after([...before]) };
}

/** Whether what is typed next goes on with the token. */
function isOpen({ tokenType, image }: Token): boolean {
  return tokenType === UnclosedText || tokenType === Word || /^[A-Za-z]/.test(image);
}

function isWhole(run: readonly Token[]): boolean {
  const [first, second] = run;
  if (first?.tokenType === k.import) return second !== undefined;
  return run.at(-1)?.tokenType === RBrace && depthOf(run) === 0;
}

function depthOf(run: readonly Token[]): number {
  return run.reduce(
    (depth, { tokenType }) => depth + Number(tokenType === LBrace) - Number(tokenType === RBrace),
    0,
  );
}

/** Blocks by the keyword that stands before their brace. */
const blocksIn: Readonly<Record<string, Context>> = {
  host: 'host',
  device: 'device',
  devices: 'device',
  policy: 'policy',
  noiommu: 'permission',
  test: 'test',
  as: 'actor',
};

/** Words after which a keyword goes on with a statement that has begun. */
const joining: ReadonlySet<unknown> = new Set([k.not, k.except, k.or, k.expect, LParen]);

/** The heads of the blocks that are open, and the last statement of the innermost: the rest says nothing of the place. */
function withoutStatements(run: readonly Token[]): readonly Token[] {
  const open: { readonly context: Context | undefined; readonly brace: number }[] = [];
  let statement = 0;
  let parentheses = 0;
  const heads: Token[] = [];
  run.forEach((token, index) => {
    const { tokenType } = token;
    const context = open.at(-1)?.context;
    if (tokenType === LBrace) {
      const head = run.slice(statement, index + 1);
      open.push({ context: blocksIn[head[0]?.image ?? ''], brace: heads.length });
      heads.push(...head);
      statement = index + 1;
    } else if (tokenType === RBrace) {
      const closed = open.pop();
      if (closed !== undefined) heads.length = closed.brace;
      statement = index + 1;
    } else if (tokenType === LParen) parentheses += 1;
    else if (tokenType === RParen) parentheses -= 1;
    else if (context !== undefined && parentheses <= 0 && begins(token, context)) {
      if (!joining.has(run[index - 1]?.tokenType)) statement = index;
    }
  });
  return [...heads, ...run.slice(statement)];
}

function begins({ tokenType, image }: Token, context: Context): boolean {
  if (tokenType === Text || !Object.hasOwn(keywords, image)) return false;
  const keyword: Keyword = keywords[image as keyof typeof keywords];
  return keyword.begins?.includes(context) ?? false;
}
