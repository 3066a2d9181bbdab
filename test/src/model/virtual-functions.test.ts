import { describe, expect, test } from 'vitest';
import type { PciFunction } from '../../../src/machine/snapshot.ts';
import { logOf } from '../../../src/model/log.ts';
import { type ProfileId, profilesSince } from '../../../src/model/profiles.ts';
import { step } from '../../../src/model/step.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { IommufdSession, iommufdWorld } from './iommufd-session.ts';
import { functionAt, pair, snapshotOf } from './machine.ts';
import {
  opened,
  openedVirtual,
  otherToken,
  pf,
  physical,
  ported,
  put,
  shared,
  token,
  vf,
  withSriov,
} from './provocations-bus.ts';
import { sharing } from './provocations-cdev.ts';
import { Session } from './session.ts';
import { descriptor, number } from './vector.ts';

const second = '0000:06:10.2';

function deviceOf(s: Session, address: string) {
  return s.state.devices[s.world.devices.get(address)?.index ?? -1];
}

describe.each(profilesSince('6.1'))('Linux %s', (profile) => {
  test('virtual functions of vfio-pci bind at once, one group and vfioX each, and go with 0', () => {
    const s = withSriov(profile);
    expect(deviceOf(s, vf)?.present).toBe(false);
    shared(s, 2);
    const seen = [vf, second].map((address) => {
      const { present, driver, override, group, vfio } = deviceOf(s, address) ?? {};
      return [present, driver, override, group, vfio?.index];
    });
    expect(seen).toEqual([
      [true, 'vfio-pci', 'vfio-pci', 0, 1],
      [true, 'vfio-pci', 'vfio-pci', 1, 2],
    ]);
    expect(put(s, 'device.sriov_numvfs', pf, '0\n')).toBe(2);
    expect([vf, second].map((address) => deviceOf(s, address)?.present)).toEqual([false, false]);
    expect(s.state.iommuGroups.map(({ id }) => id)).toEqual([7]);
  });

  test('open with the token of an open of the physical one that was refused', () => {
    const s = withSriov(profile);
    shared(s);
    const [pfGroup, vfGroup] = [s.open(`${deviceOf(s, pf)?.group}`), opened(s, vf)];
    expect(s.device(pfGroup, `${pf} vf_token=${token}`)).toBe('EINVAL');
    expect(s.device(vfGroup, `${vf} vf_token=${otherToken}`)).toBe('EACCES');
    expect(s.device(vfGroup, `${vf} vf_token=${token}`)).toBeTypeOf('number');
    // Now it is in use, and no other one is taken.
    expect(s.device(pfGroup, `${pf} vf_token=${otherToken}`)).toBe('EACCES');
    expect(deviceOf(s, pf)?.vfio?.token).toBe(token);
  });

  test('go with the driver of their physical function, when nobody has them open', () => {
    const s = withSriov(profile);
    openedVirtual(s);
    expect(s.unbind(pf, 'vfio-pci')).toBe(`blocked by ${ROOT}`);
    for (let fd = 3; fd < 10; fd += 1) s.close(fd);
    expect(deviceOf(s, pf)).toMatchObject({ present: true, driver: null });
    expect(deviceOf(s, vf)?.present).toBe(false);
    expect(s.bind(vf)).toBe('ENODEV');
  });

  test('a device with virtual functions of a host driver does not come to vfio-pci', () => {
    const s = withSriov(profile, [{ ...physical, driver: 'pci-pf-stub', drivers: ['pci-pf-stub'] }], {
      drivers: ['vfio-pci', 'pci-pf-stub'],
    });
    expect(put(s, 'device.sriov_numvfs', pf, '1')).toBe(1);
    // This driver leaves them enabled when it goes.
    expect(s.unbind(pf, 'pci-pf-stub')).toBe(pf.length);
    s.override(pf);
    expect(s.bind(pf)).toBe('EBUSY');
  });

  test('the token: of a virtual function always, of the physical one while a virtual one is open', () => {
    const s = withSriov(profile);
    const { pfGroup, vfGroup } = openedVirtual(s);
    const ask = (group: number, name: string) => descriptor(s.device(group, name));
    expect([
      ask(vfGroup, vf),
      ask(vfGroup, `${vf} vf_token=${otherToken}`),
      ask(vfGroup, `${vf}  vf_token=${token.toUpperCase()} `),
      ask(vfGroup, `${vf} vf_token=${token} vf_token=${token}`),
      ask(pfGroup, pf),
      ask(pfGroup, `${pf} vf_token=${otherToken}`),
      ask(pfGroup, `${pf} vf_token=${token}`),
    ]).toEqual(['EACCES', 'EACCES', number, 'EINVAL', 'EACCES', 'EACCES', number]);
  });

  test('the token of the beginning is random, and the physical function may set another one while nobody uses them', () => {
    const s = withSriov(profile);
    shared(s);
    const group = opened(s, vf);
    expect(s.device(group, `${vf} vf_token=${token}`)).toBe('EACCES');
    const owner = opened(s, pf);
    for (const uuid of [otherToken, token]) s.close(Number(s.device(owner, `${pf} vf_token=${uuid}`)));
    expect(s.device(group, `${vf} vf_token=${otherToken}`)).toBe('EACCES');
    expect(descriptor(s.device(group, `${vf} vf_token=${token}`))).toBe(number);
  });

  test('sriov_drivers_autoprobe off keeps drivers away that no override names', () => {
    const s = withSriov(profile);
    s.call({ op: 'driver.new_id', pid: ROOT, driver: 'pci-stub', text: '8086 10ca' });
    put(s, 'device.sriov_autoprobe', pf, '0');
    put(s, 'device.sriov_numvfs', pf, '1');
    expect(deviceOf(s, vf)?.driver).toBeNull();
    expect(s.bind(vf, 'pci-stub')).toBe('ENODEV');
    s.override(vf, 'pci-stub');
    expect(s.bind(vf, 'pci-stub')).toBe(vf.length);
    put(s, 'device.sriov_numvfs', pf, '0');
    put(s, 'device.sriov_autoprobe', pf, 'yes');
    put(s, 'device.sriov_numvfs', pf, '1');
    expect(deviceOf(s, vf)?.driver).toBe('pci-stub');
  });
});

