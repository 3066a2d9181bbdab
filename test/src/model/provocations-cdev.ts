import { cdevs } from './iommufd-session.ts';
import { functionAt, pair, sibling, single } from './machine.ts';
import { device, type Provocation, pid, plain, reserved, since } from './provocation.ts';
import { otherToken, pf, token, vf } from './provocations-bus.ts';

/** A physical function and a virtual one that vfio-pci has. */
const taken = { driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
export const sharing = [
  functionAt(pf, { ...taken, iommuGroup: 7, sriov: { totalVfs: 1, numVfs: 1 } }),
  functionAt(vf, { ...taken, iommuGroup: 8, physicalFunction: pf }),
];

/** On kernels whose BIND asks for a token. */
function asked(...how: Parameters<typeof cdevs>): Provocation {
  return since('noiommu-cdev', cdevs(...how));
}

export const deviceCdevs: Readonly<Record<string, Provocation>> = {
  'open.cdev-bound': cdevs((s) => {
    s.bound();
    s.tryOpen('8');
  }),
  'file.call.not-bound': cdevs((s) => {
    s.take(single);
    s.call({ op: 'file.call', pid, fd: s.cdev(), call: 'read' });
  }),
  'ioctl.not-bound': cdevs((s) => {
    s.take(single);
    s.ioctl(s.cdev(), 0xdead);
  }),
  'device.bind_iommufd.unknown': plain((s) =>
    s.call({ op: 'device.bind_iommufd', pid, fd: device(s), iommufd: 3, flags: 0 }),
  ),
  'device.bind_iommufd.fault': cdevs((s) => {
    const { d, i } = s.bound();
    s.bindIommufd(d, i, { argsz: null });
  }),
  'device.bind_iommufd.argsz': cdevs((s) => {
    const { d, i } = s.bound();
    s.bindIommufd(d, i, { argsz: 15 });
  }),
  'device.bind_iommufd.flags': cdevs((s) => {
    const { d, i } = s.bound();
    s.bindIommufd(d, i, { flags: 2 });
  }),
  'device.bind_iommufd.group-path': cdevs((s) => {
    const i = s.iommufd();
    s.bindIommufd(device(s), i);
  }),
  'device.bind_iommufd.group-open': cdevs((s) => {
    s.take(single);
    s.open('8');
    s.bindIommufd(s.cdev(), s.iommufd());
  }),
  'device.bind_iommufd.again': cdevs((s) => {
    const { d, i } = s.bound();
    s.bindIommufd(d, i);
  }),
  'device.bind_iommufd.tail': asked((s) => {
    const { d, i } = s.bound();
    s.bindIommufd(d, i, { tail: true });
  }),
  'device.bind_iommufd.token-fault': asked((s) => {
    s.take(single);
    s.bindIommufd(s.cdev(), s.iommufd(), { flags: 1 });
  }),
  'device.bind_iommufd.token-unasked': asked((s) => {
    s.take(single);
    s.bindIommufd(s.cdev(), 99, { flags: 1, token });
  }),
  'device.bind_iommufd.token-required': asked((s) => s.bindIommufd(s.cdev(vf), 99), {}, sharing),
  'device.bind_iommufd.token': asked(
    (s) => s.bindIommufd(s.cdev(vf), 99, { flags: 1, token: otherToken }),
    {},
    sharing,
  ),
  'device.bind_iommufd.descriptor': cdevs((s) => {
    s.take(single);
    s.bindIommufd(s.cdev(), 99);
  }),
  'device.bind_iommufd.no-iommufd': cdevs((s) => {
    s.take(single);
    s.bindIommufd(s.cdev(), s.open('vfio'));
  }),
  'device.bind_iommufd.taken': cdevs((s) => {
    const { i } = s.bound();
    s.bindIommufd(s.cdev(), i);
  }),
  'device.bind_iommufd.interrupts': cdevs((s) => s.bound(), {
    iommu: { units: ['dmar0'], interruptRemapping: false, groups: [] },
  }),
  'device.bind_iommufd.owned': cdevs((s) => {
    s.take(pair);
    s.take(sibling);
    s.bindIommufd(s.cdev(pair), s.iommufd());
    s.bindIommufd(s.cdev(sibling), s.iommufd());
  }),
  'device.bind_iommufd.firmware': cdevs((s) => s.bound(), reserved),
};
