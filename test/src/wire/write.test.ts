import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeCanonical } from '../../../src/wire/write.ts';
import { seed } from '../../seed.ts';

test('canonical text sorts fields at every level and has no space', () => {
  expect(writeCanonical({ b: [{ d: 1, c: null }], a: 'é"', u: undefined })).toBe(
    '{"a":"é\\"","b":[{"c":null,"d":1}]}',
  );
});

test('canonical text is the value, whatever the order of its fields', () => {
  const shuffled = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shuffled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, member]) => [key, shuffled(member)]),
          )
        : value;
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = writeCanonical(value);
      expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(JSON.parse(text), null, 0));
      expect(writeCanonical(JSON.parse(text))).toBe(text);
      expect(writeCanonical(shuffled(value))).toBe(text);
    }),
    { seed },
  );
});
