import { type Draft, draftOf, fileIn, groupIn, iommuGroupIn, vfioOf } from './draft.ts';
import type { Hwpt, Ioas, Iommufd, IommufdObject } from './iommufd-state.ts';
import { byId, lowestFree, put } from './places.ts';
import type { IommuGroup, State, VfioDevice, VfioGroup } from './state.ts';

/** The objects of an iommufd, and devices among them: who binds claims the IOMMU group (drivers/iommu/iommufd/device.c). */

export function contextAt(state: State, place: number | null | undefined): Iommufd | null {
  return place === null || place === undefined ? null : (state.iommufds[place] ?? null);
}

export function objectOf(context: Iommufd | null, id: number): IommufdObject | null {
  return context?.objects[id - 1] ?? null;
}

export function ioasOf(context: Iommufd | null, id: number): Ioas | null {
  const object = objectOf(context, id);
  return object?.kind === 'ioas' ? object : null;
}

export function changeContext(draft: Draft, place: number, context: Iommufd): void {
  draft.iommufds = put(draft.iommufds, place, context);
}

/** The state with another context. */
export function withContext(state: State, place: number, context: Iommufd): State {
  const draft = draftOf(state);
  changeContext(draft, place, context);
  return draft;
}

/** The context with another object at an id; null takes it away. */
export function withObject(context: Iommufd, id: number, object: IommufdObject | null): Iommufd {
  return { ...context, objects: put(context.objects, id - 1, object) };
}

/** A further object, and the id that it gets. */
export function addObject(
  context: Iommufd,
  object: IommufdObject,
): { readonly context: Iommufd; readonly id: number } {
  const id = lowestFree(context.objects) + 1;
  return { context: withObject(context, id, object), id };
}

export const freshIoas: Ioas = { kind: 'ioas', areas: [], allowed: [], largePages: true, tables: [] };

/** Whether an address space has a page table, so that its pages are pinned. */
export function translated(context: Iommufd, ioas: number): boolean {
  return (ioasOf(context, ioas)?.tables.length ?? 0) > 0;
}

/** The page tables of an address space. */
export function tablesOf(context: Iommufd, ioas: number): readonly Hwpt[] {
  return (ioasOf(context, ioas)?.tables ?? []).flatMap((id) => {
    const table = objectOf(context, id);
    return table?.kind === 'hwpt' ? [table] : [];
  });
}

/**
 * Id of the page table that an attach to an address space takes for a device, or null when it makes one: the first that an
 * attach made and that fits (iommufd_device_auto_get_domain).
 */
export function tableFor(
  context: Iommufd,
  ioas: number,
  fits: (table: Pick<Hwpt, 'driver' | 'coherent'>) => boolean,
): number | null {
  return (
    ioasOf(context, ioas)?.tables.find((id) => {
      const table = objectOf(context, id);
      return table?.kind === 'hwpt' && table.automatic && fits(table);
    }) ?? null
  );
}

/** The context with another page table of an address space, and the id of the table. */
export function withTable(context: Iommufd, table: Hwpt): { readonly context: Iommufd; readonly id: number } {
  const made = addObject(context, table);
  const ioas = ioasOf(made.context, table.ioas);
  if (ioas === null) return made;
  const tables = [...ioas.tables, made.id];
  return { context: withObject(made.context, table.ioas, { ...ioas, tables }), id: made.id };
}

/** The context with other areas in an address space: what is marked where nothing is mapped any more is gone with it. */
export function withAreas(context: Iommufd, id: number, ioas: Ioas): Iommufd {
  const mapped = (iova: bigint) =>
    ioas.areas.some((area) => area.iova <= iova && iova < area.iova + area.length);
  return ioas.tables.reduce(
    (all, place) => {
      const table = objectOf(all, place);
      if (table?.kind !== 'hwpt' || table.dirty.length === 0) return all;
      return withObject(all, place, { ...table, dirty: table.dirty.filter(mapped) });
    },
    withObject(context, id, ioas),
  );
}

/** The context without a page table; the last of its address space takes its place (iopt_table_remove_domain). */
export function withoutTable(context: Iommufd, id: number): Iommufd {
  const table = objectOf(context, id);
  const ioas = table?.kind === 'hwpt' ? ioasOf(context, table.ioas) : null;
  if (table?.kind !== 'hwpt' || ioas === null) return context;
  const tables = [...ioas.tables];
  const last = tables.pop() ?? id;
  const place = tables.indexOf(id);
  if (place !== -1) tables[place] = last;
  return withObject(withObject(context, id, null), table.ioas, { ...ioas, tables });
}

