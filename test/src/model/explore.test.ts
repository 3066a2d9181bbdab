import { describe, expect, test } from 'vitest';
import type { PciFunction } from '../../../src/machine/snapshot.ts';
import { type Explored, explore } from '../../../src/model/explore/explore.ts';
import { laws } from '../../../src/model/laws.ts';
import { type ProfileId, profiles } from '../../../src/model/profiles.ts';
import { symmetriesOf } from '../../../src/model/symmetry.ts';
import { ROOT } from '../../../src/model/world.ts';
import { alphabet, type Bounds, boundedWorld } from './bounded.ts';
import { bare, bareToo, bridge, functionAt, pair, sibling, single, user } from './machine.ts';

const inGroup7 = functionAt(pair, { iommuGroup: 7 });
const besideIt = functionAt(sibling, { iommuGroup: 7 });
const inGroup8 = functionAt(single, { iommuGroup: 8 });
const groupless = functionAt(bare);
const another = functionAt(bareToo);
const port = functionAt(bridge, { iommuGroup: 9, headerType: 1 });
const physical = functionAt(pair, { iommuGroup: 7, sriov: { totalVfs: 4, numVfs: 2 } });

/** Two containers, two group files and one device file at once, over two processes that each open for themselves. */
const apart: Bounds = {
  containers: 2,
  groupFiles: 2,
  deviceFiles: 1,
  others: [user.pid],
  passes: false,
  maps: true,
};

/** One container, two group files, two device files; ROOT hands what it opened to the process without CAP_SYS_RAWIO. */
const handing: Bounds = { ...apart, containers: 1, deviceFiles: 2, passes: true, maps: false };

function walk(
  profile: ProfileId,
  functions: readonly PciFunction[],
  bounds: Bounds,
  over: { law?: string; without?: readonly string[] } = {},
): Explored {
  const real = functions.some(({ iommuGroup }) => iommuGroup !== null);
  const checked = over.law === undefined ? laws : laws.filter(({ id }) => id === over.law);
  const { world, initial } = boundedWorld(profile, functions, real);
  return explore({
    world,
    initial,
    alphabet: alphabet(bounds, world),
    laws: checked,
    without: new Set(over.without ?? []),
  });
}

describe('every reachable state keeps the laws', () => {
  const worlds: readonly [ProfileId, string, readonly PciFunction[], Bounds, number][] = [
    [
      '6.1',
      'three devices in three groups, one of them fake',
      [inGroup7, inGroup8, groupless],
      apart,
      80_000,
    ],
    [
      '6.12',
      'three devices in three groups, one of them fake',
      [inGroup7, inGroup8, groupless],
      apart,
      80_000,
    ],
    [
      '6.1',
      'two devices in one group, and one without',
      [inGroup7, besideIt, groupless],
      { ...apart, maps: false },
      20_000,
    ],
    [
      '6.12',
      'two devices in one group, and one without',
      [inGroup7, besideIt, groupless],
      { ...apart, maps: false },
      20_000,
    ],
    ['6.1', 'descriptors handed to a process without CAP_SYS_RAWIO', [inGroup7, groupless], handing, 10_000],
    ['6.12', 'descriptors handed to a process without CAP_SYS_RAWIO', [inGroup7, groupless], handing, 10_000],
    ['noiommu-cdev', 'descriptors handed as in 6.12', [inGroup7, groupless], handing, 10_000],
    [
      'seed',
      'three groups on a machine with an IOMMU',
      [inGroup7, inGroup8, groupless],
      { ...apart, maps: false, containers: 1 },
      1_000,
    ],
    [
      'seed',
      'two devices on a machine without one',
      [groupless, another],
      { ...apart, deviceFiles: 2 },
      10_000,
    ],
    [
      '4.5',
      'two devices on a machine without one',
      [groupless, another],
      { ...apart, deviceFiles: 2 },
      10_000,
    ],
  ];
  test.each(worlds)('%s: %s', { timeout: 240_000 }, (profile, _name, functions, bounds, atLeast) => {
    const explored = walk(profile, functions, bounds);
    expect(explored.broken).toBeNull();
    expect(explored.complete).toBe(true);
    expect(explored.states).toBeGreaterThan(atLeast);
    // A table that tells apart what nobody can see multiplies the states.
    expect(explored.states).toBeLessThan(Math.max(30_000, 1.5 * atLeast));
    expect(explored.transitions).toBeGreaterThan(10 * explored.states);
  });
});

