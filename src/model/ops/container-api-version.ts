import { everywhere, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';

/** VFIO_GET_API_VERSION never fails. */
export const containerApiVersion: Rule<Extract<Op, { op: 'container.api_version' }>> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_GET_API_VERSION)',
    arguments: {},
    effect: 'Answers 0.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'container', request: 0x3b64 },
  guards: everywhere(),
  effect: () => zero,
  undo: () => ({ none: 'it only asks' }),
};
