import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../../grammar/span.ts';
import type { Edit } from '../../../src/diagnostics/diagnostic.ts';
import { ChangedText } from '../../../src/diagnostics/mend.ts';
import type { HostDeclaration } from '../../../src/syntax/ast.ts';
import { diagnosticLimit, fileLimit, readDocument } from '../../../src/syntax/read.ts';
import { type Reference, referencesOf } from '../../../src/syntax/references.ts';
import { sample } from '../../grammar/sample.ts';
import { seed } from '../../seed.ts';

function codesOf(text: string): string[] {
  return readDocument('a.vfio', text).diagnostics.map(({ code }) => code);
}

function applied(text: string, edits: readonly Edit[]): string {
  const changed = new ChangedText(text);
  changed.make(edits);
  return changed.text;
}

/** The text with the first fix of its only diagnostic made. */
function mended(text: string): string {
  const [diagnostic, ...others] = readDocument('a.vfio', text).diagnostics;
  expect(others).toEqual([]);
  return applied(text, diagnostic?.fixes[0]?.edits ?? []);
}

/** Every span anywhere in a value. */
function* spansIn(value: unknown): Generator<Span> {
  if (typeof value !== 'object' || value === null) return;
  if ('span' in value) yield value.span as Span;
  for (const inner of Object.values(value)) yield* spansIn(inner);
}

/** A tree as lines: each node with its place in the file, words with what the text says there. */
function drawn(base: number, node: object, indent: string): string {
  const { kind, span, ...parts } = node as { kind?: string; span?: Span };
  const at = (offset: number | undefined) => (offset === undefined ? undefined : base + offset);
  let text = `${indent}${kind ?? '-'} ${at(span?.start)}..${at(span?.end)}\n`;
  for (const [name, part] of Object.entries(parts) as [string, unknown][]) {
    if (isWord(part))
      text += `${indent}  ${name}: ${part.text} <- ${sample.slice(base + part.span.start, base + part.span.end)}\n`;
    else if (Array.isArray(part) && part.every((item) => typeof item === 'object')) {
      text += `${indent}  ${name}:\n${part.map((item) => drawn(base, item, `${indent}    `)).join('')}`;
    } else if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
      text += `${indent}  ${name}:\n${drawn(base, part, `${indent}    `)}`;
    } else text += `${indent}  ${name}: ${part}\n`;
  }
  return text;
}

function isWord(part: unknown): part is { text: string; span: Span } {
  return typeof part === 'object' && part !== null && 'text' in part && 'span' in part;
}

describe('reading a policy file', () => {
  it('keeps every place inside the text, whatever the text', () => {
    const cut = fc.tuple(fc.nat(sample.length), fc.nat(30), fc.string({ unit: 'binary', maxLength: 20 }));
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      cut.map(([at, length, text]) => sample.slice(0, at) + text + sample.slice(at + length)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { document, diagnostics } = readDocument('a.vfio', text);
        const limit = Math.max(text.length, 1);
        const trees = document.declarations.flatMap(({ base, node }) =>
          [...spansIn(node)].map(({ start, end }) => ({ start: base + start, end: base + end })),
        );
        const outside = [...trees, ...spansIn(diagnostics)].filter(
          ({ start, end }) => !(0 <= start && start <= end && end <= limit),
        );
        expect(outside).toEqual([]);
      }),
      { seed, numRuns: 500 },
    );
  });

  it('reads the sample and every example without a diagnostic', () => {
    const folder = join(import.meta.dirname, '../../../examples');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.vfio'),
    );
    expect(files.length).toBeGreaterThan(3);
    for (const text of [sample, ...files.map((name) => readFileSync(join(folder, name), 'utf8'))]) {
      expect(readDocument('a.vfio', text).diagnostics).toEqual([]);
    }
  });

  it('gives the words with their places, quotes and escapes resolved', async () => {
    const { document } = readDocument('sample.vfio', sample);
    const { declarations } = document;
    await expect(declarations.map(({ base, node }) => drawn(base, node, '')).join('')).toMatchFileSnapshot(
      'golden/sample.tree.txt',
    );
    const host = declarations.map(({ node }) => node).find(({ kind }) => kind === 'host') as HostDeclaration;
    const permission = host.statements.find((statement) => statement.kind === 'noiommu');
    expect(permission?.reason?.text).toBe('hosting provider gives no "vIOMMU"');
  });

  it('lists what it refers to', () => {
    const { imports, snapshots } = referencesOf(readDocument('sample.vfio', sample).document);
    expect(imports.map(({ path }) => path)).toEqual(['common.vfio']);
    expect(snapshots.map(({ path }) => path)).toEqual(['machines/edge-01.json']);
    const [{ place }] = snapshots as [Reference];
    expect(sample.slice(place.span.start, place.span.end)).toBe('"machines/edge-01.json"');
  });

  it('moves places with the text, and keeps what did not move', () => {
    const first = readDocument('a.vfio', sample).document.declarations;
    const again = readDocument('a.vfio', `${sample}\ndevice late { at 0000:00:01.0 }\n`).document
      .declarations;
    expect(again[1]?.node).toBe(first[1]?.node);
    const moved = readDocument('a.vfio', `\n\n${sample}`).document.declarations;
    expect(moved[1]).toEqual({ base: (first[1]?.base ?? 0) + 2, node: first[1]?.node });
    expect(moved[1]?.node).toBe(first[1]?.node);
  });

  it('a declaration whose host is broken is a hole that still declares its name', () => {
    const [hole] = readDocument('a.vfio', 'device gpu on { at 0000:01:00.0 }').document.declarations;
    expect(hole?.node).toMatchObject({ kind: 'hole', declares: { text: 'gpu' } });
  });

  it('a permission with a broken part is no permission', () => {
    const text = 'host a { noiommu allowed { owner "x" until tomorrow } }';
    const [host] = readDocument('a.vfio', text).document.declarations;
    expect(host?.node).toMatchObject({ statements: [{ kind: 'hole' }] });
    expect(codesOf(text)).toEqual(['VP1009']);
  });
});

