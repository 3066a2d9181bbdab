import type { Document, Word } from './ast.ts';

export interface References {
  readonly imports: readonly Word[];
  readonly snapshots: readonly Word[];
}

/** The files that a document names, in order: what the front door has to read before anything can be checked. */
export function referencesOf(document: Document): References {
  const imports: Word[] = [];
  const snapshots: Word[] = [];
  for (const declaration of document.declarations) {
    if (declaration.kind === 'import') imports.push(declaration.path);
    if (declaration.kind !== 'host') continue;
    for (const statement of declaration.statements) {
      if (statement.kind === 'snapshot') snapshots.push(statement.path);
    }
  }
  return { imports, snapshots };
}
