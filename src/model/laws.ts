import { taintUser } from './binding.ts';
import { containerOf, fileOf, groupOf, iommufdOf } from './files.ts';
import { withoutIommu } from './iommufd.ts';
import { claiming, everyKernel, type Law } from './law.ts';
import { deviceLaws } from './laws-devices.ts';
import { iommufdLaws } from './laws-iommufd.ts';
import { passedLaws } from './laws-passed.ts';
import { regionLaws } from './laws-regions.ts';
import { type1Laws } from './laws-type1.ts';
import { noiommuAllowed } from './modules.ts';
import { nodeAt } from './nodes.ts';
import type { Op } from './op.ts';
import { capable } from './permission.ts';
import type { Container, State, VfioGroup, World } from './state.ts';

/** Of containers, groups and the mode without an IOMMU. */
const containerLaws: readonly Law[] = [
  {
    id: 'P1',
    statement:
      'No device of a real group in a container is bound to a driver that does not manage DMA itself.',
    enforcedBy:
      'drivers/iommu/iommu.c:iommu_group_claim_dma_owner, iommu_device_use_default_domain; drivers/pci/pci-driver.c:pci_dma_configure',
    profiles: claiming,
    onState: (world, state) =>
      state.groups.every((group) => {
        if (!group || group.noiommu || group.container === null) return true;
        const iommuGroup = state.iommuGroups.find(({ id }) => id === group.iommuGroup);
        return (iommuGroup?.devices ?? []).every((index) => {
          const name = state.devices[index]?.driver ?? null;
          return name === null || world.drivers.get(name)?.managesDma === true;
        });
      }),
  },
  {
    id: 'P2',
    statement:
      'While a device of a real group is open through a container, its group owns the IOMMU group, alone.',
    enforcedBy: 'drivers/vfio/container.c:vfio_container_attach_group, vfio_group_use_container',
    profiles: claiming,
    onState: (_world, state) =>
      openGroups(state).every(([group, minor]) => {
        const iommuGroup = state.iommuGroups.find(({ id }) => id === group.iommuGroup);
        return group.noiommu || (iommuGroup?.owner === minor && iommuGroup.ownerCount === 1);
      }),
  },
  {
    id: 'P3',
    statement:
      'An IOMMU group has at most one userspace owner; a claim while it is in use is refused with EPERM.',
    enforcedBy: 'drivers/iommu/iommu.c:iommu_group_claim_dma_owner',
    profiles: claiming,
    onState: (_world, state) =>
      state.iommuGroups.every(
        ({ owner, ownerCount, id }) =>
          owner === null || (ownerCount === 1 && state.groups[owner]?.iommuGroup === id),
      ),
    onStep: (_world, before, op, { result }) => {
      const group = op.op === 'group.set_container' ? groupOf(before, op) : null;
      const iommuGroup = before.iommuGroups.find(({ id }) => id === group?.iommuGroup);
      return !result.ok || iommuGroup === undefined || iommuGroup.fake || iommuGroup.ownerCount === 0;
    },
  },
  {
    id: 'P4',
    statement: 'A container never holds groups with and without an IOMMU together.',
    enforcedBy: 'drivers/vfio/container.c:vfio_container_attach_group',
    profiles: everyKernel,
    onState: (_world, state) =>
      containersIn(state).every((container) => new Set(kindsIn(state, container)).size <= 1),
  },
  {
    id: 'P5',
    statement: "A container's noiommu flag says what its groups are, as long as it has any.",
    enforcedBy: 'drivers/vfio/container.c:vfio_container_attach_group',
    profiles: everyKernel,
    onState: (_world, state) =>
      containersIn(state).every((container) =>
        kindsIn(state, container).every((noiommu) => noiommu === container.noiommu),
      ),
  },
  {
    id: 'P6',
    statement: 'The noiommu driver serves containers without an IOMMU, and no others.',
    enforcedBy: 'drivers/vfio/container.c:vfio_iommu_driver_allowed, vfio_ioctl_set_iommu',
    profiles: everyKernel,
    onState: (_world, state) =>
      containersIn(state).every(
        ({ iommu, noiommu, groups }) =>
          iommu === null || groups.length === 0 || (iommu.driver === 'noiommu') === noiommu,
      ),
  },
  {
    id: 'P7',
    statement:
      'Without an IOMMU there are no mappings and nothing to ask of them: ENOTTY with the noiommu driver, EINVAL with none.',
    enforcedBy: 'drivers/vfio/container.c:vfio_noiommu_ioctl, vfio_fops_unl_ioctl',
    profiles: everyKernel,
    onStep: (_world, before, op, { result }) => {
      if (!dmaCalls.has(op.op) || !('fd' in op)) return true;
      const container = containerOf(before, op);
      if (container === null || container.iommu?.driver === 'type1') return true;
      const errno = container.iommu === null ? 'EINVAL' : 'ENOTTY';
      return !result.ok && 'errno' in result && result.errno === errno;
    },
  },
  {
    id: 'P8',
    statement: 'Where a group without an IOMMU exists, the kernel is tainted.',
    enforcedBy: 'drivers/vfio/group.c:vfio_group_find_or_alloc (6.1: vfio_main.c)',
    profiles: everyKernel,
    onState: (_world, state) =>
      hasTaint(state.taint, taintUser) || !state.groups.some((group) => group?.noiommu === true),
  },
  {
    id: 'P9',
    statement: 'Taint is never taken back.',
    enforcedBy: 'kernel/panic.c:add_taint',
    profiles: everyKernel,
    onStep: (_world, before, _op, { state }) =>
      state.taint === before.taint || (state.taint > before.taint && keeps(before.taint, state.taint)),
  },
  {
    id: 'P10',
    statement: 'A group is made up only for a device without one, while the parameter is Y.',
    enforcedBy: 'drivers/vfio/group.c:vfio_group_find_or_alloc (6.1: vfio_main.c)',
    profiles: everyKernel,
    onStep: (world, before, _op, { state }) =>
      state.iommuGroups === before.iommuGroups ||
      state.iommuGroups.every(({ id, fake, devices }) => {
        if (!fake || before.iommuGroups.some((group) => group.fake && group.id === id)) return true;
        const groupless = devices.every((index) => before.devices[index]?.group === null);
        return groupless && noiommuAllowed(world, before);
      }),
  },
  {
    id: 'P11',
    statement:
      'Without CAP_SYS_RAWIO nobody opens a group without an IOMMU, attaches it, sets its IOMMU or opens its device, by its group or its cdev.',
    enforcedBy:
      'drivers/vfio/group.c:vfio_group_fops_open; drivers/vfio/device_cdev.c:vfio_device_fops_cdev_open; drivers/vfio/container.c:vfio_container_attach_group, vfio_noiommu_open, vfio_group_use_container',
    profiles: everyKernel,
    onStep: (world, before, op, { result }) =>
      !result.ok || capable(world, op.pid, 'CAP_SYS_RAWIO') || !needsRawio(world, before, op),
  },
  {
    id: 'P12',
    statement: 'A group is open at most once.',
    enforcedBy: 'drivers/vfio/group.c:vfio_group_fops_open',
    profiles: everyKernel,
    onState: (_world, state) => {
      const opened = state.files.flatMap((file) => (file?.kind === 'group' ? [file.group] : []));
      return new Set(opened).size === opened.length;
    },
  },
  {
    id: 'P13',
    statement:
      'While a device is open through a container, its group is open, and the container has an IOMMU driver.',
    enforcedBy: 'drivers/vfio/container.c:vfio_group_use_container (get_file)',
    profiles: everyKernel,
    onState: (_world, state) =>
      openGroups(state).every(([{ file, container }]) => {
        const iommu = container === null ? null : (state.containers[container]?.iommu ?? null);
        return file !== null && state.files[file]?.kind === 'group' && iommu !== null;
      }),
  },
  {
    id: 'P14',
    statement: 'A group does not leave its container while a device of it is open: EBUSY.',
    enforcedBy: 'drivers/vfio/group.c:vfio_group_ioctl_unset_container',
    profiles: everyKernel,
    onStep: (_world, before, op, { result }) => {
      const file = op.op === 'group.unset_container' ? fileOf(before, op) : null;
      if (file?.kind !== 'group' || !openGroups(before).some(([, minor]) => minor === file.group))
        return true;
      return !result.ok && 'errno' in result && result.errno === 'EBUSY';
    },
  },
  {
    id: 'P15',
    statement: 'A container gets its IOMMU driver once, and only while it holds groups.',
    enforcedBy: 'drivers/vfio/container.c:vfio_ioctl_set_iommu',
    profiles: everyKernel,
    onStep: (_world, before, op, { result }) => {
      const container = op.op === 'container.set_iommu' && result.ok ? containerOf(before, op) : null;
      return container === null || (container.iommu === null && container.groups.length > 0);
    },
  },
  {
    id: 'P16',
    statement: 'A container without groups has no IOMMU driver, and so no mapping.',
    enforcedBy: 'drivers/vfio/container.c:vfio_group_detach_container',
    profiles: everyKernel,
    onState: (_world, state) =>
      containersIn(state).every(({ groups, iommu }) => groups.length > 0 || iommu === null),
  },
];

