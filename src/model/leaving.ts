import { draftOf, vfioOf } from './draft.ts';
import type { Guard } from './guard.ts';
import { held, holders } from './held.ts';
import type { Op } from './op.ts';
import { deviceAt, disable, goingWithDriver } from './presence.ts';
import type { Device, Hardware, State, VfioDevice, World } from './state.ts';

/**
 * Devices whose driver was told to let go while they are open: the writer of `unbind` sleeps in vfio_unregister_group_dev,
 * with the device's lock. Until the last descriptor is closed the driver core has the driver yet, and nobody else sees it.
 * Who reads a file that is shown under that lock waits as well (sriov_numvfs, and driver_override where a write waits); what
 * files show is told here all the same.
 */

export function isLeaving(state: State, index: number): boolean {
  const vfio = state.devices[index]?.vfio;
  return vfio !== null && vfio !== undefined && vfio.leaving !== null;
}

/** The driver that sysfs links: the links go before the driver is told (drivers/base/dd.c:__device_release_driver). */
export function linkedDriver({ driver, vfio }: Device): string | null {
  return vfio !== null && vfio.leaving !== null ? null : driver;
}

/** Whether VFIO still gives the device to whoever asks for it by name, and shows its vfio-dev. */
export function isListed({ profile }: World, { leaving }: VfioDevice): boolean {
  return leaving === null || !profile.unlistsLeaving;
}

/**
 * What the driver's release has done when it waits for the descriptors of the device: the links are gone, then the virtual
 * functions, and since 6.6 what others find the device by (drivers/vfio/vfio_main.c:vfio_unregister_group_dev). Where it
 * waits for a virtual function first, nothing is changed here.
 */
export function beginToLeave(world: World, state: State, hardware: Hardware, pid: number): State {
  const virtual = goingWithDriver(world, state, hardware);
  if (held(state, virtual) || isLeaving(state, hardware.index)) return state;
  const draft = draftOf(disable(world, state, hardware, virtual));
  const vfio = vfioOf(draft, hardware.index);
  vfio.leaving = pid;
  // vfio_device_del.
  if (world.profile.unlistsLeaving) vfio.node = null;
  return draft;
}

/** The wait for the lock of a device that is leaving, which its release holds to the end. */
export function untilLeft<O extends Op & { readonly device: string }>(
  op: O['op'],
  citation: Guard['citation'],
): Guard<O> {
  const its = (world: World, state: State, asked: O): readonly Hardware[] => {
    const hardware = deviceAt(world, state, asked.device);
    return hardware !== undefined && isLeaving(state, hardware.index) ? [hardware] : [];
  };
  return {
    id: `${op}.leaving`,
    words: lockWords,
    errno: null,
    citation,
    applies: (world, state, asked) => its(world, state, asked).length > 0,
    waitsFor: (world, state, asked) => holders(state, its(world, state, asked)),
  };
}

export const lockWords =
  'the call would not return before the device has left its driver, which waits until its descriptors are closed';

/** Of devices that are leaving those that pass a test. */
export function leavers(
  world: World,
  state: State,
  test: (hardware: Hardware, device: Device) => boolean,
): readonly Hardware[] {
  return world.hardware.filter((hardware) => {
    const device = state.devices[hardware.index];
    return device !== undefined && isLeaving(state, hardware.index) && test(hardware, device);
  });
}
