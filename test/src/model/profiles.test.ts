import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { inProfile, profileFor, profileIds, profiles, profilesSince } from '../../../src/model/profiles.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { bare, functionAt, single, snapshotOf } from './machine.ts';
import { noIommu } from './provocation.ts';
import { Session } from './session.ts';
import { all, fakeInContainer } from './vector.ts';

type Options = Snapshot['kernel']['options'];

function of(release: string, over: Partial<Options> = {}): Snapshot {
  const { kernel } = snapshotOf();
  return snapshotOf([], { kernel: { ...kernel, release, options: { ...kernel.options, ...over } } });
}

test.each([
  ['3.16.0', 'seed'],
  ['4.3.0', 'seed'],
  ['4.4.302', '4.5'],
  ['4.5.0-rc1', '4.5'],
  ['5.18.19', '4.5'],
  ['5.19.0', '6.1'],
  ['6.1.0-49-amd64', '6.1'],
  ['6.2.1', '6.12'],
  ['6.12.117', '6.12'],
  ['7.1.0', '6.12'],
])('release %s behaves as %s', (release, id) => {
  expect(profileFor(of(release)).profile.id).toBe(id);
});

test('the series of 2026 is told by its build option, and by no release', () => {
  expect(profileFor(of('7.3.0', { IOMMUFD_NOIOMMU: 'y' })).profile.id).toBe('noiommu-cdev');
  expect(profileFor(of('7.3.0', { IOMMUFD_NOIOMMU: 'n' })).profile.id).toBe('6.12');
  expect(profileFor(of('6.1.0', { IOMMUFD_NOIOMMU: 'y' })).profile.id).toBe('6.1');
  const { build } = profileFor(
    of('7.3.0', { IOMMUFD_NOIOMMU: 'y', IOMMUFD: 'y', VFIO_DEVICE_CDEV: 'y' }),
  ).profile;
  expect(build).toMatchObject({ iommufd: 'y', cdev: true, noiommuCdev: true });
});

test('a table speaks for every kernel from the one that it names', () => {
  expect(profileIds.map((id) => inProfile({ seed: 1, '6.1': 2 }, id))).toEqual([1, 1, 2, 2, 2]);
  expect(profileIds.map((id) => inProfile({ seed: 1, '4.5': 2, '6.12': 3 }, id))).toEqual([1, 2, 2, 3, 3]);
  expect(profilesSince('6.1')).toEqual(['6.1', '6.12', 'noiommu-cdev']);
  expect(profileIds.map((id) => profiles[id].id)).toEqual(profileIds);
});

/** CHECK_EXTENSION(8) and SET_IOMMU(8): what changed when the mailed patch was merged. */
describe.each(profileIds)('no-IOMMU mode in %s', (profile) => {
  const session = () =>
    new Session(profile, worldFrom(snapshotOf([functionAt(bare), functionAt(single)], noIommu), { profile }));

  test('an empty container knows extension 8 while the parameter is Y, but for the seed', () => {
    const s = session();
    const c = s.open('vfio');
    const off = s.extension(c, 8);
    s.parameter('Y');
    expect([off, s.extension(c, 8)]).toEqual(profile === 'seed' ? [0, 0] : [0, 1]);
  });

  test('a container without an IOMMU answers by the parameter, but for the seed', () => {
    const s = session();
    const { c } = fakeInContainer(s);
    expect(all.filter((extension) => s.extension(c, extension) === 1)).toEqual([8]);
    s.parameter('N');
    expect(s.extension(c, 8)).toBe(profile === 'seed' ? 1 : 0);
    expect(s.setIommu(c, 8)).toBe(profile === 'seed' ? 0 : 'ENODEV');
  });

  test('the parameter has its name from 4.5 on', () => {
    const s = session();
    const parameter = `enable_unsafe_noiommu_${profile === 'seed' ? 'support' : 'mode'}`;
    expect(s.call({ op: 'parameter.write', pid: 0, module: 'vfio', parameter, text: 'Y' })).toBe(1);
  });
});
