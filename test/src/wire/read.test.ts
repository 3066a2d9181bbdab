import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxDiagnostics, maxDocumentBytes } from '../../../src/wire/document.ts';
import { readPlan, readSnapshot } from '../../../src/wire/read.ts';
import { writeCanonical, writePretty } from '../../../src/wire/write.ts';
import { seed } from '../../seed.ts';
import { pciFunction, snapshotOf } from '../machine/handmade.ts';

const machine = snapshotOf({ functions: [pciFunction('0000:03:00.0'), pciFunction('0000:03:00.1')] });
const text = writePretty(machine);

/** Code, and the text that the place covers. */
function seen(source: string): readonly string[] {
  return readSnapshot('m.json', source).diagnostics.map(
    ({ code, place }) => `${code} ${source.slice(place.span.start, place.span.end)}`,
  );
}

describe('readSnapshot', () => {
  test('reads what was written, in both forms', () => {
    expect(readSnapshot('m.json', text)).toEqual({ snapshot: machine, diagnostics: [] });
    expect(readSnapshot('m.json', writeCanonical(machine)).snapshot).toEqual(machine);
  });

  test.each([
    ['{"a":1,}', 'VP3001 }'],
    ['', 'VP3001 '],
    ['{"a" 1}', 'VP3001 1'],
    ['[01]', 'VP3001 01'],
    ['{"a":"b', 'VP3001 "'],
    ['[1] 2', 'VP3001 2'],
    ['{"a":"\\x"}', 'VP3001 \\x'],
    ['\ufeff{}', 'VP3001 \ufeff'],
    ['{"format":"vfioplan.snapshot","format":1}', 'VP3004 "format"'],
    ['7', 'VP3005 7'],
    ['{"format":"vfioplan.plan"}', 'VP3005 "vfioplan.plan"'],
    ['{"format":"vfioplan.snapshot","version":2}', 'VP3006 2'],
  ])('%j is refused at its place', (source, expected) => {
    expect(seen(source)).toEqual([expected]);
  });

  test('an unknown field gets the field that was meant', () => {
    const source = text.replace('"hostname"', '"hostnme"');
    const { diagnostics, snapshot } = readSnapshot('m.json', source);
    expect(snapshot).toBeUndefined();
    expect(seen(source)).toEqual(['VP3008 {', 'VP3007 "hostnme"']);
    expect(diagnostics[1]?.cures).toEqual(['did you mean `hostname`?']);
  });

  test('a wrong type names the pointer, what is wanted and what is there', () => {
    const source = text.replace('"headerType": 0', '"headerType": "0"');
    expect(seen(source)).toEqual(['VP3009 "0"']);
    expect(readSnapshot('m.json', source).diagnostics[0]?.message).toBe(
      '`/functions/0/headerType` must be a whole number from 0 to 127, or an object with `unknown`, not the text "0"',
    );
  });

  test('a huge number is out of range, not rounded', () => {
    expect(seen(text.replace('"taint": 0', '"taint": 1e999'))).toEqual(['VP3010 1e999']);
  });

  test('the same address twice is refused', () => {
    expect(seen(text.replace('0000:03:00.1', '0000:03:00.0'))).toEqual(['VP3012 "0000:03:00.0"']);
  });

  test('a group that is not listed is refused', () => {
    const source = writePretty(
      snapshotOf({
        iommu: { units: [], interruptRemapping: false, groups: [] },
        functions: [pciFunction('0000:03:00.0', { iommuGroup: 5 })],
      }),
    );
    expect(seen(source)).toEqual(['VP3013 5']);
  });
});

describe('hostile documents', () => {
  test('deep nesting ends at the limit, in either bracket', () => {
    for (const bracket of ['[', '{"a":'])
      expect(readSnapshot('m.json', bracket.repeat(1_000_000)).diagnostics.map(({ code }) => code)).toEqual([
        'VP3003',
      ]);
  });

  test('50 MB of garbage is refused in bounded time', () => {
    const started = performance.now();
    for (const garbage of ['x', '[', '9', '"', '\u0000'])
      expect(readSnapshot('m.json', garbage.repeat(50_000_000)).diagnostics[0]?.code).toBe('VP3002');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('text within the limit is scanned once', () => {
    const size = maxDocumentBytes - 1;
    const started = performance.now();
    for (const garbage of [
      `"${'x'.repeat(size - 1)}`,
      '9'.repeat(size),
      ' '.repeat(size),
      '"\\"'.repeat(size / 3),
    ])
      expect(readSnapshot('m.json', garbage).diagnostics.length).toBe(1);
    expect(performance.now() - started).toBeLessThan(25_000);
  });

  test('many mistakes end after twenty diagnostics', () => {
    const source = text.replace('"functions": [', `"functions": [${'1,'.repeat(100_000)}`);
    const { diagnostics } = readSnapshot('m.json', source);
    expect(diagnostics.length).toBeLessThanOrEqual(maxDiagnostics);
    const wrong = text.replace('"functions": [', `"functions": [${'1,'.repeat(1000)}`);
    const codes = readSnapshot('m.json', wrong).diagnostics.map(({ code }) => code);
    expect(codes).toEqual([...Array(maxDiagnostics - 1).fill('VP3009'), 'VP3011']);
  });

  test('names of the prototype are unknown fields like others', () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(seen(text.replace('"hostname"', `"${name}": {}, "hostname"`))).toEqual([`VP3007 "${name}"`]);
  });

  test('any text gives a document or a coded error, and never a throw', () => {
    const mutated = fc
      .tuple(fc.nat(text.length), fc.nat(40), fc.oneof(fc.string(), fc.json(), fc.constant('')))
      .map(([at, cut, piece]) => text.slice(0, at) + piece + text.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), mutated), (source) => {
        for (const { diagnostics, ...rest } of [readSnapshot('m.json', source), readPlan('p.json', source)]) {
          const errors = diagnostics.filter(({ severity }) => severity === 'error');
          expect(errors.length === 0).toBe(Object.keys(rest).length === 1);
          expect(diagnostics.length).toBeLessThanOrEqual(maxDiagnostics);
          for (const { place, message } of diagnostics) {
            expect(place.span.end).toBeLessThanOrEqual(source.length);
            expect(place.span.start).toBeLessThanOrEqual(place.span.end);
            expect(message.length).toBeLessThan(2000);
          }
        }
      }),
      { seed, numRuns: 2000 },
    );
  });
});
