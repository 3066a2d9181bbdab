import { u64 } from '../argument.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { highest, pageSize, withPieces } from '../ioas.ts';
import { ioasOf, withContext, withObject } from '../iommufd.ts';
import { type Mapping, mapGuards, pagesOfCaller, placeOf, readable, writeable } from '../map-refusals.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';

type Map = Extract<Op, { op: 'iommufd.ioas_map' }>;

const fixed = 1;
const known = fixed | writeable | readable;

const ioasMap = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_map';
const allocPages = 'drivers/iommu/iommufd/pages.c:iopt_alloc_pages';

/** What is asked for; null where there is no such address space. */
const mappingOf = once<Map, Mapping | null>((world, state, op) => {
  const context = iommufdOf(state, op);
  if (context === null || ioasOf(context, op.ioas) === null) return null;
  const access = op.flags & (writeable | readable);
  const vaddr = u64(op.vaddr);
  const length = u64(op.length);
  const pages = pagesOfCaller(world, context, op, vaddr, access);
  return {
    context,
    ioas: op.ioas,
    iova: (op.flags & fixed) === 0 ? null : u64(op.iova),
    length,
    access,
    pieces: [{ pages, start: vaddr % pageSize, length }],
  };
});

const guards: readonly Guard<Map>[] = [
  ...framed<Map>('iommufd.ioas_map', 40),
  reservedField<Map>('iommufd.ioas_map', ioasMap, known),
  {
    id: 'iommufd.ioas_map.overflow',
    words: 'the address or the length is the highest number',
    errno: 'EOVERFLOW',
    citation: ioasMap,
    applies: (_world, _state, op) => u64(op.iova) === highest || u64(op.length) === highest,
  },
  {
    id: 'iommufd.ioas_map.no-access',
    words: 'the memory shall be neither readable nor writeable',
    errno: 'EINVAL',
    citation: ioasMap,
    applies: (_world, _state, op) => (op.flags & (writeable | readable)) === 0,
  },
  {
    id: 'iommufd.ioas_map.missing',
    words: 'the iommufd has no address space of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, state, op) => ioasOf(iommufdOf(state, op), op.ioas) === null,
  },
  ...memoryGuards<Map>('iommufd.ioas_map', (op) => op.length),
  ...mapGuards<Map>('iommufd.ioas_map', mappingOf, ['read-only', 'access']),
];

export const iommufdIoasMap: Rule<Map> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_MAP, &map)',
    arguments: {
      flags: 'FIXED_IOVA 1, WRITEABLE 2, READABLE 4',
      ioas: 'id of the address space',
      vaddr: 'the user address',
      length: 'bytes',
      iova: 'where, with FIXED_IOVA; otherwise the kernel chooses',
      memory: 'what stands behind the user address',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'The address space has the memory there; it is pinned as soon as a device is attached. Answers where.',
    undo: '`iommufd.ioas_unmap`',
  },
  ioctl: { on: 'iommufd', request: 0x3b85 },
  guards: since612<Map>(...guards),
  effect: (world, state, op) => {
    const mapping = mappingOf(world, state, op);
    const ioas = mapping === null ? null : ioasOf(mapping.context, op.ioas);
    if (mapping === null || ioas === null) return zero;
    const iova = placeOf(world, state, mapping);
    const mapped = withObject(
      mapping.context,
      op.ioas,
      withPieces(ioas, iova, mapping.access, mapping.pieces),
    );
    return { state: withContext(state, placeOfIommufd(state, op), mapped), value: 0, out: { iova } };
  },
  undo: (world, before, op) => {
    const mapping = mappingOf(world, before, op);
    const iova = mapping === null ? 0n : placeOf(world, before, mapping);
    return { op: 'iommufd.ioas_unmap', pid: op.pid, fd: op.fd, ioas: op.ioas, iova, length: op.length };
  },
};

/** The tests of the memory itself, before any of the address space (iopt_alloc_pages). */
export function memoryGuards<O extends Op & { readonly vaddr: bigint }>(
  op: O['op'],
  lengthOf: (asked: O) => bigint,
): readonly Guard<O>[] {
  return [
    {
      id: `${op}.length`,
      words: 'the length is 0, or more than there is',
      errno: 'EINVAL',
      citation: allocPages,
      applies: (_world, _state, asked) => {
        const length = u64(lengthOf(asked));
        return length === 0n || length > highest - pageSize;
      },
    },
    {
      id: `${op}.address`,
      words: 'the user addresses do not fit 64 bits',
      errno: 'EOVERFLOW',
      citation: allocPages,
      applies: (_world, _state, asked) => u64(asked.vaddr) + u64(lengthOf(asked)) > highest,
    },
  ];
}
