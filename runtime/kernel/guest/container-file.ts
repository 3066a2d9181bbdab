/** What a container's file answers to its own requests: bytes become the model's operations, and its answers bytes. */
import type { Done } from '../../../src/model/guard.ts';
import type { Op } from '../../../src/model/op.ts';
import { requests } from '../../abi/ioctl.ts';
import { layouts, vfio } from '../../abi/vfio.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put, type Reused, u32, u64 } from './structures.ts';

type Handler = (file: On, process: Process, argument: Argument) => number;

const askVersion: Reused<Extract<Op, { op: 'container.api_version' }>> = {
  op: 'container.api_version',
  pid: 0,
  fd: 0,
};

const askExtension: Reused<Extract<Op, { op: 'container.check_extension' }>> = {
  op: 'container.check_extension',
  pid: 0,
  fd: 0,
  extension: 0,
};

export const containerRequests: Readonly<Record<number, Handler>> = {
  [requests.VFIO_GET_API_VERSION]: ({ machine, fd, id }, { pid }) => {
    askVersion.pid = pid;
    askVersion.fd = fd;
    return answered(machine.ask(askVersion, id));
  },
  [requests.VFIO_CHECK_EXTENSION]: ({ machine, fd, id }, { pid }, argument) => {
    askExtension.pid = pid;
    askExtension.fd = fd;
    askExtension.extension = argument.number();
    return answered(machine.ask(askExtension, id));
  },
  [requests.VFIO_SET_IOMMU]: ({ machine, fd, id }, { pid }, argument) =>
    machine.value({ op: 'container.set_iommu', pid, fd, type: argument.number() }, id),
  [requests.VFIO_IOMMU_GET_INFO]: getInfo,
  [requests.VFIO_IOMMU_MAP_DMA]: mapDma,
  [requests.VFIO_IOMMU_UNMAP_DMA]: unmapDma,
  [requests.VFIO_IOMMU_DIRTY_PAGES]: dirtyPages,
};

function answered(answer: Done | number): number {
  return typeof answer === 'number' ? answer : answer.value;
}

