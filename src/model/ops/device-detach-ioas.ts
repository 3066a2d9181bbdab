import { structure } from '../argument.ts';
import { detachDevice } from '../attach.ts';
import { deviceFileOf } from '../cdev.ts';
import type { Rule } from '../guard.ts';
import { boundOf, contextAt, objectOf, targetOf } from '../iommufd.ts';
import type { Op } from '../op.ts';
import { cdevOnly } from './device-attach-ioas.ts';

type Detach = Extract<Op, { op: 'device.detach_ioas' }>;

const detachPt = 'drivers/vfio/device_cdev.c:vfio_df_ioctl_detach_pt';
const unknown = cdevOnly<Detach>('device.detach_ioas');

export const deviceDetachIoas: Rule<Detach> = {
  words: {
    object: 'cdev',
    call: 'ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach)',
    arguments: { flags: 'none are known' },
    effect: 'The device reaches no memory. A page table that an attach made goes with the last device.',
    undo: '`device.attach_ioas`',
  },
  ioctl: { on: 'device', request: 0x3b78 },
  guards: {
    seed: [unknown],
    '6.12': [
      unknown,
      ...structure<Detach>('device.detach_ioas', 8, detachPt),
      {
        id: 'device.detach_ioas.flags',
        words: 'there are no flags yet',
        errno: 'EINVAL',
        citation: detachPt,
        applies: (_world, _state, op) => op.flags >>> 0 !== 0,
      },
    ],
  },
  effect: (_world, state, op) => ({
    state: detachDevice(state, deviceFileOf(state, op)?.device ?? -1),
    value: 0,
  }),
  undo: (_world, before, { pid, fd }) => {
    const its = boundOf(before, deviceFileOf(before, { pid, fd })?.device ?? -1);
    const context = contextAt(before, its?.iommufd);
    const object = its === null ? null : objectOf(context, its.id);
    const target = object?.kind === 'device' && object.hwpt !== null ? targetOf(context, object.hwpt) : null;
    if (target === null) return { none: 'the device was not attached' };
    return { op: 'device.attach_ioas', pid, fd, flags: 0, target };
  },
};
