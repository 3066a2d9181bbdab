import { nearest } from '../../grammar/nearest.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { type DocumentReader, maxDiagnostics, readDocument, readJson, refuseSize } from './document.ts';
import { traceSchema } from './generated/trace.ts';
import { locate } from './json.ts';
import { readSnapshot, shifted } from './read.ts';
import { isTraceOperation, type Trace, type TraceLine, type TraceRecord, traceOperations } from './trace.ts';
import { TraceNames } from './trace-names.ts';

/**
 * Text in, a trace or coded diagnostics out. As with every document nothing here throws, time is linear in the text, and
 * a text never yields more than `maxDiagnostics` diagnostics. A last line that is cut off is left out with a warning: what
 * a recorder was about to write was not done whole.
 */
export interface TraceReading {
  /** Absent when a diagnostic is an error. */
  readonly trace?: Trace;
  readonly diagnostics: readonly Diagnostic[];
}

/** UTF-16 units of any line but the header, which may hold a snapshot. */
export const maxTraceLine = 262_144;

export const maxTraceLines = 200_000;

export function readTrace(file: string, text: string): TraceReading {
  const tooLarge = refuseSize('trace', file, text.length);
  if (tooLarge !== undefined) return { diagnostics: [tooLarge] };
  const reader = new Reader(file, text);
  for (let start = 0; start < text.length && !reader.full(); ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    reader.line(start, end, newline < 0);
    start = end + 1;
  }
  return reader.end();
}

class Reader {
  private readonly file: string;
  private readonly text: string;
  private readonly diagnostics: Diagnostic[] = [];
  private readonly names = new TraceNames();
  private readonly records: TraceLine<Exclude<TraceRecord, { record: 'header' }>>[] = [];
  private header: Trace['header'] | undefined;
  private snapshot: Trace['snapshot'];
  private number = 0;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  full(): boolean {
    return this.diagnostics.length >= maxDiagnostics || this.number > maxTraceLines;
  }

  /** One line of the text, without its newline; the last may lack it. */
  line(start: number, end: number, last: boolean): void {
    this.number += 1;
    const place = { file: this.file, span: { start, end } };
    if (this.number > maxTraceLines) {
      const values = `more than ${maxTraceLines} lines`;
      this.diagnostics.push(report('VP3016', this.at(start), { document: 'trace', values }));
      return;
    }
    const first = this.header === undefined;
    if (end - start > maxTraceLine && !first) {
      const length = end - start;
      this.diagnostics.push(report('VP3055', this.at(start), { length, limit: maxTraceLine }));
      return;
    }
    const its = this.text.slice(start, end);
    if (its.trim() === '') return;
    const nul = its.indexOf('\0');
    if (nul >= 0) this.diagnostics.push(report('VP3056', this.at(start + nul), {}, nulCures));
    else this.record(its, place, last);
  }

  end(): TraceReading {
    const { header, records, snapshot } = this;
    if (header === undefined && this.diagnostics.length === 0) {
      const cures = ['give a trace that `vfioplan record` wrote, or see docs/traces.md for how one begins'];
      const holes = { document: 'trace', format: 'vfioplan.trace', found: 'absent' };
      this.diagnostics.push(report('VP3005', this.at(0), holes, { cures }));
    }
    const diagnostics = this.diagnostics.slice(0, maxDiagnostics);
    if (header === undefined || diagnostics.some(({ severity }) => severity === 'error'))
      return { diagnostics };
    return { trace: { header, records, ...(snapshot === undefined ? {} : { snapshot }) }, diagnostics };
  }

  private record(its: string, place: Place, last: boolean): void {
    const { start } = place.span;
    const first = this.header === undefined;
    const read = readRecord(first ? traceHeader : traceRecord, this.file, its);
    if (read.value === undefined) {
      if (last && !first && read.cut) {
        const causes = ['whoever wrote it was stopped; the operation may have been done'];
        this.diagnostics.push(report('VP3054', place, {}, { causes }));
      } else this.diagnostics.push(...read.diagnostics.map((each) => shifted(each, start)));
      return;
    }
    const record = read.value;
    if ((record.record === 'header') !== first) {
      const cures = ['a trace has one header, and it is the first record'];
      const holes = { document: 'trace', record: record.record };
      this.diagnostics.push(report('VP3015', place, holes, { cures }));
    }
    const line = { line: this.number, place };
    if (record.record !== 'header') {
      this.diagnostics.push(...this.names.problems(record, its, place));
      this.records.push({ record, ...line });
    } else if (first) {
      this.header = { record, ...line };
      this.inline(its, start);
    }
  }

  /** The snapshot that the header holds is read as any other. */
  private inline(its: string, start: number): void {
    const [at] = locate(its, [['machine', 'snapshot']]);
    if (at === undefined) return;
    const { snapshot, diagnostics } = readSnapshot(this.file, its.slice(at.value.start, at.value.end));
    this.diagnostics.push(...diagnostics.map((each) => shifted(each, start + at.value.start)));
    this.snapshot = snapshot;
  }

  private at(offset: number): Place {
    return { file: this.file, span: { start: offset, end: offset } };
  }
}

interface RecordReading {
  readonly value?: TraceRecord;
  /** The text stops being JSON: it may have been cut off. */
  readonly cut: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

function readRecord(document: DocumentReader, file: string, its: string): RecordReading {
  const json = readJson('trace', file, its);
  if (json.diagnostics.length > 0) return { cut: true, diagnostics: json.diagnostics };
  const unknown = unknownOperation(file, its, json.value);
  if (unknown !== undefined) return { cut: false, diagnostics: [unknown] };
  const { value, diagnostics } = readDocument(document, file, its);
  return value === undefined
    ? { cut: false, diagnostics }
    : { cut: false, diagnostics, value: value as TraceRecord };
}

/** Before the schema is asked, which could only list all that there are. */
function unknownOperation(file: string, its: string, value: unknown): Diagnostic | undefined {
  const { operation } = Object(value) as { operation?: { op?: unknown } | null };
  const op = operation?.op;
  if (typeof op !== 'string' || isTraceOperation(op)) return undefined;
  const [at] = locate(its, [['operation', 'op']]);
  const place = { file, span: at?.value ?? { start: 0, end: its.length } };
  const meant = nearest(op, traceOperations());
  const cures = [meant === undefined ? 'docs/traces.md lists the operations' : `did you mean \`${meant}\`?`];
  return report('VP3050', place, { op: op.slice(0, 60) }, { cures });
}

const nulCures = { cures: ['see whether it is a trace at all; one is JSON Lines, in UTF-8'] };

const traceHeader: DocumentReader = {
  kind: 'trace',
  header: { format: 'vfioplan.trace', version: 1 },
  schema: traceSchema,
};

const traceRecord: DocumentReader = { kind: 'trace', header: null, schema: traceSchema };
