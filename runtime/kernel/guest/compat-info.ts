/** VFIO_IOMMU_GET_INFO where an iommufd stands for a container. */
import type { Done } from '../../../src/model/guard.ts';
import { layouts, vfio } from '../../abi/vfio.ts';
import { putHeader } from './container-file.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put } from './structures.ts';

const info = layouts.vfio_iommu_type1_info;
const available = layouts.vfio_iommu_type1_info_dma_avail;
const ranges = layouts.vfio_iommu_type1_info_cap_iova_range;
const range = layouts.vfio_iova_range;

/** Capabilities begin at multiples of 8. */
const availableAt = info.size;
const rangesAt = availableAt + 16;

/**
 * drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_iommu_get_info: what there is room for is written, and said to be there
 * only where there is room for all of it.
 */
export function compatInfo({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const its = argument.structure(16);
  const argsz = argszOf(its);
  const result = machine.step({ op: 'iommufd.get_info', pid, fd, argsz });
  if (typeof result === 'number') return result;
  const asked = argsz ?? 0;
  const whole = machine.step({ op: 'iommufd.get_info', pid, fd });
  const chain = typeof whole === 'number' ? [] : chainOf(whole, asked);
  const written = chain.filter(({ needs }) => needs <= asked);
  const end = Math.max(Math.min(asked, info.size), ...written.map(({ at, bytes }) => at + bytes.length));
  if (its === null || its.byteLength < end) return refuse('EFAULT');
  const memory = new Uint8Array(its.buffer, its.byteOffset);
  for (const { at, bytes } of written) memory.set(bytes, at);
  put(its, info.fields.argsz, result.out?.['argsz'] ?? asked);
  put(its, info.fields.flags, field(result, 'flags'));
  put(its, info.fields.iova_pgsizes, field(result, 'iova_pgsizes'));
  if (asked >= 20) put(its, info.fields.cap_offset, field(result, 'cap_offset'));
  // The structure has four bytes more, which say nothing.
  if (asked >= info.size) its.setUint32(20, 0, true);
  return result.value;
}

interface Part {
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Where argsz is less, it is not written. */
  readonly needs: number;
}

/** iommufd_fill_cap_dma_avail, iommufd_fill_cap_iova: ranges one by one, their head only behind all of them. */
function chainOf(result: Done, asked: number): readonly Part[] {
  const count = Number(field(result, 'nr_iovas'));
  const first = view(available.size);
  putHeader(first, vfio.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, asked >= rangesAt ? rangesAt : 0);
  put(first, available.fields.avail, field(result, 'avail'));
  const head = view(ranges.size);
  putHeader(head, vfio.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 0);
  put(head, ranges.fields.nr_iovas, count);
  const start = rangesAt + ranges.size;
  const each = Array.from({ length: count }, (_, index): Part => {
    const its = view(range.size);
    put(its, range.fields.start, field(result, `start${index}`));
    put(its, range.fields.end, field(result, `end${index}`));
    const at = start + index * range.size;
    return part(at, its, at + range.size);
  });
  return [
    part(availableAt, first, availableAt + available.size),
    ...each,
    part(rangesAt, head, start + count * range.size),
  ];
}

function view(size: number): DataView {
  return new DataView(new ArrayBuffer(size));
}

function part(at: number, its: DataView, needs: number): Part {
  return { at, bytes: new Uint8Array(its.buffer), needs };
}