describe('of states that only names tell apart, one is enough', () => {
  const both = { ...apart, maps: false, containers: 1 };
  const users = [user, { ...user, pid: user.pid + 1 }];
  const worlds: readonly [
    string,
    readonly PciFunction[],
    Bounds,
    number,
    number,
    readonly string[],
    string,
  ][] = [
    ['groups', [inGroup7, inGroup8], both, 1, 1.8, ['driver.unbind.held'], 'P25'],
    ['devices of a group', [inGroup7, besideIt], both, 1, 1.4, ['driver.bind.group-owned'], 'P1'],
    ['devices without a group', [groupless, another], both, 1, 1.8, ['open.rawio'], 'P11'],
    ['processes', [inGroup7], { ...both, others: users.map(({ pid }) => pid) }, 1, 1.4, ['open.busy'], 'P12'],
    [
      'groups and processes',
      [inGroup7, inGroup8],
      { ...both, groupFiles: 1, others: users.map(({ pid }) => pid) },
      3,
      2.5,
      ['container.set_iommu.again'],
      'P15',
    ],
  ];
  test.each(worlds)('%s', { timeout: 120_000 }, (_name, functions, bounds, renamings, less, without, law) => {
    const real = functions.some(({ iommuGroup }) => iommuGroup !== null);
    const { world, initial } = boundedWorld('6.12', functions, real, users);
    const symmetries = symmetriesOf(world, initial, bounds.others);
    expect(symmetries).toHaveLength(renamings);
    const asked = { world, initial, alphabet: alphabet(bounds, world), laws };
    const all = explore(asked);
    const reduced = explore({ ...asked, symmetries });
    expect([all.broken, reduced.broken, all.complete, reduced.complete]).toEqual([null, null, true, true]);
    expect(reduced.guards).toEqual(all.guards);
    expect(all.states / reduced.states).toBeGreaterThan(less);
    // A planted defect is found in as few operations.
    const broken = { ...asked, without: new Set(without) };
    const found = [explore(broken), explore({ ...broken, symmetries })].map((each) => each.broken);
    expect(found.map((each) => each?.law.id)).toEqual([law, law]);
    expect(found[1]?.trace).toHaveLength(found[0]?.trace.length ?? -1);
  });

  test('devices that are not alike keep their places', () => {
    const other = functionAt(bareToo, { device: '1572' });
    const { world, initial } = boundedWorld('6.12', [inGroup7, groupless, other], true);
    expect(symmetriesOf(world, initial, [user.pid])).toEqual([]);
  });
});

