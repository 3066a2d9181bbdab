import { extension } from '../extensions.ts';
import { containerOf } from '../files.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';

/** VFIO_CHECK_EXTENSION never fails (drivers/vfio/container.c:vfio_container_ioctl_check_extension). */
export const containerCheckExtension: Rule<Extract<Op, { op: 'container.check_extension' }>> = {
  ioctl: { on: 'container', request: 0x3b65 },
  guards: everywhere(),
  effect: (world, state, op) => {
    const container = containerOf(state, op);
    return { state, value: container === null ? 0 : extension(world, state, container, op.extension) };
  },
  undo: () => ({ none: 'it only asks' }),
};
