import type { Place } from '../diagnostics/diagnostic.ts';
import type { Address } from '../machine/snapshot.ts';
import { ROOT } from '../model/world.ts';
import type { Draft } from './draft.ts';
import { autoprobePath, virtualCountPath } from './paths.ts';

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
    const why = [place];
    if (draft.shows(virtualCountPath(device)) === `${count}`) continue;
    const asks = draft.shows(autoprobePath(device)) === '1';
    if (asks) draft.add({ op: 'device.sriov_autoprobe', pid: ROOT, device, text: '0' }, why);
    draft.add({ op: 'device.sriov_numvfs', pid: ROOT, device, text: `${count}` }, why);
    if (asks) draft.add({ op: 'device.sriov_autoprobe', pid: ROOT, device, text: '1' }, why);
  }
}
