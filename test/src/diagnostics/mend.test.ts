import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOf, lex } from '../../../grammar/lexer.ts';
import type { Diagnostic, Edit } from '../../../src/diagnostics/diagnostic.ts';
import { ChangedText, together } from '../../../src/diagnostics/mend.ts';
import { report } from '../../../src/diagnostics/report.ts';
import { diff } from '../../../src/format/diff.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { sample } from '../../grammar/sample.ts';
import { seed } from '../../seed.ts';

function edit(start: number, end: number, text = '', file = 'a.vfio'): Edit {
  return { file, span: { start, end }, text };
}

function broken(safe: boolean, ...edits: readonly Edit[]): Diagnostic {
  const place = { file: 'a.vfio', span: { start: 0, end: 1 } };
  return report('VP1001', place, { text: ';' }, { fixes: [{ title: 'mend it', safe, edits }] });
}

const files = new Set(['a.vfio', 'b.vfio']);

describe('fixes that are made together', () => {
  const made = (...diagnostics: readonly Diagnostic[]) =>
    together(diagnostics, files).map(({ diagnostic }) => diagnostics.indexOf(diagnostic));

  it.each([
    ['apart', [broken(true, edit(0, 2)), broken(true, edit(2, 4))], [0, 1]],
    [
      'the same place in two files',
      [broken(true, edit(0, 2)), broken(true, edit(0, 2, '', 'b.vfio'))],
      [0, 1],
    ],
    ['one that is only a suggestion', [broken(false, edit(0, 2)), broken(true, edit(0, 2))], [1]],
    ['one that changes nothing', [broken(true)], []],
    ['one over the other', [broken(true, edit(0, 3)), broken(true, edit(2, 4))], [0]],
    ['one inside the other', [broken(true, edit(0, 9)), broken(true, edit(2, 4))], [0]],
    ['two insertions in one place', [broken(true, edit(2, 2, 'a')), broken(true, edit(2, 2, 'b'))], [0]],
    ['an insertion where something goes', [broken(true, edit(0, 2)), broken(true, edit(2, 2, 'b'))], [0]],
    [
      'of two edits one over another, and none of them is made',
      [broken(true, edit(0, 2)), broken(true, edit(5, 6), edit(1, 3)), broken(true, edit(5, 6))],
      [0, 2],
    ],
    ['a file that was not given', [broken(true, edit(0, 2), edit(0, 2, '', 'machine.json'))], []],
  ] as const)('%s', (_, diagnostics, expected) => {
    expect(made(...diagnostics)).toEqual(expected);
  });
});

/** Changes as random edits make them, none of which meets another, in up to three rounds. */
const changes = fc
  .tuple(
    fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n'), maxLength: 60 }),
    fc.array(fc.array(fc.tuple(fc.nat(60), fc.nat(8), fc.constantFrom('', 'x', '\n', 'y\nz', ' '))), {
      maxLength: 3,
    }),
  )
  .map(([before, rounds]) => {
    const changed = new ChangedText(before);
    let plain = before;
    for (const round of rounds) {
      const edits = round.map(([start, length, text]) => {
        const at = Math.min(start, plain.length);
        return edit(at, Math.min(at + length, plain.length), text);
      });
      const apart = together(
        edits.map((each) => broken(true, each)),
        files,
      ).flatMap(({ fix }) => fix.edits);
      changed.make(apart);
      const fromBehind = [...apart].sort((a, b) => b.span.start - a.span.start);
      for (const { span, text } of fromBehind)
        plain = plain.slice(0, span.start) + text + plain.slice(span.end);
    }
    return { changed, plain };
  });

