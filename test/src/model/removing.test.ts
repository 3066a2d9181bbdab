import { describe, expect, test } from 'vitest';
import { profilesSince } from '../../../src/model/profiles.ts';
import { undoOf } from '../../../src/model/undo.ts';
import { functionAt, pair, sibling, single } from './machine.ts';
import { pid } from './provocation.ts';
import { opened, pf, physical, ported, put, shared, token, vf, withSriov } from './provocations-bus.ts';
import { Session } from './session.ts';
import { told } from './telling.ts';
import { realInContainer } from './vector.ts';

/** Devices that are taken away while they are open: what is done when the call waits, and what the last close does. */

const second = '0000:06:10.2';
const remove = { op: 'device.remove', pid, device: single, text: '1' } as const;
const waited = (device: string) =>
  `vfio-pci ${device}: No device request channel registered, blocked until released by user`;

/** Both virtual functions with vfio-pci and open, with their physical one. */
function bothOpen(s: Session): { readonly pfGroup: number; readonly first: number; readonly last: number } {
  shared(s, 2);
  const pfGroup = opened(s, pf);
  s.close(Number(s.device(pfGroup, `${pf} vf_token=${token}`)));
  const [first = -1, last = -1] = [vf, second].map((device) =>
    Number(s.device(opened(s, device), `${device} vf_token=${token}`)),
  );
  return { pfGroup, first, last };
}

describe.each(['6.1', '6.12'] as const)('Linux %s', (profile) => {
  const late = profile === '6.12';
  const vfioDev = (name: string) => [`remove vfio-dev ${name}`];

  test('a device that is removed while it is open is leaving, and gone with the last close', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 3);
    const d = Number(s.device(g, single));
    expect(told(s, remove)).toEqual({ log: [waited(single)], uevents: late ? vfioDev('vfio0') : [] });
    expect(s.shows(`/sys/bus/pci/devices/${single}`)).toBe('directory');
    expect(s.shows(`/sys/bus/pci/devices/${single}/driver`)).toBeNull();
    expect([s.status(g), s.of(single)?.driver]).toEqual([3, 'vfio-pci']);
    expect(undoOf(s.world, s.state, remove)).toHaveProperty('none');
    expect(told(s, { op: 'close', pid, fd: d })).toEqual({
      log: late ? [] : [`pci ${single}: Removing from iommu group 8`],
      uevents: [
        ...(late ? [] : vfioDev('vfio0')),
        'remove vfio 8',
        `unbind pci ${single}`,
        `remove pci ${single}`,
      ],
    });
    expect([s.of(single)?.present, s.status(g), s.state.bus.removing]).toEqual([false, 'ENODEV', []]);
    expect(s.call({ op: 'bus.rescan', pid, text: '1' })).toBe(1);
    expect(s.of(single)).toMatchObject({ present: true, driver: 'e1000e', override: null });
  });

  test('others come and go only afterwards, but what asks for nothing does not wait', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 3);
    const d = Number(s.device(g, single));
    s.call(remove);
    const { state } = s;
    const waits = `blocked by ${pid}`;
    expect([
      s.call({ op: 'bus.rescan', pid, text: '1' }),
      put(s, 'device.remove', pair, '1'),
      put(s, 'device.remove', pair, '0'),
      s.call({ op: 'bus.rescan', pid, text: '0' }),
      s.call(remove),
      s.unbind(single, 'vfio-pci'),
      s.unbind(sibling),
    ]).toEqual([waits, waits, 1, 1, 'ENOENT', waits, sibling.length]);
    expect({ ...s.state.bus, bound: [] }).toEqual({ ...state.bus, bound: [] });
    s.close(d);
    expect(put(s, 'device.remove', pair, '1')).toBe(1);
  });

  test('an unbind that waits for a device ends before its removal', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 3);
    const d = Number(s.device(g, single));
    s.unbind(single, 'vfio-pci');
    expect(told(s, remove)).toEqual({ log: [], uevents: [] });
    s.close(d);
    expect(s.of(single)).toMatchObject({ present: false, driver: null, leaving: null });
  });

  test('a bridge waits for what is behind it, last come first, before anything is gone', () => {
    const [port, behind] = ported as [(typeof ported)[0], (typeof ported)[0]];
    const next = { ...behind, address: '0000:01:00.1', slot: ['pci0000:00', '1c.0', '00.1'], iommuGroup: 5 };
    const s = withSriov(profile, [port, behind, next]);
    const [one, two] = [behind, next].map(({ address }) => {
      s.take(address);
      return Number(s.device(opened(s, address), address));
    });
    expect(put(s, 'device.remove', port.address, '1')).toBe(`blocked by ${pid}`);
    expect([behind, next].map(({ address }) => s.of(address)?.leaving)).toEqual([null, pid]);
    expect(told(s, { op: 'close', pid, fd: two ?? -1 }).log).toEqual([waited(behind.address)]);
    expect([port, behind, next].map(({ address }) => s.of(address)?.present)).toEqual([true, true, true]);
    expect(told(s, { op: 'close', pid, fd: one ?? -1 }).uevents.slice(-5)).toEqual([
      `unbind pci ${behind.address}`,
      `unbind pci ${port.address}`,
      ...[behind, next, port].map(({ address }) => `remove pci ${address}`),
    ]);
    expect([port, behind, next].map(({ address }) => s.of(address)?.present)).toEqual([false, false, false]);
  });

  test('virtual functions go one after the other, each as soon as it is closed', () => {
    const s = withSriov(profile);
    const { pfGroup, first, last } = bothOpen(s);
    const names = [vf, second].map((device) => s.of(device)?.vfio?.name ?? '');
    const disable = { op: 'device.sriov_numvfs', pid, device: pf, text: '0' } as const;
    expect(told(s, disable)).toEqual({
      log: [waited(vf)],
      uevents: late ? vfioDev(names[0] ?? '') : [],
    });
    expect([vf, second, pf].map((device) => s.of(device)?.leaving)).toEqual([pid, null, null]);
    expect(s.shows(`/sys/bus/pci/devices/${pf}/driver`)).toBe('vfio-pci');
    const gone = told(s, { op: 'close', pid, fd: first });
    expect(gone.log).toEqual([...(late ? [] : [`pci ${vf}: Removing from iommu group 0`]), waited(second)]);
    expect(gone.uevents.slice(-3 - Number(late), late ? -1 : undefined)).toEqual([
      'remove vfio 0',
      `unbind pci ${vf}`,
      `remove pci ${vf}`,
    ]);
    expect([s.of(vf)?.present, s.of(pf)?.settings.virtualFunctions]).toEqual([false, 2]);
    s.close(last);
    expect([s.of(second)?.present, s.of(pf)?.settings.virtualFunctions]).toEqual([false, 0]);
    expect(s.state.bus.removing).toEqual([]);
    expect(s.device(pfGroup, pf)).toBeTypeOf('number');
  });

  test('the physical function is locked meanwhile, with all that the bus takes away', () => {
    const s = withSriov(profile);
    const { first, last } = bothOpen(s);
    put(s, 'device.sriov_numvfs', pf, '0');
    const { state } = s;
    const waits = `blocked by ${pid}`;
    expect([
      put(s, 'device.sriov_numvfs', pf, '1'),
      put(s, 'device.enable', pf, '1'),
      put(s, 'device.remove', pf, '1'),
      s.unbind(pf, 'vfio-pci'),
      s.call({ op: 'bus.rescan', pid, text: '1' }),
    ]).toEqual([waits, waits, waits, waits, waits]);
    expect(s.state).toBe(state);
    for (const fd of [first, last]) s.close(fd);
    expect(put(s, 'device.remove', pf, '1')).toBe(1);
  });

  test('a physical function that is removed loses the virtual ones first, and waits for itself then', () => {
    const s = withSriov(profile);
    const { pfGroup, first, last } = bothOpen(s);
    const own = Number(s.device(pfGroup, `${pf} vf_token=${token}`));
    const name = s.of(pf)?.vfio?.name;
    const listed = () => s.shows(`/sys/bus/pci/devices/${pf}/vfio-dev/${name}`);
    put(s, 'device.remove', pf, '1');
    expect([pf, vf, second].map((device) => s.of(device)?.leaving)).toEqual([pid, pid, null]);
    expect([s.shows(`/sys/bus/pci/devices/${pf}/driver`), listed()]).toEqual([null, 'directory']);
    s.close(first);
    expect([s.of(vf)?.present, s.of(second)?.leaving, listed()]).toEqual([false, pid, 'directory']);
    expect(told(s, { op: 'close', pid, fd: last }).log.at(-1)).toBe(waited(pf));
    expect([s.of(second)?.present, s.of(pf)?.present, listed()]).toEqual([
      false,
      true,
      late ? null : 'directory',
    ]);
    s.close(own);
    expect([s.of(pf)?.present, s.state.bus.removing]).toEqual([false, []]);
  });
});

