/**
 * iommufd's constants and structures (include/uapi/linux/iommufd.h, Linux 6.12, x86-64): numbers and layouts, nothing else.
 * A test compares every line with what a C compiler says about the kernel's own headers.
 */
import { layout, u8, u16, u32, u64 } from './layout.ts';

/** `_IO(';', 0x80 + n)`, after VFIO's own numbers. */
export const iommufdRequests = {
  IOMMU_DESTROY: 0x3b80,
  IOMMU_IOAS_ALLOC: 0x3b81,
  IOMMU_IOAS_ALLOW_IOVAS: 0x3b82,
  IOMMU_IOAS_COPY: 0x3b83,
  IOMMU_IOAS_IOVA_RANGES: 0x3b84,
  IOMMU_IOAS_MAP: 0x3b85,
  IOMMU_IOAS_UNMAP: 0x3b86,
  IOMMU_OPTION: 0x3b87,
  IOMMU_VFIO_IOAS: 0x3b88,
  IOMMU_HWPT_ALLOC: 0x3b89,
  IOMMU_GET_HW_INFO: 0x3b8a,
  IOMMU_HWPT_SET_DIRTY_TRACKING: 0x3b8b,
  IOMMU_HWPT_GET_DIRTY_BITMAP: 0x3b8c,
  IOMMU_HWPT_INVALIDATE: 0x3b8d,
  IOMMU_FAULT_QUEUE_ALLOC: 0x3b8e,
} as const;

export const iommufd = {
  IOMMU_IOAS_MAP_FIXED_IOVA: 1,
  IOMMU_IOAS_MAP_WRITEABLE: 2,
  IOMMU_IOAS_MAP_READABLE: 4,
  IOMMU_OPTION_RLIMIT_MODE: 0,
  IOMMU_OPTION_HUGE_PAGES: 1,
  IOMMU_OPTION_OP_SET: 0,
  IOMMU_OPTION_OP_GET: 1,
  IOMMU_VFIO_IOAS_GET: 0,
  IOMMU_VFIO_IOAS_SET: 1,
  IOMMU_VFIO_IOAS_CLEAR: 2,
  IOMMU_HW_INFO_TYPE_INTEL_VTD: 1,
  IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: 1,
} as const;

/** By the names of iommufd.h. */
export const iommufdLayouts = {
  iommu_destroy: layout(8, { size: u32(0), id: u32(4) }),
  iommu_ioas_alloc: layout(12, { size: u32(0), flags: u32(4), out_ioas_id: u32(8) }),
  iommu_iova_range: layout(16, { start: u64(0), last: u64(8) }),
  iommu_ioas_iova_ranges: layout(32, {
    size: u32(0),
    ioas_id: u32(4),
    num_iovas: u32(8),
    __reserved: u32(12),
    allowed_iovas: u64(16),
    out_iova_alignment: u64(24),
  }),
  iommu_ioas_allow_iovas: layout(24, {
    size: u32(0),
    ioas_id: u32(4),
    num_iovas: u32(8),
    __reserved: u32(12),
    allowed_iovas: u64(16),
  }),
  iommu_ioas_map: layout(40, {
    size: u32(0),
    flags: u32(4),
    ioas_id: u32(8),
    __reserved: u32(12),
    user_va: u64(16),
    length: u64(24),
    iova: u64(32),
  }),
  iommu_ioas_copy: layout(40, {
    size: u32(0),
    flags: u32(4),
    dst_ioas_id: u32(8),
    src_ioas_id: u32(12),
    length: u64(16),
    dst_iova: u64(24),
    src_iova: u64(32),
  }),
  iommu_ioas_unmap: layout(24, { size: u32(0), ioas_id: u32(4), iova: u64(8), length: u64(16) }),
  iommu_option: layout(24, {
    size: u32(0),
    option_id: u32(4),
    op: u16(8),
    __reserved: u16(10),
    object_id: u32(12),
    val64: u64(16),
  }),
  iommu_hwpt_alloc: layout(48, {
    size: u32(0),
    flags: u32(4),
    dev_id: u32(8),
    pt_id: u32(12),
    out_hwpt_id: u32(16),
    __reserved: u32(20),
    data_type: u32(24),
    data_len: u32(28),
    data_uptr: u64(32),
    fault_id: u32(40),
    __reserved2: u32(44),
  }),
  iommu_hw_info: layout(40, {
    size: u32(0),
    flags: u32(4),
    dev_id: u32(8),
    data_len: u32(12),
    data_uptr: u64(16),
    out_data_type: u32(24),
    out_max_pasid_log2: u8(28),
    '__reserved[0]': u8(29),
    '__reserved[1]': u8(30),
    '__reserved[2]': u8(31),
    out_capabilities: u64(32),
  }),
  iommu_hw_info_vtd: layout(24, { flags: u32(0), __reserved: u32(4), cap_reg: u64(8), ecap_reg: u64(16) }),
  iommu_hwpt_set_dirty_tracking: layout(16, {
    size: u32(0),
    flags: u32(4),
    hwpt_id: u32(8),
    __reserved: u32(12),
  }),
  iommu_hwpt_get_dirty_bitmap: layout(48, {
    size: u32(0),
    hwpt_id: u32(4),
    flags: u32(8),
    __reserved: u32(12),
    iova: u64(16),
    length: u64(24),
    page_size: u64(32),
    data: u64(40),
  }),
  iommu_hwpt_invalidate: layout(32, {
    size: u32(0),
    hwpt_id: u32(4),
    data_uptr: u64(8),
    data_type: u32(16),
    entry_len: u32(20),
    entry_num: u32(24),
    __reserved: u32(28),
  }),
  iommu_fault_alloc: layout(16, {
    size: u32(0),
    flags: u32(4),
    out_fault_id: u32(8),
    out_fault_fd: u32(12),
  }),
  iommu_vfio_ioas: layout(12, { size: u32(0), ioas_id: u32(4), op: u16(8), __reserved: u16(10) }),
} as const;

/** Of the series of 2026, which no release's headers have yet: read from include/uapi/linux/iommufd.h as it was merged. */
export const noiommuGetPa = {
  request: 0x3b95,
  layout: layout(40, {
    size: u32(0),
    flags: u32(4),
    ioas_id: u32(8),
    __reserved: u32(12),
    iova: u64(16),
    length: u64(24),
    out_phys: u64(32),
  }),
} as const;
