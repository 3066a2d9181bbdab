import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import { type ProfileId, profilesSince } from '../../../src/model/profiles.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { bare, functionAt, nobody, pair, sibling, single, snapshotOf, user } from './machine.ts';
import { Session } from './session.ts';
import { realInContainer } from './vector.ts';

/** For a guard, a session in which it refuses; null on a kernel that has no such guard. */
export type Provocation = (profile: ProfileId) => Session | null;

export const pid = ROOT;
export const tight = { ...user, pid: 300, nofile: 3 };

export function plain(act: (session: Session) => unknown): Provocation {
  return (profile) => acted(new Session(profile), act);
}

/** From a kernel on: the ones before it have no such test. */
export function since(first: ProfileId, provoke: Provocation): Provocation {
  const kernels = profilesSince(first);
  return (profile) => (kernels.includes(profile) ? provoke(profile) : null);
}

/** Not on the kernels that walked a group's devices at every use. */
export function later(act: (session: Session) => unknown): Provocation {
  return since('6.1', plain(act));
}

/** On kernels before one. */
export function before(first: ProfileId, provoke: Provocation): Provocation {
  const kernels = profilesSince(first);
  return (profile) => (kernels.includes(profile) ? null : provoke(profile));
}

/** On another machine. */
export function on(
  functions: readonly PciFunction[],
  act: (session: Session) => unknown,
  over: Partial<Snapshot> = {},
): Provocation {
  return (profile) => {
    const made = worldFrom(snapshotOf(functions, over), { profile, processes: [user, nobody, tight] });
    return acted(new Session(profile, made), act);
  };
}

function acted(session: Session, act: (session: Session) => unknown): Session {
  act(session);
  return session;
}

/** Without an IOMMU, so that the seed makes fake groups too. */
export const noIommu: Partial<Snapshot> = { iommu: { units: [], interruptRemapping: false, groups: [] } };
export const alone = [functionAt(bare)];

export function group(id: number, type: 'msi' | 'direct' | 'reserved', start: string, end: string) {
  return { id, type: 'DMA', reserved: [{ start, end, type }] };
}

export function device(s: Session): number {
  return Number(s.device(realInContainer(s, 3).g, single));
}

export const reserved: Partial<Snapshot> = {
  iommu: {
    units: ['dmar0'],
    interruptRemapping: true,
    groups: [group(8, 'direct', '0x7f000000', '0x7fffffff')],
  },
};

/** A second container's worth: group 8 in a container with type1, group 7 ready to follow. */
export function secondGroup(s: Session): { c: number; g: number } {
  const { c } = realInContainer(s, 3);
  s.take(pair);
  s.unbind(sibling);
  return { c, g: s.open('7') };
}

export function write(s: Session, module: string, parameter: string, text: string): unknown {
  return s.call({ op: 'parameter.write', pid, module, parameter, text });
}
