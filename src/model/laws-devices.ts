import { containerOf, groupOf } from './files.ts';
import { held } from './held.ts';
import { claiming, everyKernel, type Law } from './law.ts';
import type { Op } from './op.ts';
import type { Outcome } from './outcome.ts';
import { enabledVirtualFunctions, goingWith } from './presence.ts';
import type { Device, State, World } from './state.ts';
import { detachOrder } from './unloading.ts';

/** What VFIO promises of devices: which are taken, by what name they are opened, and when they are let go. */
export const deviceLaws: readonly Law[] = [
  {
    id: 'P24',
    statement: 'A device with an IOMMU is with VFIO only where DMA is coherent with the caches.',
    enforcedBy:
      'drivers/vfio/vfio_main.c:__vfio_register_dev (6.1: vfio_group_find_or_alloc, IOMMU_CAP_CACHE_COHERENCY)',
    profiles: claiming,
    onState: (world, state) =>
      world.coherent ||
      state.devices.every(({ vfio }) => vfio === null || state.groups[vfio.group]?.noiommu === true),
  },
  {
    id: 'P25',
    statement:
      'A device does not leave its driver while a descriptor of it is open, and one that is told to leave does with the last; a call that takes devices away, or the module of their driver, waits no longer than one of them is open.',
    enforcedBy: 'drivers/vfio/vfio_main.c:vfio_unregister_group_dev',
    profiles: everyKernel,
    onStep: (_world, before, _op, { state }) =>
      changed(before, state).every(
        ([was, is, index]) =>
          (was.vfio?.opens ?? 0) === 0 ||
          (is.vfio !== null && is.driver === was.driver) ||
          !state.files.some((file) => file?.kind === 'device' && file.device === index),
      ),
    onState: (world, state) =>
      state.devices.every(
        (device, index) => device.leaving === null || (device.driver !== null && isHeld(world, state, index)),
      ) &&
      state.bus.removing.every(({ device }) => isHeld(world, state, device)) &&
      state.bus.unloading.every(({ modules: [module = ''] }) =>
        detachOrder(world, state, module).some(({ index }) => isHeld(world, state, index)),
      ),
  },
  {
    id: 'P26',
    statement:
      'A group whose last device was unbound is in no container, and its descriptor answers nothing any more.',
    enforcedBy: 'drivers/vfio/group.c:vfio_device_remove_group',
    profiles: claiming,
    onState: (_world, state) =>
      state.groups.every(
        (group) => group?.iommuGroup !== null || (group.devices.length === 0 && group.container === null),
      ),
    onStep: (_world, before, op, { result }) =>
      !op.op.startsWith('group.') || !('fd' in op) || groupOf(before, op)?.iommuGroup !== null || !result.ok,
  },
  {
    id: 'P30',
    statement: 'No bridge is ever with VFIO.',
    enforcedBy: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device',
    profiles: everyKernel,
    onState: (world, state) =>
      state.devices.every(({ vfio }, index) => vfio === null || world.hardware[index]?.headerType === 0),
  },
  {
    id: 'P31',
    statement:
      'A physical function with virtual ones does not come to VFIO, and while it is there its virtual functions open through their groups only with its token.',
    enforcedBy: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_register_device, vfio_pci_validate_vf_token',
    profiles: claiming,
    onStep: (world, before, op, outcome) =>
      changed(before, outcome.state).every(
        ([was, is]) => was.vfio !== null || is.vfio === null || was.settings.virtualFunctions === 0,
      ) && opened(before, op, outcome).every((index) => tokenGiven(world, before, op, index)),
  },
  {
    id: 'P38',
    statement: 'A device opens only through a descriptor of the group that holds it.',
    enforcedBy: 'drivers/vfio/group.c:vfio_group_ioctl_get_device_fd',
    profiles: everyKernel,
    onStep: (_world, before, op, outcome) => {
      if (op.op !== 'group.get_device_fd' || !outcome.result.ok) return true;
      const [index = -1, ...more] = opened(before, op, outcome);
      return more.length === 0 && groupOf(before, op)?.devices.includes(index) === true;
    },
  },
  {
    id: 'P39',
    statement: 'A device opens by its full address alone; options may follow after a space.',
    enforcedBy: 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match',
    profiles: everyKernel,
    onStep: (world, before, op, outcome) =>
      opened(before, op, outcome).every((index) => {
        const address = world.hardware[index]?.address;
        if (op.op !== 'group.get_device_fd' || address === undefined) return false;
        return op.name === address || (world.profile.nameTakesOptions && op.name.startsWith(`${address} `));
      }),
  },
  {
    id: 'P40',
    statement: 'A group without an IOMMU holds exactly one device.',
    enforcedBy: 'drivers/vfio/group.c:vfio_noiommu_group_alloc',
    profiles: everyKernel,
    onState: (_world, state) =>
      state.iommuGroups.every(({ fake, devices }) => !fake || devices.length === 1) &&
      state.groups.every(
        (group) => group?.noiommu !== true || group.iommuGroup === null || group.devices.length === 1,
      ),
  },
  {
    id: 'P41',
    statement: 'A container without groups does nothing: every call that would use resources is EINVAL.',
    enforcedBy: 'drivers/vfio/container.c:vfio_ioctl_set_iommu, vfio_fops_unl_ioctl',
    profiles: everyKernel,
    onStep: (_world, before, op, { result }) => {
      if (!op.op.startsWith('container.') || !('fd' in op) || harmless.has(op.op)) return true;
      if (containerOf(before, op)?.groups.length !== 0) return true;
      return !result.ok && 'errno' in result && result.errno === 'EINVAL';
    },
  },
];

/** Questions that every container answers. */
const harmless: ReadonlySet<string> = new Set(['container.api_version', 'container.check_extension']);

/** Devices that a step changed: before, after, index. A loop, as every step of a plan on a large machine asks it. */
function changed(before: State, after: State): readonly (readonly [Device, Device, number])[] {
  const found: (readonly [Device, Device, number])[] = [];
  if (before.devices === after.devices) return found;
  for (let index = 0; index < after.devices.length; index += 1) {
    const was = before.devices[index];
    const is = after.devices[index];
    if (was !== undefined && is !== undefined && was !== is) found.push([was, is, index]);
  }
  return found;
}

/** Devices of which GET_DEVICE_FD gave a descriptor. */
function opened(before: State, op: Op, { result, state }: Outcome): readonly number[] {
  if (op.op !== 'group.get_device_fd' || !result.ok) return [];
  return changed(before, state).flatMap(([was, is, index]) =>
    (is.vfio?.opens ?? 0) > (was.vfio?.opens ?? 0) ? [index] : [],
  );
}

/** Whether the physical function is not with VFIO, or a token came with the name. */
function tokenGiven(world: World, before: State, op: Op, index: number): boolean {
  const owner = world.devices.get(world.hardware[index]?.physicalFunction ?? '');
  const driver = owner === undefined ? null : (before.devices[owner.index]?.driver ?? null);
  const guarded = driver !== null && world.drivers.get(driver)?.vfio === true;
  return !guarded || (op.op === 'group.get_device_fd' && op.name.includes('vf_token='));
}

/** Whether it, or what goes with it, is open. */
function isHeld(world: World, state: State, index: number): boolean {
  const hardware = world.hardware[index];
  if (hardware === undefined) return false;
  return held(state, [
    ...goingWith(world, state, hardware),
    ...enabledVirtualFunctions(world, state, hardware),
    hardware,
  ]);
}
