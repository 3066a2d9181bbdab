import { deviceFileOf, granted } from './cdev.ts';
import { boundOf, contextAt, ioasOf, objectOf, tableInUse } from './iommufd.ts';
import type { Iommufd, IommufdObject, NestedHwpt } from './iommufd-state.ts';
import type { Law } from './law.ts';
import { profilesSince } from './profiles.ts';
import type { IommuGroup, State } from './state.ts';

/** What device cdevs and iommufd promise. */

const withIommufd = profilesSince('6.12');

function devicesOpenByCdev(state: State): readonly number[] {
  return state.files.flatMap((file) =>
    file?.kind === 'device' && file.cdev && granted(file) ? [file.device] : [],
  );
}

export const iommufdLaws: readonly Law[] = [
  {
    id: 'P33',
    statement:
      'A group is never open while a device of it is bound through its cdev, nor the other way round.',
    enforcedBy: 'drivers/vfio/group.c:vfio_device_block_group, vfio_group_fops_open',
    profiles: withIommufd,
    onState: (_world, state) => {
      const bound = devicesOpenByCdev(state);
      return state.groups.every((group, minor) => {
        const here = bound.filter((index) => state.devices[index]?.vfio?.group === minor).length;
        return here === (group?.cdevOpens ?? 0) && (here === 0 || group?.file === null);
      });
    },
  },
  {
    id: 'P34',
    statement:
      'A cdev that is not bound gives no access to its device: every call but the one that binds it is EINVAL.',
    enforcedBy:
      'drivers/vfio/vfio_main.c:vfio_device_fops_unl_ioctl, vfio_device_fops_read, vfio_device_fops_write, vfio_device_fops_mmap',
    profiles: withIommufd,
    onStep: (_world, before, op, { result }) => {
      if (!('fd' in op) || op.op === 'close' || op.op === 'descriptor.pass' || op.op.startsWith('kvm.'))
        return true;
      const file = deviceFileOf(before, op);
      const asks = op.op === 'file.call' ? op.call !== 'lseek' : op.op.includes('.') || op.op === 'ioctl';
      if (file === null || granted(file) || !asks || op.op === 'device.bind_iommufd') return true;
      const binds = op.op === 'ioctl' && op.request === 0x3b76;
      return !result.ok && (binds || ('errno' in result && result.errno === 'EINVAL'));
    },
  },
  {
    id: 'P35',
    statement: 'At most one descriptor of a device’s cdev is bound, and then it alone has the device open.',
    enforcedBy: 'drivers/vfio/vfio_main.c:vfio_df_open',
    profiles: withIommufd,
    onState: (_world, state) =>
      devicesOpenByCdev(state).every((index) => state.devices[index]?.vfio?.opens === 1),
  },
  {
    id: 'P36',
    statement:
      'An iommufd takes groups without an IOMMU only while it has no address space for VFIO; from then on no group makes one, until it is closed.',
    enforcedBy:
      'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_compat_set_no_iommu, iommufd_vfio_compat_ioas_create',
    profiles: withIommufd,
    onStep: (_world, before, op, { state }) => {
      if (before.iommufds === state.iommufds) return true;
      return before.iommufds.every((was, place) => {
        const is = state.iommufds[place];
        if (!was || !is || was.file !== is.file) return true;
        if (was.noiommu !== is.noiommu) return is.noiommu && was.compat === null;
        return !was.noiommu || was.compat !== null || is.compat === null || op.op === 'iommufd.vfio_ioas';
      });
    },
  },
  {
    id: 'P37',
    statement: 'A device without an IOMMU has no cdev, before the series of 2026.',
    enforcedBy: 'drivers/vfio/vfio.h:vfio_device_add (drivers/vfio/group.c:vfio_device_set_group)',
    profiles: ['seed', '4.5', '6.1', '6.12'],
    onState: (_world, state) =>
      state.devices.every(({ vfio }) => vfio?.node == null || state.groups[vfio.group]?.noiommu === false),
  },
  {
    id: 'P42',
    statement:
      'A device that is bound to an iommufd is an object there, and its IOMMU group, if it has one, belongs to that iommufd alone.',
    enforcedBy:
      'drivers/iommu/iommufd/device.c:iommufd_device_bind; drivers/iommu/iommu.c:iommu_device_claim_dma_owner',
    profiles: withIommufd,
    onState: (_world, state) =>
      state.iommuGroups.every((group) => claimedRightly(state, group)) &&
      state.devices.every((_device, index) => {
        const its = boundOf(state, index);
        const object = its === null ? null : objectOf(contextAt(state, its.iommufd), its.id);
        return its === null || (object?.kind === 'device' && object.device === index);
      }),
  },
  {
    id: 'P43',
    statement: 'An iommufd lives as long as a descriptor, a group or a bound device needs it.',
    enforcedBy: 'drivers/iommu/iommufd/main.c:iommufd_ctx_get, iommufd_ctx_put, iommufd_fops_release',
    profiles: withIommufd,
    onState: (_world, state) =>
      state.groups.every((group) => lives(state, group?.iommufd)) &&
      state.devices.every(({ vfio }) => lives(state, vfio?.bound?.iommufd)) &&
      state.files.every((file) => file?.kind !== 'fault-queue' || lives(state, file.iommufd)),
  },
  {
    id: 'P44',
    statement:
      'No object of an iommufd goes that another one needs: a page table has its address space, a nested one its parent and its queue of faults, an attached device its page table, a descriptor its queue; and a page table that an attach made has a device.',
    enforcedBy:
      'drivers/iommu/iommufd/main.c:iommufd_object_remove; drivers/iommu/iommufd/iommufd_private.h:iommufd_hw_pagetable_put',
    profiles: withIommufd,
    onState: (_world, { iommufds, files }) =>
      iommufds.every(
        (context) =>
          context === null ||
          (whole(context) &&
            context.objects.every(
              (object, place) =>
                object?.kind !== 'hwpt' || !object.automatic || tableInUse(context, place + 1),
            )),
      ) &&
      files.every(
        (file) =>
          file?.kind !== 'fault-queue' ||
          objectOf(iommufds[file.iommufd] ?? null, file.object)?.kind === 'fault-queue',
      ),
  },
];

