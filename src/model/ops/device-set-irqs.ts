import { structure } from '../argument.ts';
import type { CoreDevice, Interrupts } from '../core-device.ts';
import { fileId } from '../files.ts';
import type { Guard, Rule } from '../guard.ts';
import { dataOf, irq, irqSet, kindOf, vectorsOf } from '../interrupts.ts';
import type { Op } from '../op.ts';
import { coreOf, hardwareOf, withCore } from '../open-device.ts';
import type { State, World } from '../state.ts';
import { actionGuards, fewerVectors } from './set-irqs-actions.ts';

type SetIrqs = Extract<Op, { op: 'device.set_irqs' }>;

const anyData = irqSet.none | irqSet.bool | irqSet.eventfd;
const anyAction = irqSet.mask | irqSet.unmask | irqSet.trigger;
const header = 20;

const old = 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl';
const ioctl = 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_set_irqs';
const validate = { seed: old, '6.1': 'drivers/vfio/vfio_main.c:vfio_set_irqs_validate_and_prepare' } as const;
const act = 'drivers/vfio/pci/vfio_pci_intrs.c:vfio_pci_set_irqs_ioctl';

const [fault, argsz] = structure<SetIrqs>('device.set_irqs', header, { seed: old, '6.1': ioctl });

const index: Guard<SetIrqs> = {
  id: 'device.set_irqs.index',
  words: 'there is no such kind of interrupt',
  errno: 'EINVAL',
  citation: validate,
  applies: (_world, _state, op) => op.index >>> 0 >= irq.count,
};

const count: Guard<SetIrqs> = {
  id: 'device.set_irqs.count',
  words: 'start and count together leave 32 bits',
  errno: 'EINVAL',
  citation: validate,
  applies: (_world, _state, op) => op.count >>> 0 >= 0xffff_ffff - (op.start >>> 0),
};

const flags: Guard<SetIrqs> = {
  id: 'device.set_irqs.flags',
  words: 'there are flags that the kernel does not know',
  errno: 'EINVAL',
  citation: validate,
  applies: (_world, _state, op) => (op.flags & ~(anyData | anyAction)) !== 0,
};

const range: Guard<SetIrqs> = {
  id: 'device.set_irqs.range',
  words: 'the device has no such vectors of this kind, or none at all',
  errno: 'EINVAL',
  citation: validate,
  applies: outOfRange,
};

const data: Guard<SetIrqs> = {
  id: 'device.set_irqs.data',
  words: 'not exactly one kind of data is named',
  errno: 'EINVAL',
  citation: validate,
  applies: (_world, _state, op) => sizeOf(op.flags & anyData) === -1,
};

const room: Guard<SetIrqs> = {
  id: 'device.set_irqs.room',
  words: 'argsz has no room for the data of all vectors',
  errno: 'EINVAL',
  citation: validate,
  applies: (_world, _state, op) => tooShort(op, sizeOf(op.flags & anyData)),
};

/** Before v4.9 data for nothing (NONE) was checked for nothing: neither start nor count (05692d7005a3). */
const oldData: Guard<SetIrqs> = { ...data, applies: (_world, _state, op) => sizeOf(dataOf(op.flags)) === -1 };
const oldRoom: Guard<SetIrqs> = {
  ...room,
  applies: (_world, _state, op) => tooShort(op, sizeOf(dataOf(op.flags))),
};
const oldRange: Guard<SetIrqs> = {
  ...range,
  applies: (world, state, op) => (op.flags & irqSet.none) === 0 && outOfRange(world, state, op),
};

const action: Guard<SetIrqs> = {
  id: 'device.set_irqs.action',
  words: 'interrupts of this kind have no such action, or not exactly one is named',
  errno: 'ENOTTY',
  citation: act,
  applies: (world, state, op) => {
    const asked = op.flags & anyAction;
    const kind = op.index >>> 0;
    if (asked === irqSet.trigger) {
      return kind === irq.error && hardwareOf(world, state, op)?.express !== true;
    }
    return kind !== irq.intx || (asked !== irqSet.mask && asked !== irqSet.unmask);
  },
};

