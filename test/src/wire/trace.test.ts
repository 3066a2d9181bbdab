import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { Op, OpKind } from '../../../src/model/op.ts';
import { rules } from '../../../src/model/ops.ts';
import { traceSchema } from '../../../src/wire/generated/trace.ts';
import { maxTraceLine, maxTraceLines, readTrace } from '../../../src/wire/read-trace.ts';
import type { traceRecordSchema } from '../../../src/wire/trace.schema.ts';
import {
  rolesOf,
  type TraceDescriptor,
  type TraceOperation,
  type TraceRecord,
  traceOperations,
} from '../../../src/wire/trace.ts';
import { writeCanonical, writeLines } from '../../../src/wire/write.ts';
import type { Frozen } from '../../frozen.ts';
import { seed } from '../../seed.ts';
import { snapshotOf } from '../machine/handmade.ts';

const header = { record: 'header', format: 'vfioplan.trace', version: 1, profile: '6.12' };
const root = {
  ...{ record: 'process', name: 'root', uid: 0, gid: 0, groups: [] },
  ...{ capabilities: ['CAP_SYS_RAWIO'], memlock: null },
};
const call = (operation: object, more: object = {}) => ({
  record: 'call',
  process: 'root',
  operation,
  ...more,
});
const opened = call({ op: 'open', path: '/dev/vfio/vfio', as: 'c' }, { result: { value: 3 } });
const textOf = (...records: readonly object[]) => writeLines(records);
const codesOf = (text: string) => readTrace('t.jsonl', text).diagnostics.map(({ code }) => code);

/** The model's operation as a trace has it: names for numbers that differ from run to run, and no bigint. */
type Traced<O> = O extends { readonly op: OpKind }
  ? {
      [Key in keyof O as Key extends 'pid' ? never : Key]: Key extends
        | 'fd'
        | 'container'
        | 'eventfd'
        | 'iommufd'
        | 'file'
        ? TraceDescriptor
        : Key extends 'to'
          ? string
          : Exclude<O[Key], undefined> extends bigint
            ? string
            : O[Key] extends readonly number[]
              ? Key extends 'bytes'
                ? O[Key]
                : readonly TraceDescriptor[]
              : O[Key] extends readonly bigint[]
                ? readonly string[]
                : O[Key];
    }
  : never;

type Unnamed<O> = O extends unknown ? { [Key in keyof O as Key extends 'as' ? never : Key]: O[Key] } : never;

describe('the schema', () => {
  test('has an entry for every operation of the model, with its fields', () => {
    expectTypeOf<TraceOperation['op']>().toEqualTypeOf<OpKind>();
    expectTypeOf<Unnamed<TraceOperation>>().branded.toEqualTypeOf<Traced<Op>>();
    expectTypeOf<TraceRecord>().toEqualTypeOf<Frozen<z.infer<typeof traceRecordSchema>>>();
    expect([...traceOperations()].sort()).toEqual(Object.keys(rules).sort());
  });

  test('says of each field what it holds', () => {
    expect(Object.fromEntries(rolesOf('container.map_dma'))).toEqual({
      fd: 'descriptor',
      vaddr: 'wide',
      iova: 'wide',
      size: 'wide',
    });
    expect(Object.fromEntries(rolesOf('descriptor.pass'))).toEqual({
      fd: 'descriptor',
      to: 'process',
      as: 'name',
    });
    expect(rolesOf('no such operation').size).toBe(0);
  });

  test('is one that other validators can use', () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(traceSchema);
    for (const record of [header, root, opened]) expect(validate(record)).toBe(true);
    expect(validate(call({ op: 'open' }))).toBe(false);
  });
});

