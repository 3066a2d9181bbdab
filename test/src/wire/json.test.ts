import fc from 'fast-check';
import { expect, test } from 'vitest';
import { locate, type Path, problemOf } from '../../../src/wire/json.ts';
import { seed } from '../../seed.ts';

function accepted(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('the scanner accepts exactly what JSON.parse accepts', () => {
  const near = fc
    .tuple(fc.json(), fc.nat(200), fc.constantFrom(...'{}[],:"\\0123456789.eE+-tfn\u0000 \n'))
    .map(([json, at, char]) => json.slice(0, at) + char + json.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(fc.json(), near, fc.string()), (text) => {
      const problem = problemOf(text);
      if (problem?.kind === 'duplicate') return;
      expect(problem === null).toBe(accepted(text));
    }),
    { seed, numRuns: 5000 },
  );
});

test('every value is found where it stands', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const wanted: { path: Path; value: unknown }[] = [];
      const walk = (inner: unknown, path: Path): void => {
        wanted.push({ path, value: inner });
        if (typeof inner !== 'object' || inner === null) return;
        for (const [key, member] of Object.entries(inner))
          walk(member, [...path, Array.isArray(inner) ? Number(key) : key]);
      };
      walk(JSON.parse(text), []);
      const found = locate(
        text,
        wanted.map(({ path }) => path),
      );
      wanted.forEach((each, index) => {
        const span = found[index]?.value;
        expect(JSON.parse(text.slice(span?.start, span?.end))).toEqual(each.value);
      });
    }),
    { seed },
  );
  expect(locate('{"a":1}', [['b'], ['a', 'c']])).toEqual([undefined, undefined]);
});
