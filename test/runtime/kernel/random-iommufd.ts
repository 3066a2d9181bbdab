import { iommufdOf } from '../../../src/model/files.ts';
import type { IommufdObject } from '../../../src/model/iommufd-state.ts';
import { nodePaths } from '../../../src/model/nodes.ts';
import type { Op } from '../../../src/model/op.ts';
import { type Context, call, descriptors, type Maker } from './random-context.ts';
import { mapDma, memoryOf, pick, unmapDma } from './random-mappings.ts';

/** Random operations on an iommufd and on device cdevs. */

const highest = 2n ** 64n - 1n;

/** A request to an iommufd: mostly as its structure is, at times shorter, longer or with more behind it. */
function asked(its: Context, size: number): { pid: number; fd: number; argsz?: number | null; tail?: true } {
  const tail = (its.b >> 6) % 16 === 0 ? { tail: true as const } : {};
  return { ...call(its, size, 'iommufd'), ...tail };
}

/** Ids of objects of the iommufd behind a descriptor, mostly those of a kind; else any, there or not. */
function ids(its: Context, fd: number, kind: IommufdObject['kind'], salt = 0): number {
  const objects = iommufdOf(its.state, { pid: its.pid, fd })?.objects ?? [];
  const all = objects.flatMap((object, place) =>
    object === null ? [] : [{ id: place + 1, kind: object.kind }],
  );
  const wanted = all.filter((object) => object.kind === kind).map(({ id }) => id);
  const number = (its.c >> 3) + salt;
  if (wanted.length > 0 && number % 6 !== 0) return pick(wanted, number);
  return pick([...all.map(({ id }) => id), 1, 0, 99], number);
}

/** A cdev that nobody bound yet, mostly. */
function cdev(its: Context): number {
  const { state, pid, a } = its;
  const files = state.descriptors.find((table) => table.pid === pid)?.files ?? [];
  const fresh = files.flatMap((file, place) => {
    const its = state.files[file];
    return its?.kind === 'device' && its.cdev && its.iommufd === null ? [place + 3] : [];
  });
  return fresh.length > 0 && a % 4 !== 0 ? pick(fresh, a) : pick(descriptors(its, 'device'), a);
}

const iovas = [
  0n,
  0x1000n,
  0x4000n,
  0x8000n,
  0x10n,
  0xfee00000n,
  2n ** 40n,
  2n ** 48n,
  highest - 4095n,
  highest,
];
const lengths = [0x1000n, 0x1000n, 0x2000n, 0x1000n, 0x10000n, 100n, 0n, highest];

/** Where something is mapped, often; else anywhere. */
function span(its: Context, fd: number, ioas: number, salt = 0): { iova: bigint; length: bigint } {
  const object = iommufdOf(its.state, { pid: its.pid, fd })?.objects[ioas - 1];
  const areas = object?.kind === 'ioas' ? object.areas : [];
  const number = (its.b >> 2) + salt;
  if (areas.length > 0 && number % 3 !== 0) {
    const { iova, length } = pick(areas, number);
    return { iova, length: number % 8 === 1 ? 0x1000n : length };
  }
  return { iova: pick(iovas, its.c + salt), length: pick(lengths, its.c >> 4) };
}

function map(its: Context): Op {
  const on = asked(its, 40);
  const [start, memory] = memoryOf(its);
  const length = pick(lengths, its.c >> 4);
  const inside = length < 0x1000n && its.c % 5 === 0 ? 0x10n : 0n;
  return {
    op: 'iommufd.ioas_map',
    ...on,
    // Memory that nobody wrote to stays so.
    flags: memory === 'untouched' ? pick([4, 5], its.c) : pick([7, 7, 7, 6, 6, 3, 5, 4, 1, 0, 8], its.c >> 7),
    ioas: ids(its, on.fd, 'ioas'),
    vaddr: start + inside,
    length,
    iova: pick(iovas, its.c),
    memory,
  };
}

function unmap(its: Context): Op {
  const on = asked(its, 24);
  const ioas = ids(its, on.fd, 'ioas');
  const all = its.c % 7 === 0;
  return {
    op: 'iommufd.ioas_unmap',
    ...on,
    ioas,
    ...(all ? { iova: 0n, length: highest } : span(its, on.fd, ioas)),
  };
}

