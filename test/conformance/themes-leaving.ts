/** What is done with devices while an unbind of them waits for the last descriptor (drivers/vfio/vfio_main.c:vfio_unregister_group_dev). */
import { fileAt } from '../../src/model/files.ts';
import { cdevPath } from '../../src/model/nodes.ts';
import { type Context, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';

/** A device that is open, where there is one; that is leaving, if `leaves`. */
function deviceOf({ cast, world, state, a }: Context, leaves: boolean): string {
  const open = cast.devices.filter((device) => {
    const its = state.devices[world.devices.get(device)?.index ?? -1];
    return its?.vfio && its.vfio.opens + its.vfio.unbound > 0 && (its.leaving !== null) === leaves;
  });
  return pick(open.length > 0 && a % 8 !== 0 ? open : cast.devices, a);
}

/** The lab takes from its devices what they are reset by. */
export const resettable: Maker = (its) => ({
  op: 'device.reset_method',
  pid: its.pid,
  device: pick(its.cast.devices, its.a),
  text: pick(['default', 'default', '\n'], its.b),
});

const unbind: Maker = (its) => ({
  op: 'driver.unbind',
  pid: its.pid,
  driver: 'vfio-pci',
  device: deviceOf(its, false),
});

const openDevice: Maker = (its) => ({
  op: 'group.get_device_fd',
  pid: its.pid,
  fd: pick(surely(its, 'group'), its.b),
  name: deviceOf(its, its.c % 2 === 0),
});

const openNode: Maker = (its) => {
  const vfio = its.state.devices[its.world.devices.get(deviceOf(its, its.c % 2 === 0))?.index ?? -1]?.vfio;
  const group = its.state.groups[vfio?.group ?? -1];
  const nodes = [
    '/dev/iommu',
    ...(vfio ? [cdevPath(vfio)] : []),
    ...(group ? [`/dev/vfio/${group.name}`] : []),
  ];
  return { op: 'open', pid: its.pid, path: pick(nodes, its.b) };
};

const closeDevice: Maker = (its) => ({
  op: 'close',
  pid: its.pid,
  fd: pick(surely(its, pick(['device', 'device', 'device', 'group', 'container'], its.b)), its.a),
});

/** Of those that are not bound, where there are any. */
const bindCdev: Maker = (its) => {
  const { pid, state } = its;
  const all = surely(its, 'device');
  const unbound = all.filter((fd) => {
    const file = fileAt(state, pid, fd);
    return file?.kind === 'device' && file.cdev && file.iommufd === null;
  });
  const fd = pick(unbound.length > 0 ? unbound : all, its.a);
  return { op: 'device.bind_iommufd', pid, fd, iommufd: pick(surely(its, 'iommufd'), its.b), flags: 0 };
};

/** So that other drivers may match. */
const clear: Maker = (its) => ({
  op: 'override.write',
  pid: its.pid,
  device: deviceOf(its, false),
  text: '',
});

const useDevice: Maker = (its) => {
  const on = { pid: its.pid, fd: pick(surely(its, 'device'), its.a) };
  const groups = surely(its, 'group');
  const data = [pick(surely(its, 'eventfd'), its.b)];
  return pick(
    [
      { op: 'device.reset', ...on },
      { op: 'device.hot_reset', ...on, flags: 0, groups: pick([groups, groups.slice(0, 1), []], its.b) },
      { op: 'device.hot_reset_info', ...on, argsz: 1024 },
      { op: 'device.get_info', ...on },
      // The request that the device be given back.
      { op: 'device.set_irqs', ...on, flags: 0x24, index: 4, start: 0, count: 1, data },
    ] as const,
    its.c,
  );
};

const useGroup: Maker = (its) => {
  const on = { pid: its.pid, fd: pick(surely(its, 'group'), its.a) };
  return pick(
    [
      { op: 'group.get_status', ...on },
      { op: 'group.unset_container', ...on },
    ] as const,
    its.b,
  );
};

const pass: Maker = (its) => ({
  op: 'descriptor.pass',
  pid: its.pid,
  fd: pick(surely(its, pick(['device', 'device', 'group'], its.c)), its.a),
  to: pick(its.pids, its.b),
});

const probe: Maker = (its) => ({ op: 'drivers.probe', pid: its.pid, device: deviceOf(its, true) });

/** What wants the lock of the device, and on most kernels waits for it: with that the sequence ends. */
const wantLock: Maker = (its) => {
  const { pid, world, state } = its;
  const device = deviceOf(its, true);
  const hardware = world.devices.get(device);
  const now = state.devices[hardware?.index ?? -1];
  const group = now?.group ?? 99;
  // Who of two drivers that match registered first, nothing tells: an id is given only where that need not be known.
  const stub = now?.override === null && now.leaving !== null;
  return pick(
    [
      { op: 'driver.bind', pid, driver: pick(['vfio-pci', 'pci-stub'], its.c), device },
      { op: 'driver.unbind', pid, driver: 'vfio-pci', device },
      { op: 'override.write', pid, device, text: pick(['', 'vfio-pci', 'pci-stub'], its.c) },
      { op: 'device.enable', pid, device, text: pick(['0', '1', 'x', ''], its.c) },
      { op: 'device.sysfs_reset', pid, device, text: pick(['1', '1', '2', ''], its.c) },
      { op: 'device.reset_method', pid, device, text: pick(['default', '\n'], its.c) },
      { op: 'iommu_group.type', pid, group, text: pick(['DMA', 'identity', 'DMA-FQ'], its.c) },
      {
        ...{ op: 'driver.new_id', pid, driver: 'pci-stub' },
        text: stub ? `${hardware?.vendor} ${hardware?.device}` : 'none',
      },
      { op: 'device.sriov_numvfs', pid, device, text: pick(['0', '1', '9', 'x'], its.c) },
    ] as const,
    its.b,
  );
};

/** What is done with descriptors alone. */
export const holding: readonly Maker[] = [bindCdev, closeDevice, closeDevice, useGroup, pass];

export const meanwhile: readonly Maker[] = [
  ...[unbind, unbind, unbind, openDevice, openDevice, openDevice, openNode, openNode, bindCdev],
  ...[
    closeDevice,
    closeDevice,
    closeDevice,
    useDevice,
    useDevice,
    useDevice,
    useGroup,
    pass,
    probe,
    clear,
    wantLock,
    wantLock,
  ],
  (its) => ({ op: 'close', pid: its.pid, fd: pick(descriptors(its, 'device'), its.a) }),
];
