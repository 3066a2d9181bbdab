/**
 * Text to trees and issues, for any text. Each block is read alone and remembered by its text, so that a keystroke in a
 * long file costs one block. One broken thing gives one issue: what recovery stumbles over afterwards is dropped here.
 */
import { cut, maxDepth, type Piece } from './blocks.ts';
import { cutAgain, type Parsed } from './cut-again.ts';
import type { Issue } from './issue.ts';
import type { Context } from './keywords.ts';
import { endOf, lex } from './lexer.ts';
import { parser } from './parser.ts';
import { errorLimit, type RecognitionError } from './rules/skipping.ts';
import { runsOf } from './runs.ts';
import type { Span } from './span.ts';
import { beginnersOf, k, LBrace, LParen, RBrace, RParen, Text, UnclosedText } from './tokens.ts';
import { type BrokenNode, type DeclarationNode, isMissing, type Token } from './tree.ts';

/** A piece of a file, usually one declaration. Offsets in it are relative to its beginning. */
export interface Block {
  readonly length: number;
  readonly declarations: readonly DeclarationNode[];
  readonly issues: readonly Issue[];
}

export interface PlacedBlock {
  readonly start: number;
  readonly block: Block;
  /** As it was read by itself, whatever stands above it; absent for what was not read any more. */
  readonly read: Block | undefined;
}

/** UTF-16 units that one declaration may have. */
export const blockLimit = 1 << 20;

/** A file with more issues than this is not read to its end: nobody mends so many at once. */
const issueLimit = 1000;

/** Declarations that one file may have: each costs memory and names, however short it is. */
export const declarationLimit = 1 << 15;

/**
 * Never throws; linear in the length of the text. With what was made of the text `before` a change, only the blocks that
 * the change touches are cut out and read: the answer is the same.
 */
export function parse(text: string, before?: Parsed): readonly PlacedBlock[] {
  const placed: PlacedBlock[] = [];
  let broken = false;
  let count = 0;
  let declarations = 0;
  for (const piece of before === undefined ? cut(text) : cutAgain(text, before)) {
    const { start } = piece;
    if (count > issueLimit) {
      placed.push({ start, block: unread(text.slice(start), []), read: undefined });
      break;
    }
    const read = 'read' in piece ? piece.read : remembered(piece);
    count += read.issues.length;
    declarations += read.declarations.length;
    if (declarations > declarationLimit) {
      placed.push({ start, block: tooMany(text.slice(start)), read: undefined });
      break;
    }
    const leftOver = broken && read.issues.length > 0 && read.issues.every(isLeftOver);
    if (read.declarations.length > 0) broken = read.issues.length > 0;
    placed.push({ start, block: leftOver ? withoutIssues(read) : read, read });
  }
  return placed;
}

const silent = new WeakMap<Block, Block>();

/** The same object for the same block, so that what is made of it is remembered, too. */
function withoutIssues(block: Block): Block {
  const known = silent.get(block) ?? { ...block, issues: [] };
  silent.set(block, known);
  return known;
}

/** Braces and statements that stand below a broken declaration and outside of all others most likely belong to it. */
function isLeftOver(issue: Issue): boolean {
  if (issue.kind === 'stray') return issue.text === '}';
  return issue.kind === 'unknown' && issue.context === 'file' && statementWords.has(issue.word);
}

const statementWords: ReadonlySet<string> = new Set(
  (['host', 'permission', 'device', 'policy', 'test', 'actor'] as const).flatMap(beginnersOf),
);

// Two generations: when the young one is full it becomes the old one, so that what is in use stays and the rest goes.
const generationLimit = 1 << 20;
let young = new Map<string, Block>();
let old = new Map<string, Block>();
let youngSize = 0;

