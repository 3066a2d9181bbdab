/** Requests of iommufd on page tables, on what an IOMMU can do, and on page faults. */
import { iommufdOf } from '../../../src/model/files.ts';
import type { Done } from '../../../src/model/guard.ts';
import { objectOf } from '../../../src/model/iommufd.ts';
import { handled } from '../../../src/model/ops/iommufd-hwpt-invalidate.ts';
import { iommufd, iommufdLayouts as layoutsOf, iommufdRequests as numbers } from '../../abi/iommufd.ts';
import { encode } from '../../abi/layout.ts';
import { mman } from '../../abi/mman.ts';
import { registersOf, unitNamed } from './iommu-units.ts';
import { lenient, request, respond } from './iommufd-request.ts';
import type { Machine } from './machine.ts';
import { type Argument, anonymous, FaultQueueFile } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { field, type On, put, u32, u64 } from './structures.ts';

const alloc = layoutsOf.iommu_hwpt_alloc;
const info = layoutsOf.iommu_hw_info;
const tracking = layoutsOf.iommu_hwpt_set_dirty_tracking.fields;
const dirty = layoutsOf.iommu_hwpt_get_dirty_bitmap.fields;
const invalidation = layoutsOf.iommu_hwpt_invalidate;
const faults = layoutsOf.iommu_fault_alloc;

/** What callers had before a structure grew (drivers/iommu/iommufd/main.c:iommufd_ioctl_ops). */
const leastOfAlloc = 24;
const leastOfInfo = 32;

function hwptAlloc({ machine, fd }: On, process: Process, argument: Argument): number {
  const { framing, its } = lenient(fd, process, argument, alloc, leastOfAlloc);
  const dataLength = u32(its, alloc.fields.data_len);
  const readable = process.memory.covers(
    u64(its, alloc.fields.data_uptr),
    BigInt(dataLength),
    mman.PROT_READ,
  );
  const result = machine.step({
    op: 'iommufd.hwpt_alloc',
    ...framing,
    flags: u32(its, alloc.fields.flags),
    deviceId: u32(its, alloc.fields.dev_id),
    target: u32(its, alloc.fields.pt_id),
    dataType: u32(its, alloc.fields.data_type),
    dataLength,
    ...(readable ? { behind: 'readable' } : {}),
    faultId: u32(its, alloc.fields.fault_id),
    reserved: u32(its, alloc.fields.__reserved),
  });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, alloc.fields.out_hwpt_id, field(result, 'out_hwpt_id'));
  respond(argument, framing, its);
  return result.value;
}

/** drivers/iommu/iommufd/device.c:iommufd_get_hw_info. */
function getHwInfo({ machine, fd }: On, process: Process, argument: Argument): number {
  const { framing, its } = lenient(fd, process, argument, info, leastOfInfo);
  const [address, length] = [u64(its, info.fields.data_uptr), u32(its, info.fields.data_len)];
  const writable = process.memory.covers(address, BigInt(length), mman.PROT_READ | mman.PROT_WRITE);
  const deviceId = u32(its, info.fields.dev_id);
  const result = machine.step({
    op: 'iommufd.get_hw_info',
    ...framing,
    flags: u32(its, info.fields.flags),
    deviceId,
    length,
    buffer: writable ? 'writable' : 'none',
    // Three bytes beside the width of PASIDs.
    reserved: u32(its, info.fields.out_max_pasid_log2) >>> 8,
  });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  tell(process, address, length, dataOf(machine, { pid: process.pid, fd }, deviceId, result));
  put(its, info.fields.data_len, field(result, 'data_len'));
  put(its, info.fields.out_data_type, field(result, 'out_data_type'));
  // No device here has PASIDs in use. It is a byte, and those beside it are 0.
  put(its, { ...info.fields.out_max_pasid_log2, kind: 'u32' }, 0);
  put(its, info.fields.out_capabilities, result.out?.['out_capabilities'] ?? 0n);
  respond(argument, framing, its);
  return result.value;
}

/** What an IOMMU's driver tells of it (drivers/iommu/intel/iommu.c:intel_iommu_hw_info). */
function dataOf(
  machine: Machine,
  on: { readonly pid: number; readonly fd: number },
  id: number,
  result: Done,
): Uint8Array {
  if (field(result, 'out_data_type') !== iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD) return new Uint8Array(0);
  const object = objectOf(iommufdOf(machine.state, on), id);
  const address = object?.kind === 'device' ? machine.world.hardware[object.device]?.address : undefined;
  const { iommuUnit } = machine.functions.find((pci) => pci.address === address) ?? {};
  const unit = typeof iommuUnit === 'string' ? unitNamed(machine.snapshot, iommuUnit) : undefined;
  // Those that /sys/class/iommu shows; none where the snapshot does not tell them.
  const { cap = 0n, ecap = 0n } = (unit && registersOf(unit)) ?? {};
  const flags = iommufd.IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17;
  return encode(layoutsOf.iommu_hw_info_vtd, { flags, cap_reg: cap, ecap_reg: ecap });
}