test.each(profilesSince('6.1'))(
  'Linux %s: virtual functions stay when a driver leaves them behind',
  (profile) => {
    const s = withSriov(profile, [{ ...physical, driver: 'pci-pf-stub', drivers: ['pci-pf-stub'] }], {
      drivers: ['vfio-pci', 'pci-pf-stub'],
    });
    put(s, 'device.sriov_numvfs', pf, '1');
    s.override(vf);
    s.bind(vf);
    const d = Number(s.device(opened(s, vf), vf));
    expect(told(s, { op: 'device.remove', pid, device: pf, text: '1' }).log[0]).toBe(
      `pci-pf-stub ${pf}: driver left SR-IOV enabled after remove`,
    );
    expect([s.of(pf)?.present, s.of(vf)?.present, s.of(vf)?.driver]).toEqual([false, true, 'vfio-pci']);
    expect(s.close(d)).toBe(0);
  },
);

test('Linux 4.5: virtual functions of a host driver go without a lock that others wait for', () => {
  const s = withSriov('4.5', [physical, functionAt(single, { iommuGroup: 8 })]);
  put(s, 'device.sriov_numvfs', pf, '1');
  s.override(vf);
  s.bind(vf);
  const d = Number(s.device(opened(s, vf), vf));
  expect(put(s, 'device.sriov_numvfs', pf, '0')).toBe(`blocked by ${pid}`);
  expect(put(s, 'device.remove', single, '1')).toBe(1);
  expect(put(s, 'device.sriov_numvfs', pf, '2')).toBe('EBUSY');
  s.close(d);
  expect([s.of(vf)?.present, s.of(pf)?.settings.virtualFunctions]).toEqual([false, 0]);
});
