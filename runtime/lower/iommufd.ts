import type { Op, OpKind } from '../../src/model/op.ts';
import { iommufdLayouts, iommufdRequests } from '../abi/iommufd.ts';
import { decode, type Field, type Layout, patch, type Values } from '../abi/layout.ts';
import { mman } from '../abi/mman.ts';
import type { Backend } from '../backend.ts';

/** Requests of iommufd: structures that begin with their size, and may have more behind them than the kernel knows. */

type Of<Kind extends OpKind> = Extract<Op, { op: Kind }>;
type Structure = { readonly fd: number; readonly argsz?: number | null; readonly tail?: boolean };

/** What the system call answered, and the fields that the kernel wrote back. */
export interface Answered {
  readonly answer: number;
  readonly out?: { readonly [field: string]: number | bigint };
}

const tailSize = 8;
/** More than this nobody's structure is; what `argsz` says beyond it is not there. */
const largest = 65536;

function request<
  O extends Structure,
  Fields extends { readonly size: Field; readonly [name: string]: Field },
>(
  number: keyof typeof iommufdRequests,
  layout: Layout<Fields>,
  out: readonly (keyof Fields & string)[],
  values: (op: O, backend: Backend) => Partial<Values<Fields>>,
): (backend: Backend, op: O) => Answered {
  return (backend, op) => {
    const fits = layout.size + (op.tail === true ? tailSize : 0);
    const size = op.argsz ?? fits;
    const bytes = new Uint8Array(Math.min(Math.max(layout.size, size), largest));
    patch<{ readonly [name: string]: Field }>(layout, bytes, { ...values(op, backend), size });
    if (op.tail === true && bytes.length > layout.size) bytes[layout.size] = 1;
    const answer = backend.ioctl(op.fd, iommufdRequests[number], op.argsz === null ? null : bytes);
    if (answer < 0 || out.length === 0) return { answer };
    const answered = decode(layout, bytes);
    return { answer, out: Object.fromEntries(out.map((field) => [field, answered[field]])) as never };
  };
}

/** Room for ranges, where the kernel writes no more than fit a page; what it writes is not looked at. */
function roomFor(backend: Backend, room: number): bigint {
  if (room === 0) return 0n;
  const protection = mman.PROT_READ | mman.PROT_WRITE;
  const address = backend.mmap(4096, protection, mman.MAP_PRIVATE | mman.MAP_ANONYMOUS, -1, 0n);
  return typeof address === 'number' ? 0n : address;
}

type Lowered = Exclude<
  Extract<OpKind, `iommufd.ioas_${string}` | 'iommufd.destroy' | 'iommufd.option' | 'iommufd.vfio_ioas'>,
  'iommufd.ioas_allow_iovas'
>;

/** IOAS_ALLOW_IOVAS is missing: its structure points to further memory, which `Backend` has no way to fill. */
export const iommufdLowerings: {
  readonly [Kind in Lowered]: (backend: Backend, op: Of<Kind>) => Answered;
} = {
  'iommufd.destroy': request('IOMMU_DESTROY', iommufdLayouts.iommu_destroy, [], (op) => ({ id: op.id })),
  'iommufd.ioas_alloc': request(
    'IOMMU_IOAS_ALLOC',
    iommufdLayouts.iommu_ioas_alloc,
    ['out_ioas_id'],
    (op) => ({ flags: op.flags }),
  ),
  'iommufd.ioas_iova_ranges': request(
    'IOMMU_IOAS_IOVA_RANGES',
    iommufdLayouts.iommu_ioas_iova_ranges,
    ['num_iovas', 'out_iova_alignment'],
    (op, backend) => ({
      ioas_id: op.ioas,
      num_iovas: op.room,
      __reserved: op.reserved ?? 0,
      allowed_iovas: roomFor(backend, op.room),
    }),
  ),
  'iommufd.ioas_map': request('IOMMU_IOAS_MAP', iommufdLayouts.iommu_ioas_map, ['iova'], (op) => ({
    flags: op.flags,
    ioas_id: op.ioas,
    __reserved: op.reserved ?? 0,
    user_va: op.vaddr,
    length: op.length,
    iova: op.iova,
  })),
  'iommufd.ioas_copy': request('IOMMU_IOAS_COPY', iommufdLayouts.iommu_ioas_copy, ['dst_iova'], (op) => ({
    flags: op.flags,
    dst_ioas_id: op.dst,
    src_ioas_id: op.src,
    length: op.length,
    dst_iova: op.dstIova,
    src_iova: op.srcIova,
  })),
  'iommufd.ioas_unmap': request('IOMMU_IOAS_UNMAP', iommufdLayouts.iommu_ioas_unmap, ['length'], (op) => ({
    ioas_id: op.ioas,
    iova: op.iova,
    length: op.length,
  })),
  'iommufd.option': request('IOMMU_OPTION', iommufdLayouts.iommu_option, ['val64'], (op) => ({
    option_id: op.option,
    op: op.operation,
    __reserved: op.reserved ?? 0,
    object_id: op.object,
    val64: op.value,
  })),
  'iommufd.vfio_ioas': request('IOMMU_VFIO_IOAS', iommufdLayouts.iommu_vfio_ioas, ['ioas_id'], (op) => ({
    ioas_id: op.ioas,
    op: op.operation,
    __reserved: op.reserved ?? 0,
  })),
};
