import type { PciFunction } from '../../../src/machine/snapshot.ts';
import { type Explored, explore } from '../../../src/model/explore/explore.ts';
import { laws } from '../../../src/model/laws.ts';
import { type ProfileId, profileIds } from '../../../src/model/profiles.ts';
import type { World } from '../../../src/model/state.ts';
import { alphabet, type Bounds, boundedWorld } from './bounded.ts';
import { bare, functionAt, pair, sibling, user } from './machine.ts';
import { openings, sharedWorld } from './passed-virtual.ts';

/** Worlds in which the laws S1 to S7 and P37 hold as long as their kernels keep them, and small enough to break them quickly. */

const bounds: Bounds = {
  containers: 1,
  groupFiles: 1,
  deviceFiles: 2,
  others: [],
  passes: false,
  maps: false,
  negative: true,
};

const alone = [functionAt(bare)];
const both = [functionAt(pair, { iommuGroup: 7 }), functionAt(sibling, { iommuGroup: 7 })];
const mixed = [functionAt(pair, { iommuGroup: 7 }), functionAt(bare)];

const worlds: Readonly<Record<string, readonly [readonly PciFunction[], Bounds]>> = {
  S1: [alone, { ...bounds, negative: false, guests: 'made' }],
  S2: [alone, bounds],
  S3: [mixed, bounds],
  S4: [alone, { ...bounds, others: [user.pid], passes: true, negative: false }],
  S5: [both, bounds],
  S6: [both, bounds],
};

export const passed = laws.filter(({ id }) => id.startsWith('S') || id === 'P37');

/** The kernels in which a law does not hold any more, oldest first. */
export function without(law: (typeof laws)[number]): readonly ProfileId[] {
  const first = profileIds.findIndex((id) => law.profiles.includes(id));
  return profileIds.slice(first).filter((id) => !law.profiles.includes(id));
}

/** Searches the world of a law for the shortest way to break it, whether the kernel keeps it or not. */
export function search(law: (typeof laws)[number], profile: ProfileId): Explored {
  const every = [{ ...law, profiles: profileIds }];
  if (law.id === 'S7') return explore({ ...sharedWorld(profile), alphabet: [[openings]], laws: every });
  const [functions, its] = worlds[law.id] ?? [alone, bounds];
  const real = functions.some(({ iommuGroup }) => iommuGroup !== null);
  const { world, initial } = boundedWorld(profile, functions, real);
  return explore({
    world: law.id === 'P37' ? withCdevs(world) : world,
    initial,
    alphabet: alphabet(its, world),
    laws: every,
  });
}

/** The same kernel with device cdevs, where it knows any. */
function withCdevs(world: World): World {
  const { profile } = world;
  const cdev = profile.knowsIommufd;
  const build = { ...profile.build, cdev, noiommuCdev: profile.id === 'noiommu-cdev' };
  return { ...world, profile: { ...profile, build } };
}
