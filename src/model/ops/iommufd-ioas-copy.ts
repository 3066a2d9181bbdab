import { u64 } from '../argument.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { highest, type Piece, piecesAt, withPieces } from '../ioas.ts';
import { ioasOf, withContext, withObject } from '../iommufd.ts';
import { type Mapping, mapGuards, placeOf, readable, writeable } from '../map-refusals.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';

type Copy = Extract<Op, { op: 'iommufd.ioas_copy' }>;

const fixed = 1;

const ioasCopy = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_copy';
const getObject = 'drivers/iommu/iommufd/main.c:iommufd_get_object';
const getPages = 'drivers/iommu/iommufd/io_pagetable.c:iopt_get_pages';

/** The memory that is copied; null where the range is not mapped whole. */
const copied = once<Copy, readonly Piece[] | null>((_world, state, op) => {
  const source = ioasOf(iommufdOf(state, op), op.src);
  const start = u64(op.srcIova);
  const end = start + u64(op.length) - 1n;
  return source === null || end < start || end > highest ? null : piecesAt(source, { start, end });
});

const mappingOf = once<Copy, Mapping | null>((world, state, op) => {
  const context = iommufdOf(state, op);
  const pieces = copied(world, state, op);
  if (context === null || pieces === null || ioasOf(context, op.dst) === null) return null;
  const iova = (op.flags & fixed) === 0 ? null : u64(op.dstIova);
  const access = op.flags & (writeable | readable);
  return { context, ioas: op.dst, iova, length: u64(op.length), access, pieces };
});

const guards: readonly Guard<Copy>[] = [
  ...framed<Copy>('iommufd.ioas_copy', 40),
  reservedField<Copy>('iommufd.ioas_copy', ioasCopy, fixed | writeable | readable),
  {
    id: 'iommufd.ioas_copy.overflow',
    words: 'an address or the length is the highest number',
    errno: 'EOVERFLOW',
    citation: ioasCopy,
    applies: (_world, _state, op) =>
      [op.length, op.srcIova, op.dstIova].some((each) => u64(each) === highest),
  },
  {
    id: 'iommufd.ioas_copy.no-access',
    words: 'the memory shall be neither readable nor writeable',
    errno: 'EINVAL',
    citation: ioasCopy,
    applies: (_world, _state, op) => (op.flags & (writeable | readable)) === 0,
  },
  {
    id: 'iommufd.ioas_copy.no-source',
    words: 'the iommufd has no address space to copy from of this id',
    errno: 'ENOENT',
    citation: getObject,
    applies: (_world, state, op) => ioasOf(iommufdOf(state, op), op.src) === null,
  },
  {
    id: 'iommufd.ioas_copy.length',
    words: 'the length is 0',
    errno: 'EINVAL',
    citation: getPages,
    applies: (_world, _state, op) => u64(op.length) === 0n,
  },
  {
    id: 'iommufd.ioas_copy.source-wrap',
    words: 'the range to copy does not fit 64 bits',
    errno: 'EOVERFLOW',
    citation: getPages,
    applies: (_world, _state, op) => u64(op.srcIova) + u64(op.length) - 1n > highest,
  },
  {
    id: 'iommufd.ioas_copy.unmapped',
    words: 'the range to copy is not mapped without a gap',
    errno: 'ENOENT',
    citation: getPages,
    applies: (world, state, op) => copied(world, state, op) === null,
  },
  {
    id: 'iommufd.ioas_copy.missing',
    words: 'the iommufd has no address space to copy to of this id',
    errno: 'ENOENT',
    citation: getObject,
    applies: (_world, state, op) => ioasOf(iommufdOf(state, op), op.dst) === null,
  },
  ...mapGuards<Copy>('iommufd.ioas_copy', mappingOf, ['access']),
];

export const iommufdIoasCopy: Rule<Copy> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_COPY, &copy)',
    arguments: {
      flags: 'FIXED_IOVA 1, WRITEABLE 2, READABLE 4',
      dst: 'id of the address space that gets it',
      src: 'id of the address space that has it',
      length: 'bytes',
      dstIova: 'where it goes, with FIXED_IOVA; otherwise the kernel chooses',
      srcIova: 'where it is',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect: 'Both address spaces have the same memory, pinned once. Answers where.',
    undo: '`iommufd.ioas_unmap`, where one mapping was copied whole',
  },
  ioctl: { on: 'iommufd', request: 0x3b83 },
  guards: since612<Copy>(...guards),
  effect: (world, state, op) => {
    const mapping = mappingOf(world, state, op);
    const ioas = mapping === null ? null : ioasOf(mapping.context, op.dst);
    if (mapping === null || ioas === null) return zero;
    const iova = placeOf(world, state, mapping);
    const mapped = withObject(
      mapping.context,
      op.dst,
      withPieces(ioas, iova, mapping.access, mapping.pieces),
    );
    return {
      state: withContext(state, placeOfIommufd(state, op), mapped),
      value: 0,
      out: { dst_iova: iova },
    };
  },
  undo: (world, before, op) => {
    const mapping = mappingOf(world, before, op);
    const iova = mapping === null ? 0n : placeOf(world, before, mapping);
    return { op: 'iommufd.ioas_unmap', pid: op.pid, fd: op.fd, ioas: op.dst, iova, length: op.length };
  },
};