/** Whether what the objects of an iommufd need is among them, and known to what is needed. */
function whole(context: Iommufd): boolean {
  return context.objects.every((object, place) => {
    if (object?.kind === 'hwpt') return ioasOf(context, object.ioas)?.tables.includes(place + 1) === true;
    if (object?.kind === 'ioas')
      return object.tables.every((id) => {
        const table = objectOf(context, id);
        return table?.kind === 'hwpt' && table.ioas === place + 1;
      });
    if (object?.kind === 'nested') return nestedRightly(context, object);
    return object?.kind !== 'device' || object.hwpt === null || isTable(objectOf(context, object.hwpt));
  });
}

function isTable(object: IommufdObject | null): boolean {
  return object?.kind === 'hwpt' || object?.kind === 'nested';
}

function nestedRightly(context: Iommufd, { parent, queue }: NestedHwpt): boolean {
  const table = objectOf(context, parent);
  const faults = queue === null || objectOf(context, queue)?.kind === 'fault-queue';
  return faults && table?.kind === 'hwpt' && table.nestParent && !table.automatic;
}

/** Whether what a holder needs is there; who needs none is content. */
function lives(state: State, place: number | null | undefined): boolean {
  return (place ?? null) === null || contextAt(state, place) !== null;
}

/** Whether an IOMMU group belongs to the iommufd of the devices that are bound in it, or to none where none is. */
function claimedRightly(state: State, { devices, fake, iommufd, owner, ownerCount }: IommuGroup): boolean {
  let [bound, here] = [0, true];
  for (const index of devices) {
    const its = boundOf(state, index);
    if (its === null) continue;
    bound += 1;
    here &&= its.iommufd === iommufd;
  }
  if (bound === 0 || fake) return iommufd === null;
  return here && owner === null && ownerCount === bound;
}
