import { structure } from '../argument.ts';
import { viableByWalk } from '../attachment.ts';
import { deviceFileOf } from '../cdev.ts';
import { isLocked } from '../device-lock.ts';
import type { Errno } from '../errno.ts';
import { fileAt } from '../files.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { hardwareOf } from '../open-device.ts';
import { allWithVfio, heldBy, resetDomain } from '../reset-domain.ts';
import type { Hardware, State, World } from '../state.ts';

type Reset = Extract<Op, { op: 'device.hot_reset' }>;

const old = 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl';
const core = 'drivers/vfio/pci/vfio_pci_core.c';
const ioctl = { seed: old, '6.1': `${core}:vfio_pci_ioctl_pci_hot_reset` } as const;
const groups = {
  seed: old,
  '6.1': `${core}:vfio_pci_ioctl_pci_hot_reset`,
  '6.12': `${core}:vfio_pci_ioctl_pci_hot_reset_groups`,
} as const;
const external = 'drivers/vfio/vfio.c:vfio_group_get_external_user';
const perform = `${core}:vfio_pci_dev_set_hot_reset`;

const [fault, argsz] = structure<Reset>('device.hot_reset', 12, ioctl);

function refuse(
  id: string,
  words: string,
  errno: Errno,
  citation: Guard['citation'],
  applies: Guard<Reset>['applies'],
): Guard<Reset> {
  return { id: `device.hot_reset.${id}`, words, errno, citation, applies };
}

const flags = refuse(
  'flags',
  'there are no flags yet',
  'EINVAL',
  ioctl,
  (_w, _s, op) => op.flags >>> 0 !== 0,
);

const mode = refuse(
  'mode',
  'groups prove nothing through a cdev, and through a group nothing else does',
  'EINVAL',
  ioctl,
  (_world, state, op) => op.groups.length > 0 === (deviceFileOf(state, op)?.cdev === true),
);

const domain = refuse(
  'domain',
  'neither the slot nor the bus of the device can be reset',
  'ENODEV',
  ioctl,
  (world, state, op) => hardwareOf(world, state, op)?.rootBus === true,
);

const none = refuse('none', 'no group is named', 'EINVAL', groups, (_w, _s, op) => op.groups.length === 0);

const many = refuse(
  'many',
  'more groups are named than devices are concerned',
  'EINVAL',
  groups,
  (world, state, op) => {
    const hardware = hardwareOf(world, state, op);
    return hardware !== undefined && op.groups.length > resetDomain(world, state, hardware).length;
  },
);

const closed = refuse(
  'closed',
  'a descriptor of a group is not open',
  'EBADF',
  groups,
  (world, state, op) => groupFault(world, state, op) === 'closed',
);

const stranger = refuse(
  'no-group',
  'a descriptor is no group',
  'EINVAL',
  groups,
  (world, state, op) => groupFault(world, state, op) === 'no-group',
);

const idle = refuse(
  'idle',
  'a group has no IOMMU set, or a host driver is bound in it',
  'EINVAL',
  external,
  (world, state, op) => groupFault(world, state, op) === 'idle',
);

const noiommu = refuse(
  'noiommu',
  'a group without an IOMMU proves nothing',
  'EPERM',
  external,
  (world, state, op) => groupFault(world, state, op) === 'noiommu',
);

const strangers = refuse(
  'not-vfio',
  'a device that the reset concerns is not with VFIO, or not on this bus',
  'EINVAL',
  `${core}:vfio_pci_dev_set_resettable`,
  onDomain((world, state, hardware) => !allWithVfio(world, state, hardware)),
);

const unheld = refuse(
  'not-held',
  'a device that the reset concerns is in no group that is named, or not with the iommufd',
  'EINVAL',
  perform,
  onDomain((world, state, hardware, op) => {
    const file = deviceFileOf(state, op);
    if (file?.cdev === true) {
      return resetDomain(world, state, hardware).some(({ index }) => !boundWith(state, index, file.iommufd));
    }
    return !heldBy(world, state, hardware, op.pid, op.groups);
  }),
);

