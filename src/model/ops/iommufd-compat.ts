import { structure } from '../argument.ts';
import { noCompat } from '../compat.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Rule, since612, zero } from '../guard.ts';
import { ioasOf, tablesOf, withContext, withObject } from '../iommufd.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { rangeFields } from './container-get-info.ts';
import { usable } from './iommufd-iovas.ts';
import { inLargePages, inPartsOfPages } from './iommufd-option.ts';

/** What a container answers of itself, as an iommufd that stands for one answers it. */

type Version = Extract<Op, { op: 'iommufd.api_version' }>;
type Check = Extract<Op, { op: 'iommufd.check_extension' }>;
type Set = Extract<Op, { op: 'iommufd.set_iommu' }>;
type Info = Extract<Op, { op: 'iommufd.get_info' }>;

const setIommu = 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_set_iommu';
const getInfo = 'drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_iommu_get_info';

/** VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_UNMAP_ALL. */
const translating: readonly number[] = [1, 3, 9];
const coherent = 4;
const noiommu = 8;
const none = { undo: 'none: it only asks' } as const;

export const iommufdApiVersion: Rule<Version> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, VFIO_GET_API_VERSION)',
    arguments: {},
    effect: 'Answers 0.',
    ...none,
  },
  ioctl: { on: 'iommufd', request: 0x3b64 },
  guards: since612<Version>(),
  effect: () => zero,
  undo: () => ({ none: 'it only asks' }),
};

export const iommufdCheckExtension: Rule<Check> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, VFIO_CHECK_EXTENSION, extension)',
    arguments: { extension: 'the number that is asked for' },
    effect:
      'Answers 1 or 0. NOIOMMU 8 is there with the build option, whatever the parameter of module vfio says.',
    ...none,
  },
  ioctl: { on: 'iommufd', request: 0x3b65 },
  guards: since612<Check>(
    noCompat<Check>('iommufd.check_extension', ({ extension }) => extension === coherent),
  ),
  effect: (world, _state, op, context) => {
    const there =
      (translating.includes(op.extension) && !context.noiommu) ||
      (op.extension === noiommu && world.profile.build.noiommu) ||
      (op.extension === coherent && tablesOf(context, context.compat ?? 0).every((table) => table.coherent));
    return { value: there ? 1 : 0 };
  },
  undo: () => ({ none: 'it only asks' }),
};

/** Without an IOMMU there is nothing to set, and that is allowed to who may. */
function setsNoiommu(build: { readonly noiommu: boolean }, noiommuMode: boolean, type: number): boolean {
  return build.noiommu && noiommuMode && type === noiommu;
}

export const iommufdSetIommu: Rule<Set> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, VFIO_SET_IOMMU, type)',
    arguments: { type: 'TYPE1 1, TYPE1v2 3, NOIOMMU 8' },
    effect: 'Type 1 lets mappings be cut anywhere; the others change nothing. No group need wait for it.',
    undo: 'none: VFIO has no call that unsets it',
  },
  ioctl: { on: 'iommufd', request: 0x3b66 },
  guards: since612<Set>(
    {
      id: 'iommufd.set_iommu.rawio',
      words: 'the mode without an IOMMU needs CAP_SYS_RAWIO',
      errno: 'EPERM',
      citation: setIommu,
      applies: ({ profile, ...world }, state, op) =>
        setsNoiommu(profile.build, iommufdOf(state, op)?.noiommu === true, op.type) &&
        !capable({ profile, ...world }, op.pid, 'CAP_SYS_RAWIO'),
    },
    {
      id: 'iommufd.set_iommu.type',
      words: 'the type is another one, or the iommufd serves a group without an IOMMU',
      errno: 'EINVAL',
      citation: setIommu,
      applies: ({ profile }, state, op) => {
        const without = iommufdOf(state, op)?.noiommu === true;
        if (setsNoiommu(profile.build, without, op.type)) return false;
        return without || (op.type !== 1 && op.type !== 3);
      },
    },
    noCompat<Set>('iommufd.set_iommu', ({ type }) => type !== noiommu),
    {
      id: 'iommufd.set_iommu.mapped',
      words: 'the IOMMU may have mapped with large pages already, which cannot be cut',
      errno: 'EINVAL',
      citation: 'drivers/iommu/iommufd/io_pagetable.c:iopt_disable_large_pages',
      applies: (_world, state, op) => {
        const context = iommufdOf(state, op);
        return op.type === 1 && inLargePages(context, context?.compat ?? 0);
      },
    },
    {
      id: 'iommufd.set_iommu.alignment',
      words: 'a mapping is not made of whole pages',
      errno: 'EADDRINUSE',
      citation: 'drivers/iommu/iommufd/io_pagetable.c:iopt_check_iova_alignment',
      applies: (_world, state, op) => {
        const context = iommufdOf(state, op);
        return op.type === 1 && inPartsOfPages(context, context?.compat ?? 0);
      },
    },
  ),
  effect: (_world, state, op) => {
    const context = iommufdOf(state, op);
    const id = context?.compat ?? 0;
    const ioas = ioasOf(context, id);
    if (op.type !== 1 || context === null || ioas?.largePages !== true) return zero;
    const changed = withObject(context, id, { ...ioas, largePages: false });
    return { state: withContext(state, placeOfIommufd(state, op), changed), value: 0 };
  },
  undo: () => ({ none: 'VFIO has no call that unsets it' }),
};

/** Bytes before the ranges: the structure, DMA_AVAIL filled up to 8, the head of IOVA_RANGE. */
const beforeRanges = 24 + 16 + 16;

export const iommufdGetInfo: Rule<Info> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, VFIO_IOMMU_GET_INFO, &info)',
    arguments: {},
    effect:
      'Answers flags PGSIZES 1 and CAPS 2, the sizes of pages, what the whole answer takes, and with room for it all as capabilities how many more mappings there may be (2^32-1) and where.',
    ...none,
  },
  ioctl: { on: 'iommufd', request: 0x3b70 },
  guards: since612<Info>(
    ...structure<Info>('iommufd.get_info', 16, getInfo),
    noCompat<Info>('iommufd.get_info'),
  ),
  effect: (world, state, op) => {
    const context = iommufdOf(state, op);
    const compat = context?.compat ?? 0;
    const ranges = usable(world, state, op, compat);
    const total = beforeRanges + 16 * ranges.length;
    const translated = context !== null && tablesOf(context, compat).some(({ driver }) => driver !== null);
    const asked = op.argsz ?? Number.POSITIVE_INFINITY;
    const sizes = translated ? world.pageSizes : 0xfffffffffffff000n;
    const needed = asked === total ? {} : { argsz: total };
    const offset = asked < 20 ? {} : { cap_offset: asked >= total ? 24 : 0 };
    const chain = asked >= total ? { avail: 0xffff_ffff, ...rangeFields(ranges) } : {};
    return { value: 0, out: { flags: 3, iova_pgsizes: sizes, ...needed, ...offset, ...chain } };
  },
  undo: () => ({ none: 'it only asks' }),
};
