import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { iommuDrivers } from '../iommu-drivers.ts';
import {
  addObject,
  freshIoas,
  objectOf,
  tableInUse,
  withContext,
  withObject,
  withoutTable,
} from '../iommufd.ts';
import type { Hwpt, Iommufd, NestedHwpt } from '../iommufd-state.ts';
import type { Op } from '../op.ts';
import type { State } from '../state.ts';
import { framed, reservedField } from '../user-structure.ts';
import { toNestIn, withDirtyTracking, withFaults } from './iommufd-hwpt-alloc.ts';

/** Making and destroying objects of an iommufd. */

type Alloc = Extract<Op, { op: 'iommufd.ioas_alloc' }>;
type Destroy = Extract<Op, { op: 'iommufd.destroy' }>;

export const iommufdIoasAlloc: Rule<Alloc> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_ALLOC, &alloc)',
    arguments: { flags: 'none are known', tail: 'bytes that are not 0 follow the structure' },
    effect: 'Makes an empty address space and answers its id, the lowest free one from 1.',
    undo: '`iommufd.destroy`',
  },
  ioctl: { on: 'iommufd', request: 0x3b81 },
  guards: since612<Alloc>(
    ...framed<Alloc>('iommufd.ioas_alloc', 12),
    reservedField<Alloc>('iommufd.ioas_alloc', 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_alloc_ioctl'),
  ),
  effect: (_world, state, op) => {
    const before = iommufdOf(state, op);
    if (before === null) return zero;
    const { context, id } = addObject(before, freshIoas);
    return {
      state: withContext(state, placeOfIommufd(state, op), context),
      value: 0,
      out: { out_ioas_id: id },
    };
  },
  undo: (_world, before, { pid, fd }) => {
    const context = iommufdOf(before, { pid, fd });
    const id = context === null ? 0 : addObject(context, freshIoas).id;
    return { op: 'iommufd.destroy', pid, fd, id };
  },
};

const remove = 'drivers/iommu/iommufd/main.c:iommufd_object_remove';

const missing: Guard<Destroy> = {
  id: 'iommufd.destroy.missing',
  words: 'the iommufd has no object of this id',
  errno: 'ENOENT',
  citation: remove,
  applies: (_world, state, op) => objectOf(iommufdOf(state, op), op.id) === null,
};

const used: Guard<Destroy> = {
  id: 'iommufd.destroy.used',
  words:
    'something uses the object: a page table of it or in it, a device that is attached or is it, or a descriptor',
  errno: 'EBUSY',
  citation: remove,
  applies: (_world, state, { id }, context) => {
    const object = objectOf(context, id);
    switch (object?.kind) {
      case 'ioas':
        return object.tables.length > 0;
      case 'hwpt':
      case 'nested':
        return tableInUse(context, id);
      case 'fault-queue':
        return queueInUse(state, context, id);
      default:
        return object !== null;
    }
  },
};

/** Whether a descriptor reads from a queue of faults, or a page table sends its faults there. */
function queueInUse({ files }: State, { index, objects }: Iommufd, id: number): boolean {
  return (
    files.some((file) => file?.kind === 'fault-queue' && file.iommufd === index && file.object === id) ||
    objects.some((object) => object?.kind === 'nested' && object.queue === id)
  );
}

export const iommufdDestroy: Rule<Destroy> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_DESTROY, &destroy)',
    arguments: { id: 'of an object', tail: 'bytes that are not 0 follow the structure' },
    effect:
      'The address space is gone with all that was mapped in it, or the page table, or the queue of faults. A device’s object goes with its descriptor only.',
    undo: '`iommufd.ioas_alloc` or `iommufd.hwpt_alloc`, where it was as new and gets its id again',
  },
  ioctl: { on: 'iommufd', request: 0x3b80 },
  guards: since612<Destroy>(...framed<Destroy>('iommufd.destroy', 8), missing, used),
  effect: (_world, state, op) => {
    const context = iommufdOf(state, op);
    if (context === null) return zero;
    const compat = context.compat === op.id ? null : context.compat;
    const table = objectOf(context, op.id)?.kind === 'hwpt';
    const left: Iommufd = table
      ? withoutTable(context, op.id)
      : withObject({ ...context, compat }, op.id, null);
    return { state: withContext(state, placeOfIommufd(state, op), left), value: 0 };
  },
  undo: (_world, before: State, { pid, fd, id }) => {
    const context = iommufdOf(before, { pid, fd });
    const object = objectOf(context, id);
    if (object?.kind === 'ioas') return { op: 'iommufd.ioas_alloc', pid, fd, flags: 0 };
    const place = context?.objects.findIndex((other) => other?.kind === 'device') ?? -1;
    const on = { pid, fd, deviceId: place + 1 };
    if (place !== -1 && object?.kind === 'hwpt') return remade(object, on);
    if (place !== -1 && object?.kind === 'nested') return nestedAgain(context, object, on);
    return { none: 'nothing makes such an object alone' };
  },
};

type On = { readonly pid: number; readonly fd: number; readonly deviceId: number };

/** A page table as another one was. */
function remade({ ioas, tracksDirty, nestParent }: Hwpt, on: On): Op {
  const flags = (tracksDirty ? withDirtyTracking : 0) | (nestParent ? toNestIn : 0);
  return { op: 'iommufd.hwpt_alloc', ...on, flags, target: ioas, dataType: 0, dataLength: 0 };
}

/** A nested page table in the place of another one: what that said of itself nobody tells. */
function nestedAgain(context: Iommufd | null, { parent, queue }: NestedHwpt, on: On): Op {
  const table = objectOf(context, parent);
  const driver = (table?.kind === 'hwpt' ? table.driver : null) ?? 'other';
  const { dataType = 0, dataLength = 0 } = iommuDrivers[driver].nesting ?? {};
  const faults = queue === null ? { flags: 0 } : { flags: withFaults, faultId: queue };
  return {
    ...{ op: 'iommufd.hwpt_alloc', ...on, ...faults },
    ...{ target: parent, dataType, dataLength, behind: 'readable' },
  };
}
