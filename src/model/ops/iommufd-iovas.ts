import { u64 } from '../argument.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { alignmentOf, highest, hits, holes, reservedOf } from '../ioas.ts';
import { ioasOf, withContext, withObject } from '../iommufd.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import type { IovaRange, State, World } from '../state.ts';
import { framed, reservedField } from '../user-structure.ts';

/** Which addresses of an address space may be used: told, and promised to stay so. */

type Ranges = Extract<Op, { op: 'iommufd.ioas_iova_ranges' }>;
type Allow = Extract<Op, { op: 'iommufd.ioas_allow_iovas' }>;

const iovaRanges = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_iova_ranges';
const loadIovas = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_load_iovas';

/** An address space that is to be there. */
function missing<O extends Op & { readonly pid: number; readonly fd: number; readonly ioas: number }>(
  op: O['op'],
): Guard<O> {
  return {
    id: `${op}.missing`,
    words: 'the iommufd has no address space of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, state, asked) => ioasOf(iommufdOf(state, asked), asked.ioas) === null,
  };
}

/** The ranges that are not reserved. */
export function usable(
  world: World,
  state: State,
  op: { pid: number; fd: number },
  ioas: number,
): readonly IovaRange[] {
  const context = iommufdOf(state, op);
  const reserved = context === null ? [] : reservedOf(world, state, context, ioas);
  return holes({ start: 0n, end: highest }, reserved);
}

export const iommufdIoasIovaRanges: Rule<Ranges> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &ranges)',
    arguments: {
      ioas: 'id of the address space',
      room: 'how many ranges the caller has room for',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'Answers the ranges of addresses that may be used, and what addresses must be a multiple of. Too many for the room, and the caller has as many as fit and their number all the same.',
    undo: 'none: it only asks',
  },
  ioctl: { on: 'iommufd', request: 0x3b84 },
  guards: since612<Ranges>(
    ...framed<Ranges>('iommufd.ioas_iova_ranges', 32),
    reservedField<Ranges>('iommufd.ioas_iova_ranges', iovaRanges),
    missing<Ranges>('iommufd.ioas_iova_ranges'),
    {
      id: 'iommufd.ioas_iova_ranges.room',
      words: 'there are more ranges than the caller has room for',
      errno: 'EMSGSIZE',
      citation: iovaRanges,
      applies: (world, state, op) => usable(world, state, op, op.ioas).length > op.room >>> 0,
    },
  ),
  effect: (world, state, op) => {
    const context = iommufdOf(state, op);
    const alignment = context === null ? 1n : alignmentOf(context, op.ioas);
    const ranges = usable(world, state, op, op.ioas);
    const told = ranges.flatMap(({ start, end }, index) => [
      [`start${index}`, start],
      [`last${index}`, end],
    ]);
    return {
      value: 0,
      out: { num_iovas: ranges.length, out_iova_alignment: alignment, ...Object.fromEntries(told) },
    };
  },
  undo: () => ({ none: 'it only asks' }),
};

/** The ranges that are given, as pairs of a first and a last address. */
const given = once<Allow, readonly IovaRange[]>((_world, _state, { ranges }) => {
  const pairs: IovaRange[] = [];
  for (let place = 0; place + 1 < ranges.length; place += 2) {
    pairs.push({ start: u64(ranges[place] ?? 0n), end: u64(ranges[place + 1] ?? 0n) });
  }
  return pairs;
});

export const iommufdIoasAllowIovas: Rule<Allow> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_IOAS_ALLOW_IOVAS, &allow)',
    arguments: {
      ioas: 'id of the address space',
      ranges: 'first and last address of each range, one after another',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'Instead of what was promised before, no device may reserve anything in these ranges; the kernel chooses addresses there alone.',
    undo: '`iommufd.ioas_allow_iovas` with what was promised before',
  },
  ioctl: { on: 'iommufd', request: 0x3b82 },
  guards: since612<Allow>(
    ...framed<Allow>('iommufd.ioas_allow_iovas', 24),
    reservedField<Allow>('iommufd.ioas_allow_iovas', 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_allow_iovas'),
    missing<Allow>('iommufd.ioas_allow_iovas'),
    {
      id: 'iommufd.ioas_allow_iovas.ranges',
      words: 'a range ends where it begins, or before, or two overlap',
      errno: 'EINVAL',
      citation: loadIovas,
      applies: (world, state, op) =>
        given(world, state, op).some(
          (range, place, all) => range.start >= range.end || hits(all.slice(0, place), range),
        ),
    },
    {
      id: 'iommufd.ioas_allow_iovas.reserved',
      words: 'an attached device reserves something in a range',
      errno: 'EADDRINUSE',
      citation: 'drivers/iommu/iommufd/io_pagetable.c:iopt_set_allow_iova',
      applies: (world, state, op) => {
        const context = iommufdOf(state, op);
        const reserved = context === null ? [] : reservedOf(world, state, context, op.ioas);
        return given(world, state, op).some((range) => hits(reserved, range));
      },
    },
  ),
  effect: (world, state, op) => {
    const context = iommufdOf(state, op);
    const ioas = ioasOf(context, op.ioas);
    if (context === null || ioas === null) return zero;
    const allowed = [...given(world, state, op)].sort((a, b) => (a.start < b.start ? -1 : 1));
    const changed = withObject(context, op.ioas, { ...ioas, allowed });
    return { state: withContext(state, placeOfIommufd(state, op), changed), value: 0 };
  },
  undo: (_world, before, { pid, fd, ioas }) => {
    const allowed = ioasOf(iommufdOf(before, { pid, fd }), ioas)?.allowed ?? [];
    const ranges = allowed.flatMap(({ start, end }) => [start, end]);
    return { op: 'iommufd.ioas_allow_iovas', pid, fd, ioas, ranges };
  },
};
