/** The calls of a container with type1, as bytes that are laid out here by hand. */
import { requests } from '../../runtime/abi/ioctl.ts';
import { mman } from '../../runtime/abi/mman.ts';
import type { Backend } from '../../runtime/backend.ts';
import type { Memory, Op } from '../../src/model/op.ts';
import { type Answer, plain } from './calls.ts';

type Type1<Kind extends string> = Extract<Op, { op: `container.${Kind}` }>;

export function type1(
  backend: Backend,
  op: Type1<'get_info' | 'map_dma' | 'unmap_dma' | 'dirty_pages'>,
): Answer {
  switch (op.op) {
    case 'container.get_info':
      return getInfo(backend, op);
    case 'container.map_dma':
      return mapDma(backend, op);
    case 'container.unmap_dma':
      return unmapDma(backend, op);
    case 'container.dirty_pages':
      return dirtyPages(backend, op);
  }
}

/** Numbers of 32 or 64 bits, one after another. */
function bytesOf(...parts: readonly (readonly [32 | 64, number | bigint])[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(parts.reduce((sum, [bits]) => sum + bits / 8, 0)));
  let at = 0;
  for (const [bits, value] of parts) {
    if (bits === 32) view.setUint32(at, Number(value), true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bits / 8;
  }
  return new Uint8Array(view.buffer);
}

function call(
  backend: Backend,
  { fd, argsz }: { readonly fd: number; readonly argsz?: number | null },
  request: number,
  bytes: Uint8Array,
): Answer {
  return plain(backend.ioctl(fd, request, argsz === null ? null : bytes));
}

/** A page for what a kernel writes: no chain of capabilities is as long, and none is written beyond argsz. */
const page = 4096;

function getInfo(backend: Backend, op: Type1<'get_info'>): Answer {
  const bytes = new Uint8Array(page);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.min(op.argsz ?? page, page), true);
  const answer = call(backend, op, requests.VFIO_IOMMU_GET_INFO, bytes);
  if (answer.errno !== null) return answer;
  const out: { [field: string]: number | bigint } = {
    argsz: view.getUint32(0, true),
    flags: view.getUint32(4, true),
    iova_pgsizes: view.getBigUint64(8, true),
    cap_offset: view.getUint32(16, true),
  };
  for (let at = view.getUint32(16, true); at !== 0; at = view.getUint32(at + 4, true)) {
    const id = view.getUint16(at, true);
    if (id === 2) {
      out['pgsize_bitmap'] = view.getBigUint64(at + 16, true);
      out['max_dirty_bitmap_size'] = view.getBigUint64(at + 24, true);
    }
    if (id === 3) out['avail'] = view.getUint32(at + 8, true);
    if (id !== 1) continue;
    const count = view.getUint32(at + 8, true);
    out['nr_iovas'] = count;
    for (let index = 0; index < count; index += 1) {
      out[`start${index}`] = view.getBigUint64(at + 16 + 16 * index, true);
      out[`end${index}`] = view.getBigUint64(at + 24 + 16 * index, true);
    }
  }
  return { ...answer, out };
}

function mapDma(backend: Backend, op: Type1<'map_dma'>): Answer {
  const { flags, iova, size } = op;
  const vaddr = op.vaddr === 0n && size > 0n ? memory(backend, size, op.memory) : op.vaddr;
  if (typeof vaddr === 'number') return plain(vaddr);
  const bytes = bytesOf([32, op.argsz ?? 32], [32, flags], [64, vaddr], [64, iova], [64, size]);
  return call(backend, op, requests.VFIO_IOMMU_MAP_DMA, bytes);
}

function unmapDma(backend: Backend, op: Type1<'unmap_dma'>): Answer {
  const asksBitmap = (op.flags & 1) !== 0;
  const head = [
    [32, op.argsz ?? (asksBitmap ? 48 : 24)],
    [32, op.flags],
    [64, op.iova],
    [64, op.size],
  ] as const;
  const bytes = bytesOf(...head, ...bitmapOf(backend, op));
  const answer = call(backend, op, requests.VFIO_IOMMU_UNMAP_DMA, bytes);
  return answer.errno === null
    ? { ...answer, out: { size: new DataView(bytes.buffer).getBigUint64(16, true) } }
    : answer;
}

function dirtyPages(backend: Backend, op: Type1<'dirty_pages'>): Answer {
  const head = [
    [32, op.argsz ?? 48],
    [32, op.flags],
    [64, op.iova],
    [64, op.size],
  ] as const;
  return call(backend, op, requests.VFIO_IOMMU_DIRTY_PAGES, bytesOf(...head, ...bitmapOf(backend, op)));
}

/** struct vfio_bitmap. Bitmaps that are larger than the kernel allows need no memory. */
function bitmapOf(
  backend: Backend,
  { pgsize = 0n, bitmapSize = 0n, bitmap = 'none' }: Type1<'unmap_dma' | 'dirty_pages'>,
): readonly (readonly [64, bigint])[] {
  if (bitmap === 'unreadable') throw new Error('what lies behind a structure here is memory of this process');
  const size = bitmapSize > 0n && bitmapSize <= 1n << 28n ? bitmapSize : 4096n;
  const address = bitmap === 'kernel' ? 0xffff_8000_0000_0000n : memory(backend, size, bitmap);
  if (typeof address === 'number') throw new Error(`no memory for a bitmap of ${size} bytes: ${address}`);
  return [
    [64, pgsize],
    [64, bitmapSize],
    [64, address],
  ];
}

/** Memory of this process, which is never given back: the mapping that rests on it ends with the process. */
function memory(backend: Backend, size: bigint, kind: Memory): bigint | number {
  const both = mman.PROT_READ | mman.PROT_WRITE;
  const protection = { writable: both, untouched: both, 'read-only': mman.PROT_READ, none: mman.PROT_NONE }[
    kind
  ];
  // Populating writes to each page.
  const populate = kind === 'writable' ? mman.MAP_POPULATE : 0;
  const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS | populate;
  return backend.mmap(Number(size), protection, flags, -1, 0n);
}
