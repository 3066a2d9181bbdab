import { describe, expect, test } from 'vitest';
import { logOf } from '../../../src/model/log.ts';
import type { Op } from '../../../src/model/op.ts';
import { step } from '../../../src/model/step.ts';
import { ueventsOf } from '../../../src/model/uevents.ts';
import { ROOT } from '../../../src/model/world.ts';
import { IommufdSession, iommufdWorld } from './iommufd-session.ts';
import { bare, functionAt, pair, sibling, single, snapshotOf, testWorld } from './machine.ts';
import {
  opened,
  openedVirtual,
  otherToken,
  pf,
  physical,
  shared,
  vf,
  withSriov,
} from './provocations-bus.ts';
import { Session } from './session.ts';

/** What the kernel says of an operation: to its log, and to udev. */
function told(s: Session, op: Op): { log: readonly string[]; uevents: readonly string[] } {
  const outcome = step(s.world, s.state, op);
  const log = logOf(s.world, s.state, op, outcome, 'test');
  const uevents = ueventsOf(s.world, s.state, op, outcome.state).map(
    ({ action, name, node, driver }) =>
      `${action} ${node ?? name}${driver === undefined ? '' : ` ${driver}`}`,
  );
  s.state = outcome.state;
  return { log, uevents };
}

const bind = (device: string, driver = 'vfio-pci'): Op => ({ op: 'driver.bind', pid: ROOT, driver, device });
const unbind = (device: string, driver = 'vfio-pci'): Op => ({
  op: 'driver.unbind',
  pid: ROOT,
  driver,
  device,
});
const numvfs = (text: string): Op => ({ op: 'device.sriov_numvfs', pid: ROOT, device: pf, text });