function copy(its: Context): Op {
  const on = asked(its, 40);
  const src = ids(its, on.fd, 'ioas');
  const { iova: srcIova, length } = span(its, on.fd, src);
  return {
    op: 'iommufd.ioas_copy',
    ...on,
    flags: pick([7, 7, 5, 6, 4, 2, 1, 8], its.c >> 7),
    dst: ids(its, on.fd, 'ioas', 1),
    src,
    length,
    dstIova: pick(iovas, its.b >> 3),
    srcIova,
  };
}

const promises: readonly (readonly bigint[])[] = [
  [],
  [0n, 0xffffn],
  [0x1000n, 0x4fffn],
  [0x1000n, 0x1fffn, 0x4000n, 0xffffn],
  [5n, 5n],
  [0n, 0xfffn, 0x800n, 0x1800n],
  [0xfee00000n, 0xfee00fffn],
  [0n, highest],
  [2n ** 48n, 2n ** 48n + 4095n],
];

function option(its: Context): Op {
  const on = asked(its, 24);
  const which = pick([1, 1, 1, 0, 0, 2], its.b >> 4);
  return {
    op: 'iommufd.option',
    ...on,
    option: which,
    operation: pick([0, 0, 0, 1, 1, 2], its.c >> 5),
    object: which === 0 ? pick([0, 0, 0, 1], its.c) : ids(its, on.fd, 'ioas'),
    value: pick([0n, 1n, 0n, 1n, 2n, highest], its.c >> 8),
    ...(its.c % 19 === 0 ? { reserved: 1 } : {}),
  };
}

function bind(its: Context): Op {
  return {
    op: 'device.bind_iommufd',
    ...call(its, 16, 'device'),
    fd: cdev(its),
    iommufd: pick([...descriptors(its, 'iommufd'), ...descriptors(its, 'iommufd'), -1], its.b),
    flags: pick([0, 0, 0, 0, 0, 0, 1], its.c),
  };
}

function attach(its: Context): Op {
  const on = call(its, 12, 'device');
  const file =
    its.state.files[its.state.descriptors.find((table) => table.pid === its.pid)?.files[on.fd - 3] ?? -1];
  const place = file?.kind === 'device' ? file.iommufd : null;
  const objects = (place === null ? null : its.state.iommufds[place])?.objects ?? [];
  const targets = objects.flatMap((object, index) =>
    object?.kind === 'ioas' || object?.kind === 'hwpt' ? [index + 1] : [],
  );
  return {
    op: 'device.attach_ioas',
    ...on,
    target: pick([...targets, ...targets, ...targets, 1, 99], its.b),
    flags: pick([0, 0, 0, 0, 0, 0, 1], its.c),
  };
}

function openCdev({ pid, state, a, b }: Context): Op {
  const cdevs = nodePaths(state).filter((path) => path.startsWith('/dev/vfio/devices/'));
  return { op: 'open', pid, path: pick([...cdevs, ...cdevs, '/dev/vfio/devices/vfio9'], a + b) };
}

const openContext: Maker = ({ pid }) => ({ op: 'open', pid, path: '/dev/iommu' });
const onContext = (its: Context) => ({ pid: its.pid, fd: pick(descriptors(its, 'iommufd'), its.a) });

/** On cdevs, which take a context to be of use. */
export const cdevs: readonly Maker[] = [
  openContext,
  openCdev,
  openCdev,
  openCdev,
  bind,
  bind,
  bind,
  bind,
  attach,
  attach,
  attach,
  (its) => ({ op: 'device.detach_ioas', ...call(its, 8, 'device'), flags: pick([0, 0, 0, 0, 1], its.c) }),
  (its) => ({ op: 'close', pid: its.pid, fd: pick(descriptors(its, 'device'), its.a) }),
];

/** Mostly what leads on where nothing is open yet: a context, and an address space in it. */
function leading(make: Maker): Maker {
  return (its) => {
    const files = its.state.descriptors.find((table) => table.pid === its.pid)?.files ?? [];
    const places = files.flatMap((file, place) =>
      its.state.files[file]?.kind === 'iommufd' ? [place + 3] : [],
    );
    if (its.b % 4 === 0) return make(its);
    if (places.length === 0) return openContext(its);
    const fd = pick(places, its.a);
    const objects = iommufdOf(its.state, { pid: its.pid, fd })?.objects ?? [];
    if (objects.some((object) => object?.kind === 'ioas')) return make(its);
    return { op: 'iommufd.ioas_alloc', pid: its.pid, fd, flags: 0 };
  };
}

