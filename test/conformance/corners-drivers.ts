/** Scripts about which driver a function is bound to, and physical functions whose driver is not VFIO's. */
import { isLocked } from '../../src/model/device-lock.ts';
import type { Context, Maker } from '../runtime/kernel/random-context.ts';
import {
  about,
  besides,
  bound,
  deviceAt,
  getDevice,
  given,
  hardwareAt,
  held,
  join,
  last,
  methods,
  open,
  opened,
  openGroup,
  root,
  type Script,
  translated,
} from './script.ts';

function hostDriver(its: Context, device: string): string {
  return hardwareAt(its, device)?.drivers[0] ?? 'pci-stub';
}

/** A driver of the host beside a user's. */
const beside = about(
  (its) => translated(its).filter((device) => besides(its, device) !== undefined),
  (device, its) => {
    const other = besides(its, device) ?? device;
    const [unbind, forget, bind] = given(other, hostDriver(its, other));
    return [unbind, forget, ...opened(its, device), bind];
  },
);

/** A group of one device that a user owns, whose DMA shall be queued; it was not when no driver had the device. */
const claimed = about(
  (its) => translated(its).filter((device) => besides(its, device) === undefined),
  (device, its) => {
    const group = deviceAt(its, device)?.group ?? -1;
    const type = (text: string): Maker => {
      return () => ({ op: 'iommu_group.type', pid: root, group, text });
    };
    const [unbind, , bind] = given(device, 'vfio-pci');
    return [unbind, type('DMA'), bind, ...opened(its, device), type('DMA-FQ')];
  },
);

function physical(its: Context): string | undefined {
  return its.cast.devices.find((device) => (hardwareAt(its, device)?.totalVfs ?? 0) > 0);
}

const count = (device: string, text: string): Maker => {
  return () => ({ op: 'device.sriov_numvfs', pid: root, device, text });
};

const unprobed = (device: string): Maker => {
  return () => ({ op: 'device.sriov_autoprobe', pid: root, device, text: '0' });
};

function virtualOf(its: Context, device: string): string {
  return its.cast.devices.find((each) => hardwareAt(its, each)?.physicalFunction === device) ?? device;
}

const allowed: Maker = () => ({
  op: 'parameter.write',
  pid: root,
  module: 'vfio_pci',
  parameter: 'enable_sriov',
  text: 'Y',
});

const onPhysical = (steps: (device: string, its: Context) => readonly Maker[]): Script => {
  return (its) => {
    const device = physical(its);
    return device === undefined ? [] : steps(device, its);
  };
};

export const driverCorners: readonly Script[] = [
  beside,
  claimed,
  // The host's driver leaves the virtual functions when it goes.
  onPhysical((device, its) => {
    const host = hostDriver(its, device);
    return [unprobed(device), ...given(device, host), count(device, '2'), ...given(device, 'vfio-pci', host)];
  }),
  onPhysical((device) => [...given(device, 'pci-stub'), count(device, '1')]),
  // A virtual function without an override, which an id matches.
  onPhysical((device, its) => {
    const virtual = virtualOf(its, device);
    const { vendor, device: model } = hardwareAt(its, device) ?? { vendor: '', device: '' };
    return [
      ...[allowed, unprobed(device), count(device, '1')],
      () => ({ op: 'driver.unbind', pid: root, driver: 'vfio-pci', device: virtual }),
      () => ({ op: 'override.write', pid: root, device: virtual, text: '' }),
      () => ({ op: 'driver.new_id', pid: root, driver: 'vfio-pci', text: `${vendor} ${model}` }),
      () => ({ op: 'driver.bind', pid: root, driver: 'vfio-pci', device: virtual }),
    ];
  }),
];

const token = '8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00';

/** What a device that leaves, or loses its virtual functions, is asked by who has yet to open it. */
export const waitingCorners: readonly Script[] = [
  about(
    (its) => {
      const all = its.world.profile.build.iommufd === 'n' ? [] : translated(its);
      return all.filter((device) => (hardwareAt(its, device)?.resetMethods.length ?? 0) > 0);
    },
    (device) => {
      const [node, bind] = bound(device);
      return [
        ...[methods(device, 'default'), open('/dev/iommu'), node],
        () => ({ op: 'driver.unbind', pid: root, driver: 'vfio-pci', device }),
        bind,
      ];
    },
  ),
  // A reset of the emulated physical function takes its virtual ones away, so there is no way to reset it until one waits.
  onPhysical((device, its) => {
    const virtual = virtualOf(its, device);
    const name = `${device} vf_token=${token}`;
    // Only while somebody waits with its lock is it not reset.
    const reopened: Maker = (now) =>
      isLocked(now.world, now.state, hardwareAt(now, device)?.index ?? -1)
        ? { op: 'group.get_device_fd', pid: root, fd: held(now, 'group')[0] ?? -1, name }
        : { op: 'device.reset_method', pid: root, device, text: '\n' };
    return [
      ...[allowed, methods(device, '\n'), count(device, '1'), ...opened(its, name, device)],
      (now) => ({ op: 'close', pid: root, fd: last(now, 'device') }),
      ...[openGroup(virtual), join('container'), getDevice(`${virtual} vf_token=${token}`)],
      ...[methods(device, 'flr'), count(device, '0'), reopened],
    ];
  }),
];
