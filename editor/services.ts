/** The functions of the language service, as the page asks for them: by name, with words that can be sent. */
import { format } from '../src/index.ts';
import { coloursOf } from './service/colours.ts';
import { complete } from './service/completion.ts';
import { hintsIn } from './service/hints.ts';
import { hoverAt } from './service/hover.ts';
import { canRename, definitionOf, referencesOf, rename } from './service/names.ts';
import { foldsOf, outlineOf } from './service/outline.ts';
import type { Meaning, Workspace } from './service/workspace.ts';

/** What the worker knows when it is asked. */
export interface Known {
  readonly file: string;
  readonly workspace: Workspace;
  /** Of this text or an earlier one. */
  readonly meaning: Meaning | undefined;
  readonly isFresh: boolean;
}

interface At {
  readonly offset: number;
}

export const services = {
  complete: ({ workspace, meaning, file }: Known, { offset }: At) =>
    complete(workspace, meaning, { file, offset }),
  hover: ({ workspace, meaning, file }: Known, { offset }: At) =>
    hoverAt(workspace, meaning, { file, offset }),
  definition: ({ workspace, file }: Known, { offset }: At) => definitionOf(workspace, { file, offset }),
  references: ({ workspace, file }: Known, { offset }: At) => referencesOf(workspace, { file, offset }),
  renamable: ({ workspace, file }: Known, { offset }: At) => canRename(workspace, { file, offset }),
  rename: ({ workspace, file }: Known, { offset, to }: At & { readonly to: string }) =>
    rename(workspace, { file, offset }, to),
  outline: ({ workspace, file }: Known) => outlineOf(readingOf(workspace, file)),
  folds: ({ workspace, file }: Known) => foldsOf(readingOf(workspace, file)),
  colours: ({ workspace, file }: Known) => coloursOf(readingOf(workspace, file)),
  hints: ({ meaning, file, isFresh }: Known, span: { readonly start: number; readonly end: number }) =>
    meaning === undefined || !isFresh ? [] : hintsIn(meaning, file, span),
  format: ({ workspace, file }: Known) => format(file, readingOf(workspace, file).text),
};

function readingOf({ readings }: Workspace, file: string) {
  const reading = readings.get(file);
  if (reading === undefined) throw new Error(`${file} was never sent`);
  return reading;
}

export type Service = keyof typeof services;
export type Words<S extends Service> =
  Parameters<(typeof services)[S]> extends [Known, infer W] ? W : undefined;
export type Answer<S extends Service> = ReturnType<(typeof services)[S]>;
