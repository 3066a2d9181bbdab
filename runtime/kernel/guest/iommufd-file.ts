/** Requests of device cdevs and of iommufd: bytes become operations, and answers bytes, as in vfio-file.ts. */
import { iommufdOf } from '../../../src/model/files.ts';
import { piecesAt } from '../../../src/model/ioas.ts';
import { ioasOf } from '../../../src/model/iommufd.ts';
import type { Op } from '../../../src/model/op.ts';
import { iommufdLayouts as layoutsOf, noiommuGetPa, iommufdRequests as numbers } from '../../abi/iommufd.ts';
import { layout, u64 as u64At } from '../../abi/layout.ts';
import { layouts } from '../../abi/vfio.ts';
import { framed, request } from './iommufd-request.ts';
import { tableHandlers } from './iommufd-tables.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put, s32, u16, u32, u64, uuid } from './structures.ts';

/** Where kernels that ask for a token have the pointer to it, and how long their structure is with it. */
const token = layout(24, { pointer: u64At(16) });

/** drivers/vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd: out_devid alone is written back. */
export function bindIommufd({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_device_bind_iommufd;
  const its = argument.structure(size);
  const given = machine.world.profile.bindTakesToken
    ? { ...framed(fd, process, argument, token.size), ...tokenOf(process, argument) }
    : { pid: process.pid, fd, argsz: argszOf(its) };
  const flags = u32(its, fields.flags);
  const iommufd = s32(its, fields.iommufd);
  const result = machine.step({ op: 'device.bind_iommufd', ...given, flags, iommufd });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, fields.out_devid, field(result, 'out_devid'));
  return result.value;
}

/** The token that the structure points to; none where nothing can be read. */
function tokenOf({ memory }: Process, argument: Argument): { readonly token?: string } {
  const bytes = memory.read(u64(argument.structure(token.size), token.fields.pointer), 16);
  return bytes.length < 16 ? {} : { token: uuid(new DataView(bytes.buffer), 0) };
}

