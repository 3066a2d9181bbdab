import { type FreshRefusal, freshRefusal, freshRefusals, freshTable } from '../attach.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { driverOf, iommuOf } from '../ioas.ts';
import { iommuDrivers, type Nesting } from '../iommu-drivers.ts';
import { addObject, ioasOf, objectOf, withContext, withTable } from '../iommufd.ts';
import type { Hwpt, Iommufd } from '../iommufd-state.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import type { State, World } from '../state.ts';
import { framed } from '../user-structure.ts';

type Alloc = Extract<Op, { op: 'iommufd.hwpt_alloc' }>;

/**
 * Flags (enum iommufd_hwpt_alloc_flags). Kernels after 6.12 have more of them, here and in GET_HW_INFO, of which nothing was
 * read: the newest profile knows those of 6.12.
 */
export const toNestIn = 1;
export const withDirtyTracking = 2;
export const withFaults = 4;

const hwptAlloc = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_alloc';
const pagingAlloc = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_paging_alloc';
const nestedAlloc = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_nested_alloc';
const driver = {
  seed: 'drivers/iommu/intel/iommu.c:intel_iommu_domain_alloc_user',
  'noiommu-cdev':
    'drivers/iommu/intel/iommu.c:intel_iommu_domain_alloc_user; drivers/iommu/iommufd/hwpt_noiommu.c:noiommu_alloc_paging_flags',
} as const;

/** `Hardware.index` of a bound device, by the id of its object; null: there is none. */
export function deviceOf(context: Iommufd, id: number): number | null {
  const object = objectOf(context, id);
  return object?.kind === 'device' ? object.device : null;
}

/** What is made of an address space; null: something else is asked for. */
function spaceOf(context: Iommufd, op: Alloc): ReturnType<typeof ioasOf> {
  return ioasOf(context, op.target);
}

/** A field of 32 bits at a place, as far as the structure is long enough: what is behind its end reads as 0. */
function told({ argsz }: Alloc, offset: number, value: number): number {
  const bytes = argsz === undefined || argsz === null ? 4 : Math.max(0, Math.min(4, argsz - offset));
  return bytes === 4 ? value >>> 0 : value & (2 ** (8 * bytes) - 1);
}

function carries(op: Alloc, flag: number): boolean {
  return (op.flags & flag) !== 0;
}

const arguments_: readonly Guard<Alloc>[] = [
  ...framed<Alloc>('iommufd.hwpt_alloc', 48, 24),
  {
    id: 'iommufd.hwpt_alloc.reserved',
    words: 'a reserved field is not 0',
    errno: 'EOPNOTSUPP',
    citation: hwptAlloc,
    applies: (_world, _state, op) => (op.reserved ?? 0) >>> 0 !== 0,
  },
  {
    id: 'iommufd.hwpt_alloc.data',
    words: 'data of a type without a length, or of a length without a type',
    errno: 'EINVAL',
    citation: hwptAlloc,
    applies: (_world, _state, op) =>
      (told(op, 24, op.dataType) === 0) !== (told(op, 28, op.dataLength) === 0),
  },
  {
    id: 'iommufd.hwpt_alloc.device',
    words: 'the iommufd has no device of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, _state, op, context) => deviceOf(context, op.deviceId) === null,
  },
  {
    id: 'iommufd.hwpt_alloc.target',
    words: 'the iommufd has no object of this id, or it is neither an address space nor a page table',
    errno: 'EINVAL',
    citation: hwptAlloc,
    applies: (_world, _state, op, context) => {
      const kind = objectOf(context, op.target)?.kind;
      return kind !== 'ioas' && kind !== 'hwpt';
    },
  },
];

const allocUser = 'drivers/iommu/iommufd/selftest.c:mock_domain_alloc_user';
const copyFromUser = `${allocUser} (include/linux/iommu.h:__iommu_copy_struct_from_user)`;

/** Where the address of the data ends in the structure: those of processes have six bytes. */
const addressEnd = 38;

