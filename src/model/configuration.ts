import { parentOf } from '../machine/configuration.ts';
import { draftOf } from './draft.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';
import type { State } from './state.ts';

/**
 * Configuration files: what udev, modprobe, pam_limits and systemd read. To the kernel they are files like any other, and
 * the model knows of their texts no more than that; it knows the directories that a plan may write to, which are root's.
 */

/**
 * Where a new text is written before it takes the old one's place. None of the readers takes it for a file of theirs: they
 * go by the ending (`.conf`, `.rules`).
 */
export function besideOf(path: string): string {
  const directory = parentOf(path);
  return `${directory}/.${path.slice(directory.length + 1)}.new`;
}

export function isDirectory({ configuration: { directories } }: State, path: string): boolean {
  return path === '/etc' || Object.hasOwn(directories, path);
}

/** The whole text of a file that is there. */
export function fileAtPath({ configuration: { files } }: State, path: string): string | null {
  return Object.hasOwn(files, path) ? (files[path] ?? null) : null;
}

/** Whether something is in a directory beside what the paths of plans name. */
export function hasEntries({ configuration: { directories, files } }: State, path: string): boolean {
  const within = (other: string) => parentOf(other) === path;
  return (
    directories[path] === true || Object.keys(files).some(within) || Object.keys(directories).some(within)
  );
}

export function changeFile(state: State, path: string, text: string | null): State {
  const { [path]: _, ...others } = state.configuration.files;
  const files = text === null ? others : { ...others, [path]: text };
  const draft = draftOf(state);
  draft.configuration = { ...state.configuration, files };
  return draft;
}

export function changeDirectory(state: State, path: string, there: boolean): State {
  const { [path]: _, ...others } = state.configuration.directories;
  const directories = there ? { ...others, [path]: false } : others;
  const draft = draftOf(state);
  draft.configuration = { ...state.configuration, directories };
  return draft;
}

/** A file's text without its final newline, `directory`, or null. */
export function shownConfiguration(state: State, path: string): string | null {
  return isDirectory(state, path) ? 'directory' : (fileAtPath(state, path)?.replace(/\n$/, '') ?? null);
}

/** Paths that are there in one of two states. */
export function* configurationPaths(...states: readonly [State, State]): Iterable<string> {
  for (const { configuration } of states) {
    yield* Object.keys(configuration.directories);
    yield* Object.keys(configuration.files);
  }
}

type Its = Op & { readonly path: string };

/** Whether a file stands where a directory would lead to the path. */
function onTheWay({ configuration: { files } }: State, path: string): boolean {
  return Object.keys(files).some((file) => path.startsWith(`${file}/`));
}

/** The way to the directory that the path is in. Names that lead elsewhere, and those with a NUL, name no file. */
export function wayTo<O extends Its>(op: O['op']): readonly Guard<O>[] {
  const citation = 'fs/namei.c:link_path_walk';
  return [
    whenAt<O>({
      id: `${op}.not-directory`,
      words: 'a file stands where the directory would be',
      errno: 'ENOTDIR',
      citation,
      test: onTheWay,
    }),
    whenAt<O>({
      id: `${op}.directory`,
      words: 'there is no such directory, or it is none for configuration that the model knows',
      errno: 'ENOENT',
      citation,
      test: (state, path) => {
        const directory = parentOf(path);
        return !isDirectory(state, directory) || /^\.{0,2}$|\0/.test(path.slice(directory.length + 1));
      },
    }),
  ];
}

export function readOnly<O extends Its>(op: O['op'], citation: string): Guard<O> {
  return {
    id: `${op}.read-only`,
    words: 'the file system takes no changes',
    errno: 'EROFS',
    citation: `${citation} (fs/namespace.c:mnt_want_write)`,
    applies: (world) => world.readOnlyConfiguration,
  };
}

/** The directories are root's, mode 0755. */
export function rootsOwn<O extends Its>(op: O['op'], citation: string): Guard<O> {
  return {
    id: `${op}.permission`,
    words: 'only root may change what is in the directory',
    errno: 'EACCES',
    citation: `${citation} (fs/namei.c:inode_permission)`,
    applies: (world, _state, asked) => {
      const process = world.processes.get(asked.pid);
      return process?.uid !== 0 && !process?.capabilities.has('CAP_DAC_OVERRIDE');
    },
  };
}

/** A test of what is at the path itself. */
export function whenAt<O extends Its>(
  guard: Omit<Guard<O>, 'applies' | 'waitsFor' | 'leaves'> & { test(state: State, path: string): boolean },
): Guard<O> {
  const { test, ...rest } = guard;
  return { ...rest, applies: (_world, state, { path }) => test(state, path) };
}
