import type { Place } from '../diagnostics/diagnostic.ts';
import type { Address } from '../machine/snapshot.ts';
import type { Op } from '../model/op.ts';
import { ROOT } from '../model/world.ts';
import type { Draft } from './draft.ts';
import { autoprobePath, virtualCountPath } from './paths.ts';
import type { PutBack } from './put-back.ts';
import { asBefore } from './sentence.ts';

/**
 * Gives physical functions the virtual ones that the policy wants. They come without a driver of the host, whatever
 * drivers would match them: what a policy does not name belongs to nobody, and who wants a driver for it says so. For
 * the moment of their coming no driver is asked (sriov_drivers_autoprobe), unless the physical function is with a VFIO
 * driver, which keeps them for itself. A number that stands there already gives no step; another one than 0 is for the
 * checker to refuse.
 */
export function createVirtualFunctions(draft: Draft): void {
  const wanted = new Map<Address, { readonly count: number; readonly place: Place }>();
  for (const { functions, count, place } of draft.policy.creates) {
    for (const address of functions) if (!wanted.has(address)) wanted.set(address, { count, place });
  }
  for (const [device, { count, place }] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (draft.shows(virtualCountPath(device)) !== `${count}`)
      change(draft, device, [`${count}`], [place], '');
  }
}

/** Gives physical functions back the number of virtual ones that they had before a plan made others. */
export function takeVirtualFunctions(draft: Draft, { virtual }: PutBack): void {
  for (const { address, count, generation } of virtual) {
    const counts = count === '0' ? ['0'] : ['0', count];
    change(draft, address, counts, [], asBefore(generation));
  }
}

/** That no driver is asked holds of the way back, too. */
function change(
  draft: Draft,
  device: Address,
  counts: readonly string[],
  why: readonly Place[],
  because: string,
): void {
  const add = (op: Op): void => draft.add(op, why, `${draft.sentence(op)}${because}`);
  const asks = draft.shows(autoprobePath(device)) === '1';
  if (asks) add({ op: 'device.sriov_autoprobe', pid: ROOT, device, text: '0' });
  for (const text of counts) add({ op: 'device.sriov_numvfs', pid: ROOT, device, text });
  if (asks) add({ op: 'device.sriov_autoprobe', pid: ROOT, device, text: '1' });
}
