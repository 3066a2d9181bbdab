import { u64 } from '../argument.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612 } from '../guard.ts';
import { highest, unmapped } from '../ioas.ts';
import { freshIoas, ioasOf, withAreas, withContext } from '../iommufd.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import type { State } from '../state.ts';
import { framed } from '../user-structure.ts';

type Unmap = Extract<Op, { op: 'iommufd.ioas_unmap' }>;

const ioasUnmap = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_unmap';
const unmapIova = 'drivers/iommu/iommufd/io_pagetable.c:iopt_unmap_iova';
const unmapRange = 'drivers/iommu/iommufd/io_pagetable.c:iopt_unmap_iova_range';

/** iova 0 and the highest length stand for everything. */
function everything(op: Unmap): boolean {
  return u64(op.iova) === 0n && u64(op.length) === highest;
}

const done = once<Unmap, ReturnType<typeof unmapped>>((_world, state, op) => {
  const ioas = ioasOf(iommufdOf(state, op), op.ioas) ?? freshIoas;
  const start = u64(op.iova);
  return unmapped(ioas, { start, end: everything(op) ? highest : start + u64(op.length) - 1n });
});

function after(state: State, op: Unmap, { ioas, bytes }: ReturnType<typeof unmapped>): State {
  const context = iommufdOf(state, op);
  if (context === null || bytes === 0n) return state;
  return withContext(state, placeOfIommufd(state, op), withAreas(context, op.ioas, ioas));
}

const guards: readonly Guard<Unmap>[] = [
  ...framed<Unmap>('iommufd.ioas_unmap', 24),
  {
    id: 'iommufd.ioas_unmap.missing',
    words: 'the iommufd has no address space of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, state, op) => ioasOf(iommufdOf(state, op), op.ioas) === null,
  },
  {
    id: 'iommufd.ioas_unmap.overflow',
    words: 'the address or the length is the highest number, and the other not what stands for everything',
    errno: 'EOVERFLOW',
    citation: ioasUnmap,
    applies: (_world, _state, op) =>
      !everything(op) && (u64(op.iova) === highest || u64(op.length) === highest),
  },
  {
    id: 'iommufd.ioas_unmap.length',
    words: 'the length is 0',
    errno: 'EINVAL',
    citation: unmapIova,
    applies: (_world, _state, op) => u64(op.length) === 0n,
  },
  {
    id: 'iommufd.ioas_unmap.wrap',
    words: 'the range does not fit 64 bits',
    errno: 'EOVERFLOW',
    citation: unmapIova,
    applies: (_world, _state, op) => !everything(op) && u64(op.iova) + u64(op.length) - 1n > highest,
  },
  {
    id: 'iommufd.ioas_unmap.partial',
    words: 'a mapping lies only partly in the range; those before it are gone',
    errno: 'ENOENT',
    citation: unmapRange,
    applies: (world, state, op) => !done(world, state, op).whole,
    leaves: (world, state, op) => after(state, op, done(world, state, op)),
  },
  {
    id: 'iommufd.ioas_unmap.nothing',
    words: 'nothing is mapped in the range',
    errno: 'ENOENT',
    citation: ioasUnmap,
    applies: (world, state, op) => !everything(op) && done(world, state, op).bytes === 0n,
  },
];

export const iommufdIoasUnmap: Rule<Unmap> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_UNMAP, &unmap)',
    arguments: {
      ioas: 'id of the address space',
      iova: 'where it begins',
      length: 'bytes; with iova 0 the highest number stands for everything',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect: 'All mappings in the range are gone. Answers their bytes.',
    undo: 'none: the memory behind a mapping is not known any more',
  },
  ioctl: { on: 'iommufd', request: 0x3b86 },
  guards: since612<Unmap>(...guards),
  effect: (world, state, op) => {
    const its = done(world, state, op);
    return { state: after(state, op, its), value: 0, out: { length: its.bytes } };
  },
  undo: () => ({ none: 'the memory behind a mapping is not known any more' }),
};