/** vfio_iommu_type1_get_info: the chain first, then the structure: 16 bytes, or as many of it as the caller has. */
function getInfo({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const its = argument.structure(16);
  const argsz = argszOf(its);
  const result = machine.step({ op: 'container.get_info', pid, fd, argsz });
  if (typeof result === 'number') return result;
  if (its === null || argsz === null) return refuse('EFAULT');
  const { fields } = layouts.vfio_iommu_type1_info;
  const known = machine.world.profile.deviceInfoSize;
  const copied = known === 24 ? Math.min(argsz, known) : argsz >= known ? known : 16;
  const chain = result.out?.['nr_iovas'] === undefined ? null : chainOf(machine.world.profile, result);
  const end = chain === null ? copied : layouts.vfio_iommu_type1_info.size + chain.length;
  if (its.byteLength < Math.max(copied, end)) return refuse('EFAULT');
  if (chain !== null)
    new Uint8Array(its.buffer, its.byteOffset).set(chain, layouts.vfio_iommu_type1_info.size);
  const info = new DataView(new ArrayBuffer(layouts.vfio_iommu_type1_info.size));
  put(info, fields.argsz, result.out?.['argsz'] ?? argsz);
  put(info, fields.flags, field(result, 'flags'));
  put(info, fields.iova_pgsizes, field(result, 'iova_pgsizes'));
  put(info, fields.cap_offset, result.out?.['cap_offset'] ?? 0);
  for (let at = 0; at < copied; at += 1) its.setUint8(at, info.getUint8(at));
  return result.value;
}

/** The capabilities as they lie behind the structure, in the order in which the kernel adds them. */
function chainOf({ iommuCapabilities }: On['machine']['world']['profile'], result: Done): Uint8Array {
  const { vfio_iommu_type1_info_cap_migration: migration, vfio_iommu_type1_info_dma_avail: available } =
    layouts;
  const { vfio_iommu_type1_info_cap_iova_range: ranges, vfio_iova_range: range } = layouts;
  const count = Number(field(result, 'nr_iovas'));
  const base = layouts.vfio_iommu_type1_info.size;
  const afterAvailable = migration.size + (iommuCapabilities === 'aligned' ? 16 : available.size);
  const chain = new Uint8Array(afterAvailable + ranges.size + count * range.size);
  const at = (offset: number) => new DataView(chain.buffer, offset);
  putHeader(at(0), vfio.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, base + migration.size);
  put(at(0), migration.fields.pgsize_bitmap, field(result, 'pgsize_bitmap'));
  put(at(0), migration.fields.max_dirty_bitmap_size, field(result, 'max_dirty_bitmap_size'));
  putHeader(at(migration.size), vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, base + afterAvailable);
  put(at(migration.size), available.fields.avail, field(result, 'avail'));
  putHeader(at(afterAvailable), vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 0);
  put(at(afterAvailable), ranges.fields.nr_iovas, count);
  for (let index = 0; index < count; index += 1) {
    const its = at(afterAvailable + ranges.size + index * range.size);
    put(its, range.fields.start, field(result, `start${index}`));
    put(its, range.fields.end, field(result, `end${index}`));
  }
  return chain;
}

/** struct vfio_info_cap_header, of version 1. */
export function putHeader(its: DataView, id: number, next: number): void {
  const { fields } = layouts.vfio_info_cap_header;
  its.setUint16(fields.id.offset, id, true);
  its.setUint16(fields.version.offset, 1, true);
  put(its, fields.next, next);
}

/** drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_map_dma. */
function mapDma({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size: bytes, fields } = layouts.vfio_iommu_type1_dma_map;
  const its = argument.structure(bytes);
  const vaddr = u64(its, fields.vaddr);
  const size = u64(its, fields.size);
  const flags = u32(its, fields.flags);
  const { pid, memory } = process;
  const result = machine.value({
    op: 'container.map_dma',
    pid,
    fd,
    argsz: argszOf(its),
    flags,
    vaddr,
    iova: u64(its, fields.iova),
    size,
    memory: memory.kindOf(vaddr, size),
  });
  if (result === 0 && (flags & vfio.VFIO_DMA_MAP_FLAG_WRITE) !== 0) memory.touch(vaddr, size);
  return result;
}

/** vfio_iommu_type1_unmap_dma: the size is written back only on success. */
function unmapDma({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size: bytes, fields } = layouts.vfio_iommu_type1_dma_unmap;
  const its = argument.structure(bytes);
  const { pid } = process;
  const result = machine.step({
    op: 'container.unmap_dma',
    pid,
    fd,
    argsz: argszOf(its),
    flags: u32(its, fields.flags),
    iova: u64(its, fields.iova),
    size: u64(its, fields.size),
    ...bitmapOf(process, argument, bytes),
  });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, fields.size, field(result, 'size'));
  return result.value;
}

/** vfio_iommu_type1_dirty_pages. The bits themselves have no memory to be written to: no process here has any contents. */
function dirtyPages({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size: bytes, fields } = layouts.vfio_iommu_type1_dirty_bitmap;
  const { fields: range } = layouts.vfio_iommu_type1_dirty_bitmap_get;
  const its = argument.structure(bytes);
  const whole = argument.structure(bytes + layouts.vfio_iommu_type1_dirty_bitmap_get.size);
  const behind = whole === null ? null : new DataView(whole.buffer, whole.byteOffset + bytes);
  return machine.value({
    op: 'container.dirty_pages',
    pid: process.pid,
    fd,
    argsz: argszOf(its),
    flags: u32(its, fields.flags),
    iova: u64(behind, range.iova),
    size: u64(behind, range.size),
    ...bitmapOf(process, argument, bytes + 16),
  });
}

type Bitmap = Pick<Extract<Op, { op: 'container.dirty_pages' }>, 'pgsize' | 'bitmapSize' | 'bitmap'>;

/** struct vfio_bitmap at an offset of the argument, and what is behind its address. */
function bitmapOf({ memory }: Process, argument: Argument, offset: number): Bitmap {
  const { size: bytes, fields } = layouts.vfio_bitmap;
  const whole = argument.structure(offset + bytes);
  if (whole === null) return { bitmap: 'unreadable' };
  const its = new DataView(whole.buffer, whole.byteOffset + offset);
  const size = u64(its, fields.size);
  const address = u64(its, fields.data);
  const kind = memory.kindOf(address, size);
  return {
    pgsize: u64(its, fields.pgsize),
    bitmapSize: size,
    bitmap: memory.isUser(address, size) ? (kind === 'untouched' ? 'writable' : kind) : 'kernel',
  };
}