const makers: readonly Maker[] = [
  (its) => ({ op: 'iommufd.ioas_alloc', ...asked(its, 12), flags: pick([0, 0, 0, 0, 0, 1], its.c) }),
  (its) => ({ op: 'iommufd.ioas_alloc', ...asked(its, 12), flags: 0 }),
  map,
  map,
  map,
  map,
  unmap,
  unmap,
  copy,
  copy,
  (its) => {
    const on = asked(its, 32);
    const room = pick([16, 16, 2, 1, 0, 2 ** 32 - 1], its.b >> 3);
    const reserved = its.c % 19 === 0 ? { reserved: 1 } : {};
    return { op: 'iommufd.ioas_iova_ranges', ...on, ioas: ids(its, on.fd, 'ioas'), room, ...reserved };
  },
  (its) => {
    const on = asked(its, 24);
    const ranges = pick(promises, its.b >> 3);
    const reserved = its.c % 19 === 0 ? { reserved: 1 } : {};
    return { op: 'iommufd.ioas_allow_iovas', ...on, ioas: ids(its, on.fd, 'ioas'), ranges, ...reserved };
  },
  option,
  option,
  (its) => {
    const on = asked(its, 12);
    const operation = pick([1, 1, 0, 2, 1, 3], its.b >> 3);
    const reserved = its.c % 19 === 0 ? { reserved: 1 } : {};
    return { op: 'iommufd.vfio_ioas', ...on, operation, ioas: ids(its, on.fd, 'ioas'), ...reserved };
  },
  (its) => {
    const on = asked(its, 40);
    const { iova } = span(its, on.fd, Number(ids(its, on.fd, 'ioas')));
    const flags = its.c % 13 === 0 ? 1 : 0;
    const length = pick([4096n, 1n, 0n, highest], its.b >> 3);
    return { op: 'iommufd.noiommu_get_pa', ...on, flags, ioas: ids(its, on.fd, 'ioas'), iova, length };
  },
  (its) => {
    const on = asked(its, 8);
    return { op: 'iommufd.destroy', ...on, id: ids(its, on.fd, pick(['ioas', 'hwpt', 'device'], its.b)) };
  },
  (its) => ({ op: 'iommufd.api_version', ...onContext(its) }),
  (its) => ({
    op: 'iommufd.check_extension',
    ...onContext(its),
    extension: pick([1, 3, 4, 8, 9, 6, 10, 0, 2 ** 32 + 1], its.b),
  }),
  (its) => ({ op: 'iommufd.set_iommu', ...onContext(its), type: pick([1, 3, 8, 1, 3, 8, 6], its.b) }),
  (its) => ({ op: 'iommufd.get_info', ...call(its, 4096, 'iommufd') }),
  (its) => ({ ...mapDma(call(its, 32, 'iommufd'), its), op: 'iommufd.map_dma' }),
  (its) => ({ ...mapDma(call(its, 32, 'iommufd'), its), op: 'iommufd.map_dma' }),
  (its) => {
    const { flags, iova, size, ...on } = unmapDma(call(its, 24, 'iommufd'), its);
    const compat = iommufdOf(its.state, on)?.compat ?? 0;
    const there = its.a % 2 === 0 ? span(its, on.fd, compat) : { iova, length: size };
    return {
      op: 'iommufd.unmap_dma',
      ...{ pid: on.pid, fd: on.fd, argsz: on.argsz ?? null, flags },
      ...{ iova: there.iova, size: there.length },
    };
  },
  (its) => ({
    op: 'group.set_container',
    pid: its.pid,
    fd: pick(descriptors(its, 'group'), its.a),
    container: pick(descriptors(its, 'iommufd'), its.b),
  }),
  (its) => ({
    op: 'group.get_device_fd',
    pid: its.pid,
    fd: pick(descriptors(its, 'group'), its.a),
    name: pick(its.cast.devices, its.b),
  }),
  (its) => ({ op: 'group.unset_container', pid: its.pid, fd: pick(descriptors(its, 'group'), its.a) }),
];

export const iommufds: readonly Maker[] = makers.map(leading);