const inTest = (statement: string) => `test "x" on h { ${statement} }`;
const inPolicy = (statement: string) => `policy p on h { ${statement} }`;

describe('one broken thing gives one message', () => {
  it.each([
    [inPolicy('bind uplink vfio-pci'), 'VP1004'],
    [inPolicy('bind uplink too vfio-pci bind b to vfio'), 'VP1004'],
    [inPolicy('bind to vfio-pci'), 'VP1004'],
    [inPolicy('bind uplink to'), 'VP1004'],
    [inPolicy('bnd uplink to vfio-pci'), 'VP1005'],
    [inPolicy('bind uplink to vfio-pci now'), 'VP1005'],
    [inPolicy('bind uplink to vfio-pci; allow user a to use b via any'), 'VP1001'],
    [inPolicy('bind a → b to c bind c to d'), 'VP1001'],
    [inPolicy('allow bob to use x via group'), 'VP1004'],
    [inPolicy('allow user bind to use x via group'), 'VP1004'],
    [inPolicy('allow user a to use b via iommu'), 'VP1004'],
    [inPolicy('allow user a with CAP_SYS_RAWI to use b via any'), 'VP1023'],
    [inPolicy('bind x to { foo }'), 'VP1004'],
    [inPolicy('create 0 virtual functions on uplink'), 'VP1011'],
    [inPolicy('create virtual functions on uplink'), 'VP1004'],
    [inPolicy('create 4 functions on uplink'), 'VP1004'],
    [inPolicy('create 4 virtual functions uplink'), 'VP1004'],
    [inPolicy('limit user dpdk to 4 GB locked memory bind a to b'), 'VP1026'],
    [inPolicy('limit user dpdk to four GiB locked memory'), 'VP1011'],
    [inPolicy('limit user dpdk to 9000 TiB locked memory'), 'VP1011'],
    [inPolicy('limit user dpdk to 4 locked memory'), 'VP1004'],
    [inPolicy('limit anyone to 4 GiB locked memory'), 'VP1004'],
    [inPolicy('persist across boots before drivers'), 'VP1005'],
    [inPolicy('persist across boots, before'), 'VP1004'],
    [inPolicy('persist'), 'VP1004'],
    [inPolicy('persist nothing persist nothing'), 'VP1020'],
    [inPolicy('require gpu resets by flr, buss'), 'VP1025'],
    [inPolicy('require gpu resets flr'), 'VP1004'],
    [inPolicy('require gpu resets by'), 'VP1004'],
    [inPolicy('require gpu numa one'), 'VP1011'],
    [inPolicy('require gpu never to vfio-pci'), 'VP1004'],
    [inPolicy('require gpu quiet'), 'VP1004'],
    [inPolicy('snapshot "x"'), 'VP1005'],
    [inTest('apply'), 'VP1004'],
    [inTest('apply p when step 0 fails with EBUSY'), 'VP1011'],
    [inTest('apply p when step 3 fails'), 'VP1004'],
    [inTest('apply p when killed after step five'), 'VP1011'],
    [inTest('apply p when killed step 5'), 'VP1004'],
    [inTest('as user m { open d EACCES }'), 'VP1004'],
    [inTest('as user m { open d -> eacces }'), 'VP1027'],
    [inTest('as user m { use d -> ok }'), 'VP1004'],
    [inTest('as user m { map 2 MB at 0x0 -> ok }'), 'VP1026'],
    [inTest('as user m { map 2 MiB at 0x10000000000000000 -> ok }'), 'VP1028'],
    [inTest('as user m { map 2 MiB at 18446744073709551616 -> ok }'), 'VP1028'],
    [inTest('as user m { map 2 MiB at zero -> ok }'), 'VP1028'],
    [inTest('as user m { close d -> ok }'), 'VP1005'],
    [inTest('as user m* { open d -> ok }'), 'VP1019'],
    [inTest('as m { open d -> ok }'), 'VP1004'],
    [inTest('expect'), 'VP1004'],
    [inTest('expect kernel'), 'VP1004'],
    [inTest('expect apply p refused VP4999'), 'VP1029'],
    [inTest('expect apply p accepted'), 'VP1004'],
    [inTest('expect d bound vfio-pci'), 'VP1004'],
    [inTest('bind d to vfio-pci'), 'VP1005'],
    [inTest('expect kernl tainted'), 'VP1004'],
    [inTest('expect file "/etc/a"'), 'VP1004'],
    [inTest('expect file "/etc/a" not present'), 'VP1004'],
    [inTest('expect file "/etc/a" with lien "b"'), 'VP1004'],
    [inTest('expect file "/etc/a" with line "b",'), 'VP1004'],
    [inTest('expect file "/etc/a" with line b'), 'VP1021'],
    [inTest('expect file /etc/a present'), 'VP1021'],
    [inTest('expect file ./a present'), 'VP1021'],
    [inTest('expect file "/etc/a" with line ""'), 'VP1032'],
    [inTest('expect file "/etc/a" with text ""'), 'VP1032'],
    [inTest('expect file "/etc/a" with line "b\\nc"'), 'VP1032'],
    ['test x on h { apply p }', 'VP1021'],
    ['test "x" { apply p }', 'VP1004'],
    ['test "x" on { apply p }', 'VP1004'],
    ['test "x" on snapshot a { apply p }', 'VP1021'],
    ['test "x" on h { as user m { open d -> ok }', 'VP1003'],
    [
      'test "x" on snapshot "a" {\n  as user m {\n    open d -> ok\ntest "y" on snapshot "a" { apply p }',
      'VP1003',
    ],
    ['devices v on h { virtual functions 3..0 of uplink }', 'VP1024'],
    ['devices v on h { virtual functions 0..65535 of uplink }', 'VP1011'],
    ['devices v on h { virtual functions 0.. of uplink }', 'VP1004'],
    ['devices v on h { virtual uplink }', 'VP1004'],
    ['device v { in group gpu }', 'VP1004'],
    ['device v { label role "x" }', 'VP1005'],
    ['device v { at 0000:01:00.0 dma none a claim }', 'VP1005'],
    ['device v { at 0000:01:00.0 dma none claimed }', 'VP1021'],
    ['device v { at 0000:01:00.0 dma none }', 'VP1004'],
    ['device v { dma none "a" at 0000:01:00.0 dma none "b" }', 'VP1020'],
    ['policy p on h { bind a to b', 'VP1003'],
    ['policy p on h { bind a to b\ndevice d { at 0000:01:00.0 }\n', 'VP1003'],
    ['policy p on h bind a to b }', 'VP1004'],
    ['policy p h { bind a to b }', 'VP1004'],
    ['polcy p on h { bind a to b }', 'VP1005'],
    ['}', 'VP1006'],
    ['host a { snapshot "x.json }\nhost b { iommu any }', 'VP1002'],
    ['host a { snapshot x.json }', 'VP1021'],
    ['host a { snapshot "\\q" }', 'VP1018'],
    ['host a { kernel >= six }', 'VP1010'],
    ['host a { kernel 6.1 }', 'VP1004'],
    ['host a { iommu any iommu absent }', 'VP1020'],
    ['host a { noiommu allowed { until 2027-02-29 } }', 'VP1009'],
    ['host a { noiommu allowed { until 0000-02-29 } }', 'VP1009'],
    ['device d { at 000:01:00.0 }', 'VP1007'],
    ['device d { id 8086 }', 'VP1008'],
    ['device d { mac 00:11 }', 'VP1022'],
    ['device d { numa two }', 'VP1011'],
    ['devices d { count 4..2 }', 'VP1024'],
    ['device güte { id 8086:1572 }', 'VP1019'],
    ['host "a\u202eb" { iommu any }', 'VP1016'],
    ['# \u202e hidden\nhost a { iommu any }', 'VP1016'],
    ['h\0o\0s\0t\0', 'VP1017'],
    ['# caf\ufffd\nhost a { iommu any }', 'VP1017'],
    [`${'{'.repeat(40)}`, 'VP1015'],
    [`device d { ${'not '.repeat(40)}id 8086:1572 }`, 'VP1015'],
    [`device d { ${'not not ('.repeat(20)}id 8086:1572${')'.repeat(20)} }`, 'VP1015'],
    ['x'.repeat(fileLimit + 1), 'VP1013'],
  ])('%.60s', (text, code) => {
    expect(codesOf(text)).toEqual([code]);
  });

  it.each(['host a{}', 'policy p{}\n', 'import "a"\n', 'import "a" '])(
    'reads a file of 32,768 declarations, and nothing of a longer one: %j',
    (part) => {
      const whole = readDocument('a.vfio', part.repeat(32_768));
      expect([whole.diagnostics, whole.document.declarations.length]).toEqual([[], 32_768]);
      const { document, diagnostics } = readDocument('a.vfio', part.repeat(90_000));
      expect(diagnostics.map(({ code }) => code)).toEqual(['VP1030']);
      expect(document.declarations.map(({ node }) => node.kind)).toEqual(['hole']);
    },
  );

  it('puts the whole of a path into quotes', () => {
    for (const path of ['/etc/a.conf', './a', '~/a', 'etc/a'])
      for (const before of ['import ', 'import\n'])
        expect(mended(`${before}${path} host h {}`)).toBe(`${before}"${path}" host h {}`);
    // What is no beginning of a path is told by itself.
    expect(codesOf('import ;/a')).toEqual(['VP1001', 'VP1021']);
  });

  it('takes a slip in the word after `expect` for one', () => {
    for (const [slip, right] of [
      ['kernl tainted', 'kernel tainted'],
      ['fiel "/etc/a" present', 'file "/etc/a" present'],
      ['machin unchanged', 'machine unchanged'],
      ['aply p refused VP4101', 'apply p refused VP4101'],
    ] as const)
      expect(mended(inTest(`expect ${slip}`))).toBe(inTest(`expect ${right}`));
  });

  it('stops telling after a hundred', () => {
    const codes = codesOf(inPolicy('bind a b\n'.repeat(5000)));
    expect(codes).toHaveLength(diagnosticLimit + 1);
    expect(codes.at(-1)).toBe('VP1014');
  });
});