/** vfio_df_ioctl_attach_pt: the id of the page table comes back. */
export function attachPt({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_device_attach_iommufd_pt;
  const its = argument.structure(size);
  const flags = u32(its, fields.flags);
  const target = u32(its, fields.pt_id);
  const result = machine.step({ op: 'device.attach_ioas', pid, fd, argsz: argszOf(its), flags, target });
  if (typeof result === 'number') return result;
  if (its === null) return refuse('EFAULT');
  put(its, fields.pt_id, field(result, 'pt_id'));
  return result.value;
}

/** vfio_df_ioctl_detach_pt. */
export function detachPt({ machine, fd }: On, { pid }: Process, argument: Argument): number {
  const { size, fields } = layouts.vfio_device_detach_iommufd_pt;
  const its = argument.structure(size);
  const flags = u32(its, fields.flags);
  return machine.value({ op: 'device.detach_ioas', pid, fd, argsz: argszOf(its), flags });
}

const destroy = layoutsOf.iommu_destroy.fields;
const alloc = layoutsOf.iommu_ioas_alloc.fields;
const ranges = layoutsOf.iommu_ioas_iova_ranges.fields;
const allow = layoutsOf.iommu_ioas_allow_iovas.fields;
const map = layoutsOf.iommu_ioas_map.fields;
const copy = layoutsOf.iommu_ioas_copy.fields;
const unmap = layoutsOf.iommu_ioas_unmap.fields;
const option = layoutsOf.iommu_option.fields;
const vfioIoas = layoutsOf.iommu_vfio_ioas.fields;

const range = layoutsOf.iommu_iova_range;

/**
 * drivers/iommu/iommufd/ioas.c:iommufd_ioas_iova_ranges: as many ranges as there is room for, and their number even where
 * that is more.
 */
function iovaRanges({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size } = layoutsOf.iommu_ioas_iova_ranges;
  const its = argument.structure(size);
  const room = u32(its, ranges.num_iovas);
  const asked = {
    op: 'iommufd.ioas_iova_ranges',
    ...framed(fd, process, argument, size),
    ...{ ioas: u32(its, ranges.ioas_id), reserved: u32(its, ranges.__reserved) },
  } as const;
  const answer = machine.value({ ...asked, room });
  const all = machine.step({ ...asked, room: 0xffff_ffff });
  if (its === null || typeof all === 'number') return answer;
  const count = Number(field(all, 'num_iovas'));
  const bytes = new Uint8Array(Math.min(count, room) * range.size);
  for (let index = 0; index * range.size < bytes.length; index += 1) {
    const each = new DataView(bytes.buffer, index * range.size);
    put(each, range.fields.start, field(all, `start${index}`));
    put(each, range.fields.last, field(all, `last${index}`));
  }
  const address = u64(its, ranges.allowed_iovas);
  if (process.memory.write(address, bytes) < bytes.length) return refuse('EFAULT');
  put(its, ranges.num_iovas, count);
  put(its, ranges.out_iova_alignment, field(all, 'out_iova_alignment'));
  return answer;
}

/** iommufd_ioas_load_iovas: one range after another, up to the first that is none or cannot be read. */
function allowIovas({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size } = layoutsOf.iommu_ioas_allow_iovas;
  const its = argument.structure(size);
  const count = u32(its, allow.num_iovas);
  const address = u64(its, allow.allowed_iovas);
  const given: bigint[] = [];
  let readable = true;
  for (let index = 0; index < count && readable; index += 1) {
    const bytes = process.memory.read(address + BigInt(index * range.size), range.size);
    readable = bytes.length === range.size;
    if (!readable) break;
    const each = new DataView(bytes.buffer);
    const [start, last] = [u64(each, range.fields.start), u64(each, range.fields.last)];
    given.push(start, last);
    if (start >= last) break;
  }
  const op: Op = {
    op: 'iommufd.ioas_allow_iovas',
    ...framed(fd, process, argument, size),
    ...{ ioas: u32(its, allow.ioas_id), ranges: given, reserved: u32(its, allow.__reserved) },
  };
  if (readable) return machine.value(op);
  const refused = machine.refusalOf(op);
  // What conflicts with the address space is asked after all ranges were read.
  const earlier = refused !== null && 'errno' in refused && refused.errno !== 'EADDRINUSE';
  return refuse(earlier ? refused.errno : 'EFAULT');
}

const pageSize = 4096n;
/** Where the made-up physical memory begins: behind every user address. */
const physical = 2n ** 48n;

/**
 * drivers/iommu/iommufd/ioas.c:iommufd_ioas_noiommu_get_pa. No page of the simulated memory lies next to another, and each
 * is told by its user address.
 */
function getPa({ machine, fd }: On, process: Process, argument: Argument): number {
  const { size, fields } = noiommuGetPa.layout;
  const its = argument.structure(size);
  const ioas = u32(its, fields.ioas_id);
  const iova = u64(its, fields.iova);
  const length = u64(its, fields.length);
  const result = machine.step({
    op: 'iommufd.noiommu_get_pa',
    ...framed(fd, process, argument, size),
    flags: u32(its, fields.flags),
    ioas,
    iova,
    length,
    reserved: u32(its, fields.__reserved),
  });
  if (typeof result === 'number') return result;
  const space = ioasOf(iommufdOf(machine.state, { pid: process.pid, fd }), ioas);
  const [piece] = (space && piecesAt(space, { start: iova, end: iova })) ?? [];
  if (its === null || piece === undefined) return refuse('EFAULT');
  const address = piece.pages.vaddr + piece.start;
  const inPage = pageSize - (address % pageSize);
  put(its, fields.out_phys, physical + address);
  put(its, fields.length, inPage < length ? inPage : length);
  return result.value;
}

/** By number. */
export const iommufdHandlers: Readonly<
  Record<number, (on: On, process: Process, argument: Argument) => number>
> = {
  [numbers.IOMMU_DESTROY]: request(layoutsOf.iommu_destroy, [], (framing, its) => ({
    op: 'iommufd.destroy',
    ...framing,
    id: u32(its, destroy.id),
  })),
  [numbers.IOMMU_IOAS_ALLOC]: request(layoutsOf.iommu_ioas_alloc, ['out_ioas_id'], (framing, its) => ({
    op: 'iommufd.ioas_alloc',
    ...framing,
    flags: u32(its, alloc.flags),
  })),
  [numbers.IOMMU_IOAS_IOVA_RANGES]: iovaRanges,
  [numbers.IOMMU_IOAS_ALLOW_IOVAS]: allowIovas,
  [numbers.IOMMU_IOAS_MAP]: request(layoutsOf.iommu_ioas_map, ['iova'], (framing, its, process) => ({
    op: 'iommufd.ioas_map',
    ...framing,
    flags: u32(its, map.flags),
    ioas: u32(its, map.ioas_id),
    vaddr: u64(its, map.user_va),
    length: u64(its, map.length),
    iova: u64(its, map.iova),
    memory: process.memory.kindOf(u64(its, map.user_va), u64(its, map.length)),
    reserved: u32(its, map.__reserved),
  })),
  [numbers.IOMMU_IOAS_COPY]: request(layoutsOf.iommu_ioas_copy, ['dst_iova'], (framing, its) => ({
    op: 'iommufd.ioas_copy',
    ...framing,
    flags: u32(its, copy.flags),
    dst: u32(its, copy.dst_ioas_id),
    src: u32(its, copy.src_ioas_id),
    length: u64(its, copy.length),
    dstIova: u64(its, copy.dst_iova),
    srcIova: u64(its, copy.src_iova),
  })),
  [numbers.IOMMU_IOAS_UNMAP]: request(layoutsOf.iommu_ioas_unmap, ['length'], (framing, its) => ({
    op: 'iommufd.ioas_unmap',
    ...framing,
    ioas: u32(its, unmap.ioas_id),
    iova: u64(its, unmap.iova),
    length: u64(its, unmap.length),
  })),
  [numbers.IOMMU_OPTION]: request(layoutsOf.iommu_option, ['val64'], (framing, its) => ({
    op: 'iommufd.option',
    ...framing,
    option: u32(its, option.option_id),
    operation: u16(its, option.op),
    object: u32(its, option.object_id),
    value: u64(its, option.val64),
    reserved: u16(its, option.__reserved),
  })),
  ...tableHandlers,
  [noiommuGetPa.request]: getPa,
  [numbers.IOMMU_VFIO_IOAS]: request(layoutsOf.iommu_vfio_ioas, ['ioas_id'], (framing, its) => ({
    op: 'iommufd.vfio_ioas',
    ...framing,
    ioas: u32(its, vfioIoas.ioas_id),
    operation: u16(its, vfioIoas.op),
    reserved: u16(its, vfioIoas.__reserved),
  })),
};
