import { draftOf } from '../draft.ts';
import { hold, install, nextDescriptor, placeOfIommufd, tableFull } from '../files.ts';
import { type Rule, since612 } from '../guard.ts';
import { addObject, changeContext } from '../iommufd.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';

type Alloc = Extract<Op, { op: 'iommufd.fault_queue_alloc' }>;

const faultAlloc = 'drivers/iommu/iommufd/fault.c:iommufd_fault_alloc';

export const iommufdFaultQueueAlloc: Rule<Alloc> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc)',
    arguments: { flags: 'none are known', tail: 'bytes that are not 0 follow the structure' },
    effect:
      'Makes a queue of page faults and answers its id, and as its value a descriptor to read them from, which keeps the queue and the iommufd. Faults of nested page tables alone would come there.',
    undo: '`close` of the descriptor, which leaves the object until `iommufd.destroy`: none in one step',
  },
  ioctl: { on: 'iommufd', request: 0x3b8e },
  guards: since612<Alloc>(
    ...framed<Alloc>('iommufd.fault_queue_alloc', 16),
    reservedField<Alloc>('iommufd.fault_queue_alloc', faultAlloc),
    {
      id: 'iommufd.fault_queue_alloc.descriptors',
      words: 'the process has as many descriptors as it may',
      errno: 'EMFILE',
      citation: `${faultAlloc} (fs/file.c:alloc_fd)`,
      applies: (world, state, op) => tableFull(world, state, op.pid),
    },
  ),
  effect: (_world, state, op, before) => {
    const draft = draftOf(state);
    const { context, id } = addObject(before, { kind: 'fault-queue' });
    const iommufd = placeOfIommufd(state, op);
    changeContext(draft, iommufd, context);
    hold(draft, context.file);
    const value = install(draft, op.pid, { kind: 'fault-queue', refs: 1, iommufd, object: id });
    return { state: draft, value, out: { out_fault_id: id } };
  },
  undo: (_world, before, op) => ({ op: 'close', pid: op.pid, fd: nextDescriptor(before, op.pid) }),
};
