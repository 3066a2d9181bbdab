import { nearest } from '../../grammar/nearest.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { type Difference, differences } from './conform.ts';
import { type JsonProblem, type Located, locate, type Path, problemOf } from './json.ts';
import type { JsonSchema } from './schema.ts';

/**
 * From the text of one document to its value, or to coded diagnostics. `read.ts` is the front door; this is what all
 * kinds of document have in common.
 */

/** A kind of document; what a diagnostic calls it. */
export type DocumentKind = 'snapshot' | 'plan' | 'journal' | 'report' | 'trace';

/** UTF-8 bytes, 32 MiB: a machine with 10,000 virtual functions fits. */
export const maxDocumentBytes = 33_554_432;

export const maxDiagnostics = 20;

/**
 * Refuses a document for its size alone, so that a caller that knows the size of a file need not read it. `size` is in
 * bytes, or in UTF-16 units, which are never more.
 */
export function refuseSize(document: DocumentKind, file: string, size: number): Diagnostic | undefined {
  if (size <= maxDocumentBytes) return undefined;
  return report(
    'VP3002',
    { file, span: { start: 0, end: 0 } },
    { document, size: megabytes(size), limit: megabytes(maxDocumentBytes) },
    { cures: [`check that this file is the ${document} that you mean`] },
  );
}

/** What the reader needs to know of a kind of document. */
export interface DocumentReader {
  readonly kind: DocumentKind;
  /** What `format` and `version` must say; null for a part of a document, which has neither. */
  readonly header: { readonly format: string; readonly version: number } | null;
  readonly schema: JsonSchema;
}

/** The value of a document's text when it conforms to the schema; otherwise at least one error. */
export function readDocument(
  document: DocumentReader,
  file: string,
  text: string,
): { readonly value?: unknown; readonly diagnostics: readonly Diagnostic[] } {
  const json = readJson(document.kind, file, text);
  if (json.diagnostics.length > 0) return json;
  const { value } = json;
  const header = document.header && wrongHeader(document.kind, document.header, file, text, value);
  if (header) return { diagnostics: [header] };
  const found = differences(document.schema, value, maxDiagnostics);
  if (found.length === 0) return { value, diagnostics: [] };
  return { diagnostics: nonconforming(document, file, text, found) };
}

/** The value of any JSON text within the limits. */
export function readJson(
  kind: DocumentKind,
  file: string,
  text: string,
): { readonly value?: unknown; readonly diagnostics: readonly Diagnostic[] } {
  const tooLarge = refuseSize(kind, file, text.length);
  if (tooLarge !== undefined) return { diagnostics: [tooLarge] };
  const problem = problemOf(text);
  if (problem !== null) return { diagnostics: [unreadable(kind, file, problem)] };
  return { value: JSON.parse(text), diagnostics: [] };
}

function unreadable(document: DocumentKind, file: string, problem: JsonProblem): Diagnostic {
  const place = { file, span: problem.span };
  switch (problem.kind) {
    case 'syntax':
      return report(
        'VP3001',
        place,
        { document, problem: problem.words },
        { cures: [`make the ${document} again, or correct it here`] },
      );
    case 'depth':
      return report('VP3003', place, { document, depth: problem.words });
    case 'values':
      return report(
        'VP3016',
        place,
        { document, values: problem.words },
        { cures: [`check that this file is the ${document} that you mean`] },
      );
    case 'duplicate':
      return report(
        'VP3004',
        place,
        { field: problem.words },
        {
          causes: ['readers of JSON differ in which of the two they take'],
          cures: ['remove one of the two'],
        },
      );
  }
}

function wrongHeader(
  document: DocumentKind,
  { format, version }: NonNullable<DocumentReader['header']>,
  file: string,
  text: string,
  value: unknown,
): Diagnostic | undefined {
  const header: { format?: unknown; version?: unknown } =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  if (header.format !== format) {
    const found = typeof header.format === 'string' ? `\`${header.format.slice(0, 60)}\`` : 'absent';
    const cures = [
      `give a ${document}`,
      ...(document === 'snapshot'
        ? ['a report of another program becomes a snapshot with `vfioplan snapshot import`']
        : []),
    ];
    return report('VP3005', headerPlace(file, text, 'format'), { document, format, found }, { cures });
  }
  if (header.version === version) return undefined;
  if (typeof header.version !== 'number' || !Number.isInteger(header.version)) return undefined;
  const newer = header.version > version;
  return report(
    'VP3006',
    headerPlace(file, text, 'version'),
    { document, version: header.version, known: version },
    { cures: [newer ? 'use a newer vfioplan' : `make the ${document} again with this vfioplan`] },
  );
}

function headerPlace(file: string, text: string, field: string): Place {
  const [named, root] = locate(text, [[field], []]);
  return placeOf(file, named ?? root);
}

function nonconforming(
  document: DocumentReader,
  file: string,
  text: string,
  found: readonly Difference[],
): readonly Diagnostic[] {
  const places = locate(
    text,
    found.map(({ path }) => path),
  );
  const shown = found.length < maxDiagnostics ? found : found.slice(0, maxDiagnostics - 1);
  const diagnostics = shown.map((difference, index) =>
    differenceReport(document, file, difference, places[index]),
  );
  if (shown.length === found.length) return diagnostics;
  const place = placeOf(file, places[shown.length]);
  return [...diagnostics, report('VP3011', place, { document: document.kind, count: shown.length })];
}

function differenceReport(
  { kind: document }: DocumentReader,
  file: string,
  { kind, path, expected, found, fields }: Difference,
  located: Located | undefined,
): Diagnostic {
  const pointer = pointerOf(path);
  const place = placeOf(file, located);
  switch (kind) {
    case 'unknown-field': {
      const name = { file, span: located?.name ?? place.span };
      const meant = nearest(found, fields ?? []);
      const cures = meant === undefined ? [`remove \`${short(found)}\``] : [`did you mean \`${meant}\`?`];
      const causes = [`the fields here are ${expected}`];
      const holes = { document, field: short(found), pointer: pointerOf(path.slice(0, -1)) };
      const fixes = meant === undefined ? [] : [replacement(name, JSON.stringify(meant))];
      return report('VP3007', name, holes, { causes, cures, fixes });
    }
    case 'missing-field':
      return report(
        'VP3008',
        place,
        { field: expected, pointer },
        { cures: ['add it; what is not known is written `{ "unknown": "why" }`'] },
      );
    case 'type':
      return report('VP3009', place, { pointer, expected, found });
    case 'value':
      return report('VP3010', place, { pointer, expected, found });
  }
}

/** A value's place. Of an object or list only the opening bracket, which is where a reader looks. */
export function placeOf(file: string, located: Located | undefined): Place {
  if (located === undefined) return { file, span: { start: 0, end: 0 } };
  const { start, end } = located.value;
  return { file, span: located.scalar ? { start, end } : { start, end: start + 1 } };
}

/** A JSON pointer (RFC 6901); the whole document is `/`, because an empty pointer cannot be read. */
export function pointerOf(path: Path): string {
  if (path.length === 0) return '/';
  return path.map((part) => `/${short(String(part)).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
