import { type Draft, draftOf } from './draft.ts';
import type { Errno } from './errno.ts';
import type { Guard } from './guard.ts';
import {
  alignmentOf,
  beyondAperture,
  driverOf,
  inUse,
  iommuOf,
  pageOf,
  pageSize,
  reservedBy,
  snooped,
} from './ioas.ts';
import {
  boundOf,
  changeContext,
  contextAt,
  detached,
  freshIoas,
  ioasOf,
  iommuGroupOf,
  objectOf,
  tableFor,
  translating,
  withObject,
  withoutUnused,
  withTable,
} from './iommufd.ts';
import type { BoundDevice, Hwpt, Ioas, Iommufd } from './iommufd-state.ts';
import { once } from './once.ts';
import type { Op } from './op.ts';
import { type FillRefusal, fillRefusal } from './pinning.ts';
import type { State, World } from './state.ts';

/**
 * Attaching devices to address spaces (drivers/iommu/iommufd/device.c:iommufd_device_change_pt). All devices of an IOMMU
 * group share one page table, and so do the devices of an address space, as far as what their IOMMUs have in common
 * allows it; those without an IOMMU share another. A page table that HWPT_ALLOC made is taken by who names it alone, and
 * where it is nested in another one, that one decides what its devices reach.
 */

/** A device of a context, bound or about to be, and what it shall be attached to. */
export interface Attaching {
  readonly context: Iommufd;
  readonly device: number;
  readonly target: number;
}

type Refusal =
  | 'missing'
  | 'type'
  | 'elsewhere'
  | 'reserved'
  | 'foreign'
  | 'unit'
  | 'alignment'
  | 'aperture'
  | FillRefusal;

/** Id of the address space behind a target: itself, or a page table's. */
function ioasBehind(context: Iommufd, target: number): number | null {
  const object = objectOf(context, translating(context, target) ?? 0);
  if (object?.kind === 'hwpt') return object.ioas;
  return object?.kind === 'ioas' ? target : null;
}

/** The objects of the devices of the same IOMMU group that are attached. */
function attachedBeside(state: State, context: Iommufd, device: number): readonly BoundDevice[] {
  const group = iommuGroupOf(state, device);
  return context.objects.filter(
    (object): object is BoundDevice =>
      object?.kind === 'device' && object.hwpt !== null && iommuGroupOf(state, object.device) === group,
  );
}

/** The page table that a device would get: the target itself, or that of an address space, null while there is none. */
function tableOf(world: World, state: State, { context, device, target }: Attaching): number | null {
  if (objectOf(context, target)?.kind !== 'ioas') return target;
  const its = freshTable(world, state, device, target);
  return tableFor(
    context,
    target,
    ({ driver, coherent }) => driver === its.driver && (its.coherent || !coherent),
  );
}

/** A page table of an address space as an attach of this device makes it (iommufd_hwpt_paging_alloc). */
export function freshTable(world: World, state: State, device: number, ioas: number): Hwpt {
  const driver = driverOf(world, state, device);
  const coherent = snooped(world, state, device);
  const marks = { tracksDirty: false, tracking: false, dirty: [] };
  return { kind: 'hwpt', ioas, automatic: true, coherent, ...marks, nestParent: false, driver };
}

function refusalOf(world: World, state: State, attaching: Attaching): Refusal | null {
  const { context, device, target } = attaching;
  if (objectOf(context, target) === null) return 'missing';
  const id = ioasBehind(context, target);
  const ioas = id === null ? null : ioasOf(context, id);
  if (id === null || ioas === null) return 'type';
  const beside = attachedBeside(state, context, device);
  const table = tableOf(world, state, attaching);
  const replaces = beside.some((object) => object.device === device);
  if (!replaces && beside.some(({ hwpt }) => hwpt !== table)) return 'elsewhere';
  if (table !== null && beside[0]?.hwpt === table) return null;
  const fresh = () =>
    table === null ? freshRefusal(world, state, context, freshTable(world, state, device, id)) : null;
  const devices = replaces ? beside.map((object) => object.device) : [device];
  const reserved = () =>
    reservedRefusal(world, state, ioas, devices) ??
    (table === null ? null : unfit(world, state, attaching, table));
  return replaces ? (fresh() ?? reserved()) : (reserved() ?? fresh());
}

/**
 * A page table is for the devices of one driver's IOMMUs, or for those without (domain->owner); and it may need what only
 * some units have. A nested one needs nothing itself.
 */
function unfit(
  world: World,
  state: State,
  { context, device }: Attaching,
  id: number,
): 'foreign' | 'unit' | null {
  const table = objectOf(context, translating(context, id) ?? 0);
  if (table?.kind !== 'hwpt') return null;
  if (table.driver !== driverOf(world, state, device)) return 'foreign';
  if (translating(context, id) !== id) return null;
  const coherent = !table.coherent || snooped(world, state, device);
  const tracks = !table.tracksDirty || iommuOf(world, state, device)?.tracksDirty === true;
  return coherent && tracks ? null : 'unit';
}

/** iopt_table_enforce_dev_resv_regions. */
function reservedRefusal(world: World, state: State, ioas: Ioas, devices: readonly number[]): Refusal | null {
  const conflicts = devices.some((device) =>
    reservedBy(world, state, device).some((range) => inUse(ioas, range)),
  );
  return conflicts ? 'reserved' : null;
}

/** What is against a further page table of an address space. */
export type FreshRefusal = Extract<Refusal, 'alignment' | 'aperture' | FillRefusal>;