export const deviceSetIrqs: Rule<SetIrqs> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_SET_IRQS, &set)',
    arguments: {
      flags:
        'one kind of data (NONE 1, BOOL 2, EVENTFD 4) and one action (MASK 8, UNMASK 0x10, TRIGGER 0x20)',
      index: 'INTX 0, MSI 1, MSIX 2, ERR 3, REQ 4',
      start: 'the first vector',
      count: 'how many vectors',
      data: 'for each vector a byte or the descriptor of an eventfd, -1 for none',
    },
    effect:
      'TRIGGER with eventfds enables this kind of interrupt or changes who is signalled, with NONE and a count of 0 it disables it; else the vectors are signalled, masked or unmasked. Where fewer vectors of MSI can be had, their number is answered and nothing is enabled. Of a block of vectors that is refused for one descriptor, those before it lose theirs, which nothing shows. The line of INTx is taken to exist and to be maskable in the device.',
    undo: 'none: who was signalled before is not kept',
  },
  ioctl: { on: 'device', request: 0x3b6e },
  guards: {
    seed: [fault, argsz, index, flags, oldData, oldRoom, oldRange, action, ...actionGuards.seed],
    '6.1': [fault, argsz, index, count, flags, range, data, room, action, ...actionGuards['6.1']],
    '6.12': [fault, argsz, index, count, flags, range, data, room, action, ...actionGuards['6.12']],
  },
  effect: (world, state, op) => {
    const missing = fewerVectors(world, state, op);
    if (missing !== null) return { value: missing };
    const changes = changesOf(coreOf(state, op), state, op);
    return { state: changes === null ? state : withCore(state, op, changes), value: 0 };
  },
  undo: () => ({ none: 'who was signalled before is not kept' }),
};

/** What the action changes of the device, null for nothing. */
function changesOf(core: CoreDevice, state: State, op: SetIrqs): Partial<CoreDevice> | null {
  const kind = op.index >>> 0;
  const data = dataOf(op.flags);
  if ((op.flags & irqSet.trigger) === 0) {
    const unmasks = op.flags & irqSet.unmask && data === irqSet.eventfd;
    return unmasks ? { unmask: eventfdFile(state, op, (op.data[0] ?? 0) | 0) } : null;
  }
  if (kind > irq.msix) return singleChange(op, kind);
  const type: Interrupts = kindOf[kind] ?? 'none';
  if (data === irqSet.none && op.count >>> 0 === 0) return { interrupts: 'none', vectors: 0, unmask: null };
  if (data !== irqSet.eventfd || core.interrupts === type) return null;
  return { interrupts: type, vectors: (op.start >>> 0) + (op.count >>> 0) };
}

/** Errors and the host's wish have one eventfd each (vfio_pci_set_ctx_trigger_single). */
function singleChange(op: SetIrqs, kind: number): Partial<CoreDevice> | null {
  const data = dataOf(op.flags);
  const first = (op.data[0] ?? 0) | 0;
  const clears = data === irqSet.none ? op.count >>> 0 === 0 : data === irqSet.eventfd && first === -1;
  const sets = data === irqSet.eventfd && first >= 0;
  if (!clears && !sets) return null;
  return kind === irq.error ? { error: sets } : { request: sets };
}

function eventfdFile(state: State, op: SetIrqs, fd: number): number | null {
  return fd < 0 ? null : fileId(state, op.pid, fd);
}

function outOfRange(world: World, state: State, op: SetIrqs): boolean {
  const hardware = hardwareOf(world, state, op);
  const all = hardware === undefined ? 0 : vectorsOf(world, hardware, op.index >>> 0);
  const start = op.start >>> 0;
  return start >= all || (start + (op.count >>> 0)) >>> 0 > all;
}

/** Bytes of a vector's data; -1: not exactly one kind. */
function sizeOf(kind: number): number {
  if (kind === irqSet.none) return 0;
  if (kind === irqSet.bool) return 1;
  return kind === irqSet.eventfd ? 4 : -1;
}

function tooShort(op: SetIrqs, size: number): boolean {
  const { argsz: told } = op;
  return size > 0 && told !== undefined && told !== null && told - header < (op.count >>> 0) * size;
}
