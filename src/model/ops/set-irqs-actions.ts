import type { Guard } from '../guard.ts';
import { dataOf, granted, irq, irqSet, kindOf } from '../interrupts.ts';
import type { Op } from '../op.ts';
import { coreOf, eventfdFault } from '../open-device.ts';
import type { State, World } from '../state.ts';

/** What SET_IRQS asks once it knows the action: each kind of interrupt has tests of its own. */
type SetIrqs = Extract<Op, { op: 'device.set_irqs' }>;

const intrs = 'drivers/vfio/pci/vfio_pci_intrs.c';

function refuse(
  id: string,
  words: string,
  where: string,
  applies: Guard<SetIrqs>['applies'],
  errno: 'EINVAL' | 'ENOTTY' | 'EBADF' | 'EBUSY' | 'ERANGE' = 'EINVAL',
): Guard<SetIrqs> {
  return { id: `device.set_irqs.${id}`, words, errno, citation: `${intrs}:${where}`, applies };
}

const start = (op: SetIrqs): number => op.start >>> 0;
const count = (op: SetIrqs): number => op.count >>> 0;
const isIntx = (op: SetIrqs): boolean => op.index >>> 0 === irq.intx;
const isMsi = (op: SetIrqs): boolean => op.index >>> 0 === irq.msi || op.index >>> 0 === irq.msix;
const isSingle = (op: SetIrqs): boolean => op.index >>> 0 >= irq.error;
const triggers = (op: SetIrqs): boolean => (op.flags & irqSet.trigger) !== 0;

/** Whether the kind of interrupt that is asked for is enabled. */
function enabled(state: State, op: SetIrqs): boolean {
  return coreOf(state, op).interrupts === kindOf[op.index >>> 0];
}

/** NONE with a count of 0, of what is enabled: it is disabled, before any other test. */
function disables(state: State, op: SetIrqs): boolean {
  return dataOf(op.flags) === irqSet.none && count(op) === 0 && enabled(state, op);
}

/** Whether another kind of interrupt is enabled. */
function taken(state: State, op: SetIrqs): boolean {
  return coreOf(state, op).interrupts !== 'none' && !enabled(state, op);
}

const notMasked = refuse(
  'intx-idle',
  'INTx is not enabled, or not just its one vector is named',
  'vfio_pci_set_intx_mask, vfio_pci_set_intx_unmask',
  (_world, state, op) =>
    isIntx(op) && !triggers(op) && (!enabled(state, op) || start(op) !== 0 || count(op) !== 1),
);

const maskEventfd = refuse(
  'mask-eventfd',
  'no eventfd can mask INTx',
  'vfio_pci_set_intx_mask',
  (_world, _state, op) => (op.flags & irqSet.mask) !== 0 && dataOf(op.flags) === irqSet.eventfd,
  'ENOTTY',
);

const intxTaken = refuse(
  'intx-taken',
  'MSI or MSI-X is enabled, or not just the one vector is named',
  'vfio_pci_set_intx_trigger',
  (_world, state, op) =>
    isIntx(op) &&
    triggers(op) &&
    !disables(state, op) &&
    (taken(state, op) || start(op) !== 0 || count(op) !== 1),
);

const intxOff = refuse(
  'intx-off',
  'INTx that is not enabled cannot be signalled',
  'vfio_pci_set_intx_trigger',
  (_world, state, op) =>
    isIntx(op) && triggers(op) && dataOf(op.flags) !== irqSet.eventfd && !enabled(state, op),
);

const msiTaken = refuse(
  'msi-taken',
  'another kind of interrupt is enabled',
  'vfio_pci_set_msi_trigger',
  (_world, state, op) => isMsi(op) && taken(state, op),
);

const msiNone = refuse(
  'msi-none',
  'no vector at all is to be enabled',
  'vfio_msi_enable (drivers/pci/msi/msi.c:__pci_enable_msi_range, __pci_enable_msix_range)',
  (_world, state, op) =>
    isMsi(op) && dataOf(op.flags) === irqSet.eventfd && !enabled(state, op) && start(op) + count(op) === 0,
  'ERANGE',
);

const msiOff = refuse(
  'msi-off',
  'vectors that are not enabled cannot be signalled',
  'vfio_pci_set_msi_trigger',
  (_world, state, op) => isMsi(op) && dataOf(op.flags) !== irqSet.eventfd && !enabled(state, op),
);

/** Since v4.9 a block of no vectors must begin with one that is enabled, too (05692d7005a3). */
const beyond = (since49: boolean): Guard<SetIrqs> =>
  refuse(
    'beyond',
    'there are vectors among them that are not enabled, or there is none',
    'vfio_msi_set_block, vfio_pci_set_msi_trigger',
    (world, state, op) => {
      if (!isMsi(op) || disables(state, op) || fewerVectors(world, state, op) !== null) return false;
      const block = dataOf(op.flags) === irqSet.eventfd;
      if (!block && !enabled(state, op)) return false;
      const vectors = enabled(state, op) ? coreOf(state, op).vectors : start(op) + count(op);
      return start(op) + count(op) > vectors || (block && since49 && start(op) >= vectors);
    },
  );

