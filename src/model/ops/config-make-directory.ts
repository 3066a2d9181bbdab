import {
  changeDirectory,
  fileAtPath,
  isDirectory,
  readOnly,
  rootsOwn,
  wayTo,
  whenAt,
} from '../configuration.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Make = Extract<Op, { op: 'config.make_directory' }>;

export const configMakeDirectory: Rule<Make> = {
  words: {
    object: 'configuration',
    call: 'mkdir(path, 0755)',
    arguments: { path: 'the directory, without links, `.` and `..`' },
    effect: "The directory is there, empty and root's.",
    undo: '`config.remove_directory`',
  },
  guards: everywhere<Make>(
    ...wayTo<Make>('config.make_directory'),
    whenAt({
      id: 'config.make_directory.exists',
      words: 'there is a file or a directory of that name',
      errno: 'EEXIST',
      citation: 'fs/namei.c:filename_create',
      test: (state, path) => isDirectory(state, path) || fileAtPath(state, path) !== null,
    }),
    readOnly('config.make_directory', 'fs/namei.c:filename_create'),
    rootsOwn('config.make_directory', 'fs/namei.c:may_create'),
  ),
  effect: (_world, state, { path }) => ({ state: changeDirectory(state, path, true), value: 0 }),
  undo: (_world, _before, { pid, path }) => ({ op: 'config.remove_directory', pid, path }),
};
