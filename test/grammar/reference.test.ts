import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keywords } from '../../grammar/keywords.ts';
import { wordPattern } from '../../grammar/tokens.ts';
import { readDocument } from '../../src/syntax/read.ts';

const reference = readFileSync(new URL('../../grammar/README.md', import.meta.url), 'utf8');
const examples = [...reference.matchAll(/^```vfio\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

describe('the examples of the reference', () => {
  it.each(examples)('%s', (text) => {
    expect(readDocument('reference.vfio', text).diagnostics).toEqual([]);
  });

  it('show every keyword of the language', () => {
    const shown = new Set(examples.join('\n').match(new RegExp(wordPattern, 'g')));
    expect(Object.keys(keywords).filter((word) => !shown.has(word))).toEqual([]);
  });
});
