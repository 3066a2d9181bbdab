import type { Op, OpKind } from '../../src/model/op.ts';
import { iommufdLayouts, iommufdRequests, noiommuGetPa } from '../abi/iommufd.ts';
import { decode, type Field, type Layout, patch, type Values } from '../abi/layout.ts';
import type { Backend } from '../backend.ts';
import { withGiven, withPointed, withZeros } from './pointed.ts';

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
  name: keyof typeof iommufdRequests,
  layout: Layout<Fields>,
  out: readonly (keyof Fields & string)[],
  values: (op: O, backend: Backend) => Partial<Values<Fields>>,
): (backend: Backend, op: O) => Answered {
  return numbered(iommufdRequests[name], layout, out, values);
}

function numbered<
  O extends Structure,
  Fields extends { readonly size: Field; readonly [name: string]: Field },
>(
  number: number,
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
    const answer = backend.ioctl(op.fd, number, op.argsz === null ? null : bytes);
    if (answer < 0 || out.length === 0) return { answer };
    const answered = decode(layout, bytes);
    return { answer, out: Object.fromEntries(out.map((field) => [field, answered[field]])) as never };
  };
}

type Lowered = Extract<
  OpKind,
  | `iommufd.ioas_${string}`
  | `iommufd.hwpt_${string}`
  | 'iommufd.get_hw_info'
  | 'iommufd.fault_queue_alloc'
  | 'iommufd.destroy'
  | 'iommufd.option'
  | 'iommufd.vfio_ioas'
  | 'iommufd.noiommu_get_pa'
>;

const rangeLayout = iommufdLayouts.iommu_iova_range;

/** No address space here has more ranges: the room that is truly there. */
const mostRanges = 256;

/** The ranges come back in memory that the structure points to. */
function ioasIovaRanges(backend: Backend, op: Of<'iommufd.ioas_iova_ranges'>): Answered {
  const room = new Uint8Array(Math.min(op.room >>> 0, mostRanges) * rangeLayout.size);
  const layout = iommufdLayouts.iommu_ioas_iova_ranges;
  const out: Record<string, number | bigint> = {};
  const ask = request(
    'IOMMU_IOAS_IOVA_RANGES',
    layout,
    ['num_iovas', 'out_iova_alignment'],
    ({ at }: At) => ({
      ioas_id: op.ioas,
      num_iovas: op.room,
      __reserved: op.reserved ?? 0,
      allowed_iovas: at,
    }),
  );
  const { answer, content } = withPointed(backend, op.fd, room, (at) => {
    const answered = ask(backend, { ...op, at });
    Object.assign(out, answered.out);
    return answered.answer;
  });
  if (answer < 0) return { answer };
  for (let index = 0; index < Math.min(Number(out['num_iovas']), mostRanges); index += 1) {
    const range = decode(rangeLayout, content.subarray(index * rangeLayout.size));
    out[`start${index}`] = range.start;
    out[`last${index}`] = range.last;
  }
  return { answer, out };
}

type At = Structure & { readonly at: bigint };

function ioasAllowIovas(backend: Backend, op: Of<'iommufd.ioas_allow_iovas'>): Answered {
  const { ranges } = op;
  const given = new Uint8Array(new BigUint64Array(ranges.map((each) => BigInt.asUintN(64, each))).buffer);
  const layout = iommufdLayouts.iommu_ioas_allow_iovas;
  const ask = request('IOMMU_IOAS_ALLOW_IOVAS', layout, [], ({ at }: At) => ({
    ioas_id: op.ioas,
    num_iovas: ranges.length >> 1,
    __reserved: op.reserved ?? 0,
    allowed_iovas: at,
  }));
  const call = (at: bigint) => ask(backend, { ...op, at }).answer;
  return { answer: withPointed(backend, op.fd, given, call).answer };
}

/** No more is there, whatever `length` says; what an IOMMU's driver tells is far less. */
const mostInfo = 1 << 20;

/** A request with the address of memory that `within` provides while it calls; what is refused there is the answer. */
function askedWithin(
  ask: (at: bigint) => Answered,
  within: (call: (at: bigint) => number) => number,
): Answered {
  let answered: Answered = { answer: 0 };
  const answer = within((at) => {
    answered = ask(at);
    return answered.answer;
  });
  return { ...answered, answer };
}

/** What is told stands in memory that the structure points to. */
function getHwInfo(backend: Backend, op: Of<'iommufd.get_hw_info'>): Answered {
  const ask = request(
    'IOMMU_GET_HW_INFO',
    iommufdLayouts.iommu_hw_info,
    ['data_len', 'out_data_type', 'out_capabilities'],
    ({ at }: At) => ({
      flags: op.flags,
      dev_id: op.deviceId,
      data_len: op.length,
      data_uptr: at,
      '__reserved[0]': op.reserved ?? 0,
    }),
  );
  if (op.buffer === 'none') return ask(backend, { ...op, at: 0n });
  const room = new Uint8Array(Math.min(op.length >>> 0, mostInfo));
  return askedWithin(
    (at) => ask(backend, { ...op, at }),
    (call) => withPointed(backend, op.fd, room, call).answer,
  );
}

