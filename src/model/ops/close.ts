import { closeDescriptor, fileOf } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Close = Extract<Op, { op: 'close' }>;

export const close: Rule<Close> = {
  guards: everywhere<Close>({
    id: 'close.descriptor',
    words: 'the descriptor is not open',
    errno: 'EBADF',
    citation: 'fs/file.c:file_close_fd',
    applies: (_world, state, op) => fileOf(state, op) === null,
  }),
  effect: (world, state, op) => ({ state: closeDescriptor(world, state, op), value: 0 }),
  undo: () => ({ none: 'a closed file is opened anew, as another file' }),
};
