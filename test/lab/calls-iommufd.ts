/**
 * iommufd's requests as system calls, byte by byte from its header (include/uapi/linux/iommufd.h): a second opinion beside
 * runtime/lower, as calls.ts is.
 */
import { fcntl } from '../../runtime/abi/fcntl.ts';
import { mman } from '../../runtime/abi/mman.ts';
import type { Backend } from '../../runtime/backend.ts';
import type { Op } from '../../src/model/op.ts';
import { tableShape } from './calls-pagetables.ts';

export type IommufdOp = Exclude<
  Extract<
    Op,
    {
      op:
        | `iommufd.ioas_${string}`
        | 'iommufd.destroy'
        | 'iommufd.option'
        | 'iommufd.vfio_ioas'
        | `iommufd.hwpt_${string}`
        | 'iommufd.get_hw_info'
        | 'iommufd.fault_queue_alloc'
        | 'iommufd.noiommu_get_pa';
    }
  >,
  { op: 'iommufd.ioas_allow_iovas' }
>;

/** Fields at their places: 4 bytes each, or as wide as said. */
type Fields = readonly (readonly [offset: number, value: number | bigint, bytes?: 2 | 8])[];

export interface Shape {
  readonly number: number;
  readonly size: number;
  readonly fields: Fields;
  /** What comes back: name, place, and whether it has 64 bits. */
  readonly out?: readonly (readonly [name: string, offset: number, wide: boolean])[];
}

/** The answer of the system call, and the fields that came back. */
export function iommufdCall(
  backend: Backend,
  op: IommufdOp,
): { readonly answer: number; readonly out: { readonly [field: string]: number | bigint } } {
  const { number, size, fields, out = [] } = shapeOf(backend, op);
  const bytes = new Uint8Array(Math.max(size, op.argsz ?? 0) + 16);
  const view = new DataView(bytes.buffer);
  for (const [offset, value, width = 4] of fields) {
    if (width === 8) view.setBigUint64(offset, BigInt(value), true);
    else if (width === 2) view.setUint16(offset, Number(value), true);
    else view.setUint32(offset, Number(value), true);
  }
  if (op.tail === true) bytes[size + 7] = 0xff;
  view.setUint32(0, op.argsz ?? (op.tail === true ? size + 8 : size), true);
  const answer = backend.ioctl(op.fd, number, op.argsz === null ? null : bytes);
  // How many entries were handled is told with a refusal too.
  if (answer < 0)
    return { answer, out: op.op === 'iommufd.hwpt_invalidate' ? answeredFields(view, out) : {} };
  if (op.op === 'iommufd.hwpt_get_dirty_bitmap') return { answer, out: { bitmap: bitsAt(backend, view) } };
  if (op.op === 'iommufd.ioas_iova_ranges') {
    return { answer, out: { ...answeredFields(view, out), ...rangesAt(backend, view) } };
  }
  // The descriptor that is made stands in the structure.
  if (op.op === 'iommufd.fault_queue_alloc')
    return { answer: view.getUint32(12, true), out: answeredFields(view, out) };
  return { answer, out: answeredFields(view, out) };
}

function answeredFields(view: DataView, out: NonNullable<Shape['out']>): Record<string, number | bigint> {
  const answered = out.map(
    ([name, offset, wide]) =>
      [name, wide ? view.getBigUint64(offset, true) : view.getUint32(offset, true)] as const,
  );
  return Object.fromEntries(answered);
}

/** The page that struct iommu_hwpt_get_dirty_bitmap points to, its first bit the lowest. */
function bitsAt(backend: Backend, view: DataView): bigint {
  return memoryAt(backend, 4096, view.getBigUint64(40, true)).reduceRight(
    (all, byte) => (all << 8n) | BigInt(byte),
    0n,
  );
}

function memoryAt(backend: Backend, length: number, address: bigint): Uint8Array {
  const memory = backend.open('/proc/self/mem', fcntl.O_RDONLY | fcntl.O_CLOEXEC);
  const bytes = backend.pread(memory, length, address);
  backend.close(memory);
  if (typeof bytes === 'number') throw new Error(`/proc/self/mem answers ${bytes}`);
  return bytes;
}