function remembered(piece: Piece): Block {
  const known = young.get(piece.text);
  if (known !== undefined) return known;
  // A slice would keep the whole file alive; a copy keeps the block.
  const text = ` ${piece.text}`.slice(1);
  const block = old.get(text) ?? parseBlock(text, piece.tooDeepAt);
  if (youngSize > generationLimit) {
    old = young;
    young = new Map();
    youngSize = 0;
  }
  young.set(text, block);
  youngSize += text.length;
  return block;
}

function unread(text: string, issues: readonly Issue[]): Block {
  return { length: text.length, declarations: [{ kind: 'broken', start: 0, end: text.length }], issues };
}

/** Nothing of it is read, from its first word on. */
function tooMany(text: string): Block {
  const start = text.length - text.trimStart().length;
  return unread(text, [{ kind: 'too-many', start, end: start + 1 }]);
}

function parseBlock(text: string, tooDeepAt: number | undefined): Block {
  if (text.length > blockLimit) {
    const start = text.length - text.trimStart().length;
    return unread(text, [{ kind: 'too-large', start, end: start + 1 }]);
  }
  if (tooDeepAt !== undefined) {
    return unread(text, [{ kind: 'too-deep', start: tooDeepAt, end: tooDeepAt + 1 }]);
  }
  const { tokens, unexpected } = lex(text);
  const deep = deeperThanParentheses(tokens);
  if (deep !== undefined) return unread(text, [{ kind: 'too-deep', ...spanOf(deep) }]);
  const unreadable = unexpected.slice(0, errorLimit);
  const declarations: DeclarationNode[] = [];
  const issues: Issue[] = [];
  const runs = runsOf(tokens, text);
  if (runs.length > declarationLimit) return tooMany(text);
  for (const run of runs) {
    const [first] = run;
    if (first?.tokenType === RBrace) {
      // After words that could not be read, it is the end of them.
      if (issues.length === 0) issues.push({ kind: 'stray', text: '}', ...spanOf(first) });
      continue;
    }
    if (issues.length > errorLimit) {
      declarations.push({ kind: 'broken', start: first?.startOffset ?? 0, end: text.length });
      break;
    }
    const open = openBraces(run);
    const declaration = parser.read([...run, ...open.map(() => madeUpBrace(endOf(run.at(-1) as Token)))]);
    const all = issuesOf(run, open, declaration, unreadable);
    const own = issues.length === 0 ? all : all.filter((issue) => !isLeftOver(issue));
    declarations.push(withHoles(declaration, own, text));
    for (const issue of own) issues.push(issue);
  }
  for (const issue of unexpectedIssues(unreadable, issues)) issues.push(issue);
  issues.sort((a, b) => a.start - b.start);
  return { length: text.length, declarations, issues };
}

/** Where `not` upon `not` nests deeper than `maxDepth`: the parser goes down for each as it does for a parenthesis. */
function deeperThanParentheses(tokens: readonly Token[]): Token | undefined {
  const outer: number[] = [];
  let depth = 0;
  let nots = 0;
  for (const token of tokens) {
    const { tokenType } = token;
    if (tokenType === k.not) {
      nots += 1;
      depth += 1;
      if (depth > maxDepth) return token;
    } else if (tokenType === LParen) {
      outer.push(nots);
      nots = 0;
      depth += 1;
    } else {
      depth -= nots;
      nots = 0;
      if (tokenType !== RParen) continue;
      const negated = outer.pop();
      if (negated !== undefined) depth -= negated + 1;
    }
  }
  return undefined;
}

/** Characters that nothing can be made of, unless they stand in what is skipped anyway. */
function unexpectedIssues(unreadable: readonly Token[], issues: readonly Issue[]): Issue[] {
  const skipped: Span[] = issues.flatMap((issue) => (issue.kind === 'unknown' ? [issue.whole] : []));
  return unreadable
    .filter(({ startOffset }) => !skipped.some(({ start, end }) => start <= startOffset && startOffset < end))
    .map((token) => ({ kind: 'unexpected', text: token.image, ...spanOf(token) }));
}

