import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generate } from '../../grammar/generate.ts';
import { keywords } from '../../grammar/keywords.ts';
import { vocabulary, wordsOf } from '../../grammar/tokens.ts';

const root = join(import.meta.dirname, '../..');
const files = generate();

describe('generated files', () => {
  it.each(Object.keys(files))('%s is fresh (npm run generate)', (path) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(files[path]);
  });

  it('the highlighter for Monaco has patterns that compile, and shades every keyword', () => {
    const monarch = JSON.parse(files['grammar/generated/monarch.json'] ?? '');
    const patterns = Object.values<[string][]>(monarch.tokenizer).flatMap((state) =>
      state.map(([pattern]) => pattern),
    );
    for (const pattern of patterns) expect(() => new RegExp(`^(?:${pattern})`)).not.toThrow();
    const shaded = [...monarch.statements, ...monarch.joins, ...monarch.constants];
    expect(shaded.sort()).toEqual(Object.keys(keywords).sort());
  });

  it('the TextMate grammar colours an address as one number', () => {
    const { patterns } = JSON.parse(files['grammar/generated/vfioplan.tmLanguage.json'] ?? '');
    const numbers = patterns.filter(({ name }: { name: string }) => name === 'constant.numeric.vfio');
    const text = 'at 0000:03:00.0 id 8086:1572';
    const found = numbers.flatMap(({ match }: { match: string }) => text.match(new RegExp(match, 'g')) ?? []);
    expect(found).toEqual(['0000:03:00.0', '8086:1572']);
  });
});

describe('the diagrams', () => {
  const drawn = Object.entries(files).filter(([path]) => path.endsWith('.svg'));
  const all = drawn.map(([, text]) => text).join('');
  const titles = [...all.matchAll(/<text class="title"[^>]*>(\w+)<\/text>/g)].map(([, title = '']) => title);

  it('show each rule of the grammar once, but the list of declarations, and each box of a rule has its diagram', () => {
    const rules = [...(files['grammar/generated/ebnf.md'] ?? '').matchAll(/^(\w+) = /gm)].map(
      ([, name = '']) => name,
    );
    expect(titles.sort()).toEqual(rules.filter((name) => name !== 'declaration').sort());
    const boxes = [...all.matchAll(/class="rule"[^>]*\/><text[^>]*>(\w+)</g)].map(([, name = '']) => name);
    expect(boxes.filter((name) => !titles.includes(name))).toEqual([]);
  });

  it('show every word and mark that the EBNF has', () => {
    const [, ebnf = ''] = /```ebnf\n([^`]*)```/.exec(files['grammar/generated/ebnf.md'] ?? '') ?? [];
    const words = [...ebnf.matchAll(/"([^"]+)"/g)].map(([, word = '']) =>
      word.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    );
    expect(words.length).toBeGreaterThan(100);
    expect(words.filter((word) => !all.includes(`>${word}</text>`))).toEqual([]);
  });

  it.each(drawn)('%s is well formed, and nothing leaves the page', (_, text) => {
    const [, width = 0, height = 0] = (/viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(text) ?? []).map(Number);
    const open: string[] = [];
    for (const [, close, name = '', , alone] of text.matchAll(/<(\/?)(\w+)((?:[^<>"]|"[^"]*")*?)(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (alone !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    for (const [, ...sides] of text.matchAll(
      /<rect class="\w+" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g,
    )) {
      const [x = -1, y = -1, w = 0, h = 0] = sides.map(Number);
      expect([x >= 0, y >= 0, x + w <= width, y + h <= height]).toEqual([true, true, true, true]);
    }
  });

  it('are on the page of the reference', () => {
    const page = readFileSync(join(root, 'grammar/README.md'), 'utf8');
    for (const [path] of drawn) expect(page).toContain(`](${path.replace('grammar/', '')})`);
  });
});

describe('the vocabulary', () => {
  it('labels every token, and gives every keyword a meaning', () => {
    for (const token of vocabulary) {
      if (token.GROUP === undefined) expect(token.LABEL, token.name).toBeTruthy();
    }
    for (const [word, { meaning }] of Object.entries(keywords)) {
      expect(meaning.length, word).toBeGreaterThan(5);
      expect(wordsOf(`"${word}"`)).toEqual([word]);
    }
  });
});