describe('hostile text', () => {
  // 200,000 characters each; a cost that grows faster than the text would not end within the test's time.
  it.each([
    'bind ',
    'bind x ',
    'allow foo x\n',
    '; ',
    '"\n',
    '{}',
    '}',
    '{ ',
    '(',
    'import\n',
    'device a {\n',
    'x ',
    '→',
    '#',
    '\\',
    '" \\',
    'or ',
    'not ',
    'id ',
  ])('%j over and over ends, with a bounded number of diagnostics', (part) => {
    for (const head of ['', 'policy p { ', 'device d { id 1:1 ']) {
      const codes = codesOf(head + part.repeat(200_000 / part.length));
      expect(codes.length).toBeLessThanOrEqual(diagnosticLimit + 1);
    }
  });
});

describe('fixes', () => {
  it.each([
    [inPolicy('bind uplink vfio-pci'), inPolicy('bind uplink to vfio-pci')],
    [inPolicy('bnd uplink to vfio-pci'), inPolicy('bind uplink to vfio-pci')],
    [inPolicy('bind uplink too vfio-pci'), inPolicy('bind uplink to vfio-pci')],
    [inPolicy('allow user a to use b via noimmu'), inPolicy('allow user a to use b via noiommu')],
    [
      inPolicy('allow user a with CAP_SYS_RAWI to use b via any'),
      inPolicy('allow user a with CAP_SYS_RAWIO to use b via any'),
    ],
    ['host a { snapshot x.json }', 'host a { snapshot "x.json" }'],
    ['host a { snapshot "x.json }', 'host a { snapshot "x.json" }'],
    ['host a { snapshot "\\q" }', 'host a { snapshot "\\\\q" }'],
    ['policy p h { bind a to b }', 'policy p on h { bind a to b }'],
    ['policy p on h bind a to b }', 'policy p on h { bind a to b }'],
    ['devices d { count 4..2 }', 'devices d { count 2..4 }'],
    ['host a { iommu any; }', 'host a { iommu any }'],
  ])('%s', (bad, good) => {
    const [diagnostic] = readDocument('a.vfio', bad).diagnostics;
    const edits = diagnostic?.fixes[0]?.edits ?? [];
    expect(applied(bad, edits)).toBe(good);
    expect(codesOf(good)).toEqual([]);
  });
});
