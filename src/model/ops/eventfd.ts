import { draftOf } from '../draft.ts';
import { install, nextDescriptor, tableFull } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Eventfd = Extract<Op, { op: 'eventfd' }>;

/** What a counter holds is not kept: a device's interrupts only ask whose it is. */
export const eventfd: Rule<Eventfd> = {
  words: {
    object: 'files',
    call: 'eventfd2(0, EFD_CLOEXEC)',
    arguments: {},
    effect: 'The process has a new descriptor of a new counter, the lowest number that is free.',
    undo: '`close` of the new descriptor',
  },
  guards: everywhere<Eventfd>({
    id: 'eventfd.descriptors',
    words: 'the process has as many descriptors as it may',
    errno: 'EMFILE',
    citation: 'fs/eventfd.c:do_eventfd (fs/file.c:alloc_fd)',
    applies: (world, state, op) => tableFull(world, state, op.pid),
  }),
  effect: (_world, state, op) => {
    const draft = draftOf(state);
    const fd = install(draft, op.pid, { kind: 'eventfd', refs: 1 });
    return { state: draft, value: fd };
  },
  undo: (_world, before, op) => ({ op: 'close', pid: op.pid, fd: nextDescriptor(before, op.pid) }),
};
