import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { cdevs } from './iommufd-session.ts';
import { functionAt, pair, sibling, single, snapshotOf } from './machine.ts';
import { device, later, on, type Provocation, pid, plain, since } from './provocation.ts';
import { opened, openedVirtual, pf, physical, put, token, withSriov } from './provocations-bus.ts';
import type { Session } from './session.ts';
import { realInContainer } from './vector.ts';

/** Calls that meet a device while an unbind of it waits for its descriptor. */

/** The device is open, and the unbind waits. */
export function leaving(s: Session): { g: number; d: number } {
  const { g } = realInContainer(s, 3);
  const d = Number(s.device(g, single));
  s.unbind(single, 'vfio-pci');
  return { g, d };
}

/** The host's driver is not loaded. */
const withoutHost: Partial<Snapshot> = {
  drivers: ['pci-stub', 'vfio-pci'],
  modules: Object.fromEntries(Object.entries(snapshotOf().modules).filter(([name]) => name !== 'e1000e')),
};

function loadHost(s: Session, ...parameters: readonly string[]): void {
  const { g } = realInContainer(s, 3);
  s.device(g, single);
  s.override(single, '');
  s.unbind(single, 'vfio-pci');
  s.call({ op: 'module.load', pid, module: 'e1000e', parameters });
}

export const leavers: Readonly<Record<string, Provocation>> = {
  'override.write.leaving': (profile) =>
    profile === '6.1'
      ? plain((s) => {
          leaving(s);
          s.override(single, 'e1000e');
        })(profile)
      : null,
  'driver.bind.leaving': later((s) => {
    leaving(s);
    s.bind(single);
  }),
  'driver.new_id.leaving': plain((s) => {
    const { g } = realInContainer(s, 3);
    s.device(g, single);
    s.override(single, '');
    s.unbind(single, 'vfio-pci');
    s.call({ op: 'driver.new_id', pid, driver: 'pci-stub', text: '8086 10d3' });
  }),
  'module.load.leaving': on(
    [functionAt(single, { iommuGroup: 8, driver: 'vfio-pci' })],
    (s) => loadHost(s),
    withoutHost,
  ),
  'device.enable.leaving': later((s) => {
    leaving(s);
    put(s, 'device.enable', single, '1');
  }),
  'device.sysfs_reset.leaving': plain((s) => {
    leaving(s);
    put(s, 'device.sysfs_reset', single, '1');
  }),
  'device.sriov_numvfs.leaving': since('6.1', (profile) => {
    const s = withSriov(profile);
    s.unbind(pf, 'igb');
    s.take(pf);
    s.device(opened(s, pf), pf);
    s.unbind(pf, 'vfio-pci');
    put(s, 'device.sriov_numvfs', pf, '1');
    return s;
  }),
  'device.remove.again': plain((s) => {
    device(s);
    put(s, 'device.remove', single, '1');
    put(s, 'device.remove', single, '1');
  }),
  'device.remove.removing': plain((s) => {
    device(s);
    put(s, 'device.remove', single, '1');
    put(s, 'device.remove', pair, '1');
  }),
  'bus.rescan.removing': plain((s) => {
    device(s);
    put(s, 'device.remove', single, '1');
    s.call({ op: 'bus.rescan', pid, text: '1' });
  }),
  'device.sriov_numvfs.removing': since('6.1', (profile) => {
    const s = withSriov(profile, [physical, functionAt(single, { iommuGroup: 8 })]);
    device(s);
    put(s, 'device.remove', single, '1');
    put(s, 'device.sriov_numvfs', pf, '1');
    return s;
  }),
  'group.get_device_fd.leaving': since('6.1', (profile) => {
    const s = withSriov(profile);
    const { pfGroup } = openedVirtual(s);
    put(s, 'device.sriov_numvfs', pf, '0');
    s.device(pfGroup, `${pf} vf_token=${token}`);
    return s;
  }),
  'iommu_group.type.leaving': (profile) =>
    profile === '6.1'
      ? plain((s) => {
          leaving(s);
          s.call({ op: 'iommu_group.type', pid, group: 8, text: 'identity' });
        })(profile)
      : null,
  'device.bind_iommufd.leaving': cdevs((s) => {
    s.take(single);
    const d = s.cdev();
    s.unbind(single, 'vfio-pci');
    s.bindIommufd(d, s.iommufd());
  }),
  'device.reset.leaving': plain((s) => {
    const { d } = leaving(s);
    s.call({ op: 'device.reset', pid, fd: d });
  }),
  'device.hot_reset.leaving': plain((s) => {
    const { d, g } = leaving(s);
    s.call({ op: 'device.hot_reset', pid, fd: d, flags: 0, groups: [g] });
  }),
};

/** Beside the lock something else is wrong, which the kernel sees before or would see after. */
export const leavingWrongs: readonly Provocation[] = [
  later((s) => {
    leaving(s);
    s.bind(single, 'e1000e');
  }),
  later((s) => {
    const { d } = leaving(s);
    put(s, 'device.reset_method', single, '\n');
    put(s, 'device.sysfs_reset', single, '1');
    s.call({ op: 'device.reset', pid, fd: d });
  }),
  plain((s) => {
    const { g } = realInContainer(s, 3);
    s.call({ op: 'device.reset_method', pid, device: single, text: '\n' });
    const d = Number(s.device(g, single));
    s.unbind(single, 'vfio-pci');
    s.call({ op: 'device.reset', pid, fd: d });
  }),
  plain((s) => {
    const { g } = realInContainer(s, 3);
    s.device(g, single);
    s.override(single, '');
    const stub = { op: 'driver.new_id', pid, driver: 'pci-stub', text: '8086 10d3' } as const;
    s.call(stub);
    s.unbind(single, 'vfio-pci');
    s.call(stub);
  }),
  plain((s) => {
    const { d, g } = leaving(s);
    const index = s.world.devices.get(single)?.index ?? -1;
    const hardware = s.world.hardware.map((its) =>
      its.index === index ? { ...its, linkStaysDown: true } : its,
    );
    const devices = new Map(hardware.map((its) => [its.address, its]));
    s.world = { ...s.world, hardware, devices };
    s.call({ op: 'device.hot_reset', pid, fd: d, flags: 0, groups: [g] });
    s.call({ op: 'device.hot_reset', pid, fd: d, flags: 0, groups: [d] });
  }),
  plain((s) => {
    s.take(pair);
    s.take(sibling);
    s.device(opened(s, pair), pair);
    s.unbind(pair, 'vfio-pci');
    s.call({ op: 'iommu_group.type', pid, group: 7, text: 'identity' });
  }),
  on([functionAt(single, { iommuGroup: 8, driver: 'vfio-pci' })], (s) => loadHost(s, 'x=1'), withoutHost),
];
