import { isLocked } from './device-lock.ts';
import type { Guard } from './guard.ts';
import { holders } from './held.ts';
import type { Op } from './op.ts';
import { deviceAt, enabledVirtualFunctions, goingWith } from './presence.ts';
import type { Device, Hardware, State, World } from './state.ts';

/**
 * Devices that are on their way out, and wait: who takes their driver away sleeps in vfio_unregister_group_dev, of them or
 * of one of their virtual functions, with the device's lock. Until that is closed the driver core has the driver yet, and
 * nobody else sees it. Who disables virtual functions by `sriov_numvfs` has the lock of their physical function as well, but
 * leaves it its driver. Who reads a file that is shown under that lock waits too (sriov_numvfs, and driver_override where a
 * write waits); what files show is told here all the same.
 */

/** The driver that sysfs links: the links go before the driver is told (drivers/base/dd.c:__device_release_driver). */
export function linkedDriver({ driver, leaving }: Device): string | null {
  return leaving === null ? driver : null;
}

/** Whether VFIO has the device and gives it to whoever asks for it by name, and shows its vfio-dev. */
export function isListed({ profile }: World, device: Device): boolean {
  if (device.vfio === null) return false;
  return device.leaving === null || !profile.unlistsLeaving || losesVirtual(device);
}

/** Whether a device that is leaving waits for a virtual function, and not for itself. */
function losesVirtual({ settings }: Device): boolean {
  return settings.virtualFunctions > 0;
}

/** Whether a virtual function is the next to vanish, and waited for: its links and those to it are gone (drivers/pci/iov.c:pci_iov_remove_virtfn). */
export function isWithdrawn(world: World, state: State, hardware: Hardware): boolean {
  const owner = hardware.physicalFunction === null ? undefined : world.devices.get(hardware.physicalFunction);
  const device = owner && state.devices[owner.index];
  if (owner === undefined || device === undefined || !losesVirtual(device)) return false;
  const disabled = state.bus.removing.some(
    (its) => its.op === 'device.sriov_numvfs' && its.device === owner.index,
  );
  if (!disabled && device.leaving === null) return false;
  return enabledVirtualFunctions(world, state, owner)[0] === hardware;
}

/** Whether it is the device's own descriptors that are waited for. */
export function isAwaited(device: Device | undefined): boolean {
  return device?.vfio != null && device.leaving !== null && !losesVirtual(device);
}

/** What has to be closed before the lock of a device is free. */
function inTheWay(world: World, state: State, hardware: Hardware): readonly Hardware[] {
  return [...enabledVirtualFunctions(world, state, hardware), hardware];
}

/** The wait for the lock of a device that is leaving, or loses its virtual functions: it is held to the end. */
export function untilLeft<O extends Op & { readonly device: string }>(
  op: O['op'],
  citation: Guard['citation'],
): Guard<O> {
  const its = (world: World, state: State, asked: O): readonly Hardware[] => {
    const hardware = deviceAt(world, state, asked.device);
    return hardware !== undefined && isLocked(world, state, hardware.index) ? [hardware] : [];
  };
  return {
    id: `${op}.leaving`,
    words: lockWords,
    errno: null,
    citation,
    applies: (world, state, asked) => its(world, state, asked).length > 0,
    waitsFor: (world, state, asked) => lockHolders(world, state, its(world, state, asked)),
  };
}

export const lockWords =
  'the call would not return before the device has left its driver, or lost its virtual functions, which waits until descriptors are closed';

/** Pids of those who have to close something before the locks of devices are free, ascending. */
export function lockHolders(world: World, state: State, locked: readonly Hardware[]): readonly number[] {
  return holders(
    state,
    locked.flatMap((hardware) => inTheWay(world, state, hardware)),
  );
}

/** Of devices whose lock somebody has who waits those that pass a test. */
export function leavers(
  world: World,
  state: State,
  test: (hardware: Hardware, device: Device) => boolean,
): readonly Hardware[] {
  return world.hardware.filter((hardware) => {
    const device = state.devices[hardware.index];
    return device !== undefined && isLocked(world, state, hardware.index) && test(hardware, device);
  });
}

/**
 * The wait for the lock under which devices come and go, which a `remove` that waits has, and a write to `sriov_numvfs`
 * (drivers/pci/probe.c:pci_lock_rescan_remove).
 */
export function untilRemoved<O extends Op>(
  op: O['op'],
  citation: Guard['citation'],
  asks: (world: World, state: State, op: O) => boolean,
): Guard<O> {
  return {
    id: `${op}.removing`,
    words:
      'the call would not return before another has ended that takes devices away, and waits until they are closed',
    errno: null,
    citation,
    applies: (world, state, asked) => isRemoving(world, state) && asks(world, state, asked),
    waitsFor: (world, state) =>
      holders(
        state,
        state.bus.removing.flatMap(({ device }) => {
          const hardware = world.hardware[device];
          if (hardware === undefined) return [];
          return [...goingWith(world, state, hardware), ...inTheWay(world, state, hardware)];
        }),
      ),
  };
}

function isRemoving({ profile }: World, { bus }: State): boolean {
  return bus.removing.some(({ op }) => op === 'device.remove' || profile.numvfsLocks);
}

/** Whether somebody removes the device, and waits: its file `remove` is gone (drivers/base/core.c:device_remove_file_self). */
export function isRemoved({ bus }: State, index: number): boolean {
  return bus.removing.some(({ op, device }) => op === 'device.remove' && device === index);
}
