import { type Rule, since612, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { framed, reservedField } from '../user-structure.ts';

type Invalidate = Extract<Op, { op: 'iommufd.hwpt_invalidate' }>;

const invalidate = 'drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_invalidate';

/** IOMMU_HWPT_INVALIDATE_ENTRY_NUM_MAX, and the longest entry: a page. */
const mostEntries = 1 << 19;
const longestEntry = 4096;

/** Of nested page tables alone, of which the model has none. */
export const iommufdHwptInvalidate: Rule<Invalidate> = {
  words: {
    object: 'iommufd',
    call: 'ioctl(fd, IOMMU_HWPT_INVALIDATE, &invalidate)',
    arguments: {
      hwpt: 'id of a nested page table',
      array: 'whether the address of entries is given',
      entryLength: 'bytes of an entry',
      entries: 'how many there are',
      reserved: 'a field that must be 0',
      tail: 'bytes that are not 0 follow the structure',
    },
    effect: 'None: no page table is nested in another one here.',
    undo: 'none: it never succeeds',
  },
  ioctl: { on: 'iommufd', request: 0x3b8d },
  guards: since612<Invalidate>(
    ...framed<Invalidate>('iommufd.hwpt_invalidate', 32),
    reservedField<Invalidate>('iommufd.hwpt_invalidate', invalidate),
    {
      id: 'iommufd.hwpt_invalidate.entries',
      words: 'entries without an address or a length, longer than a page, or more than half a million',
      errno: 'EINVAL',
      citation: invalidate,
      applies: (_world, _state, op) => {
        const [length, entries] = [op.entryLength >>> 0, op.entries >>> 0];
        const bad = !op.array || length === 0 || length > longestEntry || entries > mostEntries;
        return entries !== 0 && bad;
      },
    },
    {
      id: 'iommufd.hwpt_invalidate.missing',
      words: 'the iommufd has no nested page table of this id',
      errno: 'ENOENT',
      citation: 'drivers/iommu/iommufd/main.c:iommufd_get_object',
      applies: () => true,
    },
  ),
  effect: () => zero,
  undo: () => ({ none: 'it never succeeds' }),
};
