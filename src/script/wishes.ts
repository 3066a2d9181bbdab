import type { Place } from '../diagnostics/diagnostic.ts';
import { configurationOf, directoryMark, ownMark, parentOf, textAt } from '../machine/configuration.ts';
import { isUnknown, type Snapshot } from '../machine/snapshot.ts';

/**
 * What `limit` and `persist` want: configuration files, for what others than the kernel bring about, and what no file of ours
 * can bring about, which is told.
 */
export interface Wishes {
  readonly files: readonly WantedFile[];
  readonly beyond: readonly Beyond[];
}

export interface WantedFile {
  readonly path: string;
  /** Below the lines that say whose it is; without a final newline. */
  readonly lines: readonly string[];
  /** What it brings about, and from when on: "user dpdk may lock 4 GiB of memory, from its next login on". */
  readonly effect: string;
  readonly why: readonly Place[];
}

/** A part of a wish that somebody else has to bring about. */
export interface Beyond {
  readonly what: 'limit' | 'persist';
  /** What shall be: "vm win11 may lock 20 GiB of memory". */
  readonly sentence: string;
  /** Why no file of ours brings it about. */
  readonly cause: string;
  readonly cure: string;
  readonly place: Place;
}

/** The cure for what no file keeps. */
export const again = 'carry the plan out again after each boot, for example from a systemd unit';

/** The whole text of a wanted file. It says, too, whether its directory was made for it. */
export function textOf(snapshot: Snapshot, { path, lines }: WantedFile): string {
  const marks = hasOwnDirectory(snapshot, path) ? [ownMark, directoryMark] : [ownMark];
  return `${[...marks, ...lines].join('\n')}\n`;
}

/** Whether the directory is there for this file alone: it is missing yet, or was when the file was written. */
function hasOwnDirectory(snapshot: Snapshot, path: string): boolean {
  const text = textAt(snapshot, path);
  if (!isUnknown(text) && text !== null) return saysOwnDirectory(text);
  return directoryThere(snapshot, parentOf(path)) === false;
}

export function saysOwnDirectory(text: string): boolean {
  return text.startsWith(`${ownMark}\n${directoryMark}\n`);
}

/** Where the snapshot does not tell, null. */
export function directoryThere(snapshot: Snapshot, path: string): boolean | null {
  const told = configurationOf(snapshot);
  if (path === '/etc') return true;
  return isUnknown(told) ? null : told.directories.some((each) => each.path === path);
}

/** Why nothing that is written there would be read or could be written; null: nothing is known that speaks against it. */
export function obstacleTo(snapshot: Snapshot, path: string): string | null {
  const told = configurationOf(snapshot);
  if (isUnknown(told)) return null;
  const above = parentOf(parentOf(path));
  if (told.readOnly === true) return 'the file system that holds /etc takes no changes here';
  return directoryThere(snapshot, above) === false ? `there is no ${above} here, so nothing reads it` : null;
}