test('a bridge goes with what is behind it, and a rescan below another bus does not find them', () => {
  const s = new Session('6.12', withSriov('6.12', [...ported, functionAt('0000:02:00.0')]));
  const behind = ported[1]?.address ?? '';
  expect(put(s, 'device.remove', '0000:00:1c.0', '1')).toBe(1);
  expect(deviceOf(s, behind)?.present).toBe(false);
  const rescan = (device?: string) =>
    s.call({ op: 'bus.rescan', pid: ROOT, text: '1', ...(device === undefined ? {} : { device }) });
  expect(rescan('0000:02:00.0')).toBe(1);
  expect(deviceOf(s, behind)?.present).toBe(false);
  expect(rescan()).toBe(1);
  expect([deviceOf(s, behind)?.driver, deviceOf(s, '0000:00:1c.0')?.driver]).toEqual(['e1000e', 'pcieport']);
  // Ids are handed out anew: 7 and 9 were free, and so was 0.
  expect(s.state.iommuGroups.map(({ id }) => id)).toEqual([0, 1]);
});

test('devices that come back are the last ones of the bus', () => {
  const s = new Session('6.12');
  for (const address of [pair, '0000:02:00.0']) s.unbind(address);
  put(s, 'device.remove', pair, '1');
  s.call({ op: 'bus.autoprobe', pid: ROOT, text: '0' });
  s.call({ op: 'bus.rescan', pid: ROOT, text: '1' });
  // The bus asks drivers for what comes even with autoprobe off.
  expect(deviceOf(s, pair)?.driver).toBe('e1000e');
  s.unbind(pair);
  s.call({ op: 'driver.new_id', pid: ROOT, driver: 'vfio-pci', text: '8086 10d3' });
  expect([deviceOf(s, '0000:02:00.0')?.vfio?.index, deviceOf(s, pair)?.vfio?.index]).toEqual([0, 1]);
});

