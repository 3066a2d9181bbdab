/**
 * VFIO's constants and structures (include/uapi/linux/vfio.h, Linux 6.12, x86-64): numbers and layouts, nothing else.
 *
 * Invariant: no behaviour. A test compares every line with what a C compiler says about the kernel's own headers.
 */
import type { Field, Layout } from './layout.ts';

export const vfio = {
  VFIO_API_VERSION: 0,
  // What CHECK_EXTENSION asks and SET_IOMMU takes.
  VFIO_TYPE1_IOMMU: 1,
  VFIO_SPAPR_TCE_IOMMU: 2,
  VFIO_TYPE1v2_IOMMU: 3,
  VFIO_DMA_CC_IOMMU: 4,
  VFIO_EEH: 5,
  VFIO_TYPE1_NESTING_IOMMU: 6,
  VFIO_SPAPR_TCE_v2_IOMMU: 7,
  VFIO_NOIOMMU_IOMMU: 8,
  VFIO_UNMAP_ALL: 9,
  VFIO_UPDATE_VADDR: 10,
  VFIO_GROUP_FLAGS_VIABLE: 1,
  VFIO_GROUP_FLAGS_CONTAINER_SET: 2,
  VFIO_DEVICE_FLAGS_RESET: 0x1,
  VFIO_DEVICE_FLAGS_PCI: 0x2,
  VFIO_DEVICE_FLAGS_CAPS: 0x80,
  VFIO_REGION_INFO_FLAG_READ: 1,
  VFIO_REGION_INFO_FLAG_WRITE: 2,
  VFIO_REGION_INFO_FLAG_MMAP: 4,
  VFIO_REGION_INFO_FLAG_CAPS: 8,
  VFIO_REGION_INFO_CAP_SPARSE_MMAP: 1,
  VFIO_REGION_INFO_CAP_TYPE: 2,
  VFIO_REGION_INFO_CAP_MSIX_MAPPABLE: 3,
  VFIO_IRQ_INFO_EVENTFD: 1,
  VFIO_IRQ_INFO_MASKABLE: 2,
  VFIO_IRQ_INFO_AUTOMASKED: 4,
  VFIO_IRQ_INFO_NORESIZE: 8,
  VFIO_IRQ_SET_DATA_NONE: 1,
  VFIO_IRQ_SET_DATA_BOOL: 2,
  VFIO_IRQ_SET_DATA_EVENTFD: 4,
  VFIO_IRQ_SET_ACTION_MASK: 8,
  VFIO_IRQ_SET_ACTION_UNMASK: 16,
  VFIO_IRQ_SET_ACTION_TRIGGER: 32,
  VFIO_PCI_BAR0_REGION_INDEX: 0,
  VFIO_PCI_BAR5_REGION_INDEX: 5,
  VFIO_PCI_ROM_REGION_INDEX: 6,
  VFIO_PCI_CONFIG_REGION_INDEX: 7,
  VFIO_PCI_VGA_REGION_INDEX: 8,
  VFIO_PCI_NUM_REGIONS: 9,
  VFIO_PCI_INTX_IRQ_INDEX: 0,
  VFIO_PCI_MSI_IRQ_INDEX: 1,
  VFIO_PCI_MSIX_IRQ_INDEX: 2,
  VFIO_PCI_ERR_IRQ_INDEX: 3,
  VFIO_PCI_REQ_IRQ_INDEX: 4,
  VFIO_PCI_NUM_IRQS: 5,
  VFIO_IOMMU_INFO_PGSIZES: 1,
  VFIO_IOMMU_INFO_CAPS: 2,
  VFIO_DMA_MAP_FLAG_READ: 1,
  VFIO_DMA_MAP_FLAG_WRITE: 2,
  VFIO_DMA_MAP_FLAG_VADDR: 4,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP: 1,
  VFIO_DMA_UNMAP_FLAG_ALL: 2,
  VFIO_DMA_UNMAP_FLAG_VADDR: 4,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START: 1,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP: 2,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP: 4,
} as const;

const u16 = (offset: number) => ({ offset, kind: 'u16' }) as const satisfies Field;
const u32 = (offset: number) => ({ offset, kind: 'u32' }) as const satisfies Field;
const u64 = (offset: number) => ({ offset, kind: 'u64' }) as const satisfies Field;

function layout<const Fields extends { readonly [name: string]: Field }>(
  size: number,
  fields: Fields,
): Layout<Fields> {
  return { size, fields };
}

/** By the names of vfio.h. A flexible array at the end (`data[]`) is outside `size`. */
export const layouts = {
  vfio_info_cap_header: layout(8, { id: u16(0), version: u16(2), next: u32(4) }),
  vfio_group_status: layout(8, { argsz: u32(0), flags: u32(4) }),
  /** 6.1's ends after cap_offset (20 bytes); the padding came in v6.6. The kernel asks for 16. */
  vfio_device_info: layout(24, {
    argsz: u32(0),
    flags: u32(4),
    num_regions: u32(8),
    num_irqs: u32(12),
    cap_offset: u32(16),
  }),
  vfio_region_info: layout(32, {
    argsz: u32(0),
    flags: u32(4),
    index: u32(8),
    cap_offset: u32(12),
    size: u64(16),
    offset: u64(24),
  }),
  vfio_irq_info: layout(16, { argsz: u32(0), flags: u32(4), index: u32(8), count: u32(12) }),
  vfio_irq_set: layout(20, { argsz: u32(0), flags: u32(4), index: u32(8), start: u32(12), count: u32(16) }),
  /** 6.1's ends after cap_offset at 20, padded to 24 by the alignment of its u64. */
  vfio_iommu_type1_info: layout(24, {
    argsz: u32(0),
    flags: u32(4),
    iova_pgsizes: u64(8),
    cap_offset: u32(16),
  }),
  vfio_iommu_type1_dma_map: layout(32, {
    argsz: u32(0),
    flags: u32(4),
    vaddr: u64(8),
    iova: u64(16),
    size: u64(24),
  }),
  vfio_iommu_type1_dma_unmap: layout(24, { argsz: u32(0), flags: u32(4), iova: u64(8), size: u64(16) }),
  vfio_iommu_type1_dirty_bitmap: layout(8, { argsz: u32(0), flags: u32(4) }),
} as const;