describe('a kernel without a guard breaks the law that the guard keeps', () => {
  const two = [inGroup7, besideIt];
  const mixed = [inGroup7, groupless];
  const defects: readonly [string, string, readonly string[], readonly PciFunction[], number][] = [
    ['P1', 'a host driver joins an owned group', ['driver.bind.group-owned'], two, 7],
    ['P2', 'a group is claimed beside a host driver', ['group.set_container.not-viable'], two, 8],
    ['P3', 'a group is claimed beside a host driver', ['group.set_container.not-viable'], two, 5],
    ['P4', 'groups with and without an IOMMU mix', ['group.set_container.mixing'], mixed, 10],
    ['P5', 'groups with and without an IOMMU mix', ['group.set_container.mixing'], mixed, 10],
    ['P6', 'groups with and without an IOMMU mix', ['group.set_container.mixing'], mixed, 11],
    ['P7', 'the noiommu driver maps', ['container.map_dma.noiommu'], [groupless], 8],
    ['P7', 'a container without a driver maps', ['container.map_dma.no-iommu'], [groupless], 2],
    ['P10', 'a group is made up while the parameter is N', ['driver.bind.no-group'], [groupless], 2],
    ['P11', 'anybody opens a group without an IOMMU', ['open.rawio'], [groupless], 4],
    ['P11', 'anybody attaches a group without an IOMMU', ['group.set_container.rawio'], [groupless], 7],
    ['P11', 'anybody sets noiommu', ['container.set_iommu.rawio'], [groupless], 8],
    ['P11', 'anybody opens a device without an IOMMU', ['group.get_device_fd.rawio'], [groupless], 9],
    ['P12', 'a group opens twice', ['open.busy'], [inGroup7], 4],
    ['P13', 'a device opens before SET_IOMMU', ['group.get_device_fd.no-iommu'], [inGroup7], 6],
    ['P14', 'a group leaves with its device open', ['group.unset_container.busy'], [inGroup7], 8],
    ['P15', 'SET_IOMMU twice', ['container.set_iommu.again'], [inGroup7], 7],
    ['P15', 'SET_IOMMU without a group', ['container.set_iommu.empty'], [inGroup7], 2],
    ['P16', 'SET_IOMMU without a group', ['container.set_iommu.empty'], [inGroup7], 2],
    ['P25', 'a device is unbound while it is open', ['driver.unbind.held'], [inGroup7], 8],
    ['P30', 'a bridge comes to VFIO', ['driver.bind.bridge'], [port], 2],
    ['P31', 'a physical function comes to VFIO', ['driver.bind.virtual-functions'], [physical], 2],
    ['P38', 'any name opens a device', ['group.get_device_fd.name'], [inGroup7], 6],
    ['P41', 'SET_IOMMU without a group', ['container.set_iommu.empty'], [inGroup7], 2],
  ];
  test.each(defects)('%s: %s', { timeout: 60_000 }, (law, _name, without, functions, length) => {
    const bounds = { ...handing, maps: law === 'P7' };
    const { broken } = walk('6.12', functions, bounds, { law, without });
    expect(broken?.law.id).toBe(law);
    expect(broken?.trace.map(({ op }) => op.op)).toHaveLength(length);
    expect(broken?.trace.every(({ result }) => result.ok)).toBe(true);
  });

  test('P8: a group without an IOMMU and no taint', () => {
    const { world, initial } = boundedWorld('6.12', [groupless], false);
    const bounds = alphabet(apart, world);
    const tainted = explore({ world, initial, alphabet: bounds, laws: [], limit: 5 });
    expect(tainted.complete).toBe(false);
    const group = {
      minor: 0,
      name: 'noiommu-0',
      noiommu: true,
      iommuGroup: 0,
      devices: [0],
      file: null,
      container: null,
      containerUsers: 0,
      iommufd: null,
      cdevOpens: 0,
      node: null,
    };
    const { broken } = explore({ world, initial: { ...initial, groups: [group] }, alphabet: bounds, laws });
    expect(broken).toMatchObject({ law: { id: 'P8' }, trace: [] });
  });

  test('P9: taint that goes away, or changes its bits', () => {
    const { world, initial } = boundedWorld('6.12', [groupless], false);
    const law = laws.find(({ id }) => id === 'P9');
    const op = { op: 'close', pid: ROOT, fd: 3 } as const;
    const result = { ok: true, value: 0 } as const;
    const from = { ...initial, taint: 64 + 2 ** 40 };
    const keeps = (taint: number) => law?.onStep?.(world, from, op, { result, state: { ...from, taint } });
    expect([keeps(64 + 2 ** 40), keeps(65 + 2 ** 40), keeps(0), keeps(64 + 2 ** 41)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

test('laws have an id of their own, a place in the kernel and a kernel that keeps them', () => {
  expect(new Set(laws.map(({ id }) => id)).size).toBe(laws.length);
  for (const law of laws) {
    expect(law.id).toMatch(/^[PS]\d+$/);
    expect(law.enforcedBy).toMatch(/\.c:/);
    expect(law.profiles.length).toBeGreaterThan(0);
    expect(law.profiles.every((id) => id in profiles)).toBe(true);
    expect(law.onState ?? law.onStep).toBeDefined();
  }
});