describe('functions of one device, the second of which does not say that there are others', () => {
  const [first, second] = ['0000:07:00.0', '0000:07:00.1'];
  const at = (place: string) => ({ iommuGroup: 7, slot: ['pci0000:00', '1c.0', place] });
  const both = (multifunction: boolean, more: readonly PciFunction[] = []) => {
    const [one, two] = [
      functionAt(first, { ...at('00.0'), multifunction: true, resetMethods: ['flr', 'bus'] }),
      functionAt(second, { ...at('00.1'), multifunction, resetMethods: ['flr'] }),
    ];
    const made = worldFrom(
      snapshotOf([
        one,
        two,
        functionAt(pair, { iommuGroup: 0, slot: ['pci0000:00', '1d.0', '00.0'] }),
        ...more,
      ]),
    );
    const s = new Session('6.12', made);
    for (const address of [first, second, pair]) s.unbind(address);
    return s;
  };
  const groupOf = (s: Session, address: string) => deviceOf(s, address)?.group;
  const remove = (s: Session, address: string) => put(s, 'device.remove', address, '1');
  const rescan = (s: Session) => s.call({ op: 'bus.rescan', pid: ROOT, text: '1' });

  test('comes back in a group of its own, and the first one joins that', () => {
    const s = both(false);
    remove(s, second);
    rescan(s);
    expect([groupOf(s, first), groupOf(s, second)]).toEqual([7, 1]);
    remove(s, first);
    rescan(s);
    expect([groupOf(s, first), groupOf(s, second)]).toEqual([1, 1]);
  });

  test('comes back where it was, if it does say so or shares the group of a bridge', () => {
    const bridge = functionAt('0000:00:1c.0', {
      ...{ iommuGroup: 7, slot: ['pci0000:00', '1c.0'] },
      ...{ headerType: 1, class: '060400', driver: null, drivers: [] },
    });
    for (const s of [both(true), both(false, [bridge])]) {
      remove(s, second);
      rescan(s);
      expect(groupOf(s, second)).toBe(7);
    }
  });

  test('a function that comes while another is on its bus cannot be reset with it', () => {
    const s = both(true);
    const methods = () => deviceOf(s, first)?.settings.resetMethods;
    expect(methods()).toEqual(['flr', 'bus']);
    remove(s, first);
    rescan(s);
    expect(methods()).toEqual(['flr']);
    remove(s, first);
    remove(s, second);
    rescan(s);
    expect(methods()).toEqual(['flr', 'bus']);
  });
});

describe('a cdev of a shared function', () => {
  const opening = (profile: ProfileId) => {
    const s = new IommufdSession(profile, iommufdWorld(profile, {}, sharing));
    const bind = (address: string, uuid?: string) => {
      const fd = s.cdev(address);
      const i = s.iommufd();
      const answer = s.bindIommufd(fd, i, uuid === undefined ? {} : { flags: 1, token: uuid });
      s.close(fd);
      s.close(i);
      return answer;
    };
    return { s, bind };
  };

  test('asks for no token in 6.12', () => {
    const { bind } = opening('6.12');
    expect([bind(vf), bind(pf), bind(vf, token)]).toEqual([1, 1, 'EINVAL']);
  });

  test('keeps the token of a bind that was refused, of a physical function', () => {
    const { s, bind } = opening('noiommu-cdev');
    expect(s.bindIommufd(s.cdev(pf), 99, { flags: 1, token })).toBe('EBADF');
    expect([bind(vf, otherToken), bind(vf, token)]).toEqual(['EACCES', 1]);
  });

  test('asks for the token that its physical function was bound with since 6.17', () => {
    const { s, bind } = opening('noiommu-cdev');
    expect([bind(vf), bind(vf, token), bind(pf, token.toUpperCase()), bind(vf), bind(vf, token)]).toEqual([
      'EACCES',
      'EACCES',
      1,
      'EACCES',
      1,
    ]);
    expect(bind(pf)).toBe(1);
    const d = s.cdev(vf);
    const i = s.iommufd();
    s.bindIommufd(d, i, { flags: 1, token });
    expect([bind(pf), bind(pf, otherToken), bind(pf, token)]).toEqual(['EACCES', 'EACCES', 1]);
    const refused = { op: 'device.bind_iommufd', pid: ROOT, fd: s.cdev(vf), iommufd: i, flags: 0 } as const;
    const outcome = step(s.world, s.state, refused);
    expect(logOf(s.world, s.state, refused, outcome, 'test')).toEqual([
      `vfio-pci ${vf}: VF token required to access device`,
    ]);
  });
});
