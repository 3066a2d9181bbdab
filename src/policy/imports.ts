import { nearest } from '../../grammar/nearest.ts';
import { inQuotes } from '../../grammar/written.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { type Meant, removal, replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { Document } from '../syntax/ast.ts';
import { placeOf } from '../syntax/places.ts';
import type { Sources } from './sources.ts';

/** Imports that name no given file, and files that import themselves through others. */
export function checkImports(documents: readonly Document[], sources: Sources): Diagnostic[] {
  const files = new Map(documents.map(({ file }) => [normal(file), file]));
  const diagnostics: Diagnostic[] = [];
  const edges = new Map<string, { to: string; sited: Sources['imports'][number] }[]>();
  for (const sited of sources.imports) {
    const { file, node } = sited;
    const to = files.get(beside(file, node.path.text)) ?? files.get(normal(node.path.text));
    if (to === undefined) {
      const place = placeOf(sited, node.path);
      const meant = pathMeant(place, node.path.text, files.values());
      const cures = [
        ...meant.cures,
        `give a path relative to \`${file}\``,
        'remove the import if nothing of it is used',
      ];
      const { fixes } = meant;
      diagnostics.push(report('VP2005', place, { path: node.path.text }, { cures, fixes }));
    } else edges.set(file, [...(edges.get(file) ?? []), { to, sited }]);
  }
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (file: string): void => {
    state.set(file, 'open');
    trail.push(file);
    for (const { to, sited } of edges.get(file) ?? []) {
      if (state.get(to) === undefined) visit(to);
      else if (state.get(to) === 'open') {
        const circle = [...trail.slice(trail.indexOf(to)), to].join(' → ');
        diagnostics.push(
          report(
            'VP2006',
            placeOf(sited, sited.node.path),
            { path: to, circle },
            {
              cures: ['move what both files need into a third one that imports neither'],
              fixes: [removal(placeOf(sited, sited.node), 'this import')],
            },
          ),
        );
      }
    }
    trail.pop();
    state.set(file, 'done');
  };
  for (const { file } of documents) if (state.get(file) === undefined) visit(file);
  return diagnostics;
}

/** The file that a misspelt path may mean, as it is written in the one that imports it. */
function pathMeant(place: Place, path: string, files: Iterable<string>): Meant {
  const here = place.file.slice(0, place.file.lastIndexOf('/') + 1);
  const others = [...files].filter((file) => file !== place.file);
  const written = others.map((file) => (file.startsWith(here) ? file.slice(here.length) : file));
  const meant = nearest(path, written);
  if (meant === undefined) return { cures: [], fixes: [] };
  return { cures: [`did you mean \`${meant}\`?`], fixes: [replacement(place, inQuotes(meant))] };
}

/** `path` as written in `file`, without `.` and `..` where they can be resolved. */
export function beside(file: string, path: string): string {
  if (path.startsWith('/')) return normal(path);
  return normal(`${file.slice(0, file.lastIndexOf('/') + 1)}${path}`);
}

function normal(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.' || (part === '' && kept.length > 0)) continue;
    if (part === '..' && kept.length > 0 && kept[kept.length - 1] !== '..' && kept[kept.length - 1] !== '')
      kept.pop();
    else kept.push(part);
  }
  return kept.join('/');
}