/** What the kernel wrote where struct iommu_ioas_iova_ranges points to: pairs of the first and the last address. */
function rangesAt(backend: Backend, view: DataView): Record<string, bigint> {
  const count = view.getUint32(8, true);
  const bytes = memoryAt(backend, count * 16, view.getBigUint64(16, true));
  const ranges = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Record<string, bigint> = {};
  for (let index = 0; index < count; index += 1) {
    found[`start${index}`] = ranges.getBigUint64(16 * index, true);
    found[`last${index}`] = ranges.getBigUint64(16 * index + 8, true);
  }
  return found;
}

/** A page that the kernel may write to, or several; they are never given back. */
export function page(backend: Backend, count = 1): bigint {
  const address = backend.mmap(
    4096 * count,
    mman.PROT_READ | mman.PROT_WRITE,
    mman.MAP_PRIVATE | mman.MAP_ANONYMOUS,
    -1,
    0n,
  );
  return typeof address === 'number' ? 0n : address;
}

function shapeOf(backend: Backend, op: IommufdOp): Shape {
  switch (op.op) {
    case 'iommufd.destroy':
      return { number: 0x3b80, size: 8, fields: [[4, op.id]] };
    case 'iommufd.ioas_alloc':
      return { number: 0x3b81, size: 12, fields: [[4, op.flags]], out: [['out_ioas_id', 8, false]] };
    case 'iommufd.ioas_copy':
    case 'iommufd.ioas_map':
    case 'iommufd.ioas_unmap':
      return mappingShape(op);
    case 'iommufd.ioas_iova_ranges':
      return {
        number: 0x3b84,
        size: 32,
        fields: [
          [4, op.ioas],
          [8, op.room],
          [12, op.reserved ?? 0],
          [16, op.room === 0 ? 0n : page(backend), 8],
        ],
        out: [
          ['num_iovas', 8, false],
          ['out_iova_alignment', 24, true],
        ],
      };
    case 'iommufd.option':
      return {
        number: 0x3b87,
        size: 24,
        fields: [
          [4, op.option],
          [8, op.operation, 2],
          [10, op.reserved ?? 0, 2],
          [12, op.object],
          [16, op.value, 8],
        ],
        out: [['val64', 16, true]],
      };
    case 'iommufd.vfio_ioas':
      return {
        number: 0x3b88,
        size: 12,
        fields: [
          [4, op.ioas],
          [8, op.operation, 2],
          [10, op.reserved ?? 0, 2],
        ],
        out: [['ioas_id', 4, false]],
      };
    case 'iommufd.hwpt_alloc':
    case 'iommufd.get_hw_info':
    case 'iommufd.hwpt_set_dirty_tracking':
    case 'iommufd.hwpt_get_dirty_bitmap':
    case 'iommufd.hwpt_invalidate':
    case 'iommufd.fault_queue_alloc':
      return tableShape(backend, op);
    case 'iommufd.noiommu_get_pa':
      return {
        number: 0x3b95,
        size: 40,
        fields: [
          [4, op.flags],
          [8, op.ioas],
          [12, op.reserved ?? 0],
          [16, op.iova, 8],
          [24, op.length, 8],
        ],
      };
  }
}

function mappingShape(
  op: Extract<IommufdOp, { op: 'iommufd.ioas_copy' | 'iommufd.ioas_map' | 'iommufd.ioas_unmap' }>,
): Shape {
  switch (op.op) {
    case 'iommufd.ioas_copy':
      return {
        number: 0x3b83,
        size: 40,
        fields: [
          [4, op.flags],
          [8, op.dst],
          [12, op.src],
          [16, op.length, 8],
          [24, op.dstIova, 8],
          [32, op.srcIova, 8],
        ],
        out: [['dst_iova', 24, true]],
      };
    case 'iommufd.ioas_map':
      return {
        number: 0x3b85,
        size: 40,
        fields: [
          [4, op.flags],
          [8, op.ioas],
          [12, op.reserved ?? 0],
          [16, op.vaddr, 8],
          [24, op.length, 8],
          [32, op.iova, 8],
        ],
        out: [['iova', 32, true]],
      };
    case 'iommufd.ioas_unmap':
      return {
        number: 0x3b86,
        size: 24,
        fields: [
          [4, op.ioas],
          [8, op.iova, 8],
          [16, op.length, 8],
        ],
        out: [['length', 16, true]],
      };
  }
}
