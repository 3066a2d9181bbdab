import { type Guard, type Rule, since612 } from '../guard.ts';
import { iommuOf } from '../ioas.ts';
import { iommuDrivers } from '../iommu-drivers.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';
import { deviceOf } from './iommufd-hwpt-alloc.ts';

type Info = Extract<Op, { op: 'iommufd.get_hw_info' }>;

const getHwInfo = 'drivers/iommu/iommufd/device.c:iommufd_get_hw_info';

/** IOMMU_HW_CAP_DIRTY_TRACKING. */
const dirtyTracking = 1n;

const guards: readonly Guard<Info>[] = [
  ...framed<Info>('iommufd.get_hw_info', 40, 32),
  reservedField<Info>('iommufd.get_hw_info', getHwInfo),
  {
    id: 'iommufd.get_hw_info.device',
    words: 'the iommufd has no device of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, _state, op, context) => deviceOf(context, op.deviceId) === null,
  },
  {
    id: 'iommufd.get_hw_info.buffer',
    words: 'the memory cannot be written, all of it that is asked for',
    errno: 'EFAULT',
    citation: getHwInfo,
    applies: (_world, _state, op) => op.length >>> 0 !== 0 && op.buffer === 'none',
  },
];

export const iommufdGetHwInfo: Rule<Info> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_GET_HW_INFO, &info)',
    arguments: {
      flags: 'none are known',
      deviceId: 'id of a device',
      length: 'bytes that the caller has room for',
      buffer: 'what stands behind the address for so many bytes: writable, or none that can be written',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'Answers the type of the IOMMU (Intel VT-d 1, otherwise 0), how long the structure is that tells of it, however much of it there was room for, and whether it tells dirty pages. What there was room for stands in the memory, and zeros behind it: of Intel the registers, which are not told here, nor whether PASIDs are in use.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'iommufd', request: 0x3b8a },
  guards: since612<Info>(...guards),
  effect: (world, state, op, context) => {
    const iommu = iommuOf(world, state, deviceOf(context, op.deviceId) ?? -1);
    const { infoType, infoLength } = iommuDrivers[iommu?.driver ?? 'other'];
    return {
      value: 0,
      out: {
        data_len: infoLength,
        out_data_type: infoType,
        // Without them the structure ends before the capabilities.
        ...((op.argsz ?? 40) < 40 ? {} : { out_capabilities: iommu?.tracksDirty ? dirtyTracking : 0n }),
      },
    };
  },
  undo: () => ({ none: 'it only asks' }),
};