describe.each(['6.1', '6.12'] as const)('Linux %s', (profile) => {
  test('of a device without an IOMMU that comes and goes', () => {
    const s = new Session(profile);
    s.unbind(bare);
    s.override(bare);
    const failed = {
      '6.1': `vfio-pci: probe of ${bare} failed with error -22`,
      '6.12': `vfio-pci ${bare}: probe with driver vfio-pci failed with error -22`,
    };
    expect(told(s, bind(bare))).toEqual({ log: [failed[profile]], uevents: [] });
    expect(told(s, { op: 'drivers.probe', pid: ROOT, device: bare })).toEqual({
      log: [failed[profile]],
      uevents: [],
    });
    s.parameter('Y');
    expect(told(s, bind(bare))).toEqual({
      log: [
        `vfio-pci ${bare}: Adding to iommu group 0`,
        `vfio-pci ${bare}: Adding kernel taint for vfio-noiommu group on device`,
      ],
      uevents: ['add vfio/noiommu-0', 'add vfio0', `bind ${bare} vfio-pci`],
    });
    expect(told(s, unbind(bare))).toEqual({
      log: [`vfio-pci ${bare}: Removing from iommu group 0`],
      uevents: ['remove vfio0', 'remove vfio/noiommu-0', `unbind ${bare}`],
    });
  });

  test('of a group whose first device comes and whose last one goes', () => {
    const s = new Session(profile);
    s.unbind(pair);
    s.unbind(sibling);
    for (const device of [pair, sibling]) s.override(device);
    expect(told(s, bind(pair)).uevents).toEqual(['add vfio/7', 'add vfio0', `bind ${pair} vfio-pci`]);
    expect(told(s, bind(sibling)).uevents).toEqual(['add vfio1', `bind ${sibling} vfio-pci`]);
    expect(told(s, unbind(pair)).uevents).toEqual(['remove vfio0', `unbind ${pair}`]);
    expect(told(s, unbind(sibling)).uevents).toEqual(['remove vfio1', 'remove vfio/7', `unbind ${sibling}`]);
  });

  test('of virtual functions', () => {
    const s = withSriov(profile);
    const no = `igb ${pf}: 1 VFs already enabled. Disable before enabling 2 VFs`;
    expect(told(s, numvfs('1'))).toEqual({
      log: [`pci ${vf}: Adding to iommu group 0`],
      uevents: [`add ${vf}`, `change ${vf}`, `change ${pf} igb`],
    });
    expect(told(s, numvfs('2'))).toEqual({ log: [no], uevents: [] });
    expect(told(s, numvfs('0'))).toEqual({
      log: leaving(s, `pci ${vf}: Removing from iommu group 0`),
      uevents: [`remove ${vf}`],
    });
    shared(s, 0);
    expect(told(s, numvfs('1'))).toEqual({
      log: [`pci ${vf}: Adding to iommu group 0`, `vfio-pci ${pf}: Captured SR-IOV VF ${vf} driver_override`],
      uevents: [
        `add ${vf}`,
        `change ${vf}`,
        'add vfio/0',
        'add vfio1',
        `bind ${vf} vfio-pci`,
        `change ${pf} vfio-pci`,
      ],
    });
    expect(told(s, unbind(pf)).uevents).toEqual([
      'remove vfio1',
      'remove vfio/0',
      `unbind ${vf}`,
      `remove ${vf}`,
      'remove vfio0',
      'remove vfio/7',
      `unbind ${pf}`,
    ]);
  });

  test('of tokens, and of a device that somebody has open', () => {
    const s = withSriov(profile);
    const { pfGroup, vfGroup } = openedVirtual(s);
    const open = (fd: number, name: string): Op => ({ op: 'group.get_device_fd', pid: ROOT, fd, name });
    expect(told(s, open(vfGroup, vf)).log).toEqual([`vfio-pci ${vf}: VF token required to access device`]);
    expect(told(s, open(pfGroup, `${pf} vf_token=${otherToken}`)).log).toEqual([
      `vfio-pci ${pf}: Incorrect VF token provided for device`,
    ]);
    const waits = `vfio-pci ${vf}: No device request channel registered, blocked until released by user`;
    expect(told(s, numvfs('0'))).toEqual({
      log: [waits],
      uevents: profile === '6.12' ? ['remove vfio1'] : [],
    });
    // It waits for the lock of the function, and asks nobody.
    expect(told(s, unbind(pf))).toEqual({ log: [], uevents: [] });
  });

  test('of a device that is removed and found again', () => {
    const s = new Session(profile);
    expect(told(s, { op: 'device.remove', pid: ROOT, device: single, text: '1' })).toEqual({
      log: leaving(s, `pci ${single}: Removing from iommu group 8`),
      uevents: [`unbind ${single}`, `remove ${single}`],
    });
    expect(told(s, { op: 'bus.rescan', pid: ROOT, text: '1' })).toEqual({
      log: [`pci ${single}: Adding to iommu group 0`],
      uevents: [`add ${single}`, `bind ${single} e1000e`],
    });
  });

  test('of ways to reset', () => {
    const s = new Session(profile);
    const write = (text: string) =>
      told(s, { op: 'device.reset_method', pid: ROOT, device: pair, text }).log.map((line) => line.slice(21));
    expect([write('\n'), write('default'), write('nope flr'), write('pm')]).toEqual([
      ['All device reset methods disabled by user'],
      [],
      ["Invalid reset method 'nope'"],
      ["Unsupported reset method 'pm'"],
    ]);
  });

  test('of a model that vfio-pci denies, until it is told otherwise', () => {
    const denied = functionAt(pair, { device: '37c8', iommuGroup: 7 });
    const s = new Session(profile, testWorld(profile, snapshotOf([denied])));
    s.unbind(pair);
    s.override(pair);
    expect(told(s, bind(pair)).log[0]).toBe(
      `vfio-pci ${pair}: 8086:37c8 exists in vfio-pci device denylist, driver probing disallowed.`,
    );
  });

  test('of modules: a driver is told of when it has taken what matches it', () => {
    const without = snapshotOf(
      [functionAt(pair, { driver: null, driverOverride: 'vfio-pci', iommuGroup: 7 })],
      {
        modules: {},
        nodes: [],
        drivers: [],
      },
    );
    const s = new Session(profile, testWorld(profile, without));
    const load = told(s, { op: 'module.load', pid: ROOT, module: 'vfio-pci' });
    expect(load.log).toEqual(['VFIO - User Level meta-driver version: 0.3']);
    expect(load.uevents.filter((event) => !event.includes('virqfd'))).toEqual([
      'add vfio',
      'add vfio/vfio',
      'add vfio_iommu_type1',
      'add vfio_pci_core',
      'add vfio_pci',
      'add vfio/7',
      'add vfio0',
      `bind ${pair} vfio-pci`,
      'add vfio-pci',
    ]);
  });
});