describe('a text that is changed', () => {
  it('is the text with the edits made, and knows which characters stayed', () => {
    fc.assert(
      fc.property(changes, ({ changed, plain }) => {
        expect(changed.text).toBe(plain);
        const { before, after } = changed.stayed();
        const kept = (text: string, stayed: (offset: number) => boolean) =>
          [...text].filter((_, offset) => stayed(offset)).join('');
        expect(kept(changed.text, after)).toBe(kept(changed.before, before));
      }),
      { seed, numRuns: 500 },
    );
  });

  it('has a diff that git applies', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vfioplan-mend-'));
    const file = join(folder, 'a.vfio');
    try {
      fc.assert(
        fc.property(changes, ({ changed }) => {
          const { before, text } = changed;
          const input = diff('a.vfio', before, text, changed.stayed());
          if (before === text) return;
          writeFileSync(file, before);
          const args = ['apply', '-p0', '--unidiff-zero', '--whitespace=nowarn'];
          execFileSync('git', args, { cwd: folder, input });
          expect(readFileSync(file, 'utf8')).toBe(text);
        }),
        { seed, numRuns: 60 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** What a text says: its tree without its places; null: something is wrong with it. */
function meaningOf(text: string): string | null {
  const { document, diagnostics } = readDocument('a.vfio', text);
  if (diagnostics.length > 0) return null;
  const nodes = document.declarations.map(({ node }) => node);
  return JSON.stringify(nodes, (key, value) => (key === 'span' ? undefined : value));
}

/** The text with every safe fix made, and how often it was read. */
function mended(text: string): { readonly text: string; readonly rounds: number } {
  const changed = new ChangedText(text);
  for (let rounds = 1; ; rounds += 1) {
    const now = together(readDocument('a.vfio', changed.text).diagnostics, files);
    if (now.length === 0 || rounds > 30) return { text: changed.text, rounds };
    changed.make(now.flatMap(({ fix }) => fix.edits));
  }
}

const { tokens } = lex(sample);

/** Slips of the pen at a token: what a hand does that knows the language. */
const slips: Readonly<Record<string, (image: string) => string>> = {
  'a semicolon behind it': (image) => `${image};`,
  'in capitals': (image) => image.toUpperCase(),
  'without its quotes': (image) => image.replace(/^"(.*)"$/s, '$1'),
  'left out': () => '',
  twice: (image) => `${image} ${image}`,
  'a brace behind it': (image) => `${image} }`,
  'a brace before it': (image) => `{ ${image}`,
  'two letters swapped': (image) => image.replace(/^(.*?)([a-z])([a-z])/, '$1$3$2'),
  'without zeros': (image) => image.replace(/^0{1,3}|(?<=:)0/g, ''),
  'as hexadecimal': (image) => (/^\d+$/.test(image) ? `0x${Number(image).toString(16)}` : image),
};

describe('safe fixes', () => {
  const meant = meaningOf(sample);

  it('make a slip good, or leave it to its author; never do they say something else', () => {
    const mendedSlips = new Set<string>();
    fc.assert(
      fc.property(fc.nat(tokens.length - 1), fc.constantFrom(...Object.keys(slips)), (index, slip) => {
        const token = tokens[index];
        if (token === undefined) return;
        const written = slips[slip]?.(token.image) ?? '';
        const text = sample.slice(0, token.startOffset) + written + sample.slice(endOf(token));
        // A slip that is no mistake says what it says.
        if (meaningOf(text) !== null) return;
        const result = mended(text);
        expect(result.rounds).toBeLessThan(20);
        const now = meaningOf(result.text);
        if (now !== null) {
          mendedSlips.add(slip);
          expect(now).toBe(meant);
        }
      }),
      { seed, numRuns: 5000 },
    );
    expect([...mendedSlips].sort()).toEqual([
      'a brace behind it',
      'a semicolon behind it',
      'as hexadecimal',
      'in capitals',
      'left out',
      'twice',
      'without its quotes',
      'without zeros',
    ]);
  });

  it.each([
    [
      'policy p { bind a to b; allow user c to use a via group; }',
      'policy p { bind a to b allow user c to use a via group }',
    ],
    ['policy p { BIND a vfio-pci }', 'policy p { bind a to vfio-pci }'],
    ['host a { snapshot m.json iommu any; }', 'host a { snapshot "m.json" iommu any }'],
    ['device d { at 0:3:0.0 }', 'device d { at 0000:03:00.0 }'],
    ['device d { id 0x8086:0x1572 }', 'device d { id 8086:1572 }'],
    ['device d { mac B496.91A1.0233 }', 'device d { mac b4:96:91:a1:02:33 }'],
    ['host a { noiommu allowed { until 2027/3/1 } }', 'host a { noiommu allowed { until 2027-03-01 } }'],
    ['host a { kernel >= v6.1.0-23-amd64 }', 'host a { kernel >= 6.1.0 }'],
    ['host a { iommu any iommu any }', 'host a { iommu any }'],
    ['host a { iommu any }}', 'host a { iommu any }'],
  ])('%s', (bad, good) => {
    expect(mended(bad).text.replace(/\s+/g, ' ')).toBe(good);
  });

  it.each([
    'policy p { bnd a to b }',
    'device d { at 0000:03:00 }',
    'host a { kernel >= 6 }',
    'host a { iommu any iommu absent }',
    'host a { noiommu allowed { until 2027-02-31 } }',
    'host a { noiommu allowed { until 0000/1/1 } }',
    'device größe { id 8086:1572 }',
    'host a { snapshot "m.json }',
    'policy p { bind a to b',
    'policy p { bind a to b } allow user c to use a via group }',
    'devices d { count 4..2 }',
  ])('leave to their author: %s', (text) => {
    expect(mended(text).text).toBe(text);
    expect(readDocument('a.vfio', text).diagnostics).not.toEqual([]);
  });
});
