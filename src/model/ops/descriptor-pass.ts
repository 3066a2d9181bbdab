import { draftOf } from '../draft.ts';
import { fileId, fileOf, nextDescriptor, refer, tableFull } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

type Pass = Extract<Op, { op: 'descriptor.pass' }>;

export const descriptorPass: Rule<Pass> = {
  words: {
    object: 'files',
    call: 'sendmsg(SCM_RIGHTS), recvmsg',
    arguments: { to: 'the process that receives' },
    effect: 'The receiver has a descriptor of the same open file, the lowest number that is free there.',
    undo: '`close` by the receiver',
  },
  guards: everywhere<Pass>(
    {
      id: 'descriptor.pass.descriptor',
      words: 'the descriptor is not open',
      errno: 'EBADF',
      citation: 'net/core/scm.c:scm_fp_copy',
      // The standard descriptors are the receiver's own already.
      applies: (_world, state, op) => fileId(state, op.pid, op.fd) === -1 || fileOf(state, op) === null,
    },
    {
      id: 'descriptor.pass.receiver',
      words: 'there is no such process to receive it',
      errno: 'ESRCH',
      citation: 'the model: an operation names the processes that take part in it',
      applies: (world, _state, op) => !world.processes.has(op.to),
    },
    {
      id: 'descriptor.pass.descriptors',
      words: 'the receiver has as many descriptors as it may',
      errno: 'EMFILE',
      citation: 'net/core/scm.c:scm_detach_fds (fs/file.c:receive_fd)',
      applies: (world, state, op) => tableFull(world, state, op.to),
    },
  ),
  effect: (_world, state, op) => {
    const draft = draftOf(state);
    const value = refer(draft, op.to, fileId(state, op.pid, op.fd));
    return { state: draft, value };
  },
  undo: (_world, before, op) => ({ op: 'close', pid: op.to, fd: nextDescriptor(before, op.to) }),
};