test('a physical function with virtual ones is told why it cannot come', () => {
  const s = withSriov('6.12', [{ ...physical, driver: 'pci-pf-stub', drivers: ['pci-pf-stub'] }], {
    drivers: ['vfio-pci', 'pci-pf-stub'],
  });
  told(s, numvfs('1'));
  s.unbind(pf, 'pci-pf-stub');
  s.override(pf);
  expect(told(s, bind(pf)).log).toEqual([
    `vfio-pci ${pf}: Cannot bind to PF with SR-IOV enabled`,
    `vfio-pci ${pf}: probe with driver vfio-pci failed with error -16`,
  ]);
});

test('a group that a user owns is not in its default domain, as 6.1 says', () => {
  const s = new Session('6.1');
  s.take(single);
  opened(s, single);
  const queued: Op = { op: 'iommu_group.type', pid: ROOT, group: 8, text: 'DMA-FQ' };
  expect(step(s.world, s.state, queued).result).toMatchObject({ guard: 'iommu_group.type.claimed' });
  expect(told(s, queued).log).toEqual([`vfio-pci ${single}: Group not assigned to default domain`]);
});

test('iommufd says of each device that it takes that its interrupts are not isolated, once it may take one', () => {
  const unsafe = { units: ['dmar0'], interruptRemapping: false, groups: [] };
  const s = new IommufdSession('6.12', iommufdWorld('6.12', { iommu: unsafe }));
  const line = `vfio-pci ${single}: MSI interrupts are not secure, they cannot be isolated by the platform. Check that platform features like interrupt remapping are enabled. Use the "allow_unsafe_interrupts" module parameter to override`;
  s.take(single);
  const [d, i] = [s.cdev(), s.iommufd()];
  const bound = (iommufd: number): Op => ({ op: 'device.bind_iommufd', pid: ROOT, fd: d, iommufd, flags: 0 });
  expect(told(s, bound(i)).log).toEqual([]);
  const parameter = 'allow_unsafe_interrupts';
  s.result({ op: 'parameter.write', pid: ROOT, module: 'iommufd', parameter, text: 'Y' });
  expect([told(s, bound(99)).log, told(s, bound(i)).log, told(s, bound(i)).log]).toEqual([[], [line], []]);
  s.result({ op: 'close', pid: ROOT, fd: d });
  const g = s.open('8');
  s.setContainer(g, s.iommufd());
  const opened: Op = { op: 'group.get_device_fd', pid: ROOT, fd: g, name: single };
  expect([told(s, opened).log, told(s, opened).log]).toEqual([[line], []]);
});

test('what is asked of another kind of file says what its number means there', () => {
  const unsafe = { units: ['dmar0'], interruptRemapping: false, groups: [] };
  const s = new IommufdSession('6.12', iommufdWorld('6.12', { iommu: unsafe }));
  s.take(single);
  const [c, g, i] = [s.open('vfio'), s.open('8'), s.iommufd()];
  s.setContainer(g, c);
  const asked = (fd: number): Op => ({ op: 'iommufd.set_iommu', pid: ROOT, fd, type: 1 });
  expect(told(s, asked(c)).log).toEqual([expect.stringContaining('No interrupt remapping support.')]);
  expect(told(s, { op: 'container.set_iommu', pid: ROOT, fd: i, type: 1 }).log).toEqual([]);
});

/** What a device says of a real group that it leaves by going away: nothing from 6.12 on. */
function leaving(s: Session, line: string): readonly string[] {
  return s.world.profile.logsLeaving ? [line] : [];
}
