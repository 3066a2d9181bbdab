import { u64 } from '../argument.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import { highest, spanOf } from '../ioas.ts';
import { ioasOf, objectOf } from '../iommufd.ts';
import type { Iommufd } from '../iommufd-state.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { framed, reservedField } from '../user-structure.ts';

type GetPa = Extract<Op, { op: 'iommufd.noiommu_get_pa' }>;

const getPa = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_noiommu_get_pa';
const getPhys = 'drivers/iommu/iommufd/io_pagetable.c:iopt_get_phys';

/** As any number that iommufd does not know, it goes on to VFIO's own requests, which do not know it either. */
const unknown: Guard<GetPa> = {
  id: 'iommufd.noiommu_get_pa.unknown',
  words: 'this kernel has no page tables for devices without an IOMMU',
  errno: 'ENOTTY',
  citation: {
    seed: 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_ioctl',
    'noiommu-cdev': 'drivers/iommu/iommufd/main.c:iommufd_fops_ioctl (IOMMUFD_NOIOMMU)',
  },
  applies: (world) => !world.profile.build.noiommuCdev,
};

/** Whether the first page table, which pinned pages are read from, is for devices without an IOMMU. */
function readable(context: Iommufd, id: number): boolean {
  const table = objectOf(context, ioasOf(context, id)?.tables[0] ?? 0);
  return table?.kind === 'hwpt' && table.driver === null;
}

const guards: readonly Guard<GetPa>[] = [
  unknown,
  ...framed<GetPa>('iommufd.noiommu_get_pa', 40),
  {
    id: 'iommufd.noiommu_get_pa.rawio',
    words: 'physical addresses are told with CAP_SYS_RAWIO alone',
    errno: 'EPERM',
    citation: getPa,
    applies: (world, _state, op) => !capable(world, op.pid, 'CAP_SYS_RAWIO'),
  },
  reservedField<GetPa>('iommufd.noiommu_get_pa', getPa),
  {
    id: 'iommufd.noiommu_get_pa.length',
    words: 'the length is 0',
    errno: 'EINVAL',
    citation: getPa,
    applies: (_world, _state, op) => u64(op.length) === 0n,
  },
  {
    id: 'iommufd.noiommu_get_pa.overflow',
    words: 'the address is the highest number',
    errno: 'EOVERFLOW',
    citation: getPa,
    applies: (_world, _state, op) => u64(op.iova) === highest,
  },
  {
    id: 'iommufd.noiommu_get_pa.unmapped',
    words: 'the iommufd has no address space of this id, or nothing is mapped there at the address',
    errno: 'ENOENT',
    citation: `drivers/iommu/iommufd/main.c:iommufd_get_object; ${getPhys}`,
    applies: (_world, _state, op, context) => {
      const at = u64(op.iova);
      const areas = ioasOf(context, op.ioas)?.areas ?? [];
      return !areas.map(spanOf).some(({ start, end }) => start <= at && at <= end);
    },
  },
  {
    id: 'iommufd.noiommu_get_pa.translated',
    words: 'no device without an IOMMU is attached, or one behind an IOMMU was first',
    errno: 'EOPNOTSUPP',
    citation: getPhys,
    applies: (_world, _state, op, context) => !readable(context, op.ioas),
  },
];

export const iommufdNoiommuGetPa: Rule<GetPa> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_NOIOMMU_GET_PA, &get)',
    arguments: {
      flags: 'none are known',
      ioas: 'id of the address space',
      iova: 'an address that is mapped there',
      length: 'bytes that are of interest',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'Answers the physical address behind it, and how many of the bytes lie there in one piece: which both depend on the memory of the machine, and are not told here.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'iommufd', request: 0x3b95 },
  guards: { seed: [], '6.12': [unknown], 'noiommu-cdev': guards },
  effect: () => zero,
  undo: () => ({ none: 'it only asks' }),
};
