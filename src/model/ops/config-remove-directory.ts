import {
  changeDirectory,
  fileAtPath,
  hasEntries,
  isDirectory,
  readOnly,
  rootsOwn,
  wayTo,
  whenAt,
} from '../configuration.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Remove = Extract<Op, { op: 'config.remove_directory' }>;

export const configRemoveDirectory: Rule<Remove> = {
  words: {
    object: 'configuration',
    call: 'rmdir(path)',
    arguments: { path: 'the directory, without links, `.` and `..`' },
    effect: 'The directory is gone.',
    undo: '`config.make_directory`',
  },
  guards: everywhere<Remove>(
    ...wayTo<Remove>('config.remove_directory'),
    readOnly('config.remove_directory', 'fs/namei.c:do_rmdir'),
    whenAt({
      id: 'config.remove_directory.missing',
      words: 'there is no such directory',
      errno: 'ENOENT',
      citation: 'fs/namei.c:do_rmdir',
      test: (state, path) => !isDirectory(state, path) && fileAtPath(state, path) === null,
    }),
    rootsOwn('config.remove_directory', 'fs/namei.c:may_delete'),
    whenAt({
      id: 'config.remove_directory.is-file',
      words: 'there is a file of that name',
      errno: 'ENOTDIR',
      citation: 'fs/namei.c:may_delete (vfs_rmdir)',
      test: (state, path) => fileAtPath(state, path) !== null,
    }),
    whenAt({
      id: 'config.remove_directory.not-empty',
      words: 'something is in the directory',
      errno: 'ENOTEMPTY',
      citation: 'fs/namei.c:vfs_rmdir (the file system looks)',
      test: hasEntries,
    }),
  ),
  effect: (_world, state, { path }) => ({ state: changeDirectory(state, path, false), value: 0 }),
  undo: (_world, before, { pid, path }) =>
    isDirectory(before, path)
      ? { op: 'config.make_directory', pid, path }
      : { none: 'there is no such directory' },
};