const groupless = refuse(
  'groupless',
  'a device that the reset concerns has no IOMMU group',
  'EPERM',
  'drivers/vfio/pci/vfio_pci.c:vfio_pci_validate_devs',
  onDomain((world, state, hardware) =>
    resetDomain(world, state, hardware).some(({ index }) => (state.devices[index]?.group ?? null) === null),
  ),
);

const outside = refuse(
  'outside',
  'a device that the reset concerns is in no group that is named',
  'EINVAL',
  'drivers/vfio/pci/vfio_pci.c:vfio_pci_validate_devs',
  onDomain((world, state, hardware, op) => {
    const named = op.groups.map((fd) => {
      const file = fileAt(state, op.pid, fd | 0);
      return file?.kind === 'group' ? state.groups[file.group]?.iommuGroup : undefined;
    });
    return resetDomain(world, state, hardware).some(
      ({ index }) => !named.includes(state.devices[index]?.group ?? -1),
    );
  }),
);

const leaving = refuse(
  'leaving',
  'a device that the reset concerns is about to leave its driver, or loses its virtual functions',
  'EAGAIN',
  'drivers/pci/pci.c:pci_reset_bus, pci_bus_trylock, pci_slot_trylock (before 5.2: pci_try_reset_bus)',
  onDomain((world, state, hardware) =>
    resetDomain(world, state, hardware).some(({ index }) => isLocked(world, state, index)),
  ),
);

const link = refuse(
  'link',
  'the link does not come back after the reset',
  'ENOTTY',
  'drivers/pci/pci.c:pci_bridge_secondary_bus_reset (pci_bridge_wait_for_secondary_bus)',
  onDomain((_world, _state, hardware) => hardware.linkStaysDown === true),
);

const first = [fault, argsz, flags];
const named = [many, closed, stranger];

export const deviceHotReset: Rule<Reset> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_PCI_HOT_RESET, &reset)',
    arguments: {
      flags: 'none are known',
      groups: 'descriptors of the groups that hold all devices concerned; none for a cdev',
    },
    effect:
      'All functions of the bus or slot are reset, and their configuration is as it was; nothing that the model knows changes. Others that use one of them at this very moment (EBUSY) are not modelled.',
    undo: 'none: a reset is not taken back',
  },
  ioctl: { on: 'device', request: 0x3b71 },
  guards: {
    seed: [...first, domain, none, many, closed, stranger, idle, noiommu, groupless, outside, leaving, link],
    '6.1': [...first, domain, none, ...named, strangers, unheld, leaving, link],
    '6.12': [...first, mode, domain, ...named, strangers, unheld, leaving, link],
  },
  effect: () => zero,
  undo: () => ({ none: 'a reset is not taken back' }),
};

function onDomain(
  test: (world: World, state: State, hardware: Hardware, op: Reset) => boolean,
): Guard<Reset>['applies'] {
  return (world, state, op) => {
    const hardware = hardwareOf(world, state, op);
    return hardware !== undefined && test(world, state, hardware, op);
  };
}

type GroupFault = 'closed' | 'no-group' | 'idle' | 'noiommu';

/** What the first of the descriptors is refused for that is refused. */
function groupFault(world: World, state: State, op: Reset): GroupFault | null {
  for (const fd of op.groups) {
    const file = fileAt(state, op.pid, fd | 0);
    if (file === null) return 'closed';
    if (file.kind !== 'group') return 'no-group';
    // Until 5.19 a group had to be in use, which one without an IOMMU is for nobody else.
    if (world.profile.viability === 'claim') continue;
    const group = state.groups[file.group];
    const container = group?.container === null ? null : state.containers[group?.container ?? -1];
    if (!container) return 'idle';
    if (group?.noiommu === true) return 'noiommu';
    if (container.iommu === null || !viableByWalk(world, state, file.group)) return 'idle';
  }
  return null;
}

function boundWith(state: State, index: number, iommufd: number | null): boolean {
  const device = state.devices[index];
  if (!device?.vfio) return true;
  if (iommufd === null) return false;
  if (device.vfio.bound?.iommufd === iommufd) return true;
  return state.iommuGroups.find(({ id }) => id === device.group)?.iommufd === iommufd;
}
