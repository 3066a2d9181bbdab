import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from '../../grammar/blocks.ts';
import { keywords } from '../../grammar/keywords.ts';
import { endOf, lex } from '../../grammar/lexer.ts';
import { blockLimit, parse } from '../../grammar/parse.ts';
import { DeclarationParser } from '../../grammar/parser.ts';
import { seed } from '../seed.ts';
import { sample } from './sample.ts';

const runs = { seed, numRuns: 300 };

/** Texts that look like the language, broken in every way. */
const pieces = fc.constantFrom(
  ...Object.keys(keywords),
  ...[
    '{',
    '}',
    '(',
    ')',
    ',',
    '..',
    '>=',
    '=',
    '"a"',
    '"',
    '#',
    '\n',
    '\\',
    ';',
    '\0',
    '\u202e',
    '漢',
    '0000:03:00.0',
    'x',
    '*',
    '\ud800',
  ],
);
const soup = fc.array(pieces, { maxLength: 60 }).map((words) => words.join(' '));
const mutated = fc
  .tuple(fc.nat(sample.length), fc.nat(40), fc.oneof(fc.string({ unit: 'binary' }), soup))
  .map(([at, length, text]) => sample.slice(0, at) + text + sample.slice(at + length));
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), soup, mutated);

const examples = join(import.meta.dirname, '../../examples');
/** The sample, and every example. */
const texts: [string, string][] = [
  ['the sample', sample],
  ...readdirSync(examples, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.vfio'))
    .map((name): [string, string] => [name, readFileSync(join(examples, name), 'utf8')]),
];

/** The text again, from what the lexer kept: what lies between its tokens must be white space. */
function rebuilt(text: string): string {
  const { tokens, comments, unexpected } = lex(text);
  let copy = '';
  for (const token of [...tokens, ...comments, ...unexpected].sort((a, b) => a.startOffset - b.startOffset)) {
    const between = text.slice(copy.length, token.startOffset);
    expect(between).toMatch(/^[ \t\r\n\f\v\u00a0\u2028\u2029\ufeff]*$/);
    copy += between + token.image;
    expect(copy.length).toBe(endOf(token));
  }
  return copy + text.slice(copy.length);
}

describe('the lexer', () => {
  it('loses no character of any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(rebuilt(text)).toBe(text);
      }),
      runs,
    );
  });

  it('leaves only white space after the last token', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { tokens, comments, unexpected } = lex(text);
        const end = Math.max(0, ...[...tokens, ...comments, ...unexpected].map(endOf));
        expect(text.slice(end).trim()).toBe('');
      }),
      runs,
    );
  });
});

describe('the pieces of a file', () => {
  it('joined are the file', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([...cut(text)].map((piece) => piece.text).join('')).toBe(text);
      }),
      runs,
    );
  });

  it('keep a forgotten brace to its own declaration', () => {
    const text = 'policy a {\n  bind x to y\n\ndevice x { at 0000:01:00.0 }\n';
    expect([...cut(text)].map((piece) => piece.text.trim().split(/\s/)[0])).toEqual(['policy', 'device', '']);
  });

  it('do not mistake braces in texts and comments', () => {
    const text = 'host a { snapshot "}" # }\n  iommu any }\nhost b { }';
    expect([...cut(text)].filter((piece) => piece.text.trim() !== '')).toHaveLength(2);
  });
});

describe('the parser', () => {
  it('has no ambiguity, no left recursion and no rule that cannot be reached', () => {
    expect(() => new DeclarationParser({ validate: true })).not.toThrow();
  });

  it('gives a tree and issues inside the text for any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let end = 0;
        for (const { start, block } of parse(text)) {
          expect(start).toBe(end);
          end = start + block.length;
          for (const node of [...block.declarations, ...block.issues]) {
            expect(node.start).toBeGreaterThanOrEqual(0);
            expect(node.end).toBeGreaterThanOrEqual(node.start);
            expect(node.end).toBeLessThanOrEqual(block.length);
          }
        }
        expect(end).toBe(text.length);
      }),
      runs,
    );
  });

  it('reads the sample without an issue', () => {
    expect(parse(sample).flatMap(({ block }) => block.issues)).toEqual([]);
  });

  it.each(texts)('gives every prefix of %s a tree, and at most one issue for where it ends', (_, text) => {
    for (let length = 0; length <= text.length; length++) {
      const issues = parse(text.slice(0, length)).flatMap(({ block }) => block.issues);
      expect(
        issues.length,
        `${JSON.stringify(text.slice(0, length).slice(-40))} ${issues.map(({ kind }) => kind)}`,
      ).toBeLessThan(2);
    }
  });

  it.each(texts)('says one thing when one word is missing in %s', (_, whole) => {
    const { tokens } = lex(whole);
    const many: string[] = [];
    for (const token of tokens) {
      const text = whole.slice(0, token.startOffset) + whole.slice(endOf(token));
      const issues = parse(text).flatMap(({ block }) => block.issues);
      const line = whole.slice(0, token.startOffset).split('\n').length;
      if (issues.length > 1)
        many.push(`line ${line} without ${token.image}: ${issues.map((issue) => issue.kind)}`);
    }
    expect(many).toEqual([]);
  });

  it('remembers blocks: the same text is the same block', () => {
    const [first, second] = [parse(sample), parse(`# moved\n\n${sample}`)];
    const blocks = new Set(first.map(({ block }) => block));
    expect(second.filter(({ block }) => blocks.has(block)).length).toBeGreaterThan(first.length - 3);
  });

  it('refuses what is nested too deeply or too large, in time', () => {
    const deep = parse('{'.repeat(200_000));
    expect(deep.flatMap(({ block }) => block.issues.map(({ kind }) => kind))).toEqual(['too-deep']);
    const large = parse(`policy a { ${'x '.repeat(blockLimit)} }`);
    expect(large.flatMap(({ block }) => block.issues.map(({ kind }) => kind))).toEqual(['too-large']);
  });
});
