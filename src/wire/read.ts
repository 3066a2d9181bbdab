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
} from './document.ts';
import { planSchema } from './generated/plan.ts';
import { snapshotSchema } from './generated/snapshot.ts';
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
  format: 'vfioplan.snapshot',
  version: 1,
  schema: snapshotSchema,
};

const planDocument: DocumentReader = {
  kind: 'plan',
  format: 'vfioplan.plan',
  version: 1,
  schema: planSchema,
};
