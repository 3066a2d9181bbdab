import type { Place } from '../diagnostics/diagnostic.ts';
import type { Document, Word } from './ast.ts';
import { type Origin, placeOf } from './places.ts';

/** A file that a policy names, as it is written there. */
export interface Reference {
  readonly path: string;
  readonly place: Place;
}

export interface References {
  readonly imports: readonly Reference[];
  readonly snapshots: readonly Reference[];
}

/** The files that a document names, in order: what the front door has to read before anything can be checked. */
export function referencesOf({ file, declarations }: Document): References {
  const imports: Reference[] = [];
  const snapshots: Reference[] = [];
  for (const { base, node } of declarations) {
    if (node.kind === 'import') imports.push(referenceTo({ file, base }, node.path));
    if (node.kind !== 'host') continue;
    for (const statement of node.statements) {
      if (statement.kind === 'snapshot') snapshots.push(referenceTo({ file, base }, statement.path));
    }
  }
  return { imports, snapshots };
}

function referenceTo(origin: Origin, word: Word): Reference {
  return { path: word.text, place: placeOf(origin, word) };
}
