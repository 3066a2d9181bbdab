import { draftOf } from './draft.ts';
import type { DynamicId, Hardware, State } from './state.ts';
import { hexFields } from './text.ts';

/** Ids that a driver got at run time: through `new_id`, or as vfio-pci's `ids=` (drivers/pci/pci-driver.c). */

/** PCI_ANY_ID. */
const any = 0xffffffff;

/** What was written to new_id or remove_id, or null: fewer than two numbers. */
export function idOf(
  text: string,
  separator: ' ' | ':' = ' ',
): { readonly id: DynamicId; readonly fields: number; readonly data: bigint } | null {
  const fields = hexFields(text, separator, separator === ' ' ? 7 : 6);
  const [vendor, device] = fields;
  if (vendor === undefined || device === undefined) return null;
  const word = (place: number, otherwise: number): number =>
    Number(BigInt.asUintN(32, fields[place] ?? BigInt(otherwise)));
  const id = {
    vendor: word(0, 0),
    device: word(1, 0),
    subvendor: word(2, any),
    subdevice: word(3, any),
    class: word(4, 0),
    mask: word(5, 0),
  };
  return { id, fields: fields.length, data: fields[6] ?? 0n };
}

/** pci_match_one_id: `wanted` may hold wildcards, `its` is compared as it is. */
export function matchesId(wanted: DynamicId, its: DynamicId): boolean {
  return (
    (wanted.vendor === any || wanted.vendor === its.vendor) &&
    (wanted.device === any || wanted.device === its.device) &&
    (wanted.subvendor === any || wanted.subvendor === its.subvendor) &&
    (wanted.subdevice === any || wanted.subdevice === its.subdevice) &&
    ((wanted.class ^ its.class) & wanted.mask) === 0
  );
}

export function dynamicIds(state: State, driver: string): readonly DynamicId[] {
  for (const its of state.bus.ids) if (its.driver === driver) return its.ids;
  return [];
}

/** Whether an id that was added at run time makes the driver match the device. */
export function matchesDynamically(state: State, hardware: Hardware, driver: string): boolean {
  if (state.bus.ids.length === 0) return false;
  return dynamicIds(state, driver).some((id) => matchesId(id, hardware.id));
}

/** The state with other dynamic ids of a driver; one without any stands in no list. */
export function changeIds(state: State, driver: string, ids: readonly DynamicId[]): State {
  const others = state.bus.ids.filter((its) => its.driver !== driver);
  const changed = ids.length === 0 ? others : [...others, { driver, ids }];
  const draft = draftOf(state);
  draft.bus = { ...state.bus, ids: changed.sort((a, b) => (a.driver < b.driver ? -1 : 1)) };
  return draft;
}

/** The place of the id that a text written to remove_id takes away, -1 if none (remove_id_store). */
export function idRemovedBy(ids: readonly DynamicId[], asked: DynamicId): number {
  return ids.findIndex(
    (id) =>
      id.vendor === asked.vendor &&
      id.device === asked.device &&
      (asked.subvendor === any || id.subvendor === asked.subvendor) &&
      (asked.subdevice === any || id.subdevice === asked.subdevice) &&
      ((id.class ^ asked.class) & asked.mask) === 0,
  );
}
