import { z } from 'zod';
import {
  as,
  call,
  mapping,
  memory,
  on,
  register,
  reserved,
  structure,
  wide,
  word,
} from './trace-fields.schema.ts';

/** The operations of an iommufd. */
export const iommufdOperations = [
  z.strictObject({ op: z.literal('iommufd.destroy'), ...structure, id: word }),
  z.strictObject({ op: z.literal('iommufd.ioas_alloc'), ...structure, flags: word }),
  z.strictObject({ op: z.literal('iommufd.ioas_iova_ranges'), ...reserved, ioas: word, room: word }),
  z.strictObject({
    op: z.literal('iommufd.ioas_allow_iovas'),
    ...reserved,
    ioas: word,
    ranges: z.array(wide).max(4096),
  }),
  z.strictObject({
    op: z.literal('iommufd.ioas_map'),
    ...reserved,
    flags: word,
    ioas: word,
    vaddr: wide,
    length: wide,
    iova: wide,
    memory,
  }),
  z.strictObject({
    op: z.literal('iommufd.ioas_copy'),
    ...structure,
    flags: word,
    dst: word,
    src: word,
    length: wide,
    dstIova: wide,
    srcIova: wide,
  }),
  z.strictObject({
    op: z.literal('iommufd.ioas_unmap'),
    ...structure,
    ioas: word,
    iova: wide,
    length: wide,
  }),
  z.strictObject({
    op: z.literal('iommufd.option'),
    ...reserved,
    option: word,
    operation: word,
    object: word,
    value: wide,
  }),
  z.strictObject({ op: z.literal('iommufd.vfio_ioas'), ...reserved, operation: word, ioas: word }),
  z.strictObject({
    op: z.literal('iommufd.hwpt_alloc'),
    ...reserved,
    flags: word,
    deviceId: word,
    target: word,
    dataType: word,
    dataLength: word,
    behind: z
      .enum(['readable'])
      .exactOptional()
      .describe('the data can be read at its address; left out: it cannot'),
    faultId: word.exactOptional().describe('id of a queue of page faults'),
  }),
  z.strictObject({
    op: z.literal('iommufd.get_hw_info'),
    ...reserved,
    flags: word,
    deviceId: word,
    length: word,
    buffer: z.enum(['writable', 'none']).describe('what stands behind the address'),
  }),
  z.strictObject({
    op: z.literal('iommufd.hwpt_set_dirty_tracking'),
    ...structure,
    hwpt: word,
    flags: word,
  }),
  z.strictObject({
    op: z.literal('iommufd.hwpt_get_dirty_bitmap'),
    ...reserved,
    hwpt: word,
    flags: word,
    iova: wide,
    length: wide,
    pageSize: wide,
  }),
  z.strictObject({
    op: z.literal('iommufd.hwpt_invalidate'),
    ...reserved,
    hwpt: word,
    array: z.boolean().describe('whether the address of entries is given'),
    entryLength: word,
    entries: word,
    dataType: word.exactOptional().describe('what the entries are; 0 when left out'),
    content: z
      .array(word)
      .max(1024)
      .exactOptional()
      .describe('words at the address, and zeros behind them; left out: nothing is there'),
  }),
  z.strictObject({ op: z.literal('iommufd.fault_queue_alloc'), ...structure, flags: word, as }),
  z.strictObject({
    op: z.literal('iommufd.noiommu_get_pa'),
    ...reserved,
    flags: word,
    ioas: word,
    iova: wide,
    length: wide,
  }),
  z.strictObject({ op: z.literal('iommufd.api_version'), ...on }),
  z.strictObject({ op: z.literal('iommufd.check_extension'), ...on, extension: register }),
  z.strictObject({ op: z.literal('iommufd.set_iommu'), ...on, type: register }),
  z.strictObject({ op: z.literal('iommufd.get_info'), ...call }),
  z.strictObject({ op: z.literal('iommufd.map_dma'), ...mapping }),
  z.strictObject({ op: z.literal('iommufd.unmap_dma'), ...call, flags: word, iova: wide, size: wide }),
] as const;
