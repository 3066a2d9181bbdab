/**
 * A file as the formatter sees it: the words, the marks and the comments in their order, and between them no more than
 * how many lines they stand apart. What cannot be read is one element, with all its bytes.
 */
import { endOf, lex } from '../../grammar/lexer.ts';
import { type Block, parse } from '../../grammar/parse.ts';
import type { Span } from '../../grammar/span.ts';
import type { Token } from '../../grammar/tree.ts';
import { columns } from '../diagnostics/columns.ts';

export interface Elements {
  readonly list: readonly Element[];
  /** Where the largest node ends that begins at an offset: what a statement, or a property among others, is. */
  readonly ends: ReadonlyMap<number, number>;
  /** The line breaks after the last element. */
  readonly breaksAtEnd: number;
  /** `\r\n` when every line ends so, `\n` otherwise. */
  readonly lineEnd: string;
}

export type Element = Word | Comment | Kept;

interface Common {
  /** Line breaks between it and the element before it, or the beginning of the text. */
  readonly breaks: number;
  readonly start: number;
  /** Where the block that it was read in begins. */
  readonly block: number;
}

export interface Word extends Common {
  readonly kind: 'word';
  readonly image: string;
  readonly type: Token['tokenType'];
}

export interface Comment extends Common {
  readonly kind: 'comment';
  /** Without the white space at its end. */
  readonly image: string;
  /** At the end of a line, behind other words. */
  readonly trailing: boolean;
  /** Alone on its line, and goes on with the comment above it, in the very column of that: it belongs where that one belongs. */
  readonly continues: boolean;
}

/** A block that cannot be read, as it is. */
export interface Kept extends Common {
  readonly kind: 'kept';
  readonly image: string;
  /** What was read of it. */
  readonly unread: Block;
}

/** `kept`: the beginnings of blocks that stay as they are although they can be read. Never throws; linear in the text. */
export function elementsOf(text: string, kept: ReadonlySet<number>): Elements {
  const reader = new Reader(text);
  const lexed = lex(text);
  const queue = new Queue([...lexed.tokens, ...lexed.comments].sort(byPlace));
  const unexpected = new Queue([...lexed.unexpected]);
  for (const { start, block } of parse(text)) {
    const end = start + block.length;
    const tokens = queue.before(end);
    const sound = unexpected.before(end).length === 0 && !kept.has(start) && isSound(start, block, tokens);
    if (sound) reader.add(start, block, tokens);
    else reader.keep(start, block);
  }
  return reader.done();
}

function byPlace(a: Token, b: Token): number {
  return a.startOffset - b.startOffset;
}

/** Tokens by place, taken once each. */
class Queue {
  private next = 0;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  before(end: number): readonly Token[] {
    const from = this.next;
    while ((this.tokens[this.next]?.startOffset ?? end) < end) this.next += 1;
    return this.tokens.slice(from, this.next);
  }
}

/** Whether all of a block was understood: no issue, nothing skipped, and no word outside a declaration. */
function isSound(start: number, block: Block, tokens: readonly Token[]): boolean {
  if (block.issues.length > 0 || block.declarations.some(hasSkipped)) return false;
  let index = 0;
  return tokens.every(({ startOffset, tokenType }) => {
    if (isComment(tokenType)) return true;
    const at = startOffset - start;
    while ((block.declarations[index]?.end ?? Number.POSITIVE_INFINITY) <= at) index += 1;
    return (block.declarations[index]?.start ?? Number.POSITIVE_INFINITY) <= at;
  });
}

function isComment({ GROUP }: Token['tokenType']): boolean {
  return GROUP === 'comments';
}

const skippedKinds: ReadonlySet<unknown> = new Set(['broken', 'unknown', 'later']);

function hasSkipped(node: object): boolean {
  if (skippedKinds.has((node as { readonly kind?: unknown }).kind)) return true;
  return nodesIn(node).some(hasSkipped);
}

/** The nodes that a node of the grammar's tree, whatever its kind, holds. */
function nodesIn(node: object): (object & Span)[] {
  const found: (object & Span)[] = [];
  for (const value of Object.values(node)) {
    if (isNode(value)) found.push(value);
    else if (Array.isArray(value)) for (const member of value) if (isNode(member)) found.push(member);
  }
  return found;
}

/** A token has a place too, but an image with it. */
function isNode(value: unknown): value is object & Span {
  return (
    typeof value === 'object' && value !== null && 'start' in value && 'end' in value && !('image' in value)
  );
}

const lineFeed = 10;
const carriageReturn = 13;

class Reader {
  private readonly text: string;
  private readonly list: Element[] = [];
  private readonly ends = new Map<number, number>();
  /** Where the last element ends. */
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  add(start: number, block: Block, tokens: readonly Token[]): void {
    for (const declaration of block.declarations) this.note(start, declaration);
    for (const token of tokens) {
      const { startOffset, image, tokenType } = token;
      const breaks = this.breaksBefore(startOffset);
      if (isComment(tokenType)) this.list.push(this.comment(token, breaks, start));
      else this.list.push({ kind: 'word', breaks, start: startOffset, block: start, image, type: tokenType });
      this.at = endOf(token);
    }
  }

  keep(start: number, block: Block): void {
    const end = start + block.length;
    const image = this.text.slice(start, end);
    this.list.push({
      kind: 'kept',
      breaks: this.breaksBefore(start),
      start,
      block: start,
      image,
      unread: block,
    });
    // A line that it ends parts it from the next; at the end of the file it is all its own.
    this.at = end < this.text.length ? start + image.trimEnd().length : end;
  }

  done(): Elements {
    const { text, list, ends } = this;
    const otherEnds = /(?:^|[^\r])\n|\r(?!\n)/;
    const lineEnd = text.includes('\r\n') && !otherEnds.test(text) ? '\r\n' : '\n';
    return { list, ends, breaksAtEnd: this.breaksBefore(text.length), lineEnd };
  }

  private note(base: number, node: object & Span): void {
    const start = base + node.start;
    this.ends.set(start, Math.max(base + node.end, this.ends.get(start) ?? 0));
    for (const inner of nodesIn(node)) this.note(base, inner);
  }

  /** A CR and the LF behind it are one break. */
  private breaksBefore(offset: number): number {
    let breaks = 0;
    for (let at = this.at; at < offset; at++) {
      const code = this.text.charCodeAt(at);
      if (code === lineFeed || (code === carriageReturn && this.text.charCodeAt(at + 1) !== lineFeed))
        breaks += 1;
    }
    return breaks;
  }

  private comment({ image, startOffset: start }: Token, breaks: number, block: number): Comment {
    const before = this.list.at(-1);
    const trailing = breaks === 0 && before !== undefined;
    const anchored =
      before?.kind === 'comment' &&
      (before.continues || (before.trailing && this.list.at(-2)?.kind === 'word'));
    const continues = anchored && breaks === 1 && this.columnOf(before.start) === this.columnOf(start);
    return { kind: 'comment', breaks, start, block, image: image.trimEnd(), trailing, continues };
  }

  /** The column in which a character is shown, tabs eight wide. */
  private columnOf(offset: number): number {
    const line =
      Math.max(this.text.lastIndexOf('\n', offset - 1), this.text.lastIndexOf('\r', offset - 1)) + 1;
    const [first = '', ...others] = this.text.slice(line, offset).split('\t');
    return others.reduce((column, part) => (Math.floor(column / 8) + 1) * 8 + columns(part), columns(first));
  }
}
