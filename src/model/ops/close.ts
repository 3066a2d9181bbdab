import { closeDescriptor, fileOf } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Close = Extract<Op, { op: 'close' }>;

export const close: Rule<Close> = {
  words: {
    object: 'files',
    call: 'close(fd)',
    arguments: {},
    effect:
      "The descriptor is gone. With the last one of a container nothing else happens while groups are attached to it; of a group, it leaves its container and may be opened again, unless a device of it is open; of a device, its group's file is let go, and a device that waited for this to leave its driver has left it.",
    undo: 'none: a closed file is opened anew, as another file',
  },
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