/** What the driver reads of a nested page table stands in memory that the structure points to. */
function hwptAlloc(backend: Backend, op: Of<'iommufd.hwpt_alloc'>): Answered {
  const layout = iommufdLayouts.iommu_hwpt_alloc;
  const ask = request('IOMMU_HWPT_ALLOC', layout, ['out_hwpt_id'], (asked: typeof op & At) => ({
    flags: asked.flags,
    dev_id: asked.deviceId,
    pt_id: asked.target,
    __reserved: asked.reserved ?? 0,
    data_type: asked.dataType,
    data_len: asked.dataLength,
    data_uptr: asked.at,
    fault_id: asked.faultId ?? 0,
  }));
  if (op.behind === undefined) return ask(backend, { ...op, at: 0n });
  return askedWithin(
    (at) => ask(backend, { ...op, at }),
    (call) => withZeros(backend, call),
  );
}

/** Entries stand in memory that the structure points to. */
function hwptInvalidate(backend: Backend, op: Of<'iommufd.hwpt_invalidate'>): Answered {
  const layout = iommufdLayouts.iommu_hwpt_invalidate;
  const ask = request('IOMMU_HWPT_INVALIDATE', layout, ['entry_num'], (asked: typeof op & At) => ({
    hwpt_id: asked.hwpt,
    data_uptr: asked.array ? asked.at : 0n,
    data_type: asked.dataType ?? 0,
    entry_len: asked.entryLength,
    entry_num: asked.entries,
    __reserved: asked.reserved ?? 0,
  }));
  const { content } = op;
  // Nothing is mapped at the first address.
  if (content === undefined || !op.array) return ask(backend, { ...op, at: 1n });
  const entries = new Uint8Array(new Uint32Array(content).buffer);
  return askedWithin(
    (at) => ask(backend, { ...op, at }),
    (call) => withGiven(backend, entries, call),
  );
}

/** The descriptor comes back in the structure; it is what the operation answers. */
function faultQueueAlloc(backend: Backend, op: Of<'iommufd.fault_queue_alloc'>): Answered {
  const layout = iommufdLayouts.iommu_fault_alloc;
  const ask = request(
    'IOMMU_FAULT_QUEUE_ALLOC',
    layout,
    ['out_fault_id', 'out_fault_fd'],
    ({ flags }: typeof op) => ({ flags }),
  );
  const { answer, out } = ask(backend, op);
  if (answer < 0 || out === undefined) return { answer };
  return { answer: Number(out['out_fault_fd']), out: { out_fault_id: out['out_fault_id'] ?? 0 } };
}

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
  'iommufd.ioas_iova_ranges': ioasIovaRanges,
  'iommufd.ioas_allow_iovas': ioasAllowIovas,
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
  'iommufd.hwpt_alloc': hwptAlloc,
  'iommufd.get_hw_info': getHwInfo,
  'iommufd.hwpt_set_dirty_tracking': request(
    'IOMMU_HWPT_SET_DIRTY_TRACKING',
    iommufdLayouts.iommu_hwpt_set_dirty_tracking,
    [],
    (op) => ({ hwpt_id: op.hwpt, flags: op.flags }),
  ),
  'iommufd.hwpt_get_dirty_bitmap': request(
    'IOMMU_HWPT_GET_DIRTY_BITMAP',
    iommufdLayouts.iommu_hwpt_get_dirty_bitmap,
    [],
    (op) => ({
      hwpt_id: op.hwpt,
      flags: op.flags,
      __reserved: op.reserved ?? 0,
      iova: op.iova,
      length: op.length,
      page_size: op.pageSize,
    }),
  ),
  'iommufd.hwpt_invalidate': hwptInvalidate,
  'iommufd.fault_queue_alloc': faultQueueAlloc,
  'iommufd.vfio_ioas': request('IOMMU_VFIO_IOAS', iommufdLayouts.iommu_vfio_ioas, ['ioas_id'], (op) => ({
    ioas_id: op.ioas,
    op: op.operation,
    __reserved: op.reserved ?? 0,
  })),
  // What comes back depends on where the machine has its memory, which no other run of it can be held to.
  'iommufd.noiommu_get_pa': numbered(noiommuGetPa.request, noiommuGetPa.layout, [], (op) => ({
    flags: op.flags,
    ioas_id: op.ioas,
    __reserved: op.reserved ?? 0,
    iova: op.iova,
    length: op.length,
  })),
};