/** The braces that nothing closes, the innermost last. */
function openBraces(run: readonly Token[]): Token[] {
  const open: Token[] = [];
  for (const token of run) {
    if (token.tokenType === LBrace) open.push(token);
    else if (token.tokenType === RBrace) open.pop();
  }
  return open;
}

/** Closes a block that the text leaves open, so that what stands in it is read all the same. */
function madeUpBrace(at: number): Token {
  return {
    image: '',
    startOffset: at,
    endOffset: at,
    tokenType: RBrace,
    tokenTypeIdx: RBrace.tokenTypeIdx as number,
  };
}

/** What is wrong in one declaration, without what only follows from it. */
function issuesOf(
  run: readonly Token[],
  open: readonly Token[],
  declaration: DeclarationNode,
  unexpected: readonly Token[],
): Issue[] {
  const issues: Issue[] = [];
  const unclosed = run.find((token) => token.tokenType === UnclosedText);
  if (unclosed !== undefined) issues.push({ kind: 'unclosed-text', ...spanOf(unclosed) });
  let endIsWrong = unclosed !== undefined;
  for (const error of parser.errors as readonly RecognitionError[]) {
    const issue = issueOf(error, run);
    // The forgotten quote swallowed the rest of its line, and whatever closed the block there.
    if (unclosed !== undefined && issue.start >= unclosed.startOffset) continue;
    if (unexpected.some((token) => stands(token, error))) continue;
    if (issue.kind === 'stray' && (issues.length > 0 || declaration.kind === 'unknown')) continue;
    if (isAtEnd(error) && (endIsWrong || (error.message === RBrace.name && issues.length > 0))) continue;
    // A word in a wrong place was read on from: one message for it is enough.
    const previous = issues.at(-1);
    if (previous?.kind === 'missing' && error.previousToken?.startOffset === previous.start) continue;
    endIsWrong ||= isAtEnd(error);
    issues.push(issue);
  }
  const said = [...issues, ...unexpected.map(spanOf)].map(({ start }) => start);
  for (const issue of skippedIssues(declaration, said)) {
    if (open.length === 0 || !isOutside(issue)) issues.push(issue);
  }
  const end = endOf(run.at(-1) as Token);
  endIsWrong ||= unexpected.some(({ startOffset }) => startOffset >= end);
  endIsWrong ||= issues.some((issue) => (issue.kind === 'unknown' ? issue.whole.end : issue.end) === end);
  const innermost = open.at(-1);
  if (innermost !== undefined && !endIsWrong)
    issues.push({ kind: 'unclosed-block', open: open.length, last: end, ...spanOf(innermost) });
  return issues;
}

/** Whether it is a statement of the block around its own, which was then never closed. */
function isOutside(issue: Issue): boolean {
  if (issue.kind !== 'unknown') return false;
  const around = issue.context === 'permission' ? 'host' : issue.context === 'actor' ? 'test' : undefined;
  return around !== undefined && (beginnersOf(around) as readonly string[]).includes(issue.word);
}

/** Whether the text ended where a word was missed. */
function isAtEnd({ token }: RecognitionError): boolean {
  return token.image === '' || isMissing(token);
}

/** Whether something unreadable stands where the parser missed a word: then that is the reason, and said already. */
function stands(unreadable: Token, { token, previousToken }: RecognitionError): boolean {
  const from = previousToken === undefined || isMissing(previousToken) ? 0 : endOf(previousToken);
  const to = isMissing(token) || token.image === '' ? Number.POSITIVE_INFINITY : token.startOffset;
  return from <= unreadable.startOffset && unreadable.startOffset < to;
}

