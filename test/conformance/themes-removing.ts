/** What is done while devices are taken away, and somebody has them open (drivers/pci/remove.c, drivers/pci/iov.c). */

import { isLocked } from '../../src/model/device-lock.ts';
import { fileAt } from '../../src/model/files.ts';
import { cdevPath } from '../../src/model/nodes.ts';
import type { Op } from '../../src/model/op.ts';
import type { OpenFile } from '../../src/model/state.ts';
import { type Context, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { physicalOf } from './themes-functions.ts';

function stateOf({ state, world }: Context, device: string) {
  return state.devices[world.devices.get(device)?.index ?? -1];
}

/** A device that is open, where there is one. */
function openOne(its: Context): string {
  const open = its.cast.devices.filter((device) => {
    const vfio = stateOf(its, device)?.vfio;
    return vfio && vfio.opens + vfio.unbound > 0;
  });
  return pick(open.length > 0 && its.a % 8 !== 0 ? open : its.cast.devices, its.a);
}

/** One whose lock somebody has who waits, where there is one: it is leaving, or its virtual functions are. */
function lockedOne(its: Context): string {
  const { bus } = its.state;
  const locked = its.cast.devices.filter((device) => {
    const index = its.world.devices.get(device)?.index;
    return stateOf(its, device)?.leaving !== null || bus.removing.some((each) => each.device === index);
  });
  const there = locked.filter((device) => stateOf(its, device)?.present);
  return pick(there.length > 0 && its.a % 8 !== 0 ? there : its.cast.devices, its.a);
}

const token = '8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00';

/** The next step to a device that is open, in a container that is there or yet to be opened; null: it is. */
function towards(its: Context, device: string, name: string): Op | null {
  const { pid, state } = its;
  const vfio = stateOf(its, device)?.vfio;
  const group = state.groups[vfio?.group ?? -1];
  if (!vfio || !group || vfio.opens > 0) return null;
  const [container, fd] = [
    ofKind(its, 'container')[0],
    ofKind(its, 'group').find((each) => groupAt(its, each) === group),
  ];
  if (container === undefined) return { op: 'open', pid, path: '/dev/vfio/vfio' };
  if (fd === undefined) return { op: 'open', pid, path: `/dev/vfio/${group.name}` };
  if (group.container === null) return { op: 'group.set_container', pid, fd, container };
  if (state.containers[group.container]?.iommu === null)
    return { op: 'container.set_iommu', pid, fd: container, type: pick([1, 3], its.a) };
  return { op: 'group.get_device_fd', pid, fd, name };
}

function ofKind(its: Context, kind: OpenFile['kind']): readonly number[] {
  return surely(its, kind).filter((fd) => fileAt(its.state, its.pid, fd)?.kind === kind);
}

function groupAt({ state, pid }: Context, fd: number) {
  const file = fileAt(state, pid, fd);
  return file?.kind === 'group' ? state.groups[file.group] : undefined;
}

/**
 * Towards open virtual functions, the way to which is by the token of their physical one; where there are none, nothing. A
 * reset of the physical one takes the emulated others away from under the kernel, which then looks for them for a minute.
 */
export const openFunctions: Maker = (its) => {
  const { pid, state } = its;
  const owner = physicalOf(its);
  const now = stateOf(its, owner);
  if (isPhysical(its, owner) && now?.settings.resetMethods.length !== 0)
    return { op: 'device.reset_method', pid, device: owner, text: '\n' };
  const known = now?.vfio?.token != null;
  const spare = ofKind(its, 'device').find((each) => {
    const file = fileAt(state, pid, each);
    return file?.kind === 'device' && its.world.hardware[file.device]?.address === owner;
  });
  if (known && spare !== undefined && its.b % 8 !== 0) return { op: 'close', pid, fd: spare };
  const virtual = its.cast.devices.filter(
    (device) => its.world.devices.get(device)?.physicalFunction === owner,
  );
  const next = known
    ? virtual.map((device) => towards(its, device, `${device} vf_token=${token}`)).find((op) => op !== null)
    : virtual.length > 0
      ? towards(its, owner, `${owner} vf_token=${token}`)
      : null;
  return next ?? { op: 'drivers.probe', pid, device: owner };
};

function isPhysical({ world }: Context, device: string): boolean {
  return (world.devices.get(device)?.totalVfs ?? null) !== null;
}

/** Whether a reset of it would be one: it is no function with others, or somebody who waits has its lock. */
function mayBeReset(its: Context, device: string): boolean {
  const hardware = its.world.devices.get(device);
  return hardware?.sriov !== true || isLocked(its.world, its.state, hardware.index);
}

const remove: Maker = (its) => ({
  op: 'device.remove',
  pid: its.pid,
  device: its.b % 4 === 0 ? physicalOf(its) : openOne(its),
  text: pick(['1', '1', '1\n', '0', ''], its.c),
});

/** 0 for the most part. */
const count: Maker = (its) => ({
  op: 'device.sriov_numvfs',
  pid: its.pid,
  device: physicalOf(its),
  text: pick(['0', '0', '0', '0\n', '1', '2', '3', '9', 'x', ''], its.b),
});

const unbind: Maker = (its) => ({
  op: 'driver.unbind',
  pid: its.pid,
  driver: 'vfio-pci',
  device: its.b % 3 === 0 ? physicalOf(its) : openOne(its),
});

/** With what follows the name of a virtual function that is opened with the token of its physical one. */
const openDevice: Maker = (its) => {
  const device = its.c % 2 === 0 ? lockedOne(its) : pick(its.cast.devices, its.a);
  const resets = stateOf(its, device)?.settings.resetMethods.length !== 0;
  if (isPhysical(its, device) && resets && !mayBeReset(its, device))
    return { op: 'device.reset_method', pid: its.pid, device, text: '\n' };
  const known = stateOf(its, physicalOf(its))?.vfio?.token === token;
  const shared = its.world.devices.get(device)?.sriov === true && known && its.b % 8 !== 0;
  return {
    op: 'group.get_device_fd',
    pid: its.pid,
    fd: pick(surely(its, 'group'), its.b),
    name: shared ? `${device} vf_token=${token}` : device,
  };
};

const openNode: Maker = (its) => {
  const vfio = stateOf(its, its.c % 2 === 0 ? lockedOne(its) : pick(its.cast.devices, its.a))?.vfio;
  const group = its.state.groups[vfio?.group ?? -1];
  const nodes = [
    '/dev/vfio/vfio',
    ...(vfio ? [cdevPath(vfio)] : []),
    ...(group ? [`/dev/vfio/${group.name}`, `/dev/vfio/${group.name}`] : []),
  ];
  return { op: 'open', pid: its.pid, path: pick(nodes, its.b) };
};

const join: Maker = (its) => ({
  op: 'group.set_container',
  pid: its.pid,
  fd: pick(surely(its, 'group'), its.a),
  container: pick(surely(its, 'container'), its.b),
});

const closeDevice: Maker = (its) => ({
  op: 'close',
  pid: its.pid,
  fd: pick(surely(its, pick(['device', 'device', 'device', 'group'], its.b)), its.a),
});

const useDevice: Maker = (its) => {
  const on = { pid: its.pid, fd: pick(surely(its, 'device'), its.a) };
  const file = fileAt(its.state, its.pid, on.fd);
  const device = its.world.hardware[file?.kind === 'device' ? file.device : -1]?.address ?? '';
  if (!mayBeReset(its, device)) return { op: 'device.get_info', ...on };
  const groups = surely(its, 'group');
  const data = [pick(surely(its, 'eventfd'), its.b)];
  return pick(
    [
      { op: 'device.reset', ...on },
      { op: 'device.hot_reset', ...on, flags: 0, groups: pick([groups, groups.slice(0, 1), []], its.b) },
      { op: 'device.get_info', ...on },
      { op: 'device.set_irqs', ...on, flags: 0x24, index: 4, start: 0, count: 1, data },
      { op: 'group.get_status', pid: its.pid, fd: pick(surely(its, 'group'), its.a) },
    ] as const,
    its.c,
  );
};

/** What waits for nobody. */
const lookOn: Maker = (its) => {
  const { pid } = its;
  const device = lockedOne(its);
  return pick(
    [
      { op: 'drivers.probe', pid, device },
      { op: 'device.remove', pid, device, text: '0' },
      { op: 'bus.rescan', pid, text: '0' },
      { op: 'device.sriov_autoprobe', pid, device: physicalOf(its), text: pick(['0', '1'], its.c) },
      {
        op: 'device.reset_method',
        pid,
        device,
        text: mayBeReset(its, device) && its.c % 4 > 0 ? 'default' : '\n',
      },
      { op: 'driver.bind', pid, driver: 'nvme', device },
    ] as const,
    its.b,
  );
};

/** What waits for the lock of a device, or for that of the bus: with that the sequence ends, where nothing of it is begun. */
const wantLock: Maker = (its) => {
  const { pid } = its;
  const device = lockedOne(its);
  const hardware = its.world.devices.get(device);
  const now = stateOf(its, device);
  if (!isLocked(its.world, its.state, hardware?.index ?? -1)) return remove(its);
  // Who of two drivers that match registered first, nothing tells: an id is given only where that need not be known.
  const alone = now?.override === null && now.leaving !== null;
  const text = `${hardware?.vendor} ${hardware?.device}`;
  const id = { op: 'driver.new_id', pid, driver: 'pci-stub', text } as const;
  return pick(
    [
      { op: 'bus.rescan', pid, text: '1' },
      { op: 'bus.rescan', pid, device, text: '1' },
      { op: 'device.remove', pid, device, text: '1' },
      {
        op: 'device.sriov_numvfs',
        pid,
        device: physicalOf(its),
        text: pick(['0', '1', '2', '9', 'x'], its.c),
      },
      { op: 'driver.bind', pid, driver: pick(['vfio-pci', 'pci-stub'], its.c), device },
      { op: 'driver.unbind', pid, driver: pick(['vfio-pci', 'nvme'], its.c), device },
      { op: 'device.enable', pid, device, text: pick(['0', '1'], its.c) },
      { op: 'device.sysfs_reset', pid, device, text: '1' },
      { op: 'override.write', pid, device, text: pick(['', 'vfio-pci'], its.c) },
      ...(alone ? [id, id, id] : []),
    ] as const,
    its.b,
  );
};

/** So that other drivers may match. */
const clear: Maker = (its) => ({ op: 'override.write', pid: its.pid, device: openOne(its), text: '' });

const pass: Maker = (its) => ({
  op: 'descriptor.pass',
  pid: its.pid,
  fd: pick(surely(its, pick(['device', 'device', 'group'], its.c)), its.a),
  to: pick(its.pids, its.b),
});

export const removals: readonly Maker[] = [
  ...[remove, remove, remove, count, count, unbind],
  ...[openDevice, openDevice, openDevice, openDevice, openNode, openNode, join, join],
  ...[
    closeDevice,
    closeDevice,
    closeDevice,
    useDevice,
    useDevice,
    lookOn,
    lookOn,
    wantLock,
    wantLock,
    clear,
    pass,
  ],
  (its) => ({ op: 'close', pid: its.pid, fd: pick(descriptors(its, 'device'), its.a) }),
];
