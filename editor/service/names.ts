/** Where a name is declared, where it is used, and what has to be written where it shall be called otherwise. */
import { written } from '../../grammar/written.ts';
import type { Edit, Place } from '../../src/diagnostics/diagnostic.ts';
import { beside } from '../../src/policy/imports.ts';
import { applies } from '../../src/policy/pattern.ts';
import { type Sighting, sightings } from './occurrences.ts';
import type { Spot, Workspace } from './workspace.ts';

/** The name at a place, its last character's end included. */
export function nameAt({ readings }: Workspace, { file, offset }: Spot): Sighting | undefined {
  const reading = readings.get(file);
  if (reading === undefined) return undefined;
  for (const sighting of sightings({ readings: new Map([[file, reading]]) })) {
    const { start, end } = sighting.place.span;
    if (start <= offset && offset <= end) return sighting;
  }
  return undefined;
}

/** Whether two host names or patterns can be about one host. */
function meet(a: string, b: string): boolean {
  return a === b || applies(a, b) || applies(b, a);
}

/** The declarations of the name there; of an imported file or a snapshot, the beginning of that file. */
export function definitionOf(workspace: Workspace, spot: Spot): readonly Place[] {
  const name = nameAt(workspace, spot);
  if (name === undefined) return [];
  if (name.kind === 'file') {
    return [{ file: beside(spot.file, name.text), span: { start: 0, end: 0 } }];
  }
  return [...sightings(workspace)].filter((other) => isDeclarationOf(other, name)).map(({ place }) => place);
}

function isDeclarationOf(other: Sighting, name: Sighting): boolean {
  if (!other.declares || other.kind !== name.kind) return false;
  if (name.kind === 'host') return meet(other.text, name.text);
  return other.text === name.text && meet(other.on, name.on);
}

/**
 * Every place that names what is named there, itself included. Devices of one name for hosts that have nothing in
 * common are different things, unless a policy speaks of both.
 */
export function referencesOf(workspace: Workspace, spot: Spot): readonly Sighting[] {
  const name = nameAt(workspace, spot);
  if (name === undefined) return [];
  const namesakes = [...sightings(workspace)].filter(
    ({ kind, text }) => kind === name.kind && text === name.text,
  );
  if (name.kind !== 'device' && name.kind !== 'policy') return namesakes;
  return linked(name, namesakes);
}

/** Those that hang together by pairs of a declaration and what can mean it. */
function linked(name: Sighting, namesakes: readonly Sighting[]): readonly Sighting[] {
  const start = namesakes.findIndex(({ place }) => isPlace(place, name.place));
  const reached = new Set([start]);
  for (const index of reached) {
    const one = namesakes[index];
    if (one === undefined) continue;
    namesakes.forEach((other, at) => {
      if (one.declares !== other.declares && meet(one.on, other.on)) reached.add(at);
    });
  }
  return namesakes.filter((_, at) => reached.has(at));
}

function isPlace(a: Place, b: Place): boolean {
  return a.file === b.file && a.span.start === b.span.start;
}

/** The edits, or why it cannot be called so. */
export type Renaming = { readonly edits: readonly Edit[] } | { readonly refused: string };

const plain = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const renamed: ReadonlySet<Sighting['kind']> = new Set(['host', 'device', 'policy', 'label']);

/** Whether the name there is one that the policies give, and so can change. */
export function canRename(workspace: Workspace, spot: Spot): Sighting | undefined {
  const name = nameAt(workspace, spot);
  return name !== undefined && renamed.has(name.kind) && plain.test(name.text) ? name : undefined;
}

export function rename(workspace: Workspace, spot: Spot, to: string): Renaming {
  const name = canRename(workspace, spot);
  if (name === undefined) return { refused: 'what stands here is no name that a policy gives' };
  if (!plain.test(to)) {
    return {
      refused:
        'a name has letters from a to z, digits, `-`, `_` and `.`, and begins with a letter or a digit',
    };
  }
  const references = referencesOf(workspace, spot);
  if (to !== name.text) {
    for (const other of sightings(workspace)) {
      if (!other.declares || other.kind !== name.kind || other.text !== to) continue;
      if (name.kind !== 'label' && (name.kind === 'host' || references.some(({ on }) => meet(on, other.on))))
        return { refused: `there is a ${name.kind} \`${to}\` already` };
    }
  }
  return { edits: references.map(({ place }) => ({ ...place, text: written(to) })) };
}