/** The page table that another one shall be nested in; null: of an address space one shall be made. */
function parentOf(context: Iommufd, { target }: Alloc): Hwpt | null {
  const object = objectOf(context, target);
  return object?.kind === 'hwpt' ? object : null;
}

/** What the driver asks of the nested page table that is wanted; null where none is, or its parent is none of one. */
function nestingOf(context: Iommufd, op: Alloc): Nesting | null {
  const driver = parentOf(context, op)?.driver ?? null;
  return driver === null ? null : iommuDrivers[driver].nesting;
}

/** Of a page table in a page table. */
const nested: readonly Guard<Alloc>[] = [
  {
    id: 'iommufd.hwpt_alloc.nested',
    words: 'a nested page table takes data, and no flag but the one of faults',
    errno: 'EOPNOTSUPP',
    citation: nestedAlloc,
    applies: (_world, _state, op, context) =>
      spaceOf(context, op) === null && ((op.flags & ~withFaults) !== 0 || told(op, 28, op.dataLength) === 0),
  },
  {
    id: 'iommufd.hwpt_alloc.parent',
    words: 'the page table was not made to have others nested in it, or for another driver’s IOMMUs',
    errno: 'EINVAL',
    citation: nestedAlloc,
    applies: (world, state, op, context) => {
      const parent = parentOf(context, op);
      const driver = driverOf(world, state, deviceOf(context, op.deviceId) ?? -1);
      return parent !== null && (!parent.nestParent || parent.driver !== driver);
    },
  },
  {
    id: 'iommufd.hwpt_alloc.nested-data',
    words: 'the data of a nested page table is of a type that the driver does not know',
    errno: 'EOPNOTSUPP',
    citation: allocUser,
    applies: (_world, _state, op, context) => {
      const nesting = nestingOf(context, op);
      return nesting !== null && told(op, 24, op.dataType) !== nesting.dataType;
    },
  },
  {
    id: 'iommufd.hwpt_alloc.nested-length',
    words: 'the data of a nested page table is shorter or longer than the driver knows it',
    errno: 'EINVAL',
    citation: copyFromUser,
    applies: (_world, _state, op, context) => {
      const nesting = nestingOf(context, op);
      return nesting !== null && told(op, 28, op.dataLength) !== nesting.dataLength;
    },
  },
  {
    id: 'iommufd.hwpt_alloc.nested-fault',
    words: 'the data of a nested page table cannot be read from memory',
    errno: 'EFAULT',
    citation: copyFromUser,
    applies: (_world, _state, op, context) =>
      nestingOf(context, op) !== null && (op.behind !== 'readable' || (op.argsz ?? 48) < addressEnd),
  },
  {
    id: 'iommufd.hwpt_alloc.queue',
    words: 'the iommufd has no queue of page faults of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, _state, op, context) =>
      parentOf(context, op) !== null &&
      carries(op, withFaults) &&
      objectOf(context, queueOf(op))?.kind !== 'fault-queue',
  },
];

const ofSpace: readonly Guard<Alloc>[] = [
  {
    id: 'iommufd.hwpt_alloc.flags',
    words: 'a flag that is unknown, or is for nested page tables alone',
    errno: 'EOPNOTSUPP',
    citation: pagingAlloc,
    applies: (_world, _state, op) => (op.flags & ~(toNestIn | withDirtyTracking)) !== 0,
  },
  {
    id: 'iommufd.hwpt_alloc.dirty-tracking',
    words: 'the IOMMU of the device cannot tell which pages were written to',
    errno: 'EOPNOTSUPP',
    citation: `${pagingAlloc} (drivers/iommu/intel/iommu.h:ssads_supported)`,
    applies: (world, state, op, context) =>
      carries(op, withDirtyTracking) &&
      iommuOf(world, state, deviceOf(context, op.deviceId) ?? -1)?.tracksDirty !== true,
  },
  {
    id: 'iommufd.hwpt_alloc.nesting',
    words: 'the IOMMU of the device nests no page tables; one of Intel that does is taken not to',
    errno: 'EOPNOTSUPP',
    citation: driver,
    applies: (world, state, op, context) => {
      const its = driverOf(world, state, deviceOf(context, op.deviceId) ?? -1);
      return carries(op, toNestIn) && (its === null || iommuDrivers[its].nesting === null);
    },
  },
  {
    id: 'iommufd.hwpt_alloc.driver-data',
    words: 'the IOMMU’s driver takes no data for a page table of an address space',
    errno: 'EOPNOTSUPP',
    citation: driver,
    applies: (_world, _state, op) => told(op, 28, op.dataLength) !== 0,
  },
];

