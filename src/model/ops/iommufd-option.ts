import { u64 } from '../argument.ts';
import { misaligned } from '../attach.ts';
import { iommufdOf, placeOfIommufd } from '../files.ts';
import { type Guard, type Rule, since612, zero } from '../guard.ts';
import { pageSize } from '../ioas.ts';
import { ioasOf, translated, withContext, withObject } from '../iommufd.ts';
import type { Iommufd } from '../iommufd-state.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import { framed, reservedField } from '../user-structure.ts';

type Option = Extract<Op, { op: 'iommufd.option' }>;

const rlimitMode = 0;
const hugePages = 1;
const set = 0;
const get = 1;

const rlimit = 'drivers/iommu/iommufd/ioas.c:iommufd_option_rlimit_mode';
const huge = 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_option_huge_pages';
const disable = 'drivers/iommu/iommufd/io_pagetable.c:iopt_disable_large_pages';

function asks(op: Option, option: number, operation?: number): boolean {
  return op.option >>> 0 === option && (operation === undefined || (op.operation & 0xffff) === operation);
}

/** iopt_disable_large_pages: not once an IOMMU may have mapped with them. */
export function inLargePages(context: Iommufd | null, id: number): boolean {
  const ioas = ioasOf(context, id);
  return ioas?.largePages === true && ioas.areas.length > 0 && context !== null && translated(context, id);
}

/** Small pages make whole pages the least that may be mapped. */
export function inPartsOfPages(context: Iommufd | null, id: number): boolean {
  const ioas = ioasOf(context, id);
  return ioas?.largePages === true && misaligned(ioas, pageSize);
}

const guards: readonly Guard<Option>[] = [
  ...framed<Option>('iommufd.option', 24),
  reservedField<Option>('iommufd.option', 'drivers/iommu/iommufd/main.c:iommufd_option'),
  {
    id: 'iommufd.option.unknown',
    words: 'there is no such option',
    errno: 'EOPNOTSUPP',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_option',
    applies: (_world, _state, op) => !asks(op, rlimitMode) && !asks(op, hugePages),
  },
  {
    id: 'iommufd.option.object',
    words: 'how pages are charged is no option of an object',
    errno: 'EOPNOTSUPP',
    citation: rlimit,
    applies: (_world, _state, op) => asks(op, rlimitMode) && op.object >>> 0 !== 0,
  },
  {
    id: 'iommufd.option.permission',
    words: 'how pages are charged is changed with CAP_SYS_RESOURCE alone',
    errno: 'EPERM',
    citation: rlimit,
    applies: (world, _state, op) => asks(op, rlimitMode, set) && !capable(world, op.pid, 'CAP_SYS_RESOURCE'),
  },
  {
    id: 'iommufd.option.late',
    words: 'the iommufd has objects already',
    errno: 'EBUSY',
    citation: rlimit,
    applies: (_world, state, op) =>
      asks(op, rlimitMode, set) && (iommufdOf(state, op)?.objects.length ?? 0) > 0,
  },
  {
    id: 'iommufd.option.missing',
    words: 'the iommufd has no address space of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/ioas.c:iommufd_ioas_option',
    applies: (_world, state, op) => asks(op, hugePages) && ioasOf(iommufdOf(state, op), op.object) === null,
  },
  {
    id: 'iommufd.option.operation',
    words: 'an option is read or set',
    errno: 'EOPNOTSUPP',
    citation: rlimit,
    applies: (_world, _state, op) => ![set, get].includes(op.operation & 0xffff),
  },
  {
    id: 'iommufd.option.value',
    words: 'the option is 0 or 1',
    errno: 'EINVAL',
    citation: huge,
    applies: (_world, _state, op) => (op.operation & 0xffff) === set && u64(op.value) > 1n,
  },
  {
    id: 'iommufd.option.mapped',
    words: 'the IOMMU may have mapped with large pages already',
    errno: 'EINVAL',
    citation: disable,
    applies: (_world, state, op) => smaller(op) && inLargePages(iommufdOf(state, op), op.object),
  },
  {
    id: 'iommufd.option.alignment',
    words: 'a mapping is not made of whole pages',
    errno: 'EADDRINUSE',
    citation: 'drivers/iommu/iommufd/io_pagetable.c:iopt_check_iova_alignment',
    applies: (_world, state, op) => smaller(op) && inPartsOfPages(iommufdOf(state, op), op.object),
  },
];

function smaller(op: Option): boolean {
  return asks(op, hugePages, set) && u64(op.value) === 0n;
}

export const iommufdOption: Rule<Option> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_OPTION, &option)',
    arguments: {
      option: 'RLIMIT_MODE 0, HUGE_PAGES 1',
      operation: 'SET 0, GET 1',
      object: 'id of the address space whose pages are meant; 0 for RLIMIT_MODE',
      value: 'the value to set, 0 or 1',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'RLIMIT_MODE 1 charges pinned pages to the process instead of its user; HUGE_PAGES 0 lets mappings be cut anywhere. Answers the value.',
    undo: '`iommufd.option` with the value before',
  },
  ioctl: { on: 'iommufd', request: 0x3b87 },
  guards: since612<Option>(...guards),
  effect: (_world, state, op) => {
    const context = iommufdOf(state, op);
    if (context === null) return zero;
    if ((op.operation & 0xffff) === get) return { value: 0, out: { val64: settingOf(context, op) } };
    const value = u64(op.value);
    if (settingOf(context, op) === value) return { value: 0, out: { val64: value } };
    const ioas = ioasOf(context, op.object);
    const changed =
      ioas === null || asks(op, rlimitMode)
        ? { ...context, perProcess: value === 1n }
        : withObject(context, op.object, { ...ioas, largePages: value === 1n });
    return { state: withContext(state, placeOfIommufd(state, op), changed), value: 0, out: { val64: value } };
  },
  undo: (_world, before, op) => {
    const context = iommufdOf(before, op);
    return context === null ? { none: 'there is no iommufd' } : { ...op, value: settingOf(context, op) };
  },
};

function settingOf(context: Iommufd, op: Option): bigint {
  if (asks(op, rlimitMode)) return context.perProcess ? 1n : 0n;
  return ioasOf(context, op.object)?.largePages === false ? 0n : 1n;
}