/** Until v4.9 only, where NONE is not held to the vectors that there are. */
const single = refuse(
  'single',
  'there is one event of this kind, not more',
  'vfio_pci_set_err_trigger, vfio_pci_set_req_trigger',
  (_world, _state, op) => isSingle(op) && (start(op) !== 0 || count(op) > 1),
);

const empty = refuse(
  'single-empty',
  'data for no event at all',
  'vfio_pci_set_ctx_trigger_single',
  (_world, _state, op) => isSingle(op) && dataOf(op.flags) !== irqSet.none && count(op) === 0,
);

const unset = refuse(
  'single-unset',
  'nobody is signalled of this event',
  'vfio_pci_set_ctx_trigger_single',
  (_world, state, op) => {
    if (!isSingle(op) || dataOf(op.flags) !== irqSet.none) return false;
    const { error, request } = coreOf(state, op);
    return !(op.index >>> 0 === irq.error ? error : request);
  },
);

const negative = refuse(
  'single-negative',
  'a negative descriptor other than -1',
  'vfio_pci_set_ctx_trigger_single',
  (_world, _state, op) => isSingle(op) && dataOf(op.flags) === irqSet.eventfd && ((op.data[0] ?? 0) | 0) < -1,
);

const closed = refuse(
  'eventfd-closed',
  'a descriptor among the data is not open',
  'vfio_pci_set_intx_trigger, vfio_msi_set_vector_signal (fs/eventfd.c:eventfd_ctx_fdget); drivers/vfio/virqfd.c:vfio_virqfd_enable',
  (world, state, op) => descriptorFault(world, state, op) === 'EBADF',
  'EBADF',
);

const stranger = refuse(
  'eventfd-other',
  'a descriptor among the data is no eventfd',
  'vfio_pci_set_intx_trigger, vfio_msi_set_vector_signal (fs/eventfd.c:eventfd_ctx_fileget); drivers/vfio/virqfd.c:vfio_virqfd_enable',
  (world, state, op) => descriptorFault(world, state, op) === 'EINVAL',
);

const vector = refuse(
  'vector',
  'an eventfd for a vector of MSI that was not enabled',
  'vfio_msi_alloc_irq (drivers/pci/msi/api.c:pci_irq_vector)',
  (world, state, op) => descriptorFault(world, state, op) === 'vector',
);

const busy = refuse(
  'unmask-busy',
  'another eventfd unmasks INTx already',
  'vfio_pci_set_intx_unmask; drivers/vfio/virqfd.c:vfio_virqfd_enable',
  (_world, state, op) =>
    isIntx(op) &&
    (op.flags & irqSet.unmask) !== 0 &&
    dataOf(op.flags) === irqSet.eventfd &&
    ((op.data[0] ?? 0) | 0) >= 0 &&
    coreOf(state, op).unmask !== null,
  'EBUSY',
);

const before = [notMasked, maskEventfd, intxTaken, intxOff, msiTaken, msiNone, msiOff];
const descriptors = [closed, stranger];

export const actionGuards = {
  seed: [...before, beyond(false), single, empty, unset, ...descriptors, busy],
  '6.1': [...before, beyond(true), empty, unset, ...descriptors, busy],
  '6.12': [...before, empty, unset, negative, ...descriptors, vector, busy],
} as const;

/** What the first of the eventfds is refused for that is refused, in the order of the vectors. */
function descriptorFault(world: World, state: State, op: SetIrqs): 'EBADF' | 'EINVAL' | 'vector' | null {
  if (dataOf(op.flags) !== irqSet.eventfd || fewerVectors(world, state, op) !== null) return null;
  const all = count(op);
  for (let place = 0; place < all; place += 1) {
    const fd = (op.data[place] ?? 0) | 0;
    if (fd < 0) continue;
    if (unallocated(world, state, op, start(op) + place)) return 'vector';
    const fault = eventfdFault(state, op.pid, fd);
    if (fault !== null) return fault;
  }
  return null;
}

/** Since v6.5 vectors are allocated one by one: MSI-X has more at any time, MSI has not. */
function unallocated(world: World, state: State, op: SetIrqs, place: number): boolean {
  if (!isMsi(op) || !enabled(state, op) || place < coreOf(state, op).vectors) return false;
  return !(op.index >>> 0 === irq.msix && world.profile.dynamicMsix);
}

/** Where MSI is to be enabled with more vectors than can be had: how many there are. Nothing is enabled then. */
export function fewerVectors(world: World, state: State, op: SetIrqs): number | null {
  const kind = op.index >>> 0;
  if (kind !== irq.msi || dataOf(op.flags) !== irqSet.eventfd || enabled(state, op)) return null;
  const wanted = start(op) + count(op);
  const got = granted(world, kind, wanted);
  return got < wanted ? got : null;
}
