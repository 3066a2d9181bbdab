import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { ioasOf, withContext } from '../iommufd.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';

type VfioIoas = Extract<Op, { op: 'iommufd.vfio_ioas' }>;

const get = 0;
const set = 1;
const clear = 2;

const vfioIoas = 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_ioas';

function asks(op: VfioIoas, operation: number): boolean {
  return (op.operation & 0xffff) === operation;
}

const guards: readonly Guard<VfioIoas>[] = [
  ...framed<VfioIoas>('iommufd.vfio_ioas', 12),
  reservedField<VfioIoas>('iommufd.vfio_ioas', vfioIoas),
  {
    id: 'iommufd.vfio_ioas.none',
    words: "no address space is behind VFIO's own requests",
    errno: 'ENODEV',
    citation: 'drivers/iommu/iommufd/vfio_compat.c:get_compat_ioas',
    applies: (_world, state, op) => asks(op, get) && (iommufdOf(state, op)?.compat ?? null) === null,
  },
  {
    id: 'iommufd.vfio_ioas.missing',
    words: 'the iommufd has no address space of this id',
    errno: 'ENOENT',
    citation: vfioIoas,
    applies: (_world, state, op) => asks(op, set) && ioasOf(iommufdOf(state, op), op.ioas) === null,
  },
  {
    id: 'iommufd.vfio_ioas.operation',
    words: 'the address space is read, set or cleared',
    errno: 'EOPNOTSUPP',
    citation: vfioIoas,
    applies: (_world, _state, op) => ![get, set, clear].some((operation) => asks(op, operation)),
  },
];

export const iommufdVfioIoas: Rule<VfioIoas> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_VFIO_IOAS, &vfio)',
    arguments: {
      operation: 'GET 0, SET 1, CLEAR 2',
      ioas: 'id of the address space to set',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect: "Answers, sets or clears the address space that VFIO's own requests work on.",
    undo: '`iommufd.vfio_ioas` with what was set before',
  },
  ioctl: { on: 'iommufd', request: 0x3b88 },
  guards: since612<VfioIoas>(...guards),
  effect: (_world, state, op) => {
    const context = iommufdOf(state, op);
    if (context === null) return zero;
    if (asks(op, get)) return { value: 0, out: { ioas_id: context.compat ?? 0 } };
    const compat = asks(op, set) ? op.ioas : null;
    if (compat === context.compat) return zero;
    return { state: withContext(state, placeOfIommufd(state, op), { ...context, compat }), value: 0 };
  },
  undo: (_world, before, op) => {
    const compat = iommufdOf(before, op)?.compat ?? null;
    return compat === null ? { ...op, operation: clear, ioas: 0 } : { ...op, operation: set, ioas: compat };
  },
};
