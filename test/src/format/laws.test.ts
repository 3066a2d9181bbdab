import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOf, lex } from '../../../grammar/lexer.ts';
import { parse } from '../../../grammar/parse.ts';

import { diff } from '../../../src/format/diff.ts';
import { format } from '../../../src/format/format.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { sentences, wordLists } from '../../grammar/sentences.ts';
import { anyText } from '../../grammar/texts.ts';
import { seed } from '../../seed.ts';

const runs = { seed, numRuns: Number(process.env['RUNS'] ?? 200) };

/** What a person sees of a comment's place: the words beside it, and whether it stands behind the first of them. */
function commentsOf(text: string): readonly unknown[] {
  const { tokens, comments, unexpected } = lex(text);
  const words = [...tokens, ...unexpected].sort((a, b) => a.startOffset - b.startOffset);
  return comments.map((comment) => {
    const next = words.findIndex(({ startOffset }) => startOffset > comment.startOffset);
    const index = next < 0 ? words.length : next;
    const before = words[index - 1];
    const between = before && text.slice(endOf(before), comment.startOffset);
    const behind = between !== undefined && !/[\r\n]/.test(between);
    return { text: comment.image.trimEnd(), after: before?.image, before: words[index]?.image, behind };
  });
}

/** A tree without its places. */
function meaning(text: string): unknown {
  const { document } = readDocument('a.vfio', text);
  return JSON.parse(
    JSON.stringify(document, (key, value) => (key === 'span' || key === 'base' ? undefined : value)),
  );
}

/** The blocks that cannot be read, as they stand. */
function brokenBlocks(text: string): readonly string[] {
  return parse(text).flatMap(({ start, block }) =>
    block.issues.length === 0 ? [] : [text.slice(start, start + block.length)],
  );
}

describe('formatting, of any text', () => {
  it('answers, never with a bug, and changes nothing the second time', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { text: laid, diagnostics } = format('a.vfio', text);
        expect(diagnostics.map(({ code }) => code)).not.toContain('VP9002');
        expect(format('a.vfio', laid).text).toBe(laid);
      }),
      runs,
    );
  });

  it('keeps every word in its order, and every comment with its neighbours', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { text: laid } = format('a.vfio', text);
        expect(lex(laid).tokens.map(({ image }) => image)).toEqual(
          lex(text).tokens.map(({ image }) => image),
        );
        expect(commentsOf(laid)).toEqual(commentsOf(text));
      }),
      runs,
    );
  });

  it('keeps what cannot be read byte for byte', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(brokenBlocks(format('a.vfio', text).text)).toEqual(brokenBlocks(text));
      }),
      runs,
    );
  });

  it('keeps the meaning', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(meaning(format('a.vfio', text).text)).toEqual(meaning(text));
      }),
      runs,
    );
  });

  it('is shown by a patch that makes the one text of the other', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { text: laid } = format('a.vfio', text);
        expect(patched(text, diff('a.vfio', text, laid))).toBe(laid);
      }),
      runs,
    );
  });
});

describe('formatting, of what the grammar makes', () => {
  it('leaves nothing as it is because it could not be read', () => {
    fc.assert(
      fc.property(sentences, (text) => {
        expect(format('a.vfio', text).diagnostics).toEqual([]);
      }),
      runs,
    );
  });

  it('leaves no white space at the end of a line, no two blank lines, and one line break at the end', () => {
    fc.assert(
      fc.property(sentences, (text) => {
        const { text: laid } = format('a.vfio', text);
        expect(laid).not.toMatch(/[ \t](?:\r?\n|$)|(?:\n\r?){3}|^\r?\n|\{\r?\n\r?\n|\n\r?\n *\}/);
        expect(laid).toMatch(/[^\r\n]\r?\n$/);
      }),
      runs,
    );
  });

  it('does not ask how many spaces stood between words', () => {
    const spaces = fc.constantFrom(' ', '  ', '\t', ' \u00a0 ');
    fc.assert(
      fc.property(wordLists, fc.array(spaces, { minLength: 1, maxLength: 20 }), (words, gaps) => {
        const spaced = words.map((word, index) => word + gaps[index % gaps.length]).join('');
        expect(format('a.vfio', spaced).text).toBe(format('a.vfio', words.join(' ')).text);
      }),
      runs,
    );
  });

  it('lays out a declaration as if it were alone', () => {
    fc.assert(
      fc.property(wordLists, wordLists, (one, other) => {
        const [first, second] = [one.join(' '), other.join(' ')].map((text) => format('a.vfio', text).text);
        expect(format('a.vfio', `${first}${second}`).text).toBe(`${first}${second}`);
      }),
      runs,
    );
  });
});

describe('hostile text', () => {
  // 60,000 characters each; a cost that grows faster than the text would not end within the test's time.
  it.each([
    ...[
      'bind x to y ',
      'bind x\n',
      '; ',
      '"\n',
      '{}',
      '}',
      '{',
      '(',
      ')',
      'import "x"\n',
      'device a {\n',
      '# x\n',
    ],
    ...[
      'x # y\n',
      '\t# y\n',
      'not ',
      'not (',
      'or id 1:1 ',
      'id 1:1 ',
      ',',
      '\r',
      '\u2028',
      '\ufeff',
      'host a{}',
    ],
  ])('%j over and over comes to rest', (part) => {
    for (const head of ['host a {} # x\n', 'policy p { ', 'device d { not (id 1:1 ']) {
      const { text } = format('a.vfio', head + part.repeat(60_000 / part.length));
      expect(format('a.vfio', text).text).toBe(text);
    }
  });
});

/** Applies a unified diff, strictly: what it keeps or takes out must stand there. */
function patched(text: string, patch: string): string {
  const linesIn = (whole: string) => whole.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const lines = linesIn(text);
  const out: string[] = [];
  let at = 0;
  for (const hunk of patch.split(/(?<=\n)(?=@@ )/).slice(1)) {
    const [head = '', ...changes] = linesIn(hunk);
    const [, from = '', count = ''] = /^@@ -(\d+),(\d+) /.exec(head) ?? [];
    const start = Number(from) - (count === '0' ? 0 : 1);
    out.push(...lines.slice(at, start));
    at = start;
    changes.forEach((change, index) => {
      if (change.startsWith('\\')) return;
      const unended = changes[index + 1]?.startsWith('\\') ?? false;
      const line = unended ? change.slice(1, -1) : change.slice(1);
      if (change[0] !== '+') {
        expect(lines[at]).toBe(line);
        at += 1;
      }
      if (change[0] !== '-') out.push(line);
    });
  }
  return [...out, ...lines.slice(at)].join('');
}
