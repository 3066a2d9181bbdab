import { structure, u64 } from '../argument.ts';
import { noCompat } from '../compat.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Rule, since612, zero } from '../guard.ts';
import { pageSize, withPieces } from '../ioas.ts';
import { ioasOf, withContext, withObject } from '../iommufd.ts';
import { type Mapping, mapGuards, pagesOfCaller, readable, writeable } from '../map-refusals.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { memoryGuards } from './iommufd-ioas-map.ts';

type Map = Extract<Op, { op: 'iommufd.map_dma' }>;

const mapDma = 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_map_dma';

/** READ 1 and WRITE 2, as iommufd says them. */
function accessOf(flags: number): number {
  return ((flags & 1) === 0 ? 0 : readable) | ((flags & 2) === 0 ? 0 : writeable);
}

const mappingOf = once<Map, Mapping | null>((world, state, op) => {
  const context = iommufdOf(state, op);
  const ioas = context?.compat ?? null;
  if (context === null || ioas === null) return null;
  const access = accessOf(op.flags);
  const vaddr = u64(op.vaddr);
  const length = u64(op.size);
  const pages = pagesOfCaller(world, context, op, vaddr, access);
  const pieces = [{ pages, start: vaddr % pageSize, length }];
  return { context, ioas, iova: u64(op.iova), length, access, pieces };
});

export const iommufdMapDma: Rule<Map> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, VFIO_IOMMU_MAP_DMA, &map)',
    arguments: {
      flags: 'READ 1, WRITE 2',
      vaddr: 'the user address',
      iova: 'the I/O address',
      size: 'bytes',
      memory: 'what stands behind the user address',
    },
    effect: 'The address space has the memory there; it is pinned as soon as a device is attached.',
    undo: '`iommufd.unmap_dma`',
  },
  ioctl: { on: 'iommufd', request: 0x3b71 },
  guards: since612<Map>(
    ...structure<Map>('iommufd.map_dma', 32, mapDma),
    {
      id: 'iommufd.map_dma.flags',
      words: 'the flags are not reading and writing alone',
      errno: 'EINVAL',
      citation: mapDma,
      applies: (_world, _state, op) => ((op.flags >>> 0) & ~3) !== 0,
    },
    noCompat<Map>('iommufd.map_dma'),
    ...memoryGuards<Map>('iommufd.map_dma', (op) => op.size),
    ...mapGuards<Map>('iommufd.map_dma', mappingOf, ['size', 'offset', 'room', 'read-only']),
  ),
  effect: (world, state, op) => {
    const mapping = mappingOf(world, state, op);
    const ioas = mapping === null ? null : ioasOf(mapping.context, mapping.ioas);
    if (mapping === null || ioas === null) return zero;
    const { context, iova, access, pieces } = mapping;
    const mapped = withObject(context, mapping.ioas, withPieces(ioas, iova ?? 0n, access, pieces));
    return { state: withContext(state, placeOfIommufd(state, op), mapped), value: 0 };
  },
  undo: (_world, _before, { pid, fd, iova, size }) => ({
    op: 'iommufd.unmap_dma',
    pid,
    fd,
    flags: 0,
    iova,
    size,
  }),
};
