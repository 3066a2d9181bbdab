import { extension } from '../extensions.ts';
import { type Done, everywhere, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';

const answers: readonly Done[] = [zero, { value: 1 }];

/** VFIO_CHECK_EXTENSION never fails (drivers/vfio/container.c:vfio_container_ioctl_check_extension). */
export const containerCheckExtension: Rule<Extract<Op, { op: 'container.check_extension' }>> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_CHECK_EXTENSION, extension)',
    arguments: { extension: 'a number of an extension or of a type of IOMMU; it is not behind a pointer' },
    effect:
      'Answers 1 or 0: what the driver of the container says, or before SET_IOMMU the first driver that may take it and says yes.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'container', request: 0x3b65 },
  guards: everywhere(),
  effect: (world, state, op, container) => answers[extension(world, state, container, op.extension)] ?? zero,
  undo: () => ({ none: 'it only asks' }),
};
