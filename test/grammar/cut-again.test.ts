import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeOf } from '../../grammar/changed.ts';
import { keywords } from '../../grammar/keywords.ts';
import { type PlacedBlock, parse } from '../../grammar/parse.ts';
import { readDocument } from '../../src/syntax/read.ts';
import { seed } from '../seed.ts';
import { sample } from './sample.ts';
import { sentences } from './sentences.ts';

const marks = [
  '{',
  '}',
  '{ ',
  '"',
  '\n',
  '\r\n',
  '\r',
  '#',
  '(',
  '..',
  '\n}\n',
  '\npolicy p on h {',
  '\nimport "a"',
  'x',
];
const typed = fc.oneof(
  fc.constantFrom(...marks, ...Object.keys(keywords)),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const edits = fc.array(fc.tuple(fc.nat(1 << 20), fc.oneof(fc.nat(3), fc.nat(200)), typed), {
  minLength: 1,
  maxLength: 12,
});
const texts = fc.oneof(
  sentences,
  fc.constant(sample),
  // Long enough that whole stretches are compared.
  fc.nat(9).map((times) => `${sample}\n`.repeat(times)),
  fc.array(fc.constantFrom(...marks), { maxLength: 40 }).map((parts) => parts.join(' ')),
);

describe('reading a text again after a change', () => {
  it('gives what reading it afresh gives, after any edits', () => {
    fc.assert(
      fc.property(texts, edits, (original, changes) => {
        let text = original;
        let blocks = parse(text);
        for (const [at, length, words] of changes) {
          const from = at % (text.length + 1);
          const before = { text, blocks };
          text = text.slice(0, from) + words + text.slice(from + length);
          blocks = parse(text, before);
          expect(blocks).toEqual(parse(text));
        }
      }),
      { seed, numRuns: 400 },
    );
  });

  it('reads on where a text with too many mistakes was given up, once they are mended', () => {
    const wrong = 'policy p on h { bnd x }\n'.repeat(1200);
    const good = `device last { at 0000:00:01.0 }\n`;
    const text = wrong + good;
    const before = { text, blocks: parse(text) };
    expect(before.blocks.at(-1)?.read).toBeUndefined();
    const mended = wrong.replaceAll('bnd', 'forbid') + good;
    expect(parse(mended, before)).toEqual(parse(mended));
    // And one that was whole is given up when the mistakes come back.
    expect(parse(text, { text: mended, blocks: parse(mended) })).toEqual(before.blocks);
  });

  it('keeps every block but the one that changed', () => {
    const text = `${sample}\n`.repeat(3);
    const blocks = parse(text);
    const at = text.indexOf('vfio-pci');
    const now = `${text.slice(0, at)}x${text.slice(at)}`;
    const same = (a: readonly PlacedBlock[], b: readonly PlacedBlock[]) =>
      a.filter(({ block }) => !b.some((other) => other.block === block)).length;
    expect(same(parse(now, { text, blocks }), blocks)).toBe(1);
  });

  it('gives the same document and the same diagnostics, and the very trees that only moved', () => {
    fc.assert(
      fc.property(texts, edits, (original, changes) => {
        let reading = readDocument('a.vfio', original);
        for (const [at, length, words] of changes) {
          const { text } = reading;
          const from = at % (text.length + 1);
          const now = text.slice(0, from) + words + text.slice(from + length);
          reading = readDocument('a.vfio', now, reading);
          expect(reading).toEqual(readDocument('a.vfio', now));
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});

describe('what changed between two texts', () => {
  it('is what differs, and as little as that', () => {
    const parts = fc.tuple(fc.string(), fc.nat(9000), fc.string(), fc.string(), fc.nat(9000), fc.string());
    fc.assert(
      fc.property(parts, ([head, many, was, is, more, tail]) => {
        const [front, back] = [head + 'ab'.repeat(many), 'ba'.repeat(more) + tail];
        const [old, now] = [front + was + back, front + is + back];
        const { start, oldEnd, newEnd } = changeOf(old, now);
        expect(old.slice(0, start) + now.slice(start, newEnd) + old.slice(oldEnd)).toBe(now);
        expect(now.length - newEnd).toBe(old.length - oldEnd);
        expect(start).toBeGreaterThanOrEqual(Math.min(front.length, now.length));
        if (old !== now) expect(old[start] === now[start] && start < oldEnd && start < newEnd).toBe(false);
      }),
      { seed, numRuns: 300 },
    );
  });
});
