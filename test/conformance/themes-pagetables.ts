/** Operations on page tables of an iommufd, aimed at the tests of hw_pagetable.c, fault.c, and of the Intel IOMMU's driver. */
import { iommufdOf } from '../../src/model/files.ts';
import type { IommufdObject } from '../../src/model/iommufd-state.ts';
import { type Context, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { attach, hand, mapSpace, objectOf, on, onDevice, unmapSpace } from './themes-mappings.ts';

const page = 0x1000n;
const highest = 2n ** 64n - 1n;

/** Now and then a structure that is too short, longer than the kernel knows, or nowhere. */
function framing(its: Context, size: number): { argsz?: number | null; tail?: true } {
  const sizes = [null, 4, 16, 23, 24, 26, 28, 30, 31, 32, 36, 39, size - 1, size, size + 8];
  if (its.c % 7 === 0) return { argsz: pick(sizes, its.b) };
  return its.c % 23 === 1 ? { tail: true } : {};
}

const reserved = ({ b }: Context): { reserved?: number } => (b % 17 === 0 ? { reserved: 1 } : {});

/** An object of a kind, mostly, of the iommufd that is asked. */
const id = (its: Context, fd: number, kinds: readonly IommufdObject['kind'][], number: number): number =>
  objectOf(its, fd, pick(kinds, number), number >> 2);

const allocate: Maker = (its) => {
  const call = on(its, 'iommufd');
  const plain = its.b % 3 > 0;
  return {
    op: 'iommufd.hwpt_alloc',
    ...call,
    ...framing(its, 48),
    ...reserved(its),
    flags: plain ? 0 : pick([0, 0, 1, 2, 4, 6, 8], its.c >> 3),
    deviceId: id(its, call.fd, ['device', 'device', 'device', 'ioas'], its.a),
    target: id(its, call.fd, ['ioas', 'ioas', 'ioas', 'ioas', 'hwpt', 'device', 'fault-queue'], its.c),
    dataType: plain ? 0 : pick([0, 0, 1, 2], its.a >> 2),
    dataLength: plain ? 0 : pick([0, 0, 24, 0x10000], its.a >> 4),
  };
};

const information: Maker = (its) => {
  const call = on(its, 'iommufd');
  return {
    op: 'iommufd.get_hw_info',
    ...call,
    ...framing(its, 40),
    ...reserved(its),
    flags: pick([0, 0, 0, 0, 1], its.c >> 3),
    deviceId: id(its, call.fd, ['device', 'device', 'device', 'hwpt'], its.a),
    length: pick([24, 24, 0, 8, 23, 4096], its.b >> 2),
    buffer: pick(['writable', 'writable', 'writable', 'none'], its.b >> 4),
  };
};

const track: Maker = (its) => {
  const call = on(its, 'iommufd');
  return {
    op: 'iommufd.hwpt_set_dirty_tracking',
    ...call,
    ...framing(its, 16),
    hwpt: id(its, call.fd, ['hwpt', 'hwpt', 'hwpt', 'ioas'], its.a),
    flags: pick([0, 1, 1, 1, 2], its.b),
  };
};

const ranges = [
  { iova: 0n, length: 4n * page },
  { iova: page, length: page },
  { iova: 0n, length: 0n },
  { iova: 0x10n, length: page },
  { iova: 0n, length: 0x10n },
  { iova: highest, length: page },
  { iova: highest - 0xfffn, length: page },
  { iova: 3n * page, length: 3n * page },
];

const bitmap: Maker = (its) => {
  const call = on(its, 'iommufd');
  return {
    op: 'iommufd.hwpt_get_dirty_bitmap',
    ...call,
    ...framing(its, 48),
    ...reserved(its),
    hwpt: id(its, call.fd, ['hwpt', 'hwpt', 'hwpt', 'ioas'], its.a),
    flags: pick([0, 0, 1, 2], its.c >> 3),
    ...pick(ranges, its.b),
    pageSize: pick([page, page, page, 2n * page, 3n * page, 0n, 1n, highest], its.c >> 5),
  };
};

const invalidate: Maker = (its) => {
  const call = on(its, 'iommufd');
  return {
    op: 'iommufd.hwpt_invalidate',
    ...call,
    ...framing(its, 32),
    ...reserved(its),
    hwpt: id(its, call.fd, ['hwpt', 'hwpt', 'ioas'], its.a),
    array: its.b % 4 > 0,
    entryLength: pick([24, 24, 0, 4096, 4097], its.c >> 2),
    entries: pick([1, 0, 1 << 19, (1 << 19) + 1], its.c >> 5),
  };
};

const queue: Maker = (its) => ({
  op: 'iommufd.fault_queue_alloc',
  ...on(its, 'iommufd'),
  ...framing(its, 16),
  flags: pick([0, 0, 0, 0, 1], its.b),
});

const destroy: Maker = (its) => {
  const call = on(its, 'iommufd');
  return {
    op: 'iommufd.destroy',
    ...call,
    id: id(its, call.fd, ['hwpt', 'hwpt', 'hwpt', 'ioas', 'fault-queue', 'device'], its.b),
  };
};

/** Mostly to a page table that stays. */
const attachTable: Maker = (its) => {
  const op = attach(its);
  if (op.op !== 'device.attach_ioas') return op;
  const file =
    its.state.files[its.state.descriptors.find(({ pid }) => pid === op.pid)?.files[op.fd - 3] ?? -1];
  const context = file?.kind === 'device' && file.iommufd !== null ? its.state.iommufds[file.iommufd] : null;
  const tables = (context?.objects ?? []).flatMap((object, place) =>
    object?.kind === 'hwpt' ? [place + 1] : [],
  );
  return tables.length > 0 && its.c % 4 > 0 ? { ...op, target: pick(tables, its.c >> 2) } : op;
};

const onQueue: Maker = (its) => ({
  op: 'file.call',
  pid: its.pid,
  fd: pick(surely(its, 'fault-queue'), its.a),
  call: pick(['read', 'write', 'lseek', 'mmap'], its.b),
});

const closeOne: Maker = (its) => ({
  op: 'close',
  pid: its.pid,
  fd: pick(descriptors(its, pick(['fault-queue', 'fault-queue', 'device', 'iommufd'], its.b)), its.a),
});

/** A second device of the iommufd, or the first where the way left it out. */
const bind: Maker = (its) => ({
  op: 'device.bind_iommufd',
  ...onDevice(its),
  iommufd: on(its, 'iommufd').fd,
  flags: 0,
});

/** Around what page tables change: where they forbid, ask for whole pages, and say which addresses are left. */
const asksSpace: Maker = (its) => {
  const call = on(its, 'iommufd');
  const ioas = objectOf(its, call.fd, 'ioas', its.a);
  if (its.b % 3 === 0)
    return { op: 'iommufd.option', ...call, option: 1, operation: 0, object: ioas, value: 0n };
  if (its.b % 3 === 1) return { op: 'iommufd.ioas_iova_ranges', ...call, ioas, room: 16 };
  return { op: 'iommufd.check_extension', ...call, extension: 4 };
};

const contextHas = (its: Context): boolean =>
  (iommufdOf(its.state, on(its, 'iommufd'))?.objects ?? []).some((object) => object?.kind === 'ioas');

/** A second address space at times; the first one soon. */
const space: Maker = (its) => ({
  op: 'iommufd.ioas_alloc',
  ...on(its, 'iommufd'),
  flags: contextHas(its) && its.c % 5 === 0 ? 1 : 0,
});

export const pageTables: readonly Maker[] = [
  ...[allocate, allocate, allocate, allocate, allocate, attachTable, attachTable, attachTable, attachTable],
  ...[destroy, destroy, destroy, mapSpace, mapSpace, unmapSpace, space],
  ...[information, information, track, bitmap, bitmap, invalidate, queue, queue, onQueue, closeOne, bind],
  asksSpace,
  (its) => ({ op: 'device.detach_ioas', ...onDevice(its), flags: 0 }),
  (its) => ({
    op: 'open',
    pid: its.pid,
    path: pick(['/dev/iommu', '/dev/vfio/devices/vfio0', '/dev/vfio/devices/vfio1'], its.b),
  }),
  hand('iommufd'),
  hand('device'),
  hand('fault-queue'),
];
