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
