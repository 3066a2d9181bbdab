import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JournalRecord } from '../../../src/wire/journal.ts';
import { readJournal } from '../../../src/wire/read.ts';
import { writeCanonical } from '../../../src/wire/write.ts';
import { seed } from '../../seed.ts';

const digest = 'a'.repeat(64);
const records: readonly JournalRecord[] = [
  {
    record: 'header',
    format: 'vfioplan.journal',
    version: 1,
    generation: 1,
    host: 'edge-01',
    backend: 'simulated',
    time: '2026-01-01T00:00:00Z',
    bootId: null,
    policyDigest: digest,
    snapshotDigest: digest,
    planDigest: digest,
    steps: 1,
  },
  {
    record: 'intent',
    step: 1,
    operation: { op: 'override.write', device: '0000:03:00.0', text: 'vfio-pci' },
    sentence: 'set the override of 0000:03:00.0 to vfio-pci',
    identity: '8086:1572',
    before: { '/sys/bus/pci/devices/0000:03:00.0/driver_override': '(null)' },
    after: { '/sys/bus/pci/devices/0000:03:00.0/driver_override': 'vfio-pci' },
    undo: {
      operation: { op: 'override.write', device: '0000:03:00.0', text: '' },
      sentence: 'clear the override of 0000:03:00.0',
      after: {},
    },
  },
  { record: 'outcome', step: 1, errno: null, observed: {}, matches: true },
  { record: 'end', verdict: 'done', left: [] },
];
const text = records.map((record) => `${writeCanonical(record)}\n`).join('');

const codesOf = (source: string) =>
  readJournal('j', source).diagnostics.map(
    ({ code, place }) => `${code} ${source.slice(place.span.start, place.span.end).slice(0, 24)}`,
  );

test('reads what was written', () => {
  expect(readJournal('j', text)).toEqual({ records, diagnostics: [] });
});

test('cut off anywhere, it gives the whole records before, and a warning', () => {
  for (let length = 0; length < text.length; length += 1) {
    const whole = text.slice(0, length).split('\n').length - 1;
    const { records: read, diagnostics } = readJournal('j', text.slice(0, length));
    // A record that lacks only its newline is complete.
    const complete = text[length] === '\n' ? whole + 1 : whole;
    expect(read).toEqual(records.slice(0, complete));
    const ends = text[length - 1] === '\n' || text[length] === '\n';
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual(
      ends ? [] : [['VP3014', 'warning']],
    );
  }
});

test.each([
  ['a broken line in the middle', text.replace('"outcome"', '"outcome'), 'VP3001 '],
  ['an unknown field', text.replace('"matches"', '"match":1,"matches"'), 'VP3007 "match"'],
  ['a newer version', text.replace('"version":1', '"version":9'), 'VP3006 9'],
  ['no header', text.slice(text.indexOf('\n') + 1), 'VP3005 {'],
  ['two headers', text.slice(0, text.indexOf('\n') + 1) + text, 'VP3015 {"backend":"simulated",'],
])('%s refuses the journal', (_, source, expected) => {
  const codes = codesOf(source);
  expect(codes.some((code) => code.startsWith(expected))).toBe(true);
  expect(readJournal('j', source).records).toBeUndefined();
});

test('any text gives records or coded errors', () => {
  const lines = fc
    .array(fc.oneof(fc.constantFrom(...text.split('\n')), fc.json(), fc.string()))
    .map((parts) => parts.join('\n'));
  fc.assert(
    fc.property(lines, (source) => {
      const { records: read, diagnostics } = readJournal('j', source);
      expect(read === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
      expect(diagnostics.length).toBeLessThanOrEqual(20);
      for (const { place } of diagnostics) expect(place.span.end).toBeLessThanOrEqual(source.length);
    }),
    { seed, numRuns: 1000 },
  );
});

test('a million broken lines end after twenty diagnostics', () => {
  const started = performance.now();
  expect(readJournal('j', `${'x\n'.repeat(1_000_000)}`).diagnostics.length).toBe(20);
  expect(performance.now() - started).toBeLessThan(10_000);
});