/** As much of the data as there is room for, and zeros in the room that is left. */
function tell({ memory }: Process, address: bigint, length: number, data: Uint8Array): void {
  const part = 1 << 20;
  memory.write(address, data.subarray(0, length));
  for (let at = data.length; at < length; at += part)
    memory.write(address + BigInt(at), new Uint8Array(Math.min(part, length - at)));
}

/** How many entries were handled is written back with a refusal too, where the structure was read. */
function hwptInvalidate({ machine, fd }: On, process: Process, argument: Argument): number {
  const { framing, its } = lenient(fd, process, argument, invalidation, invalidation.size);
  const address = u64(its, invalidation.fields.data_uptr);
  const op = {
    op: 'iommufd.hwpt_invalidate',
    ...framing,
    hwpt: u32(its, invalidation.fields.hwpt_id),
    array: address !== 0n,
    entryLength: u32(its, invalidation.fields.entry_len),
    entries: u32(its, invalidation.fields.entry_num),
    dataType: u32(its, invalidation.fields.data_type),
    ...contentAt(process, address),
    reserved: u32(its, invalidation.fields.__reserved),
  } as const;
  const before = iommufdOf(machine.state, { pid: process.pid, fd });
  const answer = machine.value(op);
  const read = its !== null && framing.argsz !== null && !framing.tail;
  if (read) {
    put(its, invalidation.fields.entry_num, before === null ? 0 : handled(before, op));
    respond(argument, framing, its);
  }
  return answer;
}

/** The words of a page, where it is there. */
function contentAt({ memory }: Process, address: bigint): { content?: readonly number[] } {
  const page = 4096;
  if (!memory.covers(address, BigInt(page), mman.PROT_READ)) return {};
  const bytes = memory.read(address, page);
  const words = new DataView(bytes.buffer, bytes.byteOffset);
  const last = bytes.findLastIndex((byte) => byte !== 0);
  return {
    content: Array.from({ length: Math.ceil((last + 1) / 4) }, (_, at) => words.getUint32(4 * at, true)),
  };
}

/** drivers/iommu/iommufd/fault.c:iommufd_fault_alloc. */
const faultFile = anonymous('[iommufd-pgfault]');

function faultQueueAlloc({ machine, fd }: On, process: Process, argument: Argument): number {
  const { framing, its } = lenient(fd, process, argument, faults, faults.size);
  const flags = u32(its, faults.fields.flags);
  const result = machine.step({ op: 'iommufd.fault_queue_alloc', ...framing, flags });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  process.files[result.value] = new FaultQueueFile(faultFile);
  put(its, faults.fields.out_fault_id, field(result, 'out_fault_id'));
  put(its, faults.fields.out_fault_fd, result.value);
  respond(argument, framing, its);
  return 0;
}

/** By number. */
export const tableHandlers: Readonly<
  Record<number, (on: On, process: Process, argument: Argument) => number>
> = {
  [numbers.IOMMU_HWPT_ALLOC]: hwptAlloc,
  [numbers.IOMMU_GET_HW_INFO]: getHwInfo,
  [numbers.IOMMU_HWPT_SET_DIRTY_TRACKING]: request(
    layoutsOf.iommu_hwpt_set_dirty_tracking,
    [],
    (framing, its) => ({
      op: 'iommufd.hwpt_set_dirty_tracking',
      ...framing,
      hwpt: u32(its, tracking.hwpt_id),
      flags: u32(its, tracking.flags),
    }),
  ),
  [numbers.IOMMU_HWPT_GET_DIRTY_BITMAP]: request(
    layoutsOf.iommu_hwpt_get_dirty_bitmap,
    [],
    (framing, its) => ({
      op: 'iommufd.hwpt_get_dirty_bitmap',
      ...framing,
      hwpt: u32(its, dirty.hwpt_id),
      flags: u32(its, dirty.flags),
      iova: u64(its, dirty.iova),
      length: u64(its, dirty.length),
      pageSize: u64(its, dirty.page_size),
      reserved: u32(its, dirty.__reserved),
    }),
  ),
  [numbers.IOMMU_HWPT_INVALIDATE]: hwptInvalidate,
  [numbers.IOMMU_FAULT_QUEUE_ALLOC]: faultQueueAlloc,
};
