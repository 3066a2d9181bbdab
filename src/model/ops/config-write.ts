import { changeFile, fileAtPath, isDirectory, readOnly, rootsOwn, wayTo, whenAt } from '../configuration.ts';
import { everywhere, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';

type Write = Extract<Op, { op: 'config.write' }>;

export const configWrite: Rule<Write> = {
  words: {
    object: 'configuration',
    call: 'write(a new file beside path, text), fsync, rename(path)',
    arguments: { path: 'the file, without links, `.` and `..`', text: 'its whole text' },
    effect: 'The file has the text; who reads it meanwhile finds the old text or the new one.',
    undo: '`config.write` with the text before, or `config.remove` where there was no file',
  },
  guards: everywhere<Write>(
    ...wayTo<Write>('config.write'),
    // Before the permission is asked: the mount is, for a file that is to be made.
    readOnly('config.write', 'fs/namei.c:lookup_open'),
    rootsOwn('config.write', 'fs/namei.c:may_o_create'),
    whenAt({
      id: 'config.write.is-directory',
      words: 'there is a directory of that name',
      errno: 'EISDIR',
      citation: 'fs/namei.c:may_delete (vfs_rename)',
      test: isDirectory,
    }),
  ),
  effect: (_world, state, { path, text }) =>
    fileAtPath(state, path) === text ? zero : { state: changeFile(state, path, text), value: 0 },
  undo: (_world, before, { pid, path }) => {
    const text = fileAtPath(before, path);
    return text === null ? { op: 'config.remove', pid, path } : { op: 'config.write', pid, path, text };
  },
};