/**
 * An iommufd stands for a group's container (drivers/vfio/group.c:vfio_group_ioctl_set_container): the first group decides
 * whether it ever has an address space for VFIO. The group holds it open.
 */
export function attachIommufd(state: State, group: VfioGroup, place: number): State {
  const before = contextAt(state, place);
  const file = before === null ? null : state.files[before.file];
  if (before === null || !file) return state;
  const draft = draftOf(state);
  groupIn(draft, group.minor).iommufd = place;
  fileIn(draft, before.file).refs += 1;
  if (group.noiommu) changeContext(draft, place, { ...before, noiommu: true });
  else if (before.compat === null) {
    const { context, id } = addObject(before, freshIoas);
    changeContext(draft, place, { ...context, compat: id });
  }
  return draft;
}

/** What a device is in the iommufd that it is bound to, or null. */
export function boundOf(state: State, index: number): VfioDevice['bound'] {
  return state.devices[index]?.vfio?.bound ?? null;
}

/** Whether VFIO has a device without an IOMMU (vfio_device_is_noiommu). */
export function withoutIommu(state: State, index: number): boolean {
  return state.groups[state.devices[index]?.vfio?.group ?? -1]?.noiommu === true;
}

export function iommuGroupOf(state: State, index: number): IommuGroup | undefined {
  return byId(state.iommuGroups, state.devices[index]?.group ?? null);
}

/**
 * iommufd_device_bind: claims the device's IOMMU group for the context, which gets a DEVICE object; answers its id. A group
 * that VFIO made up is nothing to claim.
 */
export function bindDevice(draft: Draft, index: number, place: number): number {
  const before = contextAt(draft, place);
  if (before === null) return 0;
  const { context, id } = addObject(before, { kind: 'device', device: index, hwpt: null });
  changeContext(draft, place, context);
  markBound(draft, index, { iommufd: place, id });
  const claimed = claimOf(draft, index);
  if (claimed !== null) {
    claimed.iommufd = place;
    claimed.ownerCount += 1;
  }
  return id;
}

/** iommufd_device_unbind, with the detach that comes before it; the last device of a group gives up its claim. */
export function unbindDevice(draft: Draft, index: number): void {
  const its = boundOf(draft, index);
  const context = contextAt(draft, its?.iommufd);
  if (its === null || context === null) return;
  changeContext(draft, its.iommufd, withObject(detached(context, its.id), its.id, null));
  markBound(draft, index, null);
  const claimed = claimOf(draft, index);
  if (claimed === null) return;
  claimed.ownerCount -= 1;
  if (claimed.ownerCount === 0) claimed.iommufd = null;
}

/** The context with a device object off its page table, which may go with it (iommufd_hw_pagetable_put). */
export function detached(context: Iommufd, id: number): Iommufd {
  const device = objectOf(context, id);
  if (device?.kind !== 'device' || device.hwpt === null) return context;
  return withoutUnused(withObject(context, id, { ...device, hwpt: null }), device.hwpt);
}

/** Without a page table that an attach made and no device is attached to any more. */
export function withoutUnused(context: Iommufd, hwpt: number): Iommufd {
  const table = objectOf(context, hwpt);
  const goes = table?.kind === 'hwpt' && table.automatic;
  return !goes || tableInUse(context, hwpt) ? context : withoutTable(context, hwpt);
}

/** Whether a device is attached to a page table, or another one nested in it. */
export function tableInUse(context: Iommufd, hwpt: number): boolean {
  return context.objects.some(
    (object) =>
      (object?.kind === 'device' && object.hwpt === hwpt) ||
      (object?.kind === 'nested' && object.parent === hwpt),
  );
}

/** The page table that translates what a device is attached to: itself, or that of a nested one. */
export function translating(context: Iommufd, hwpt: number | null): number | null {
  const table = objectOf(context, hwpt ?? 0);
  return table?.kind === 'nested' ? table.parent : hwpt;
}

/** What one attaches to so that a device has this page table again. */
export function targetOf(context: Iommufd | null, hwpt: number): number | null {
  const table = objectOf(context, hwpt);
  if (table?.kind === 'nested') return hwpt;
  if (table?.kind !== 'hwpt') return null;
  return table.automatic ? table.ioas : hwpt;
}

function markBound(draft: Draft, index: number, its: VfioDevice['bound']): void {
  if (draft.devices[index]?.vfio) vfioOf(draft, index).bound = its;
}

/** The device's IOMMU group, to be changed; null where there is none to claim. */
function claimOf(draft: Draft, index: number): ReturnType<typeof iommuGroupIn> | null {
  const group = iommuGroupOf(draft, index);
  if (group === undefined || group.fake) return null;
  return iommuGroupIn(draft, draft.iommuGroups.indexOf(group));
}