export const laws: readonly Law[] = [
  ...[...containerLaws, ...type1Laws, ...deviceLaws, ...iommufdLaws, ...regionLaws].sort(
    (a, b) => numberOf(a) - numberOf(b),
  ),
  ...passedLaws,
];

function numberOf({ id }: Law): number {
  return Number(id.slice(1));
}

/** The calls that type1 answers. */
const dmaCalls: ReadonlySet<Op['op']> = new Set([
  'container.get_info',
  'container.map_dma',
  'container.unmap_dma',
  'container.dirty_pages',
] as const);

function containersIn(state: State): readonly Container[] {
  return state.containers.filter((container) => container !== null);
}

/** Of each group in a container whether it is one without an IOMMU. */
function kindsIn(state: State, container: Container): readonly boolean[] {
  return container.groups.map((minor) => state.groups[minor]?.noiommu === true);
}

/** Groups of which a device is open through their container, each with its minor: an iommufd has laws of its own. */
function openGroups(state: State): readonly (readonly [VfioGroup, number])[] {
  const open: (readonly [VfioGroup, number])[] = [];
  for (const { vfio } of state.devices) {
    const group = vfio !== null && vfio.opens > 0 ? state.groups[vfio.group] : null;
    if (group && vfio !== null && group.containerUsers > 1) open.push([group, vfio.group]);
  }
  return open;
}

function needsRawio(world: World, before: State, op: Op): boolean {
  switch (op.op) {
    case 'open': {
      const place = nodeAt(before, op.path);
      if (place?.kind === 'cdev') return withoutIommu(before, place.device);
      return place?.kind === 'group' && before.groups[place.minor]?.noiommu === true;
    }
    case 'group.set_container':
      return (
        groupOf(before, op)?.noiommu === true && iommufdOf(before, { pid: op.pid, fd: op.container }) === null
      );
    case 'container.set_iommu':
      return op.type === 8 && containerOf(before, op)?.noiommu === true;
    case 'group.get_device_fd': {
      const group = groupOf(before, op);
      const everyTime = world.profile.containerUsers === 'device-fds';
      return group?.noiommu === true && (everyTime || group.containerUsers === 1);
    }
    default:
      return false;
  }
}

function hasTaint(taint: number, bit: number): boolean {
  return Math.floor(taint / bit) % 2 === 1;
}

/** Whether every bit of the earlier taint is in the later one; the set may be wider than 32 bits. */
function keeps(before: number, after: number): boolean {
  return (BigInt(before) & ~BigInt(after)) === 0n;
}
