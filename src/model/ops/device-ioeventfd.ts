import { structure, u64 } from '../argument.ts';
import { barOf } from '../bars.ts';
import type { Ioeventfd } from '../core-device.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { coreOf, eventfdFault, hardwareOf, withCore } from '../open-device.ts';
import type { State } from '../state.ts';

type Asked = Extract<Op, { op: 'device.ioeventfd' }>;

const ioctl = 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_ioeventfd';
const place = 'drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_ioeventfd';
const enable = 'drivers/vfio/virqfd.c:vfio_virqfd_enable';

const [fault, argsz] = structure<Asked>('device.ioeventfd', 28, ioctl);

const sizes = 0xf;
const most = 1000;

const unknown: Guard<Asked> = {
  id: 'device.ioeventfd.unknown',
  words: 'the device does not know this request yet',
  errno: 'ENOTTY',
  citation: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  applies: () => true,
};

function refuse(
  id: string,
  words: string,
  errno: 'EINVAL' | 'EEXIST' | 'ENODEV' | 'ENOSPC' | 'EBADF',
  citation: string,
  applies: Guard<Asked>['applies'],
): Guard<Asked> {
  return { id: `device.ioeventfd.${id}`, words, errno, citation, applies };
}

const asking: readonly Guard<Asked>[] = [
  refuse(
    'flags',
    'there are flags that the kernel does not know',
    'EINVAL',
    ioctl,
    (_world, _state, op) => (op.flags & ~sizes) !== 0,
  ),
  refuse('size', 'not exactly one size of the write is named', 'EINVAL', ioctl, (_world, _state, op) => {
    const size = op.flags & sizes;
    return size === 0 || (size & (size - 1)) !== 0;
  }),
  refuse(
    'negative',
    'a negative descriptor other than -1',
    'EINVAL',
    ioctl,
    (_world, _state, op) => (op.eventfd | 0) < -1,
  ),
  refuse('region', 'only BARs can be written to', 'EINVAL', place, (_world, _state, op) => barIndex(op) > 5),
  refuse('bounds', 'the write would leave the BAR', 'EINVAL', place, (world, state, op) => {
    const hardware = hardwareOf(world, state, op);
    const size = hardware === undefined ? 0 : (barOf(hardware, barIndex(op))?.size ?? 0);
    return position(op) + (op.flags & sizes) > size;
  }),
  refuse('msix', 'the write would touch the MSI-X table', 'EINVAL', place, (world, state, op) => {
    const table = hardwareOf(world, state, op)?.msixTable;
    if (table === undefined || table.bar !== barIndex(op)) return false;
    return position(op) + (op.flags & sizes) > table.start && position(op) < table.end;
  }),
  refuse(
    'exists',
    'the same write is there already',
    'EEXIST',
    place,
    (_world, state, op) => (op.eventfd | 0) !== -1 && known(state, op) !== undefined,
  ),
  refuse(
    'missing',
    'there is no such write to take away',
    'ENODEV',
    place,
    (_world, state, op) => (op.eventfd | 0) === -1 && known(state, op) === undefined,
  ),
  refuse(
    'many',
    'the device has as many of them as it may',
    'ENOSPC',
    place,
    (_world, state, op) => (op.eventfd | 0) !== -1 && coreOf(state, op).ioeventfds.length >= most,
  ),
  refuse(
    'eventfd-closed',
    'the descriptor is not open',
    'EBADF',
    enable,
    (_world, state, op) => faultOf(state, op) === 'EBADF',
  ),
  refuse(
    'eventfd-other',
    'the descriptor is no eventfd',
    'EINVAL',
    enable,
    (_world, state, op) => faultOf(state, op) === 'EINVAL',
  ),
];

export const deviceIoeventfd: Rule<Asked> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_IOEVENTFD, &ioeventfd)',
    arguments: {
      flags: 'the size of the write: 1, 2, 4 or 8 bytes',
      offset: "where in the device's file, the BAR's index shifted by 40",
      data: 'what is written',
      eventfd: 'the descriptor of an eventfd, -1 to take the write away',
    },
    effect:
      'The kernel makes the write whenever the eventfd is signalled, until it is taken away or the device is closed for the last time. That the host holds the BAR is not known and not asked; nor is where the MSI-X table lies, unless the world tells.',
    undo: 'the same with the descriptor -1',
  },
  ioctl: { on: 'device', request: 0x3b74 },
  guards: { seed: [unknown], '6.1': [fault, argsz, ...asking] },
  effect: (_world, state, op) => {
    const { ioeventfds } = coreOf(state, op);
    const there = known(state, op);
    const now =
      there === undefined ? [written(op), ...ioeventfds] : ioeventfds.filter((other) => other !== there);
    return { state: withCore(state, op, { ioeventfds: now }), value: 0 };
  },
  undo: (_world, _before, op) =>
    (op.eventfd | 0) === -1 ? { none: 'whose signal it was is not kept' } : { ...op, eventfd: -1 },
};

/** Offsets of 2^63 and more are negative to the kernel, which then asks no BAR that there is: never accepted here. */
function barIndex({ offset }: Asked): number {
  return Number(u64(offset) >> 40n);
}

function position({ offset }: Asked): number {
  return Number(BigInt.asUintN(40, offset));
}

function written(op: Asked): Ioeventfd {
  return { bar: barIndex(op), position: position(op), size: op.flags & sizes, data: u64(op.data) };
}

function known(state: State, op: Asked): Ioeventfd | undefined {
  const { bar, position: at, size, data } = written(op);
  return coreOf(state, op).ioeventfds.find(
    (other) => other.position === at && other.bar === bar && other.size === size && other.data === data,
  );
}

function faultOf(state: State, op: Asked): 'EBADF' | 'EINVAL' | null {
  const fd = op.eventfd | 0;
  return fd < 0 ? null : eventfdFault(state, op.pid, fd);
}
