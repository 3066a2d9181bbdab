import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText } from '../grammar/texts.ts';
import { trial } from './trial.ts';

const corpus = join(import.meta.dirname, 'corpus');

describe('any text is borne: no throw, no hang, no lost byte', () => {
  it.each(readdirSync(corpus))('%s, which once was not', (name) => {
    expect(trial(readFileSync(join(corpus, name), 'utf8'))).toBeUndefined();
  });

  it('and some by lot; npm run fuzz draws more', () => {
    const property = fc.property(anyText, (text) => {
      expect(trial(text)).toBeUndefined();
    });
    fc.assert(property, { seed: 1, numRuns: 100 });
  });

  it('in bounded time, however large or deep it is', () => {
    const hostile = [
      'device '.repeat(100_000),
      `device d { ${'not '.repeat(50_000)} at 0000:00:00.0 }`,
      `device d { ${'('.repeat(50_000)}`,
      '{'.repeat(200_000),
      `"${'x'.repeat(1 << 20)}`,
      `# ${'y'.repeat(1 << 20)}`,
      'policy p { bind a to b }\n'.repeat(3000),
      '\0'.repeat(10_000),
      '\u202e"\u2066'.repeat(10_000),
    ];
    for (const text of hostile)
      expect([text.slice(0, 20), trial(text)]).toEqual([text.slice(0, 20), undefined]);
  });
});
