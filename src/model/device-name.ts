import { groupOf } from './files.ts';
import { once } from './once.ts';
import type { State, World } from './state.ts';

/**
 * The name that GET_DEVICE_FD takes: the device's address, and for vfio-pci since 5.7 options after a space, of which
 * there is one, `vf_token=` (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match).
 */

interface Asked {
  readonly pid: number;
  readonly fd: number;
  readonly name: string;
}

interface Name {
  readonly device: number;
  readonly token: boolean;
}

/** What the name means in this group: a device, nothing, or options that are refused. */
export const nameOf = once<Asked, Name | 'ENODEV' | 'EINVAL'>((world, state, op) => {
  const devices = groupOf(state, op)?.devices ?? [];
  for (let place = 0; place < devices.length; place += 1) {
    const device = devices[place] ?? -1;
    const hardware = world.hardware[device];
    if (hardware === undefined) continue;
    if (op.name === hardware.address) return { device, token: false };
    if (!op.name.startsWith(hardware.address)) continue;
    const rest = op.name.slice(hardware.address.length);
    if (!world.profile.nameTakesOptions || !rest.startsWith(' ')) continue;
    const options = rest.split(' ').filter((option) => option !== '');
    if (options.length === 0) return { device, token: false };
    const [option = ''] = options;
    const uuid = /^vf_token=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(option);
    if (options.length > 1 || !uuid || !takesToken(world, state, device)) return 'EINVAL';
    return { device, token: true };
  }
  return 'ENODEV';
});

/** The device that is meant, -1 if none. */
export function deviceNamed(world: World, state: State, op: Asked): number {
  const name = nameOf(world, state, op);
  return typeof name === 'string' ? -1 : name.device;
}

/** A virtual function of a physical one that is with vfio-pci: its token is random, so any that is given is wrong. */
export function tokenRefused(world: World, state: State, op: Asked): boolean {
  const name = nameOf(world, state, op);
  return typeof name !== 'string' && ownerOf(world, state, name.device) !== undefined;
}

/** Physical functions take a token, and virtual ones whose physical function is with vfio-pci. */
function takesToken(world: World, state: State, device: number): boolean {
  const hardware = world.hardware[device];
  if (hardware?.sriov !== true) return false;
  return hardware.physicalFunction === null || ownerOf(world, state, device) !== undefined;
}

function ownerOf(world: World, state: State, device: number): string | undefined {
  const address = world.hardware[device]?.physicalFunction ?? null;
  const owner = address === null ? undefined : world.devices.get(address);
  const driver = owner === undefined ? null : (state.devices[owner.index]?.driver ?? null);
  return driver !== null && world.drivers.get(driver)?.vfio === true ? driver : undefined;
}
