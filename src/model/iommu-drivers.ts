/** What the drivers of IOMMUs make of iommufd's requests on page tables: data, which the rules of these requests read. */

/** Of a page table that is nested in another one, which the driver reads from memory of the caller. */
export interface Nesting {
  /** IOMMU_HWPT_DATA_…, and how many bytes of it there have to be. */
  readonly dataType: number;
  readonly dataLength: number;
  /** An entry of HWPT_INVALIDATE: its type, its bytes, the flags that its first word may have, and the highest second one. */
  readonly entry: {
    readonly type: number;
    readonly length: number;
    readonly flags: number;
    readonly highest: number;
  };
}

interface IommuDriver {
  /** IOMMU_HW_INFO_TYPE_…: 0 where it tells nothing (enum iommu_hw_info_type); and the bytes of what it tells. */
  readonly infoType: number;
  readonly infoLength: number;
  /** Bytes of the smallest page. */
  readonly pageSize: bigint;
  /** What a page table translates; null: all addresses that the widest unit of the machine has. */
  readonly aperture: { readonly start: bigint; readonly end: bigint } | null;
  /** Null where no page table is nested in another one. */
  readonly nesting: Nesting | null;
}

export type IommuDriverName = 'intel' | 'selftest' | 'other';

const plain = { pageSize: 0x1000n, aperture: null, nesting: null } as const;

export const iommuDrivers: Readonly<Record<IommuDriverName, IommuDriver>> = {
  /** sizeof(struct iommu_hw_info_vtd). A unit that nests page tables is taken not to: no snapshot tells whether it does. */
  intel: { infoType: 1, infoLength: 24, ...plain },
  /** The units that iommufd's self-test makes up (drivers/iommu/iommufd/selftest.c, CONFIG_IOMMUFD_TEST). */
  selftest: {
    infoType: 0xfeed_beef,
    infoLength: 8,
    // MOCK_IO_PAGE_SIZE is half a page; MOCK_APERTURE_START and MOCK_APERTURE_LAST.
    pageSize: 0x800n,
    aperture: { start: 0x100_0000n, end: 0x7fff_ffffn },
    nesting: {
      dataType: 0xdead,
      dataLength: 4,
      entry: { type: 0xdead_beef, length: 8, flags: 1, highest: 3 },
    },
  },
  /** None of these tells of its hardware in 6.12. */
  other: { infoType: 0, infoLength: 0, ...plain },
};

/** By the name that it gives a unit (drivers/iommu/intel/dmar.c:alloc_iommu, iommufd/selftest.c:iommufd_test_init). */
export function driverOfUnit(name: string): IommuDriverName {
  if (/^dmar\d+$/.test(name)) return 'intel';
  return name.startsWith('iommufd_selftest_iommu') ? 'selftest' : 'other';
}
