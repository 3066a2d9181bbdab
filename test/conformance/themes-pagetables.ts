/** Operations on page tables of an iommufd, aimed at the tests of hw_pagetable.c, fault.c, and of the Intel IOMMU's driver. */
import { iommufdOf } from '../../src/model/files.ts';
import type { IommufdObject } from '../../src/model/iommufd-state.ts';
import { cdevPath } from '../../src/model/nodes.ts';
import type { Op } from '../../src/model/op.ts';
import { type Context, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { actors } from './cast.ts';
import { attach, compat, hand, mapSpace, objectOf, onDevice, unmapSpace } from './themes-mappings.ts';

const page = 0x1000n;
const highest = 2n ** 64n - 1n;

/** An iommufd that a device is bound to, of the process or else of the first one; now and then any. */
function onBusy(its: Context): { pid: number; fd: number } {
  const { pid } = busyOf(its).length > 0 ? its : first;
  const busy = busyOf({ ...its, pid });
  const some = busy.length > 0 && its.a % 13 > 0 ? busy : surely({ ...its, pid }, 'iommufd');
  return { pid, fd: pick(some, its.a >> 2) };
}

const [first] = actors;

function busyOf(its: Context): readonly number[] {
  return surely(its, 'iommufd').filter((fd) =>
    iommufdOf(its.state, { pid: its.pid, fd })?.objects.some((object) => object?.kind === 'device'),
  );
}

/** Now and then a structure that is too short, longer than the kernel knows, or nowhere. */
function framing(its: Context, size: number): { argsz?: number | null; tail?: true } {
  const sizes = [null, 4, 16, 23, 24, 26, 28, 30, 31, 32, 36, 39, size - 1, size, size + 8];
  if (its.c % 7 === 0) return { argsz: pick(sizes, its.b) };
  return its.c % 23 === 1 ? { tail: true } : {};
}

const reserved = ({ b }: Context): { reserved?: number } => (b % 17 === 0 ? { reserved: 1 } : {});

/** An object of one of some kinds, of the first of them where there is no other, of the iommufd that is asked. */
function id(
  its: Context,
  on: { pid: number; fd: number },
  kinds: readonly [IommufdObject['kind'], ...IommufdObject['kind'][]],
  number: number,
): number {
  const [usual] = kinds;
  const wanted = number % 2 === 0 ? usual : pick(kinds, number >> 1);
  const there = iommufdOf(its.state, on)?.objects.some((object) => object?.kind === wanted) === true;
  return objectOf({ ...its, pid: on.pid }, on.fd, there ? wanted : usual, number >> 3);
}

const allocate: Maker = (its) => {
  const call = onBusy(its);
  const plain = its.b % 3 > 0;
  if (its.a % 11 === 0) return nest(its, call);
  return {
    op: 'iommufd.hwpt_alloc',
    ...call,
    ...framing(its, 48),
    ...reserved(its),
    flags: plain ? 0 : pick([0, 0, 1, 2, 4, 6, 8], its.c >> 3),
    deviceId: id(its, call, ['device', 'ioas'], its.a),
    target: id(its, call, ['ioas', 'ioas', 'hwpt', 'device', 'fault-queue'], its.c),
    dataType: plain ? 0 : pick([0, 0, 1, 2], its.a >> 2),
    dataLength: plain ? 0 : pick([0, 0, 24, 0x10000], its.a >> 4),
  };
};

/** With the data that a page table in a page table takes. */
const nest = (its: Context, call: { pid: number; fd: number }): Op => ({
  op: 'iommufd.hwpt_alloc',
  ...call,
  flags: pick([0, 4, 0, 4, 1], its.b),
  deviceId: id(its, call, ['device'], its.a >> 3),
  target: id(its, call, ['hwpt'], its.c),
  ...{ dataType: 1, dataLength: 24 },
});

const information: Maker = (its) => {
  const call = onBusy(its);
  return {
    op: 'iommufd.get_hw_info',
    ...call,
    ...framing(its, 40),
    ...reserved(its),
    flags: pick([0, 0, 0, 0, 1], its.c >> 3),
    deviceId: id(its, call, ['device', 'hwpt'], its.a),
    length: pick([24, 24, 0, 8, 23, 4096], its.b >> 2),
    buffer: pick(['writable', 'writable', 'writable', 'none'], its.b >> 4),
  };
};

const track: Maker = (its) => {
  const call = onBusy(its);
  return {
    op: 'iommufd.hwpt_set_dirty_tracking',
    ...call,
    ...framing(its, 16),
    hwpt: id(its, call, ['hwpt', 'ioas'], its.a),
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
  const call = onBusy(its);
  return {
    op: 'iommufd.hwpt_get_dirty_bitmap',
    ...call,
    ...framing(its, 48),
    ...reserved(its),
    hwpt: id(its, call, ['hwpt', 'ioas'], its.a),
    flags: pick([0, 0, 1, 2], its.c >> 3),
    ...pick(ranges, its.b),
    pageSize: pick([page, page, page, 2n * page, 3n * page, 0n, 1n, highest], its.c >> 5),
  };
};

const invalidate: Maker = (its) => {
  const call = onBusy(its);
  return {
    op: 'iommufd.hwpt_invalidate',
    ...call,
    ...framing(its, 32),
    ...reserved(its),
    hwpt: id(its, call, ['hwpt', 'ioas'], its.a),
    array: its.b % 4 > 0,
    entryLength: pick([24, 24, 0, 4096, 4097], its.c >> 2),
    entries: pick([1, 0, 1 << 19, (1 << 19) + 1], its.c >> 5),
  };
};

const queue: Maker = (its) => ({
  op: 'iommufd.fault_queue_alloc',
  ...onBusy(its),
  ...framing(its, 16),
  flags: pick([0, 0, 0, 0, 1], its.b),
});

const destroy: Maker = (its) => {
  const call = onBusy(its);
  return {
    op: 'iommufd.destroy',
    ...call,
    id: id(its, call, ['hwpt', 'ioas', 'fault-queue', 'device'], its.b),
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

/** The next step to another device in an iommufd: its node is opened, and then bound. */
const another: Maker = (its) => {
  const root = { ...its, pid: first.pid };
  const files = its.state.descriptors.find(({ pid }) => pid === root.pid)?.files ?? [];
  const fresh = files.flatMap((file, place) => {
    const cdev = its.state.files[file];
    return cdev?.kind === 'device' && cdev.cdev && cdev.iommufd === null ? [place + 3] : [];
  });
  const nodes = its.state.devices.flatMap(({ vfio }) =>
    vfio !== null && vfio.node !== null && vfio.opens + vfio.unbound === 0 ? [cdevPath(vfio)] : [],
  );
  if (fresh.length === 0) return { op: 'open', pid: root.pid, path: pick([...nodes, '/dev/iommu'], its.c) };
  const { pid, fd: iommufd } = onBusy(root);
  return { op: 'device.bind_iommufd', pid, fd: pick(fresh, its.a), iommufd, flags: 0 };
};

/** By the process that may lock two pages, once it was handed the iommufd: what it maps nobody can pin. */
const mapScantly: Maker = (its) => {
  const scant = { ...its, pid: 2 };
  const [fd] = busyOf({ ...its, pid: first.pid });
  if (busyOf(scant).length === 0 && fd !== undefined)
    return { op: 'descriptor.pass', pid: first.pid, fd, to: scant.pid };
  return mapSpace({ ...scant, a: 8 * its.a, b: 0, c: 2 });
};

/** What may be neither read nor written: VFIO's own request takes it, and no page table does. */
const mapNothing: Maker = (its) => ({
  op: 'iommufd.map_dma',
  ...onBusy(its),
  ...{ flags: 0, vaddr: its.regions.writable, memory: 'writable' },
  ...{ iova: 0x80_0000n, size: page },
});

/** VFIO's own requests then work on an address space whose page tables are made by hand. */
const standIn: Maker = (its) => {
  const call = onBusy(its);
  const ioas = id(its, call, ['ioas'], its.b);
  return { op: 'iommufd.vfio_ioas', ...call, operation: 1, ioas };
};

/** Around what page tables change: where they forbid, ask for whole pages, and say which addresses are left. */
const asksSpace: Maker = (its) => {
  const call = onBusy(its);
  const ioas = id(its, call, ['ioas'], its.a);
  if (its.b % 3 === 0)
    return { op: 'iommufd.option', ...call, option: 1, operation: 0, object: ioas, value: 0n };
  if (its.b % 3 === 1) return { op: 'iommufd.ioas_iova_ranges', ...call, ioas, room: 16 };
  return { op: 'iommufd.check_extension', ...call, extension: 4 };
};

const contextHas = (its: Context): boolean =>
  (iommufdOf(its.state, onBusy(its))?.objects ?? []).some((object) => object?.kind === 'ioas');

/** A second address space at times; the first one soon. */
const space: Maker = (its) => ({
  op: 'iommufd.ioas_alloc',
  ...onBusy(its),
  flags: contextHas(its) && its.c % 5 === 0 ? 1 : 0,
});

const makers: readonly Maker[] = [
  ...[allocate, allocate, allocate, allocate, allocate, attachTable, attachTable, attachTable, attachTable],
  ...[destroy, destroy, destroy, mapSpace, mapSpace, mapScantly, mapScantly, unmapSpace, space, compat],
  ...[information, information, track, bitmap, bitmap, invalidate, queue, queue, onQueue, closeOne],
  ...[another, another, another, another, standIn, mapNothing, asksSpace],
  (its) => ({ op: 'device.detach_ioas', ...onDevice(its), flags: 0 }),
  hand('iommufd'),
  hand('device'),
  hand('fault-queue'),
];

/** Mostly what leads on where nothing is there yet: an iommufd, a device in it, and an address space. */
function leading(make: Maker): Maker {
  return (its) => {
    if (its.b % 5 === 0) return make(its);
    const root = { ...its, pid: first.pid };
    const open = root.state.descriptors.find(({ pid }) => pid === first.pid)?.files ?? [];
    if (!open.some((file) => root.state.files[file]?.kind === 'iommufd'))
      return { op: 'open', pid: first.pid, path: '/dev/iommu' };
    if (busyOf(root).length === 0) return another(its);
    return contextHas(root) ? make(its) : space(root);
  };
}

export const pageTables: readonly Maker[] = makers.map(leading);
