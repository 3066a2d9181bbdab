import { describe, expect, test } from 'vitest';
import { undoOf } from '../../../src/model/undo.ts';
import { IommufdSession, iommufdWorld } from './iommufd-session.ts';
import { bare, functionAt, pair, sibling, single } from './machine.ts';
import { pid } from './provocation.ts';
import { opened, pf, put, token, vf } from './provocations-bus.ts';
import { hostGoes, unload, variantHolds } from './provocations-unloading.ts';
import type { Session } from './session.ts';
import { told } from './telling.ts';

/** Modules whose unloading waits for an open device: what is done by then, what others may do, and how it goes on. */

const waits = 'blocked by 0';
const waited = (device: string) =>
  `vfio-pci ${device}: No device request channel registered, blocked until released by user`;
const unloading = { op: 'module.unload', pid, module: 'vfio_pci' } as const;

function link(s: Session, device: string): string | null {
  return s.shows(`/sys/bus/pci/devices/${device}/driver`);
}

/** Three devices with vfio-pci, bound in this order, and a cdev of the second one open. */
function three(): { s: IommufdSession; d: number } {
  const s = new IommufdSession('6.12');
  for (const device of [single, sibling, pair]) s.take(device);
  return { s, d: s.cdev(sibling) };
}

describe('vfio_pci, of which a cdev is open that is not bound', () => {
  test('what it took last is let go of, the open one is leaving, and the others are there yet', () => {
    const { s } = three();
    expect(told(s, unloading)).toEqual({
      log: [waited(sibling)],
      uevents: ['remove vfio-dev vfio2', `unbind pci ${pair}`, 'remove vfio-dev vfio1'],
    });
    expect([pair, sibling, single].map((device) => link(s, device))).toEqual([null, null, 'vfio-pci']);
    expect([pair, sibling, single].map((device) => s.of(device)?.driver)).toEqual([
      null,
      'vfio-pci',
      'vfio-pci',
    ]);
    expect(s.of(sibling)?.leaving).toBe(pid);
    const drivers = '/sys/bus/pci/drivers/vfio-pci';
    expect([drivers, `${drivers}/${single}`, `${drivers}/${sibling}`].map((path) => s.shows(path))).toEqual([
      'directory',
      single,
      null,
    ]);
    expect(s.shows('/sys/module/vfio_pci/initstate')).toBe('going');
    expect(s.shows('/sys/module/vfio/initstate')).toBe('live');
    expect(undoOf(s.world, s.state, unloading)).toHaveProperty('none');
  });

  test('nobody else unloads, loads or uses it, and its driver takes nothing', () => {
    const { s, d } = three();
    unload(s, 'vfio_pci');
    const { bus } = s.state;
    expect([unload(s, 'vfio_pci'), unload(s, 'vfio-pci'), unload(s, 'vfio_pci_core')]).toEqual([
      'EBUSY',
      'EBUSY',
      'EAGAIN',
    ]);
    const load = { op: 'module.load', pid, module: 'vfio_pci', parameters: ['ids=x'] } as const;
    expect([s.call(load), s.call({ ...load, pid: 100 })]).toEqual(['EBUSY', 'EPERM']);
    expect([s.bind(pair), s.unbind(single, 'vfio-pci')]).toEqual(['ENOENT', 'ENOENT']);
    expect(s.call({ op: 'driver.new_id', pid, driver: 'vfio-pci', text: '8086 10d3' })).toBe('ENOENT');
    expect(s.call({ op: 'drivers.probe', pid, device: pair })).toBe(pair.length);
    expect([s.of(pair)?.driver, s.device(opened(s, single), single)]).toEqual([null, 'ENODEV']);
    expect(s.bindIommufd(d, s.iommufd())).toBe('ENODEV');
    expect(
      s.call({ op: 'parameter.write', pid, module: 'vfio_pci', parameter: 'nointxmask', text: 'Y' }),
    ).toBe(1);
    expect(s.state.bus).toEqual(bus);
  });

  test('the last close goes on to the next device that is open, and then the module is gone', () => {
    const { s, d } = three();
    unload(s, 'vfio_pci');
    const later = s.cdev(single);
    expect(told(s, { op: 'close', pid, fd: d })).toEqual({
      log: [waited(single)],
      uevents: ['remove vfio 7', `unbind pci ${sibling}`, 'remove vfio-dev vfio0'],
    });
    expect([sibling, single].map((device) => s.of(device)?.leaving)).toEqual([null, pid]);
    expect(s.shows('/sys/module/vfio_pci')).toBe('directory');
    expect(told(s, { op: 'close', pid, fd: later }).uevents).toEqual([
      'remove vfio 8',
      `unbind pci ${single}`,
      'remove drivers vfio-pci',
      'remove module vfio_pci',
    ]);
    expect([s.shows('/sys/module/vfio_pci'), s.shows('/sys/bus/pci/drivers/vfio-pci')]).toEqual([null, null]);
    expect([s.state.bus.unloading, s.state.bus.bound.includes(0)]).toEqual([[], false]);
    expect(s.call({ op: 'module.load', pid, module: 'vfio_pci' })).toBe(0);
  });

  test('what the same call unloads after it goes then, as far as it is not in use by then', () => {
    const variant = functionAt(single, { iommuGroup: 8, drivers: ['e1000e', 'mlx5-vfio-pci'] });
    for (const inUse of [false, true]) {
      const s = new IommufdSession('6.12', iommufdWorld('6.12', {}, [variant]));
      s.take(single);
      const d = s.cdev(single);
      expect(unload(s, 'vfio_pci', 'vfio_pci_core', 'vfio_iommu_type1', 'vfio')).toBe('EAGAIN');
      expect(unload(s, 'vfio_pci', 'vfio_pci_core', 'vfio_iommu_type1')).toBe(waits);
      if (inUse) expect(s.call({ op: 'module.load', pid, module: 'mlx5_vfio_pci' })).toBe(0);
      s.close(d);
      const modules = ['vfio_pci', 'vfio_pci_core', 'vfio_iommu_type1'];
      const left = inUse ? 'directory' : null;
      expect(modules.map((name) => s.shows(`/sys/module/${name}`))).toEqual([null, left, left]);
      expect(s.state.bus.unloading).toEqual([]);
    }
  });

  test('an unbind that waits has the lock, and the unload goes on behind it', () => {
    const { s, d } = three();
    expect([s.unbind(sibling, 'vfio-pci'), unload(s, 'vfio_pci')]).toEqual([waits, waits]);
    // Nothing is let go of, and the driver is on the bus, while the file that is written to stays.
    expect([link(s, pair), link(s, single)]).toEqual(['vfio-pci', 'vfio-pci']);
    const id = (op: 'driver.new_id' | 'driver.remove_id', text: string) =>
      s.call({ op, pid, driver: 'vfio-pci', text });
    expect([s.unbind(pair, 'vfio-pci'), s.bind(bare)]).toEqual(['ENOENT', 'ENOENT']);
    expect([id('driver.remove_id', '1 2'), id('driver.new_id', '1 2')]).toEqual(['ENODEV', waits]);
    s.unbind(bare);
    s.override(bare, 'vfio-pci');
    s.parameter('Y');
    s.call({ op: 'drivers.probe', pid, device: bare });
    expect([s.of(bare)?.driver, s.shows('/sys/module/vfio_pci/initstate')]).toEqual(['vfio-pci', 'going']);
    s.close(d);
    expect([pair, single, bare].map((device) => link(s, device))).toEqual([null, null, null]);
    expect([s.shows('/sys/module/vfio_pci'), s.state.bus.unbinding]).toEqual([null, []]);
  });
});

describe.each(['6.1', '6.12'] as const)('Linux %s', (profile) => {
  test("a host's driver waits for a virtual function of another one", () => {
    const s = hostGoes(profile);
    expect([pf, vf].map((device) => s.of(device)?.leaving)).toEqual([0, 0]);
    expect([link(s, pf), s.shows('/sys/module/igb/initstate')]).toEqual([null, 'going']);
    expect(s.bind(pf, 'igb')).toBe('ENOENT');
    const [fd] = s.state.files.flatMap((file, place) => (file?.kind === 'device' ? [place] : []));
    const table = s.state.descriptors.find((its) => its.pid === pid)?.files ?? [];
    s.close(table.indexOf(fd ?? -1) + 3);
    expect([s.of(vf)?.present, s.of(pf)?.driver, s.shows('/sys/module/igb')]).toEqual([false, null, null]);
  });

  test('a device that only its module keeps from being opened says so before its lock does', () => {
    const { s, pfGroup } = variantHolds(profile);
    expect(s.device(pfGroup, `${pf} vf_token=${token}`)).toBe('ENODEV');
    expect(put(s, 'device.sriov_numvfs', pf, '1')).toBe(waits);
  });
});