/** iopt_table_add_domain. */
export function freshRefusal(world: World, state: State, context: Iommufd, table: Hwpt): FreshRefusal | null {
  const ioas = ioasOf(context, table.ioas) ?? freshIoas;
  const page = pageOf(table);
  if (page > alignmentOf(context, table.ioas) && misaligned(ioas, page)) return 'alignment';
  if (beyondAperture(world, table).some((range) => inUse(ioas, range))) return 'aperture';
  return fillRefusal(world, state, ioas.areas);
}

/** iopt_check_iova_alignment. */
export function misaligned({ areas }: Ioas, page: bigint): boolean {
  return areas.some(({ iova, length, start }) => ((iova | length | (start % pageSize)) & (page - 1n)) !== 0n);
}

/** The context with the device attached, and the id of the page table; nothing refuses it. */
function attached(
  world: World,
  state: State,
  attaching: Attaching,
  object: number,
): { readonly context: Iommufd; readonly id: number } {
  const { context, device, target } = attaching;
  const known = tableOf(world, state, attaching);
  const beside = attachedBeside(state, context, device);
  const old = beside.find((other) => other.device === device)?.hwpt ?? null;
  const made =
    known === null ? withTable(context, freshTable(world, state, device, target)) : { context, id: known };
  let now = made.context;
  const moved = old === null ? [] : beside;
  now.objects.forEach((other, place) => {
    if (other?.kind !== 'device') return;
    const moves = place + 1 === object || moved.some(({ device: index }) => index === other.device);
    if (moves) now = withObject(now, place + 1, { ...other, hwpt: made.id });
  });
  return { context: old === null || old === made.id ? now : withoutUnused(now, old), id: made.id };
}

/** vfio_iommufd_physical_detach_ioas: nothing where nothing is attached. */
export function detachDevice(state: State, device: number): State {
  const its = boundOf(state, device);
  const context = contextAt(state, its?.iommufd);
  const object = its === null ? null : objectOf(context, its.id);
  if (its === null || context === null || object?.kind !== 'device' || object.hwpt === null) return state;
  const draft = draftOf(state);
  changeContext(draft, its.iommufd, detached(context, its.id));
  return draft;
}

/** Attaches a bound device in a draft; answers the id of its page table. */
export function attachIn(world: World, draft: Draft, device: number, target: number): number {
  const its = boundOf(draft, device);
  const context = contextAt(draft, its?.iommufd);
  if (its === null || context === null) return 0;
  const made = attached(world, draft, { context, device, target }, its.id);
  changeContext(draft, its.iommufd, made.context);
  return made.id;
}

const change = 'drivers/iommu/iommufd/device.c:iommufd_device_change_pt';
const addDomain = 'drivers/iommu/iommufd/io_pagetable.c:iopt_table_add_domain';
const fill = 'drivers/iommu/iommufd/pages.c:iopt_area_fill_domain';

/** Why no page table can be made, in words: what an attach and HWPT_ALLOC may meet alike. */
export const freshRefusals: readonly (readonly [FreshRefusal, Errno, string, string])[] = [
  [
    'alignment',
    'EADDRINUSE',
    'a mapping is not made of whole pages of the IOMMU',
    'drivers/iommu/iommufd/io_pagetable.c:iopt_check_iova_alignment',
  ],
  [
    'aperture',
    'EADDRINUSE',
    'the address space uses or promises what the IOMMU does not translate',
    addDomain,
  ],
  ['memory', 'EFAULT', 'a process has no such memory as it mapped, or may not write it', fill],
  ['access', 'EINVAL', 'a mapping may be neither read nor written', fill],
  ['memlock', 'ENOMEM', 'a process may not pin what it mapped: RLIMIT_MEMLOCK', fill],
];

const table: readonly (readonly [Refusal, Errno, string, string])[] = [
  ['missing', 'ENOENT', 'the iommufd has no object of this id', change],
  ['type', 'EINVAL', 'the object is neither an address space nor a page table', change],
  [
    'elsewhere',
    'EINVAL',
    'a device of the same IOMMU group is attached to another page table',
    'drivers/iommu/iommufd/device.c:iommufd_hw_pagetable_attach',
  ],
  [
    'reserved',
    'EADDRINUSE',
    'the address space uses or promises what the device reserves',
    'drivers/iommu/iommufd/io_pagetable.c:iopt_table_enforce_dev_resv_regions, iopt_reserve_iova',
  ],
  [
    'foreign',
    'EINVAL',
    'the page table is for devices behind an IOMMU and this one is behind none, or behind another driver’s, or the other way round',
    'drivers/iommu/iommufd/device.c:iommufd_hwpt_attach_device',
  ],
  [
    'unit',
    'EINVAL',
    'the page table needs coherency or bits of dirty pages, which the IOMMU of the device has not',
    'drivers/iommu/intel/iommu.c:prepare_domain_attach_device',
  ],
  ...freshRefusals,
];

/** The tests of an attach. */
export function attachGuards<O extends Op>(
  op: O['op'],
  attaching: (world: World, state: State, op: O) => Attaching | null,
  never: readonly Refusal[] = [],
): readonly Guard<O>[] {
  const refusal = once<O, Refusal | null>((world, state, asked) => {
    const its = attaching(world, state, asked);
    return its === null ? null : refusalOf(world, state, its);
  });
  return table
    .filter(([id]) => !never.includes(id))
    .map(([id, errno, words, citation]) => ({
      id: `${op}.${id}`,
      words,
      errno,
      citation,
      applies: (world, state, asked) => refusal(world, state, asked) === id,
    }));
}
