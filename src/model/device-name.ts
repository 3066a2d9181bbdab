import { groupOf } from './files.ts';
import type { Guard, Its } from './guard.ts';
import { isListed } from './leaving.ts';
import { once } from './once.ts';
import type { Op } from './op.ts';
import { withToken } from './open-device.ts';
import { inUse } from './sriov.ts';
import type { Hardware, State, World } from './state.ts';

/**
 * The name that GET_DEVICE_FD takes: the device's address, and for vfio-pci since 5.7 options after a space, of which
 * there is one, `vf_token=` (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match, vfio_pci_validate_vf_token).
 */

interface Asked {
  readonly pid: number;
  readonly fd: number;
  readonly name: string;
}

interface Name {
  readonly device: number;
  /** A UUID in lower case. */
  readonly token: string | null;
}

/** What the name means in this group: a device, nothing, or options that are none. */
export const nameOf = once<Asked, Name | 'ENODEV' | 'EINVAL'>((world, state, op) => {
  const devices = groupOf(state, op)?.devices ?? [];
  for (let place = 0; place < devices.length; place += 1) {
    const device = devices[place] ?? -1;
    const hardware = world.hardware[device];
    const its = state.devices[device];
    if (hardware === undefined || (its?.vfio && !isListed(world, its))) continue;
    if (op.name === hardware.address) return { device, token: null };
    if (!op.name.startsWith(hardware.address)) continue;
    const rest = op.name.slice(hardware.address.length);
    if (!world.profile.nameTakesOptions || !rest.startsWith(' ')) continue;
    const options = rest.split(' ').filter((option) => option !== '');
    const [option] = options;
    if (option === undefined) return { device, token: null };
    const token = option.startsWith('vf_token=') ? option.slice('vf_token='.length) : '';
    return options.length > 1 || !isToken(token) ? 'EINVAL' : { device, token: token.toLowerCase() };
  }
  return 'ENODEV';
});

/** The same where it is a device; else null. */
export const meantBy = once<Asked, Name | null>((world, state, op) => {
  const name = nameOf(world, state, op);
  return typeof name === 'string' ? null : name;
});

/** The device that is meant, -1 if none. */
export function deviceNamed(world: World, state: State, op: Asked): number {
  return meantBy(world, state, op)?.device ?? -1;
}

export function isToken(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

type TokenRefusal = 'not-asked-for' | 'required' | 'incorrect';

/** What is wrong with the token that was given, or with its absence; null: nothing, or no device is meant. */
export const tokenVerdict = once<Asked, TokenRefusal | null>((world, state, op) => {
  if (!world.profile.nameTakesOptions) return null;
  const name = meantBy(world, state, op);
  return name === null ? null : tokenRefusal(world, state, name);
});

/** vfio_pci_validate_vf_token: what is wrong with a token for a device, or with its absence. */
export function tokenRefusal(world: World, state: State, { device, token }: Name): TokenRefusal | null {
  const hardware = world.hardware[device];
  if (hardware === undefined) return null;
  const asks = asksToken(world, state, hardware);
  if (asks === undefined) return token === null ? null : 'not-asked-for';
  if (asks === 'any') return null;
  if (token === null) return 'required';
  return token === asks.token ? null : 'incorrect';
}

/** The token that an open of a physical function sets, null for none. */
export function tokenGiven(world: World, state: State, op: Asked): string | null {
  const name = meantBy(world, state, op);
  return name === null ? null : tokenSet(world, state, name);
}

/** The same of a device and a token that were named otherwise. */
export function tokenSet(world: World, state: State, { device, token }: Name): string | null {
  const hardware = token === null ? undefined : world.hardware[device];
  return hardware !== undefined && asksToken(world, state, hardware) === 'any' ? token : null;
}

/** A test that comes after the match: a physical function has a token that was given for its own by then, whatever comes. */
export function afterMatch<O extends Op>(
  guard: Guard<O>,
  named: (world: World, state: State, op: O, its: Its<O>) => Name | null,
): Guard<O> {
  return {
    ...guard,
    leaves: (world, state, op, its) => {
      const name = named(world, state, op, its);
      const token = name === null ? null : tokenSet(world, state, name);
      return name === null || token === null ? state : withToken(state, name.device, token);
    },
  };
}

/**
 * The token with which a device opens: none, any (a physical function whose virtual ones nobody uses takes it for its
 * own), or a certain one, which is null while it is the random one of the beginning.
 */
function asksToken(
  world: World,
  state: State,
  hardware: Hardware,
): undefined | 'any' | { readonly token: string | null } {
  if (hardware.physicalFunction === null) {
    if (hardware.totalVfs === null) return undefined;
    return inUse(world, state, hardware) ? ownToken(state, hardware) : 'any';
  }
  const owner = world.devices.get(hardware.physicalFunction);
  return owner !== undefined && state.devices[owner.index]?.vfio ? ownToken(state, owner) : undefined;
}

function ownToken(state: State, { index }: Hardware): { readonly token: string | null } {
  return { token: state.devices[index]?.vfio?.token ?? null };
}
