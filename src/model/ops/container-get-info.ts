import { structure } from '../argument.ts';
import { mostBitmapBytes } from '../dirty-bitmap.ts';
import { type Done, everywhere, type Rule, zero } from '../guard.ts';
import { pageSize, translatedRanges } from '../mappings.ts';
import type { Op } from '../op.ts';
import type { Profile } from '../profiles.ts';
import type { Container, IovaRange, State, World } from '../state.ts';
import { type Type1, type1Of, withoutType1 } from '../type1.ts';

type GetInfo = Extract<Op, { op: 'container.get_info' }>;

/** VFIO_IOMMU_INFO_PGSIZES, VFIO_IOMMU_INFO_CAPS. */
const pageSizes = 1;
const capabilities = 2;

/** struct vfio_iommu_type1_info; capabilities begin behind it. */
const infoSize = 24;

export const containerGetInfo: Rule<GetInfo> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_IOMMU_GET_INFO, &info)',
    arguments: {},
    effect:
      'Answers the sizes of pages, and from 6.1 on as capabilities what dirty tracking can do, how many more mappings the container may have, and where. If argsz has no room for all capabilities, none is written and argsz becomes what they need.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'container', request: 0x3b70 },
  guards: everywhere(
    ...withoutType1<GetInfo>('container.get_info'),
    ...structure<GetInfo>(
      'container.get_info',
      16,
      'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_get_info',
    ),
  ),
  effect: (world, state, op, container) => {
    const iommu = type1Of(container);
    return iommu === null ? zero : { value: 0, out: answer(world, state, op, container, iommu) };
  },
  undo: () => ({ none: 'it only asks' }),
};

function answer(
  world: World,
  state: State,
  op: GetInfo,
  { groups }: Container,
  iommu: Type1,
): NonNullable<Done['out']> {
  const { profile } = world;
  const asked = typeof op.argsz === 'number' ? op.argsz >>> 0 : null;
  const told = { flags: pageSizes, iova_pgsizes: world.pageSizes };
  if (profile.iommuCapabilities === 'none') return told;
  const ranges = translatedRanges(world, state, groups);
  const needed = neededFor(profile, ranges);
  const flags = pageSizes | capabilities;
  if (asked !== null && asked < needed) {
    // cap_offset is copied back as far as argsz reaches.
    return { ...told, flags, argsz: needed, ...(asked >= 20 ? { cap_offset: 0 } : {}) };
  }
  return {
    ...told,
    flags,
    cap_offset: infoSize,
    pgsize_bitmap: pageSize,
    max_dirty_bitmap_size: mostBitmapBytes,
    avail: iommu.available,
    ...rangeFields(ranges),
  };
}

/** The capability that tells where mappings may be, as fields. */
export function rangeFields(ranges: readonly IovaRange[]): Readonly<Record<string, number | bigint>> {
  const fields: Record<string, number | bigint> = { nr_iovas: ranges.length };
  for (const [index, { start, end }] of ranges.entries()) {
    fields[`start${index}`] = start;
    fields[`end${index}`] = end;
  }
  return fields;
}

/** Bytes of the structure and its chain: migration, dma_avail, iova_range (vfio_info_cap_add). */
function neededFor({ iommuCapabilities }: Profile, ranges: readonly IovaRange[]): number {
  const available = iommuCapabilities === 'aligned' ? 16 : 12;
  return infoSize + 32 + available + (ranges.length === 0 ? 0 : 16 + 16 * ranges.length);
}