function issueOf(error: RecognitionError, run: readonly Token[]): Issue {
  const atEnd = isAtEnd(error);
  if (error.name === 'NotAllInputParsedException') {
    return { kind: 'stray', text: error.token.image, ...spanOf(error.token) };
  }
  const after = atEnd ? run.at(-1) : error.previousToken;
  const place = (atEnd ? after : undefined) ?? error.token;
  const expected = error.message.split('|');
  // `policy p edge-01 {`: what stands before the brace is a host, and `on` is what is missing.
  if (!atEnd && error.message === LBrace.name) {
    if (run[run.indexOf(error.token) + 1]?.tokenType === LBrace) expected.unshift(k.on.name);
  }
  return {
    kind: 'missing',
    expected,
    found: atEnd ? undefined : error.token.image,
    after: after === undefined || isMissing(after) ? undefined : after,
    ...spanOf(place),
  };
}

interface Item extends Span {
  readonly kind: unknown;
}

/** The statements of a block, and of the blocks in it, each with the kind of block it stands in. */
function* itemsOf(declaration: DeclarationNode): Generator<[Context, readonly Item[]]> {
  yield ['file', [declaration]];
  if (declaration.kind === 'device') yield ['device', declaration.items];
  if (declaration.kind === 'policy') yield ['policy', declaration.statements];
  if (declaration.kind === 'test') {
    yield ['test', declaration.statements];
    for (const statement of declaration.statements) {
      if (statement.kind === 'act') yield ['actor', statement.calls];
    }
  }
  if (declaration.kind !== 'host') return;
  yield ['host', declaration.statements];
  for (const statement of declaration.statements) {
    if (statement.kind === 'noiommu') yield ['permission', statement.items];
  }
}

/** `said`: where something is wrong already. */
function skippedIssues(declaration: DeclarationNode, said: readonly number[]): Issue[] {
  const issues: Issue[] = [];
  for (const [context, items] of itemsOf(declaration)) {
    items.forEach((item, index) => {
      if (issues.length > errorLimit) return;
      const word = (item as { readonly word?: Token }).word;
      if (word === undefined) return;
      if (item.kind !== 'unknown') return;
      // What follows a broken statement is the rest of it.
      const before = items[index - 1];
      const from = before?.kind === 'broken' ? 0 : (before?.start ?? item.start);
      if (word.tokenType === RParen && said.length > 0) return;
      if (said.some((at) => from <= at && at <= item.start)) return;
      const whole = { start: item.start, end: item.end };
      issues.push({ kind: 'unknown', word: word.image, context, whole, ...spanOf(word) });
    });
  }
  return issues;
}

function spanOf(token: Token): Span {
  return { start: token.startOffset, end: endOf(token) };
}

/**
 * A statement in which something is wrong counts as if it were not there: what recovery made of it may say more, or
 * less, than its author meant. So does one that is followed, on its line, by words that begin nothing.
 */
function withHoles(declaration: DeclarationNode, issues: readonly Issue[], text: string): DeclarationNode {
  const wrong = issues.flatMap((issue) => {
    if (issue.kind === 'missing') return [issue.after?.startOffset ?? issue.start, issue.start];
    return issue.kind === 'unknown' ? [endOnLine(text, issue.start)] : [];
  });
  if (wrong.length === 0) return declaration;
  const hollow = <I extends Item>(item: I): I | BrokenNode => {
    const { kind, start, end } = item;
    if (kind === 'unknown' || !wrong.some((at) => start <= at && at < end)) return item;
    return { kind: 'broken', start, end };
  };
  switch (declaration.kind) {
    case 'host':
    case 'policy':
    case 'test':
      return { ...declaration, statements: declaration.statements.map(hollow) } as DeclarationNode;
    case 'device':
      return { ...declaration, items: declaration.items.map(hollow) };
    default:
      return declaration;
  }
}

/** The offset of the last character before `at` that is no space, on the same line; -1 when the line begins there. */
function endOnLine(text: string, at: number): number {
  let before = at - 1;
  while (text[before] === ' ' || text[before] === '\t') before -= 1;
  return text[before] === '\n' || text[before] === '\r' ? -1 : before;
}

/** Whether a token is written in quotes. */
export function isQuoted(token: Token): boolean {
  return token.tokenType === Text || token.tokenType === UnclosedText;
}
