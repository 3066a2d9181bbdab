import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { type FacterProblem, fromFacter } from '../machine/facter.ts';
import type { Snapshot } from '../machine/snapshot.ts';
import type { Plan } from '../plan/plan.ts';
import { contradictions } from './contradictions.ts';
import {
  type DocumentReader,
  maxDiagnostics,
  placeOf,
  pointerOf,
  readDocument,
  readJson,
  refuseSize,
} from './document.ts';
import { journalSchema } from './generated/journal.ts';
import { planSchema } from './generated/plan.ts';
import { snapshotSchema } from './generated/snapshot.ts';
import type { JournalRecord } from './journal.ts';
import { locate } from './json.ts';

/**
 * The front door for documents: text in, a document or coded diagnostics out. Nothing here throws or takes more than
 * time linear in the text, whatever the text holds, and a text never yields more than `maxDiagnostics` diagnostics.
 * A document with an unknown field, a field given twice or another version is refused: what we do not understand we do
 * not act upon.
 */

export interface SnapshotReading {
  /** Absent when a diagnostic is an error. */
  readonly snapshot?: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
}

export function readSnapshot(file: string, text: string): SnapshotReading {
  const { value, diagnostics } = readDocument(snapshotDocument, file, text);
  if (value === undefined) return { diagnostics };
  const snapshot = value as Snapshot;
  const found = contradictions(snapshot, maxDiagnostics);
  if (found.length === 0) return { snapshot, diagnostics };
  const places = locate(
    text,
    found.map(({ path }) => path),
  );
  return {
    diagnostics: found.map(({ say, path }, index) => say(placeOf(file, places[index]), pointerOf(path))),
  };
}

export function readPlan(
  file: string,
  text: string,
): { readonly plan?: Plan; readonly diagnostics: readonly Diagnostic[] } {
  const { value, diagnostics } = readDocument(planDocument, file, text);
  return value === undefined ? { diagnostics } : { plan: value as Plan, diagnostics };
}

/**
 * A journal: JSON Lines, the header first. A last line without its newline that cannot be read is a write that was cut
 * off: it is left out with a warning, and an empty journal is one that was cut off before its header. Any other line
 * that cannot be read makes the journal unreadable, because what it did is then not known.
 */
export function readJournal(
  file: string,
  text: string,
): { readonly records?: readonly JournalRecord[]; readonly diagnostics: readonly Diagnostic[] } {
  const tooLarge = refuseSize('journal', file, text.length);
  if (tooLarge !== undefined) return { diagnostics: [tooLarge] };
  const records: JournalRecord[] = [];
  const diagnostics: Diagnostic[] = [];
  for (let start = 0; start < text.length && diagnostics.length < maxDiagnostics; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const read = readDocument(start === 0 ? journalHeader : journalRecord, file, text.slice(start, end));
    const record = read.value as JournalRecord | undefined;
    const whole: Place = { file, span: { start, end } };
    if (record === undefined && newline < 0) return cutOff(whole, records, diagnostics);
    if (record === undefined) diagnostics.push(...read.diagnostics.map((each) => shifted(each, start)));
    else if ((record.record === 'header') !== (start === 0))
      diagnostics.push(outOfPlace(whole, record.record));
    else records.push(record);
    start = end + 1;
  }
  if (text === '') return cutOff({ file, span: { start: 0, end: 0 } }, records, diagnostics);
  return diagnostics.length === 0
    ? { records, diagnostics }
    : { diagnostics: diagnostics.slice(0, maxDiagnostics) };
}

function cutOff(
  place: Place,
  records: readonly JournalRecord[],
  before: readonly Diagnostic[],
): ReturnType<typeof readJournal> {
  if (before.length > 0) return { diagnostics: before.slice(0, maxDiagnostics) };
  const causes = ['the machine or the program stopped while it was written; its deed was not begun'];
  return { records, diagnostics: [report('VP3014', place, {}, { causes })] };
}

function outOfPlace(place: Place, record: string): Diagnostic {
  return report(
    'VP3015',
    place,
    { document: 'journal', record },
    { cures: ['a journal has one header, and it is the first record'] },
  );
}

/** A diagnostic of a part of a text as one of the whole, in which the part begins at `by`. */
export function shifted(diagnostic: Diagnostic, by: number): Diagnostic {
  const { file, span } = diagnostic.place;
  const place = { file, span: { start: span.start + by, end: span.end + by } };
  // An edit of one line would need the same shift; such lines are not edited by hand.
  return { ...diagnostic, place, fixes: [] };
}

/** A report of nixos-facter, as a snapshot in which all that the report does not tell is unknown. */
export function readFacter(file: string, text: string): SnapshotReading {
  const { value, diagnostics } = readJson('report', file, text);
  if (diagnostics.length > 0) return { diagnostics };
  const { snapshot, problems } = fromFacter(value, maxDiagnostics);
  if (snapshot !== undefined) {
    // The report's own places are lost: a contradiction is told of the snapshot that was made of it.
    const found = contradictions(snapshot, maxDiagnostics);
    const whole = placeOf(file, undefined);
    if (found.length === 0) return { snapshot, diagnostics };
    return { diagnostics: found.map(({ say, path }) => say(whole, pointerOf(path))) };
  }
  const places = locate(
    text,
    problems.map(({ path }) => path),
  );
  return {
    diagnostics: problems.map((problem, index) => facterReport(placeOf(file, places[index]), problem)),
  };
}

function facterReport(place: Place, { kind, path, found }: FacterProblem): Diagnostic {
  switch (kind) {
    case 'not-a-report':
      return report(
        'VP3030',
        place,
        { found },
        { cures: ['give what `nixos-facter` wrote; a snapshot of vfioplan needs no import'] },
      );
    case 'version':
      return report('VP3006', place, { document: 'report', version: found, known: 1 });
    case 'function':
      return report(
        'VP3031',
        place,
        { pointer: pointerOf(path), found },
        {
          causes: ['a function that is left out could be a member of a group that the policy takes'],
          cures: ['make the report again, as root'],
        },
      );
    case 'no-functions':
      return report('VP3032', place, {}, { cures: ['make the report on the machine itself, as root'] });
  }
}

const snapshotDocument: DocumentReader = {
  kind: 'snapshot',
  header: { format: 'vfioplan.snapshot', version: 1 },
  schema: snapshotSchema,
};

const planDocument: DocumentReader = {
  kind: 'plan',
  header: { format: 'vfioplan.plan', version: 1 },
  schema: planSchema,
};

const journalHeader: DocumentReader = {
  kind: 'journal',
  header: { format: 'vfioplan.journal', version: 1 },
  schema: journalSchema,
};

const journalRecord: DocumentReader = { kind: 'journal', header: null, schema: journalSchema };
