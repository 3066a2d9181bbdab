/** iommufd's requests on page tables, byte by byte from its header, as calls-iommufd.ts has the others. */
import { fcntl } from '../../runtime/abi/fcntl.ts';
import type { Backend } from '../../runtime/backend.ts';
import { type IommufdOp, page, type Shape } from './calls-iommufd.ts';

type TableOp = Extract<
  IommufdOp,
  { op: `iommufd.hwpt_${string}` | 'iommufd.get_hw_info' | 'iommufd.fault_queue_alloc' }
>;

export function tableShape(backend: Backend, op: TableOp): Shape {
  switch (op.op) {
    case 'iommufd.hwpt_alloc':
      return {
        number: 0x3b89,
        size: 48,
        fields: [
          [4, op.flags],
          [8, op.deviceId],
          [12, op.target],
          [20, op.reserved ?? 0],
          [24, op.dataType],
          [28, op.dataLength],
          [32, op.behind === undefined ? 0n : wordsAt(backend, [nestedData]), 8],
          [40, op.faultId ?? 0],
        ],
        out: [['out_hwpt_id', 16, false]],
      };
    case 'iommufd.get_hw_info':
      return {
        number: 0x3b8a,
        size: 40,
        fields: [
          [4, op.flags],
          [8, op.deviceId],
          [12, op.length],
          [16, op.buffer === 'none' ? 0n : page(backend), 8],
          [28, (op.reserved ?? 0) << 8],
        ],
        out: [
          ['data_len', 12, false],
          ['out_data_type', 24, false],
          ['out_capabilities', 32, true],
        ],
      };
    case 'iommufd.hwpt_set_dirty_tracking':
    case 'iommufd.hwpt_get_dirty_bitmap':
    case 'iommufd.hwpt_invalidate':
      return madeTableShape(backend, op);
    case 'iommufd.fault_queue_alloc':
      return {
        number: 0x3b8e,
        size: 16,
        fields: [[4, op.flags]],
        out: [
          ['out_fault_id', 8, false],
          ['out_fault_fd', 12, false],
        ],
      };
  }
}

/** What data of a nested page table says: of the self-test what its lines of an IOTLB hold (IOMMU_TEST_IOTLB_DEFAULT). */
export const nestedData = 0xbad_beef;

/** A page that begins with these words, and nothing behind it. */
function wordsAt(backend: Backend, content: readonly number[]): bigint {
  const address = page(backend, 2);
  backend.munmap(address + 4096n, 4096);
  const memory = backend.open('/proc/self/mem', fcntl.O_RDWR | fcntl.O_CLOEXEC);
  backend.pwrite(memory, new Uint8Array(new Uint32Array(content).buffer), address);
  backend.close(memory);
  return address;
}

/** Of a page table that is there. */
function madeTableShape(
  backend: Backend,
  op: Extract<
    TableOp,
    { op: 'iommufd.hwpt_set_dirty_tracking' | 'iommufd.hwpt_get_dirty_bitmap' | 'iommufd.hwpt_invalidate' }
  >,
): Shape {
  switch (op.op) {
    case 'iommufd.hwpt_set_dirty_tracking':
      return {
        number: 0x3b8b,
        size: 16,
        fields: [
          [4, op.flags],
          [8, op.hwpt],
        ],
      };
    case 'iommufd.hwpt_get_dirty_bitmap':
      return {
        number: 0x3b8c,
        size: 48,
        fields: [
          [4, op.hwpt],
          [8, op.flags],
          [12, op.reserved ?? 0],
          [16, op.iova, 8],
          [24, op.length, 8],
          [32, op.pageSize, 8],
          [40, page(backend), 8],
        ],
      };
    case 'iommufd.hwpt_invalidate':
      return {
        number: 0x3b8d,
        size: 32,
        fields: [
          [4, op.hwpt],
          [8, op.array ? (op.content === undefined ? 1n : wordsAt(backend, op.content)) : 0n, 8],
          [16, op.dataType ?? 0],
          [20, op.entryLength],
          [24, op.entries],
          [28, op.reserved ?? 0],
        ],
        out: [['entry_num', 24, false]],
      };
  }
}
