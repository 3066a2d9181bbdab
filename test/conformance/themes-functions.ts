/** Physical functions of VFIO, their virtual ones, and the token that both are shared by (drivers/pci/iov.c, vfio_pci_core.c). */
import { type Context, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';

/** Where there is no physical function, any device. */
export function physicalOf({ cast, world }: Context): string {
  const [first = ''] = cast.devices;
  return cast.devices.find((device) => (world.devices.get(device)?.totalVfs ?? null) !== null) ?? first;
}

export const allowVirtual: Maker = (its) => ({
  op: 'parameter.write',
  pid: its.pid,
  module: 'vfio_pci',
  parameter: 'enable_sriov',
  text: pick(['Y', 'Y', 'Y', 'N'], its.a),
});

export const enableVirtual: Maker = (its) => ({
  op: 'device.sriov_numvfs',
  pid: its.pid,
  device: physicalOf(its),
  text: pick(['1', '2', '3', '2\n'], its.a),
});

const count: Maker = (its) => ({
  op: 'device.sriov_numvfs',
  pid: its.pid,
  device: its.c % 9 === 0 ? pick(its.cast.devices, its.a) : physicalOf(its),
  text: pick(['0', '0', '1', '2', '3', '4', '65535', '65536', 'x', '', '-1', '0x2'], its.b),
});

const probing: Maker = (its) => ({
  op: 'device.sriov_autoprobe',
  pid: its.pid,
  device: its.c % 9 === 0 ? pick(its.cast.devices, its.a) : physicalOf(its),
  text: pick(['0', '1', 'n', 'y', 'maybe', ''], its.b),
});

const tokens = ['8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00', '00000000-0000-0000-0000-000000000001'] as const;

const setToken: Maker = (its) => ({
  op: 'device.feature',
  pid: its.pid,
  fd: pick(surely(its, 'device'), its.a),
  ...(its.c % 9 === 0 ? { argsz: pick([null, 7, 8, 16, 23], its.c) } : {}),
  flags: pick([0x2_0000, 0x2_0000, 0x2_0000, 0x4_0000, 0x6_0000, 0x1_0000], its.b),
  token: pick(tokens, its.c),
  eventfd: -1,
});

const openDevice: Maker = (its) => {
  const device = pick(its.cast.devices, its.a);
  const [first, second] = tokens;
  const words = [
    '',
    '',
    ` vf_token=${first}`,
    ` vf_token=${first}`,
    ` vf_token=${second}`,
    ' vf_token=',
    ` vf_token=${first} x`,
  ];
  return {
    op: 'group.get_device_fd',
    pid: its.pid,
    fd: pick(surely(its, 'group'), its.b),
    name: `${device}${pick(words, its.c)}`,
  };
};

/** Group and container of a device that has its node, the first in a container that is there. */
const openGroup: Maker = (its) => {
  const vfio = its.state.devices[its.world.devices.get(pick(its.cast.devices, its.a))?.index ?? -1]?.vfio;
  const group = its.state.groups[vfio?.group ?? -1];
  return { op: 'open', pid: its.pid, path: group ? `/dev/vfio/${group.name}` : '/dev/vfio/vfio' };
};

const join: Maker = (its) => ({
  op: 'group.set_container',
  pid: its.pid,
  fd: pick(surely(its, 'group'), its.a),
  container: pick(surely(its, 'container'), its.b),
});

const translate: Maker = (its) => ({
  op: 'container.set_iommu',
  pid: its.pid,
  fd: pick(surely(its, 'container'), its.a),
  type: pick([3, 3, 1], its.b),
});

const move: Maker = (its) => {
  const device = pick(its.cast.devices, its.a);
  const driver = pick(['vfio-pci', 'vfio-pci', 'nvme'], its.b);
  if (its.c % 3 === 0) return { op: 'driver.unbind', pid: its.pid, driver, device };
  if (its.c % 3 === 1) return { op: 'driver.bind', pid: its.pid, driver, device };
  return { op: 'override.write', pid: its.pid, device, text: pick(['vfio-pci', '', 'nvme'], its.b) };
};

const probe: Maker = (its) => ({ op: 'drivers.probe', pid: its.pid, device: pick(its.cast.devices, its.a) });

export const functions: readonly Maker[] = [
  ...[
    count,
    count,
    count,
    probing,
    allowVirtual,
    setToken,
    setToken,
    openDevice,
    openDevice,
    openDevice,
    openDevice,
  ],
  ...[openGroup, openGroup, join, join, translate, move, move, probe],
  (its) => ({ op: 'close', pid: its.pid, fd: pick(descriptors(its, 'device'), its.a) }),
];
