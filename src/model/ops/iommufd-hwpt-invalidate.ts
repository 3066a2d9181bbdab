import type { Errno } from '../errno.ts';
import { iommufdOf } from '../files.ts';
import { type Guard, type Rule, since612 } from '../guard.ts';
import { iommuDrivers, type Nesting } from '../iommu-drivers.ts';
import { objectOf } from '../iommufd.ts';
import type { Iommufd } from '../iommufd-state.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';

type Invalidate = Extract<Op, { op: 'iommufd.hwpt_invalidate' }>;

const invalidate = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_invalidate';
const driver = 'drivers/iommu/iommufd/selftest.c:mock_domain_cache_invalidate_user';

/** IOMMU_HWPT_INVALIDATE_ENTRY_NUM_MAX, and the longest entry: a page. */
const mostEntries = 1 << 19;
const longestEntry = 4096;

/** What the driver takes for a nested page table; null: there is none of this id. */
function nestingOf(context: Iommufd, id: number): Nesting | null {
  const table = objectOf(context, id);
  const parent = table?.kind === 'nested' ? objectOf(context, table.parent) : null;
  const name = parent?.kind === 'hwpt' ? parent.driver : null;
  return name === null ? null : iommuDrivers[name].nesting;
}

type Flaw = 'entry-length' | 'entry-fault' | 'entry-flags' | 'entry-index';

/** The first entry that the driver refuses, and how many it has handled by then. */
function walked(context: Iommufd, op: Invalidate): { readonly flaw: Flaw | null; readonly done: number } {
  const { length, flags, highest } = nestingOf(context, op.hwpt)?.entry ?? {
    length: 0,
    flags: 0,
    highest: 0,
  };
  const entries = op.entries >>> 0;
  const { content } = op;
  for (let done = 0; done < entries; done += 1) {
    if (op.entryLength >>> 0 !== length) return { flaw: 'entry-length', done };
    if (content === undefined || (done + 1) * length > longestEntry) return { flaw: 'entry-fault', done };
    const word = (place: number) => (content[(done * length) / 4 + place] ?? 0) >>> 0;
    if ((word(0) & ~flags) !== 0) return { flaw: 'entry-flags', done };
    if (word(1) > highest) return { flaw: 'entry-index', done };
  }
  return { flaw: null, done: entries };
}

/** How many entries the kernel says that it has handled, refused or not. */
export function handled(context: Iommufd, op: Invalidate): number {
  const nesting = nestingOf(context, op.hwpt);
  const begun = (op.reserved ?? 0) >>> 0 === 0 && !outOfBounds(op) && nesting !== null;
  return !begun || wrongType(nesting, op) ? 0 : walked(context, op).done;
}

function outOfBounds({ array, entryLength, entries }: Invalidate): boolean {
  const length = entryLength >>> 0;
  const bad = !array || length === 0 || length > longestEntry || entries >>> 0 > mostEntries;
  return entries >>> 0 !== 0 && bad;
}

function wrongType({ entry }: Nesting, { dataType }: Invalidate): boolean {
  return (dataType ?? 0) >>> 0 !== entry.type;
}

const walk = once<Invalidate, ReturnType<typeof walked> | null>((_world, state, op) => {
  const context = iommufdOf(state, op);
  return context === null ? null : walked(context, op);
});

const flawed = (flaw: Flaw, errno: Errno, words: string, citation: string): Guard<Invalidate> => ({
  id: `iommufd.hwpt_invalidate.${flaw}`,
  words,
  errno,
  citation,
  applies: (world, state, op) => walk(world, state, op)?.flaw === flaw,
});

const copyFromUser = `${driver} (include/linux/iommu.h:__iommu_copy_struct_from_user_array)`;

const guards: readonly Guard<Invalidate>[] = [
  {
    id: 'iommufd.hwpt_invalidate.entries',
    words: 'entries without an address or a length, longer than a page, or more than half a million',
    errno: 'EINVAL',
    citation: invalidate,
    applies: (_world, _state, op) => outOfBounds(op),
  },
  {
    id: 'iommufd.hwpt_invalidate.missing',
    words: 'the iommufd has no nested page table of this id',
    errno: 'ENOENT',
    citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
    applies: (_world, _state, op, context) => nestingOf(context, op.hwpt) === null,
  },
  {
    id: 'iommufd.hwpt_invalidate.type',
    words: 'the entries are of a type that the driver does not know',
    errno: 'EINVAL',
    citation: driver,
    applies: (_world, _state, op, context) => {
      const nesting = nestingOf(context, op.hwpt);
      return nesting !== null && wrongType(nesting, op);
    },
  },
  flawed('entry-length', 'EINVAL', 'an entry is shorter or longer than the driver knows it', copyFromUser),
  flawed('entry-fault', 'EFAULT', 'an entry cannot be read from memory', copyFromUser),
  flawed('entry-flags', 'EOPNOTSUPP', 'an entry has a flag that the driver does not know', driver),
  flawed('entry-index', 'EINVAL', 'an entry names what the IOMMU does not have', driver),
];

export const iommufdHwptInvalidate: Rule<Invalidate> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_HWPT_INVALIDATE, &invalidate)',
    arguments: {
      hwpt: 'id of a nested page table',
      array: 'whether the address of entries is given',
      entryLength: 'bytes of an entry',
      entries: 'how many there are',
      dataType: 'what they are: the driver’s own',
      content: 'words at the address, and zeros behind them up to a page; nothing when left out',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect:
      'The IOMMU forgets what the entries name, one after another, up to the first that is refused. Answers how many were handled, which stands in the structure with a refusal too.',
    undo: 'none: what is forgotten is looked up again',
  },
  ioctl: { on: 'iommufd', request: 0x3b8d },
  guards: since612<Invalidate>(
    ...framed<Invalidate>('iommufd.hwpt_invalidate', 32),
    reservedField<Invalidate>('iommufd.hwpt_invalidate', invalidate),
    ...guards,
  ),
  effect: (_world, _state, op) => ({ value: 0, out: { entry_num: op.entries >>> 0 } }),
  undo: () => ({ none: 'what is forgotten is looked up again' }),
};
