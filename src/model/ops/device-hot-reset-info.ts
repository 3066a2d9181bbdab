import { shorter, structure } from '../argument.ts';
import { deviceFileOf } from '../cdev.ts';
import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { hardwareOf } from '../open-device.ts';
import { walkedDomain } from '../reset-domain.ts';
import type { Hardware, State, World } from '../state.ts';

type Info = Extract<Op, { op: 'device.hot_reset_info' }>;

const ioctl = {
  seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info',
} as const;

/** VFIO_PCI_HOT_RESET_FLAG_*: of devices with a cdev, ids are told instead of groups. */
const ids = 1;
const owned = 2;
const notOwned = -1;

const guards: readonly Guard<Info>[] = [
  ...structure<Info>('device.hot_reset_info', 12, ioctl),
  {
    id: 'device.hot_reset_info.domain',
    words: 'neither the slot nor the bus of the device can be reset',
    errno: 'ENODEV',
    citation: ioctl,
    applies: (world, state, op) => hardwareOf(world, state, op)?.rootBus === true,
  },
  {
    id: 'device.hot_reset_info.room',
    words: 'argsz has no room for all devices that the reset concerns; their number is told',
    errno: 'ENOSPC',
    citation: ioctl,
    applies: (world, state, op) => shorter(op, 12 + 8 * affected(world, state, op).length),
  },
  {
    id: 'device.hot_reset_info.group',
    words: 'a device that the reset concerns has no IOMMU group',
    errno: 'EPERM',
    citation: {
      seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_fill_devs',
      '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_fill_devs',
    },
    applies: (world, state, op) =>
      deviceFileOf(state, op)?.cdev === false &&
      affected(world, state, op).some(({ index }) => (state.devices[index]?.group ?? null) === null),
  },
];

export const deviceHotResetInfo: Rule<Info> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info)',
    arguments: {},
    effect:
      'Answers which functions a reset of the bus or slot would reset, each with its IOMMU group, or through a cdev with its id in the iommufd (0: owned with its group, -1: not owned).',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'device', request: 0x3b70 },
  guards: { seed: guards },
  effect: (world, state, op) => {
    const devices = affected(world, state, op);
    const iommufd =
      deviceFileOf(state, op)?.cdev === true ? (deviceFileOf(state, op)?.iommufd ?? null) : null;
    const numbers = devices.map((device) =>
      iommufd === null ? (state.devices[device.index]?.group ?? 0) : idOf(state, device, iommufd),
    );
    const flags = iommufd === null ? 0 : numbers.includes(notOwned) ? ids : ids | owned;
    const list = devices.map(({ address }, place) => `${numbers[place]}@${address}`).join(' ');
    return { value: 0, out: { flags, count: devices.length, devices: list } };
  },
  undo: () => ({ none: 'it only asks' }),
};

function affected(world: World, state: State, op: Info): readonly Hardware[] {
  const hardware = hardwareOf(world, state, op);
  return hardware === undefined ? [] : walkedDomain(world, state, hardware);
}

/** drivers/vfio/iommufd.c:vfio_iommufd_get_dev_id. */
function idOf(state: State, { index }: Hardware, iommufd: number): number {
  const device = state.devices[index];
  if (!device?.vfio) return notOwned;
  if (device.vfio.bound?.iommufd === iommufd) return device.vfio.bound.id;
  const group = state.iommuGroups.find(({ id }) => id === device.group);
  return group?.iommufd === iommufd ? 0 : notOwned;
}
