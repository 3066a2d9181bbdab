import { groupOf } from './files.ts';
import { once } from './once.ts';
import type { Hardware, State, World } from './state.ts';

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
  readonly token: string | null;
}

/** What the name means in this group: a device, nothing, or options that are refused. */
export const nameOf = once<Asked, Name | 'ENODEV' | 'EINVAL'>((world, state, op) => {
  const devices = groupOf(state, op)?.devices ?? [];
  for (let place = 0; place < devices.length; place += 1) {
    const device = devices[place] ?? -1;
    const hardware = world.hardware[device];
    if (hardware === undefined) continue;
    if (op.name === hardware.address) return { device, token: null };
    if (!op.name.startsWith(hardware.address)) continue;
    const rest = op.name.slice(hardware.address.length);
    if (!world.profile.nameTakesOptions || !rest.startsWith(' ')) continue;
    const options = rest.split(' ').filter((option) => option !== '');
    if (options.length === 0) return { device, token: null };
    const [option = ''] = options;
    const token = option.startsWith('vf_token=') ? option.slice('vf_token='.length) : '';
    if (options.length > 1 || !isToken(token) || !takesToken(world, state, device)) return 'EINVAL';
    return { device, token: token.toLowerCase() };
  }
  return 'ENODEV';
});

/** The device that is meant, -1 if none. */
export function deviceNamed(world: World, state: State, op: Asked): number {
  const name = nameOf(world, state, op);
  return typeof name === 'string' ? -1 : name.device;
}

export function isToken(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/**
 * A virtual function whose physical function is with vfio-pci opens with that one's token alone, and so does the
 * physical function while virtual ones are open (vfio_pci_validate_vf_token). A token that nobody set is random.
 */
export function tokenRefused(world: World, state: State, op: Asked): boolean {
  const name = nameOf(world, state, op);
  if (typeof name === 'string') return false;
  const hardware = world.hardware[name.device];
  const owner = ownerOf(world, state, name.device);
  const guard = owner ?? (hardware !== undefined && guarded(world, state, hardware) ? hardware : undefined);
  if (guard === undefined) return false;
  return name.token === null || name.token !== (state.devices[guard.index]?.vfio?.token ?? null);
}

/** The token that an open of a physical function sets, null for none. */
export function tokenGiven(world: World, state: State, op: Asked): string | null {
  const name = nameOf(world, state, op);
  if (typeof name === 'string' || world.hardware[name.device]?.physicalFunction !== null) return null;
  return name.token;
}

/** Whether a virtual function of it is open with VFIO. */
function guarded(world: World, state: State, { address }: Hardware): boolean {
  return world.hardware.some(
    ({ physicalFunction, index }) =>
      physicalFunction === address && (state.devices[index]?.vfio?.opens ?? 0) > 0,
  );
}

/** Physical functions take a token, and virtual ones whose physical function is with vfio-pci. */
function takesToken(world: World, state: State, device: number): boolean {
  const hardware = world.hardware[device];
  if (hardware?.sriov !== true) return false;
  return hardware.physicalFunction === null || ownerOf(world, state, device) !== undefined;
}

/** The physical function of a virtual one, where it is with VFIO itself. */
function ownerOf(world: World, state: State, device: number): Hardware | undefined {
  const address = world.hardware[device]?.physicalFunction ?? null;
  const owner = address === null ? undefined : world.devices.get(address);
  const driver = owner === undefined ? null : (state.devices[owner.index]?.driver ?? null);
  return driver !== null && world.drivers.get(driver)?.vfio === true ? owner : undefined;
}