/** Of a page table of an address space. */
const paging = ofSpace.map(
  (guard): Guard<Alloc> => ({
    ...guard,
    applies: (world, state, op, context) =>
      spaceOf(context, op) !== null && guard.applies(world, state, op, context),
  }),
);

/** What the driver and the address space have against it. */
const refusal = once<Alloc, FreshRefusal | null>((world, state, op) => {
  const context = iommufdOf(state, op);
  const ioas = ioasOf(context, op.target);
  const device = context === null ? null : deviceOf(context, op.deviceId);
  if (context === null || ioas === null || device === null) return null;
  return freshRefusal(world, state, context, freshTable(world, state, device, op.target));
});

const filling = freshRefusals.map(
  ([id, errno, words, citation]): Guard<Alloc> => ({
    id: `iommufd.hwpt_alloc.${id}`,
    words,
    errno,
    citation,
    applies: (world, state, op) => refusal(world, state, op) === id,
  }),
);

export const iommufdHwptAlloc: Rule<Alloc> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_HWPT_ALLOC, &alloc)',
    arguments: {
      flags: 'NEST_PARENT 1, DIRTY_TRACKING 2, FAULT_ID_VALID 4',
      deviceId: 'id of the device for whose IOMMU it is made',
      target: 'id of the address space, or of the page table to be nested in',
      dataType: 'what the data is that the driver shall read: none 0, of Intel’s first stage 1',
      dataLength: 'bytes of it',
      behind: 'that it can be read at its address; left out: it cannot',
      faultId: 'id of the queue of page faults, with FAULT_ID_VALID',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'Makes a further page table of the address space, with all that is mapped there, or one of the caller’s own that is nested in another one, and answers its id. A device gets it when it is attached to that id; it stays until it is destroyed.',
    undo: '`iommufd.destroy`',
  },
  ioctl: { on: 'iommufd', request: 0x3b89 },
  guards: since612<Alloc>(...arguments_, ...nested, ...paging, ...filling),
  effect: (world, state, op, context) => {
    const made = madeBy(world, state, op, context);
    if (made === null) return zero;
    return {
      state: withContext(state, placeOfIommufd(state, op), made.context),
      value: 0,
      out: { out_hwpt_id: made.id },
    };
  },
  undo: (_world, before, { pid, fd }) => {
    const context = iommufdOf(before, { pid, fd });
    const id = context === null ? 0 : addObject(context, { kind: 'fault-queue' }).id;
    return { op: 'iommufd.destroy', pid, fd, id };
  },
};

function madeBy(
  world: World,
  state: State,
  op: Alloc,
  context: Iommufd,
): ReturnType<typeof withTable> | null {
  if (parentOf(context, op) !== null) {
    const queue = carries(op, withFaults) ? queueOf(op) : null;
    return addObject(context, { kind: 'nested', parent: op.target, queue });
  }
  const device = deviceOf(context, op.deviceId);
  if (device === null) return null;
  const [tracksDirty, nestParent] = [carries(op, withDirtyTracking), carries(op, toNestIn)];
  const fresh = freshTable(world, state, device, op.target);
  return withTable(context, { ...fresh, automatic: false, tracksDirty, nestParent });
}

/** The id of a queue stands behind the fields that the structure had at first. */
function queueOf(op: Alloc): number {
  return told(op, 40, op.faultId ?? 0);
}
