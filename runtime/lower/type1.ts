import type { Op, OpKind } from '../../src/model/op.ts';
import { requests } from '../abi/ioctl.ts';
import { decode, encode } from '../abi/layout.ts';
import { mman } from '../abi/mman.ts';
import { layouts, vfio } from '../abi/vfio.ts';
import type { Backend } from '../backend.ts';
import { withPointed } from './pointed.ts';
import { type Reply, replyOf } from './reply.ts';

/** The calls of the type1 driver that have more than one structure: GET_INFO and its chain, and those with a bitmap. */

type Of<Kind extends OpKind> = Extract<Op, { op: Kind }>;

/** More than any chain needs: the kernel writes no further than that, whatever larger argsz it is told. */
const room = 65_536;

export function getInfo(backend: Backend, { fd, argsz }: Of<'container.get_info'>): Reply {
  const layout = layouts.vfio_iommu_type1_info;
  const asked = argsz ?? room;
  const bytes = new Uint8Array(Math.min(Math.max(asked, layout.size), room));
  bytes.set(encode(layout, { argsz: asked }));
  const reply = replyOf(backend.ioctl(fd, requests.VFIO_IOMMU_GET_INFO, argsz === null ? null : bytes));
  if (!reply.ok) return reply;
  const { argsz: needed, cap_offset, ...info } = decode(layout, bytes);
  return {
    ...reply,
    out: {
      ...info,
      ...(needed === asked ? {} : { argsz: needed }),
      // What argsz does not reach was not answered.
      ...(asked < 20 ? {} : { cap_offset }),
      ...(cap_offset === 0 ? {} : chain(bytes, cap_offset)),
    },
  };
}

/** The fields of the capabilities, each of which says where the next one begins; the last one says 0. */
function chain(bytes: Uint8Array, first: number): { readonly [field: string]: number | bigint } {
  const out: { [field: string]: number | bigint } = {};
  let at = first;
  // A kernel that leads back or out of the memory says nothing that could be read.
  for (let seen = 0; at !== 0 && at + 8 <= bytes.length && seen < 8; seen += 1) {
    const { id, next } = decode(layouts.vfio_info_cap_header, bytes.subarray(at));
    Object.assign(out, capability(id, bytes.subarray(at)));
    at = next;
  }
  return out;
}

function capability(id: number, bytes: Uint8Array): { readonly [field: string]: number | bigint } {
  switch (id) {
    case vfio.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION: {
      const its = decode(layouts.vfio_iommu_type1_info_cap_migration, bytes);
      return { pgsize_bitmap: its.pgsize_bitmap, max_dirty_bitmap_size: its.max_dirty_bitmap_size };
    }
    case vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL:
      return decode(layouts.vfio_iommu_type1_info_dma_avail, bytes);
    case vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE:
      return iovaRanges(bytes);
    default:
      return {};
  }
}

function iovaRanges(bytes: Uint8Array): { readonly [field: string]: number | bigint } {
  const layout = layouts.vfio_iommu_type1_info_cap_iova_range;
  const { nr_iovas: count } = decode(layout, bytes);
  const out: { [field: string]: number | bigint } = { nr_iovas: count };
  const { size } = layouts.vfio_iova_range;
  for (let index = 0; index < count && layout.size + (index + 1) * size <= bytes.length; index += 1) {
    const range = decode(layouts.vfio_iova_range, bytes.subarray(layout.size + index * size));
    out[`start${index}`] = range.start;
    out[`end${index}`] = range.end;
  }
  return out;
}

export function unmapDma(backend: Backend, op: Of<'container.unmap_dma'>): Reply {
  const layout = layouts.vfio_iommu_type1_dma_unmap;
  const { flags, iova, size } = op;
  const asksBitmap = (flags & vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) !== 0;
  const argsz = op.argsz ?? layout.size + (asksBitmap ? layouts.vfio_bitmap.size : 0);
  const head = encode(layout, { argsz, flags, iova, size });
  return pointing(backend, op, requests.VFIO_IOMMU_UNMAP_DMA, head, (bytes) => ({
    size: decode(layout, bytes).size,
  }));
}

export function dirtyPages(backend: Backend, op: Of<'container.dirty_pages'>): Reply {
  const head = layouts.vfio_iommu_type1_dirty_bitmap;
  const range = layouts.vfio_iommu_type1_dirty_bitmap_get;
  const bytes = new Uint8Array(head.size + range.fields.size.offset + 8);
  bytes.set(encode(head, { argsz: op.argsz ?? head.size + range.size, flags: op.flags }));
  bytes.set(encode(range, { iova: op.iova, size: op.size }).subarray(0, bytes.length - head.size), head.size);
  return pointing(backend, op, requests.VFIO_IOMMU_DIRTY_PAGES, bytes, () => null);
}

type Pointing = Of<'container.unmap_dma' | 'container.dirty_pages'>;

/** A request whose structure ends in a struct vfio_bitmap, with memory of the kind that the operation says behind it. */
function pointing(
  backend: Backend,
  op: Pointing,
  request: number,
  head: Uint8Array,
  out: (bytes: Uint8Array) => { readonly [field: string]: bigint } | null,
): Reply {
  const { fd, argsz, bitmap, bitmapSize = 0n, pgsize = 0n } = op;
  if (argsz === null) return replyOf(backend.ioctl(fd, request, null));
  if (bitmap === 'unreadable') return answered(cut(backend, fd, request, head), head, out);
  const length = bitmapSize > 0n && bitmapSize <= mostBitmap ? Number(bitmapSize) : pageSize;
  const address = bitmapMemory(backend, bitmap, length);
  if (typeof address === 'number') return replyOf(address);
  const bytes = new Uint8Array(head.length + layouts.vfio_bitmap.size);
  bytes.set(head);
  bytes.set(encode(layouts.vfio_bitmap, { pgsize, size: bitmapSize, data: address }), head.length);
  const reply = replyOf(backend.ioctl(fd, request, bytes));
  if (bitmap !== 'kernel') backend.munmap(address, length);
  return answered(reply, bytes, out);
}

function answered(
  reply: Reply,
  bytes: Uint8Array,
  out: (bytes: Uint8Array) => { readonly [field: string]: bigint } | null,
): Reply {
  const fields = reply.ok ? out(bytes) : null;
  return reply.ok && fields !== null ? { ...reply, out: fields } : reply;
}

const pageSize = 4096;
const mostBitmap = 0x1000_0000n;

/** Nothing of a process lies so high. */
const kernelAddress = 0xffff_8000_0000_0000n;

const protections = {
  writable: mman.PROT_READ | mman.PROT_WRITE,
  'read-only': mman.PROT_READ,
  none: mman.PROT_NONE,
} as const;

function bitmapMemory(
  backend: Backend,
  kind: 'writable' | 'read-only' | 'none' | 'kernel' = 'none',
  length: number,
): bigint | number {
  if (kind === 'kernel') return kernelAddress;
  return backend.mmap(length, protections[kind], mman.MAP_PRIVATE | mman.MAP_ANONYMOUS, -1, 0n);
}

/** The structure without its end: it must truly end where nothing is mapped, or the kernel would read on in what lies behind. */
function cut(backend: Backend, fd: number, request: number, head: Uint8Array): Reply {
  const call = (address: bigint) => backend.ioctl(fd, request, address);
  const { answer, content } = withPointed(backend, fd, head, call, true);
  head.set(content);
  return replyOf(answer);
}
