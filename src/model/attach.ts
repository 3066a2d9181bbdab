import { type Draft, draftOf } from './draft.ts';
import type { Errno } from './errno.ts';
import type { Guard } from './guard.ts';
import { beyondAperture, inUse, pageSize, reservedBy } from './ioas.ts';
import {
  boundOf,
  changeContext,
  contextAt,
  detached,
  ioasOf,
  iommuGroupOf,
  objectOf,
  tableFor,
  withObject,
  withoutIommu,
  withoutUnused,
  withTable,
} from './iommufd.ts';
import type { BoundDevice, Ioas, Iommufd } from './iommufd-state.ts';
import { once } from './once.ts';
import type { Op } from './op.ts';
import { type FillRefusal, fillRefusal } from './pinning.ts';
import type { State, World } from './state.ts';

/**
 * Attaching devices to address spaces (drivers/iommu/iommufd/device.c:iommufd_device_change_pt). All devices of an IOMMU
 * group share one page table, and the devices of an address space do too here, where one kind of IOMMU serves them all;
 * those without an IOMMU share another.
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
  | 'alignment'
  | 'aperture'
  | FillRefusal;

/** Id of the address space behind a target: itself, or a page table's. */
function ioasBehind(context: Iommufd, target: number): number | null {
  const object = objectOf(context, target);
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
function tableOf(state: State, { context, device, target }: Attaching): number | null {
  if (objectOf(context, target)?.kind === 'hwpt') return target;
  return tableFor(context, target, withoutIommu(state, device));
}

function refusalOf(world: World, state: State, attaching: Attaching): Refusal | null {
  const { context, device, target } = attaching;
  if (objectOf(context, target) === null) return 'missing';
  const id = ioasBehind(context, target);
  const ioas = id === null ? null : ioasOf(context, id);
  if (ioas === null) return 'type';
  const beside = attachedBeside(state, context, device);
  const table = tableOf(state, attaching);
  const replaces = beside.some((object) => object.device === device);
  if (!replaces && beside.some(({ hwpt }) => hwpt !== table)) return 'elsewhere';
  if (table !== null && beside[0]?.hwpt === table) return null;
  const software = withoutIommu(state, device);
  const fresh = () => (table === null ? freshRefusal(world, state, ioas, software) : null);
  const foreign = table !== null && tableOfOtherKind(context, table, software) ? 'foreign' : null;
  const devices = replaces ? beside.map((object) => object.device) : [device];
  const reserved = () => reservedRefusal(world, state, ioas, devices) ?? foreign;
  return replaces ? (fresh() ?? reserved()) : (reserved() ?? fresh());
}

/** A page table is for devices behind an IOMMU, or for those without (domain->owner). */
function tableOfOtherKind(context: Iommufd, id: number, software: boolean): boolean {
  const table = objectOf(context, id);
  return table?.kind === 'hwpt' && table.software !== software;
}

/** iopt_table_enforce_dev_resv_regions. */
function reservedRefusal(world: World, state: State, ioas: Ioas, devices: readonly number[]): Refusal | null {
  const conflicts = devices.some((device) =>
    reservedBy(world, state, device).some((range) => inUse(ioas, range)),
  );
  return conflicts ? 'reserved' : null;
}

/** iopt_table_add_domain. The table that no IOMMU reads has room for every address. */
function freshRefusal(world: World, state: State, ioas: Ioas, software: boolean): Refusal | null {
  if (ioas.largePages && misaligned(ioas)) return 'alignment';
  if (!software && inUse(ioas, beyondAperture(world))) return 'aperture';
  return fillRefusal(world, state, ioas.areas);
}

/** iopt_check_iova_alignment, for whole pages. */
export function misaligned({ areas }: Ioas): boolean {
  return areas.some(
    ({ iova, length, start }) => ((iova | length | (start % pageSize)) & (pageSize - 1n)) !== 0n,
  );
}

/** The context with the device attached, and the id of the page table; nothing refuses it. */
function attached(
  state: State,
  attaching: Attaching,
  object: number,
): { readonly context: Iommufd; readonly id: number } {
  const { context, device, target } = attaching;
  const known = tableOf(state, attaching);
  const beside = attachedBeside(state, context, device);
  const old = beside.find((other) => other.device === device)?.hwpt ?? null;
  const software = withoutIommu(state, device);
  const made =
    known === null ? withTable(context, { kind: 'hwpt', ioas: target, software }) : { context, id: known };
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
export function attachIn(draft: Draft, device: number, target: number): number {
  const its = boundOf(draft, device);
  const context = contextAt(draft, its?.iommufd);
  if (its === null || context === null) return 0;
  const made = attached(draft, { context, device, target }, its.id);
  changeContext(draft, its.iommufd, made.context);
  return made.id;
}

const change = 'drivers/iommu/iommufd/device.c:iommufd_device_change_pt';
const addDomain = 'drivers/iommu/iommufd/io_pagetable.c:iopt_table_add_domain';
const fill = 'drivers/iommu/iommufd/pages.c:iopt_area_fill_domain';

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
    'the page table is for devices behind an IOMMU and this one is behind none, or the other way round',
    'drivers/iommu/iommufd/device.c:iommufd_hwpt_attach_device',
  ],
  [
    'alignment',
    'EADDRINUSE',
    'a mapping is not made of whole pages',
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
