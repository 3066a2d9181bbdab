import { reservedByFirmware } from './attachment.ts';
import type { Guard } from './guard.ts';
import { iommuGroupOf, withoutIommu } from './iommufd.ts';
import { parameterOf } from './modules.ts';
import type { Op } from './op.ts';
import type { State, World } from './state.ts';

/** What iommufd asks before it takes a device, for each of the calls that hand it one. */

/** A device, and the place of the iommufd that is to have it. */
interface Taking {
  readonly device: number;
  readonly iommufd: number;
}

const bindDevice = 'drivers/iommu/iommufd/device.c:iommufd_device_bind';

/**
 * The tests of iommufd_device_bind, in its order. `taking` says which device goes where, or null when none does. They are
 * about the device's IOMMU group, so one without an IOMMU meets none (2c6cf6ab1564).
 */
export function bindGuards<O extends Op>(
  op: O['op'],
  taking: (world: World, state: State, op: O) => Taking | null,
): readonly Guard<O>[] {
  const guard = (
    its: Pick<Guard<O>, 'id' | 'words' | 'errno' | 'citation'>,
    refuses: (world: World, state: State, taking: Taking) => boolean,
  ): Guard<O> => ({
    ...its,
    applies: (world, state, asked) => {
      const its = taking(world, state, asked);
      return its !== null && !withoutIommu(state, its.device) && refuses(world, state, its);
    },
  });
  return [
    guard(
      {
        id: `${op}.interrupts`,
        words: 'the IOMMU does not isolate interrupts and allow_unsafe_interrupts of iommufd is N',
        errno: 'EPERM',
        citation: bindDevice,
      },
      (world, state) =>
        !world.interruptRemapping && parameterOf(world, state, 'iommufd', 'allow_unsafe_interrupts') !== 'Y',
    ),
    guard(
      {
        id: `${op}.owned`,
        words: 'the IOMMU group is not free: a host driver is bound in it, or somebody else owns it',
        errno: 'EPERM',
        citation: 'drivers/iommu/iommu.c:iommu_device_claim_dma_owner',
      },
      (_world, state, { device, iommufd }) => {
        const group = iommuGroupOf(state, device);
        return group !== undefined && group.ownerCount > 0 && group.iommufd !== iommufd;
      },
    ),
    guard(
      {
        id: `${op}.firmware`,
        words: 'the firmware reserves memory for a device of the group',
        errno: 'EINVAL',
        citation: 'drivers/iommu/iommu.c:__iommu_take_dma_ownership, __iommu_device_set_domain',
      },
      (world, state, { device }) =>
        iommuGroupOf(state, device)?.ownerCount === 0 &&
        reservedByFirmware(world, state, state.devices[device]?.vfio?.group ?? -1),
    ),
  ];
}
