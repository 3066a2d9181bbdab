import {
  configurationOf,
  isOurs,
  ownPaths,
  parentOf,
  textAt,
  usualDirectories,
} from '../machine/configuration.ts';
import { isUnknown } from '../machine/snapshot.ts';
import { ROOT } from '../model/world.ts';
import type { Draft } from './draft.ts';
import { directoryThere, saysOwnDirectory, textOf, type WantedFile, type Wishes } from './wishes.ts';

/**
 * Writes the files that are wanted and are not as they should be, and takes away those of ours that nobody wants any more.
 * A file of such a name that somebody else wrote gives no step: to refuse it is the checker's.
 */
export function writeFiles(draft: Draft, { files }: Wishes): void {
  const wanted = new Set(files.map(({ path }) => path));
  for (const path of ownFiles(draft)) {
    if (!wanted.has(path) && draft.shows(path) !== null) removeFile(draft, path);
  }
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) writeFile(draft, file);
}

/**
 * Whether a rule of ours would act on what the steps bring: udev answers to a node that comes before the step that gives it
 * away has looked at it.
 */
export function wakesRules({ steps, policy: { snapshot } }: Draft): boolean {
  const rules = textAt(snapshot, ownPaths.rules);
  return typeof rules === 'string' && isOurs(rules) && steps.some(({ op }) => !op.op.startsWith('config.'));
}

/** The rules come back, as they shall be then, when all else is done. */
export function silenceRules(draft: Draft): void {
  const sentence = `remove ${ownPaths.rules}, so that udev leaves what follows alone`;
  draft.add({ op: 'config.remove', pid: ROOT, path: ownPaths.rules }, [], sentence);
}

/** Files of ours, as the snapshot shows them. */
function ownFiles({ policy: { snapshot } }: Draft): readonly string[] {
  const told = configurationOf(snapshot);
  const files = isUnknown(told) ? [] : told.files;
  return files
    .filter(({ text }) => !isUnknown(text) && isOurs(text))
    .map(({ path }) => path)
    .sort();
}

function writeFile(draft: Draft, file: WantedFile): void {
  const { path, effect, why } = file;
  const { snapshot } = draft.policy;
  const text = textOf(snapshot, file);
  const told = textAt(snapshot, path);
  // Rules that were taken away meanwhile are not there any more.
  const now = typeof told === 'string' && draft.shows(path) === null ? null : told;
  if (isUnknown(now) && !isUnknown(configurationOf(snapshot))) {
    draft.need({
      fact: `/configuration/${path}`,
      sentence: `the text of ${path} is known`,
      unknown: now.unknown,
      why,
    });
    return;
  }
  if (now === text || (typeof now === 'string' && !isOurs(now))) return;
  makeDirectory(draft, file);
  if (isUnknown(now)) {
    const sentence = `there is no ${path} yet`;
    draft.need({ fact: `/configuration/${path}`, sentence, unknown: now.unknown, expects: [null], why });
  }
  draft.add({ op: 'config.write', pid: ROOT, path, text }, why, `write ${path}: ${effect}`);
}

function makeDirectory(draft: Draft, { path, why }: WantedFile): void {
  const { snapshot } = draft.policy;
  const directory = parentOf(path);
  const there = directoryThere(snapshot, directory);
  const told = configurationOf(snapshot);
  if (there === null && isUnknown(told)) {
    const usual = usualDirectories.includes(directory);
    draft.need({
      fact: `/configuration/${directory}`,
      sentence: usual ? `there is the directory ${directory}` : `there is no directory ${directory} yet`,
      unknown: told.unknown,
      expects: [usual ? 'directory' : null],
      why,
    });
  }
  if (draft.shows(directory) === null) {
    const sentence = `make the directory ${directory}`;
    draft.add({ op: 'config.make_directory', pid: ROOT, path: directory }, why, sentence);
  }
}

/** With the directory that was made for it, unless somebody else uses it by now. */
function removeFile(draft: Draft, path: string): void {
  const { snapshot } = draft.policy;
  const text = textAt(snapshot, path);
  if (isUnknown(text) || text === null) return;
  draft.add({ op: 'config.remove', pid: ROOT, path }, [], `remove ${path}, which no policy wants any more`);
  const directory = parentOf(path);
  const told = configurationOf(snapshot);
  const shared = isUnknown(told) || told.directories.some((each) => each.path === directory && each.others);
  if (shared || !saysOwnDirectory(text)) return;
  const sentence = `remove the directory ${directory}, which was made for it`;
  draft.add({ op: 'config.remove_directory', pid: ROOT, path: directory }, [], sentence);
}
