import { describe, expect, test } from 'vitest';
import { undoOf } from '../../../src/model/undo.ts';
import { IommufdSession } from './iommufd-session.ts';
import { bare, pair, sibling, single, user } from './machine.ts';
import { pid } from './provocation.ts';
import { opened, pf, put, shared, vf, withSriov } from './provocations-bus.ts';
import { leaving } from './provocations-leaving.ts';
import { Session } from './session.ts';
import { told } from './telling.ts';
import { fakeInContainer, realInContainer } from './vector.ts';

/** An unbind of a device that is open: what it has done when it waits, and what the last close does. */

const unbind = { op: 'driver.unbind', pid, driver: 'vfio-pci', device: single } as const;

describe.each(['6.1', '6.12'] as const)('Linux %s', (profile) => {
  const late = profile === '6.12';

  test('udev is told of the vfio-dev when it goes, of the rest after the last close', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 3);
    const d = Number(s.device(g, single));
    const waited = 'No device request channel registered, blocked until released by user';
    const vfioDev = ['remove vfio-dev vfio0'];
    expect(told(s, unbind)).toEqual({ log: [`vfio-pci ${single}: ${waited}`], uevents: late ? vfioDev : [] });
    expect(told(s, unbind)).toEqual({ log: [], uevents: [] });
    expect(told(s, { op: 'close', pid, fd: d })).toEqual({
      log: [],
      uevents: [...(late ? [] : vfioDev), 'remove vfio 8', `unbind pci ${single}`],
    });
    expect(s.of(single)).toMatchObject({ driver: null, vfio: null });
  });

  test('the last close ends it, whoever makes it, and a group that was made up is gone', () => {
    const s = new Session(profile);
    const { c, g } = fakeInContainer(s);
    s.setIommu(c, 8);
    const d = Number(s.device(g, bare));
    const handed = s.pass(d);
    expect(s.unbind(bare, 'vfio-pci')).toBe(`blocked by ${pid},${user.pid}`);
    s.close(d);
    expect(s.shows('/sys/class/vfio/noiommu-0')).toBe('directory');
    expect(told(s, { op: 'close', pid: user.pid, fd: handed })).toEqual({
      log: [`vfio-pci ${bare}: Removing from iommu group 0`],
      uevents: [...(late ? [] : ['remove vfio-dev vfio0']), 'remove vfio noiommu-0', `unbind pci ${bare}`],
    });
    expect([s.status(g), s.shows('/sys/class/vfio/noiommu-0'), s.of(bare)?.group]).toEqual([
      'ENODEV',
      null,
      null,
    ]);
  });

  test('the group stays as it is for its other devices', () => {
    const s = new Session(profile);
    s.take(pair);
    s.take(sibling);
    const g = opened(s, pair);
    const d = Number(s.device(g, pair));
    s.unbind(pair, 'vfio-pci');
    expect([s.status(g), s.unsetContainer(g), s.unbind(sibling, 'vfio-pci')]).toEqual([
      3,
      'EBUSY',
      sibling.length,
    ]);
    expect(s.bind(sibling, 'e1000e')).toBe('ENODEV');
    s.override(sibling, '');
    expect(s.bind(sibling, 'e1000e')).toBe('EBUSY');
    s.close(d);
    expect([s.status(g), s.bind(sibling, 'e1000e')]).toEqual(['ENODEV', sibling.length]);
  });

  test('drivers_probe sees a device that has its driver, and undo of what waits there is none', () => {
    const s = new Session(profile);
    const { d } = leaving(s);
    const before = s.state;
    expect(s.call({ op: 'drivers.probe', pid, device: single })).toBe(single.length);
    expect(s.state).toBe(before);
    expect(undoOf(s.world, s.state, unbind)).toHaveProperty('none');
    s.close(d);
    expect(s.call({ op: 'drivers.probe', pid, device: single })).toBe(single.length);
    expect(s.of(single)?.driver).toBe('vfio-pci');
  });

  test('a physical function first loses its virtual ones, and waits for one that is open before all else', () => {
    const s = withSriov(profile);
    shared(s);
    const d = Number(s.device(opened(s, pf), pf));
    expect(s.unbind(pf, 'vfio-pci')).toBe(`blocked by ${pid}`);
    expect([s.of(vf)?.present, s.of(pf)?.settings.virtualFunctions]).toEqual([false, 0]);
    s.close(d);
    expect(s.of(pf)).toMatchObject({ driver: null, vfio: null });

    const host = withSriov(profile);
    put(host, 'device.sriov_numvfs', pf, '1');
    host.override(vf);
    host.bind(vf);
    host.device(opened(host, vf), vf);
    expect(host.unbind(pf, 'igb')).toBe(`blocked by ${pid}`);
    expect([host.of(pf)?.driver, host.of(pf)?.settings.virtualFunctions]).toEqual(['igb', 1]);
    expect(host.shows(`/sys/bus/pci/devices/${pf}/driver`)).toBeNull();
    expect(host.shows(`/sys/bus/pci/devices/${vf}/driver`)).toBeNull();
    for (let fd = 3; fd < 6; fd += 1) host.close(fd);
    expect([host.of(pf)?.driver, host.of(vf)?.present]).toEqual([null, false]);
  });
});

test('a cdev that was never bound ends it too, and one without a way to reset it can be bound meanwhile', () => {
  const s = new IommufdSession('6.12');
  s.take(single);
  put(s, 'device.reset_method', single, '\n');
  const [d, other] = [s.cdev(), s.cdev()];
  const name = s.of(single)?.vfio?.name;
  s.unbind(single, 'vfio-pci');
  expect(s.shows(`/dev/vfio/devices/${name}`)).toBeNull();
  expect(s.bindIommufd(d, s.iommufd())).toBe(1);
  s.close(d);
  expect(s.of(single)?.driver).toBe('vfio-pci');
  s.close(other);
  expect(s.of(single)).toMatchObject({ driver: null, vfio: null });
});
