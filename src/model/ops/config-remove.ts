import { changeFile, fileAtPath, isDirectory, readOnly, rootsOwn, wayTo, whenAt } from '../configuration.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Remove = Extract<Op, { op: 'config.remove' }>;

export const configRemove: Rule<Remove> = {
  words: {
    object: 'configuration',
    call: 'unlink(path)',
    arguments: { path: 'the file, without links, `.` and `..`' },
    effect: 'The file is gone.',
    undo: '`config.write` with the text before',
  },
  guards: everywhere<Remove>(
    ...wayTo<Remove>('config.remove'),
    readOnly('config.remove', 'fs/namei.c:do_unlinkat'),
    whenAt({
      id: 'config.remove.missing',
      words: 'there is no such file',
      errno: 'ENOENT',
      citation: 'fs/namei.c:do_unlinkat',
      test: (state, path) => fileAtPath(state, path) === null && !isDirectory(state, path),
    }),
    rootsOwn('config.remove', 'fs/namei.c:may_delete'),
    whenAt({
      id: 'config.remove.is-directory',
      words: 'there is a directory of that name',
      errno: 'EISDIR',
      citation: 'fs/namei.c:may_delete (vfs_unlink)',
      test: isDirectory,
    }),
  ),
  effect: (_world, state, { path }) => ({ state: changeFile(state, path, null), value: 0 }),
  undo: (_world, before, { pid, path }) => {
    const text = fileAtPath(before, path);
    return text === null ? { none: 'there is no such file' } : { op: 'config.write', pid, path, text };
  },
};
