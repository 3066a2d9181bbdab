import { describe, expect, test } from 'vitest';
import { profileIds, profiles } from '../../../src/model/profiles.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { single, snapshotOf } from './machine.ts';
import { alone, noIommu } from './provocation.ts';
import { Session } from './session.ts';
import { fakeInContainer, realInContainer } from './vector.ts';

describe.each(profileIds)('a virtual machine on %s', (profile) => {
  const walks = profiles[profile].viability === 'walk';

  test('keeps a group open that is closed, until it lets go', () => {
    const s = new Session(profile);
    const { c, g } = realInContainer(s, 1);
    expect([s.kvmAdd(g), s.kvmAdd(g)]).toEqual([0, 'EEXIST']);
    const again = s.pass(g);
    s.close(g);
    s.close(again, 100);
    expect(s.tryOpen('8')).toBe('EBUSY');
    expect(s.state.containers[0]?.groups).toHaveLength(1);
    s.close(c);
    expect(s.state.containers).toHaveLength(1);
  });

  test('lets the group leave its container only where it is no user of it', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 1);
    s.kvmAdd(g);
    expect(s.unsetContainer(g)).toBe(walks ? 'EBUSY' : 0);
    expect(s.kvmDel(g)).toBe(0);
    expect(s.kvmDel(g)).toBe('ENOENT');
    expect(s.unsetContainer(g)).toBe(walks ? 0 : 'EINVAL');
    s.close(g);
    expect(s.tryOpen('8')).toBeTypeOf('number');
  });

  test('takes a group without an IOMMU from 5.19 on', () => {
    const s = new Session(profile, worldFrom(snapshotOf(alone, noIommu), { profile }));
    const { c, g } = fakeInContainer(s);
    s.setIommu(c, 8);
    expect(s.kvmAdd(g)).toBe(walks ? 'EPERM' : 0);
  });

  test('takes devices from 6.12 on', () => {
    const s = new Session(profile);
    const d = Number(s.device(realInContainer(s, 1).g, single));
    expect(s.kvmAdd(d)).toBe(profiles[profile].kvmTakesDevices ? 0 : 'EINVAL');
  });
});