describe('reading', () => {
  test('a trace gives its records with their lines', () => {
    const { trace, diagnostics } = readTrace('t.jsonl', textOf(header, root, opened));
    expect(diagnostics).toEqual([]);
    expect(trace?.header.record).toEqual(header);
    expect(trace?.records.map(({ line, record }) => [line, record])).toEqual([
      [2, root],
      [3, opened],
    ]);
  });

  test('an empty line, CRLF and a last line without its newline are no problem', () => {
    const text = textOf(header, root, opened).replaceAll('\n', '\r\n\n').trimEnd();
    expect(readTrace('t.jsonl', text).trace?.records.map(({ line }) => line)).toEqual([3, 5]);
  });

  test('the snapshot of the header is read as any other', () => {
    const snapshot = snapshotOf();
    const inline = (its: unknown) => textOf({ ...header, machine: { snapshot: its } }, root);
    expect(readTrace('t.jsonl', inline(snapshot)).trace?.snapshot).toEqual(snapshot);
    const wrong = inline({ ...snapshot, hostnme: 'x' });
    const [diagnostic] = readTrace('t.jsonl', wrong).diagnostics;
    expect(diagnostic?.code).toBe('VP3007');
    const { start, end } = diagnostic?.place.span ?? { start: 0, end: 0 };
    expect(wrong.slice(start, end)).toBe('"hostnme"');
  });

  test.each<[string, string, string, string]>([
    ['no header', textOf(root, opened), 'VP3005', '{'],
    ['an empty text', '', 'VP3005', ''],
    ['another format', textOf({ ...header, format: 'vfioplan.plan' }), 'VP3005', '"vfioplan.plan"'],
    ['a newer version', textOf({ ...header, version: 2 }), 'VP3006', '2'],
    ['two headers', textOf(header, header), 'VP3015', JSON.stringify(header)],
    ['an unknown call', textOf(header, root, call({ op: 'opn', path: '/' })), 'VP3050', '"opn"'],
    ['a wrong type', textOf(header, root, call({ op: 'open', path: 7 })), 'VP3009', '7'],
    ['a field too many', textOf(header, root, call({ op: 'close', fd: -1, x: 1 })), 'VP3007', '"x"'],
    ['a wide number that is none', textOf(header, root, opened, map('0x')), 'VP3010', '"0x"'],
    ['a wide number of 65 bits', textOf(header, root, opened, map(`0x1${'0'.repeat(16)}`)), 'VP3010', '"0x1'],
    ['a number for a wide one', textOf(header, root, opened, map(4096)), 'VP3009', '4096'],
    ['a name that nobody gave', textOf(header, root, call({ op: 'close', fd: 'g' })), 'VP3051', '"g"'],
    [
      "another process's descriptor",
      textOf(header, root, { ...root, name: 'u' }, opened, {
        ...call({ op: 'close', fd: 'c' }),
        process: 'u',
      }),
      'VP3051',
      '"c"',
    ],
    ['nobody', textOf(header, opened), 'VP3052', '"root"'],
    ['a dead process', textOf(header, root, { record: 'exit', process: 'root' }, opened), 'VP3052', '"root"'],
    ['a receiver that is none', textOf(header, root, opened, pass('u')), 'VP3052', '"u"'],
    ['a line that stops', `${textOf(header, root)}{"record":"call","pro\n`, 'VP3001', ''],
    ['a NUL in a text', textOf(header, root, call({ op: 'open', path: '/\0' })), 'VP3010', '"/\\u0000"'],
    ['a NUL in the file', `${textOf(header, root)}\0\n`, 'VP3056', '\0'],
    ['a long line', `${textOf(header, root)}${' '.repeat(maxTraceLine + 1)}\n`, 'VP3055', ' '],
    ['too many processes', textOf(header, ...processes(1001)), 'VP3016', '"p1000"'],
    ['too many lines', textOf(header) + '\n'.repeat(maxTraceLines + 5), 'VP3016', ''],
  ])('%s is refused with its line', (_, text, code, at) => {
    const { trace, diagnostics } = readTrace('t.jsonl', text);
    expect(trace).toBeUndefined();
    expect(diagnostics[0]?.code).toBe(code);
    expect(text.slice(diagnostics[0]?.place.span.start).startsWith(at)).toBe(true);
  });

  test('a last line that is cut off is left out with a warning, wherever it is cut', () => {
    const [before, last] = [textOf(header, root), JSON.stringify(opened)];
    for (let length = 1; length < last.length; length += 1) {
      const { trace, diagnostics } = readTrace('t.jsonl', before + last.slice(0, length));
      expect(diagnostics.map(({ code }) => code)).toEqual(['VP3054']);
      expect(trace?.records.length).toBe(1);
    }
  });

  test('never throws and stays short in its answer, whatever stands there', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom(...[header, root, opened, map('0x1000')].map((record) => JSON.stringify(record))),
      fc.jsonValue().map((value) => JSON.stringify(call({ op: 'open', path: value }))),
      fc.jsonValue().map((value) => JSON.stringify(call({ op: 'descriptor.pass', fd: value, to: value }))),
      fc.jsonValue().map((value) => JSON.stringify({ record: 'call', process: 'root', operation: value })),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.boolean(), (lines, headed) => {
        const text = (headed ? [JSON.stringify(header), ...lines] : lines).join('\n');
        const { trace, diagnostics } = readTrace('t.jsonl', text);
        expect(diagnostics.length).toBeLessThanOrEqual(20);
        expect(trace === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
      }),
      { seed, numRuns: 500 },
    );
  });

  test('what is written canonically is read again', () => {
    const text = [header, root, opened].map((record) => `${writeCanonical(record)}\n`).join('');
    expect(codesOf(text)).toEqual([]);
  });
});

function processes(count: number): readonly object[] {
  return Array.from({ length: count }, (_, number) => ({ ...root, name: `p${number}` }));
}

function map(iova: unknown): object {
  return call({
    ...{ op: 'container.map_dma', fd: 'c', flags: 3, vaddr: '0x0', iova, size: '0x1000' },
    memory: 'writable',
  });
}

function pass(to: string): object {
  return call({ op: 'descriptor.pass', fd: 'c', to, as: 'theirs' });
}
