/** Operations on mappings that are aimed at the tests of vfio_iommu_type1.c and of iommufd's io_pagetable.c. */
import { containerOf, iommufdOf } from '../../src/model/files.ts';
import type { IommufdObject } from '../../src/model/iommufd-state.ts';
import type { Memory, Op } from '../../src/model/op.ts';
import type { OpenFile } from '../../src/model/state.ts';
import { type1Of } from '../../src/model/type1.ts';
import { type Context, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';

const page = 0x1000n;
const top = 2n ** 64n;

interface Range {
  readonly iova: bigint;
  readonly size: bigint;
}

/** The process acts on what it has; who has nothing is given what another one has before. */
function on(its: Context, kind: 'container' | 'iommufd'): { pid: number; fd: number } {
  return { pid: its.pid, fd: pick(surely(its, kind), its.a >> 2) };
}

/** Around ranges that are there: the same, its first or last page, one within, one that sticks out, behind it, none of it. */
function around(ranges: readonly Range[], place: number, shape: number): Range {
  const anywhere = pick([0n, 0x4000n, 0x10000n, 0x7f_f000n], place) as bigint;
  const there = ranges.length === 0 ? { iova: anywhere, size: 4n * page } : (pick(ranges, place) as Range);
  const { iova, size } = there;
  switch (shape % 12) {
    case 0:
    case 1:
      return there;
    case 2:
      return { iova, size: page };
    case 3:
      return { iova: iova + size - page, size: page };
    case 4:
      return { iova: iova + page, size: page };
    case 5:
      return { iova: iova + size - page, size: 3n * page };
    case 6:
      return { iova: iova + size, size: 2n * page };
    case 7:
      return { iova: 0n, size: 0x40_0000n };
    case 8:
      return { iova: top - page, size: 2n * page };
    case 9:
      return { iova: iova + 0x10n, size: page };
    case 10:
      return { iova, size: size + 0x10n };
    default:
      return { iova: 0n, size: 0n };
  }
}

function memoryOf({ regions, b }: Context): readonly [vaddr: bigint, memory: Memory] {
  const places: readonly (readonly [bigint, Memory])[] = [
    [regions.writable, 'writable'],
    [regions.writable, 'writable'],
    [regions.writable + 4n * page, 'writable'],
    [regions.readOnly, 'read-only'],
    [page, 'none'],
  ];
  return pick(places, b >> 4);
}

/** What is longer than the process's memory does not lie in it. */
function behind(its: Context, size: bigint): { vaddr: bigint; memory: Memory } {
  const [vaddr, memory] = size > its.regions.size / 2n ? ([page, 'none'] as const) : memoryOf(its);
  return { vaddr, memory };
}

const mapsOf = (its: Context, fd: number): readonly Range[] => {
  const container = containerOf(its.state, { pid: its.pid, fd });
  return container === null ? [] : (type1Of(container)?.mappings ?? []);
};

/** Four pages mostly: what three processes may not lock, and what others can cut. */
const map: Maker = (its) => {
  const call = on(its, 'container');
  const fresh = {
    iova: pick([0n, 0x4000n, 0x10000n, 0x20000n, 0x7f_f000n], its.c),
    size: pick([4n, 4n, 1n, 3n], its.a) * page,
  };
  const range = its.c % 3 === 0 ? around(mapsOf(its, call.fd), its.b, its.a >> 3) : fresh;
  return {
    op: 'container.map_dma',
    ...call,
    flags: pick([3, 3, 3, 1, 2, 0], its.c >> 4),
    ...behind(its, range.size),
    ...range,
  };
};

/** More than a bitmap has room for, where that is asked before any memory is looked at. */
const huge: Maker = (its) => ({
  op: 'container.map_dma',
  ...on(its, 'container'),
  ...{ flags: 3, vaddr: page, memory: 'none' },
  ...pick(
    [
      { iova: 0n, size: 2n ** 44n },
      { iova: top - page, size: 2n * page },
      { iova: 0n, size: 2n ** 63n },
    ],
    its.c,
  ),
});

/** A new address for a mapping whose address was taken back, for one whose was not, or for none. */
const readdress: Maker = (its) => {
  const call = on(its, 'container');
  const { iova, size } = around(mapsOf(its, call.fd), its.b, pick([0, 0, 0, 2, 4, 6, 10], its.a));
  return {
    op: 'container.map_dma',
    ...call,
    flags: pick([4, 4, 4, 7], its.c),
    vaddr: its.regions.writable,
    memory: 'writable',
    iova,
    size,
  };
};

const bitmapOf = ({ b, c }: Context) => ({
  pgsize: pick([page, page, page, page, 2n * page, 0n], b),
  bitmapSize: pick([8n, 8n, 4096n, 4096n, 0n, 2n ** 29n, 2n ** 64n - 1n], b >> 3),
  bitmap: pick(
    ['writable', 'writable', 'writable', 'read-only', 'none', 'kernel', 'unreadable'] as const,
    c >> 3,
  ),
});

const room = ({ c }: Context): { argsz?: number | null } =>
  c % 13 === 0 ? { argsz: pick([null, 23, 24, 31, 40, 47], c) } : {};

const unmap: Maker = (its) => {
  const call = on(its, 'container');
  const flags = pick([0, 0, 0, 1, 1, 1, 2, 4, 4, 6, 3], its.c);
  const range =
    (flags & 2) !== 0 && its.a % 3 > 0
      ? { iova: 0n, size: 0n }
      : around(mapsOf(its, call.fd), its.b, its.a >> 2);
  return { op: 'container.unmap_dma', ...call, ...room(its), flags, ...range, ...bitmapOf(its) };
};

const dirty: Maker = (its) => {
  const call = on(its, 'container');
  const range = around(mapsOf(its, call.fd), its.b, its.a >> 2);
  return {
    op: 'container.dirty_pages',
    ...call,
    ...room(its),
    flags: pick([1, 4, 4, 4, 4, 2], its.c),
    ...range,
    ...bitmapOf(its),
  };
};

/** Another process gets the container, so that memory of two is in it. */
export const hand =
  (kind: OpenFile['kind']): Maker =>
  (its) => ({
    op: 'descriptor.pass',
    pid: 1,
    fd: pick(surely({ ...its, pid: 1 }, kind), its.a),
    to: pick([2, 4], its.b),
  });

export const typeOne: readonly Maker[] = [
  ...[
    map,
    map,
    map,
    map,
    unmap,
    unmap,
    unmap,
    dirty,
    dirty,
    dirty,
    readdress,
    readdress,
    huge,
    hand('container'),
  ],
  (its) => ({
    op: 'container.get_info',
    ...on(its, 'container'),
    argsz: pick([null, 15, 16, 24, 100, 4096], its.c),
  }),
  (its) => ({ op: 'container.set_iommu', ...on(its, 'container'), type: pick([1, 3, 6, 8], its.c) }),
];

/** Of a kind mostly. */
export function objectOf(its: Context, fd: number, kind: IommufdObject['kind'], number: number): number {
  const objects = iommufdOf(its.state, { pid: its.pid, fd })?.objects ?? [];
  const wanted = objects.flatMap((object, place) => (object?.kind === kind ? [place + 1] : []));
  return wanted.length > 0 && number % 9 !== 0 ? pick(wanted, number) : pick([1, 2, 3, 99], number);
}

function areasOf(its: Context, fd: number, id: number): readonly Range[] {
  const object = iommufdOf(its.state, { pid: its.pid, fd })?.objects[id - 1];
  return object?.kind === 'ioas' ? object.areas.map(({ iova, length }) => ({ iova, size: length })) : [];
}

/** Where an IOMMU allows nothing, where it reaches no more, and where it asks for whole pages: all good before one is there. */
const odd: readonly Range[] = [
  { iova: 0xfee0_0000n, size: page },
  { iova: 2n ** 39n - page, size: page },
  { iova: 2n ** 48n, size: page },
  { iova: 0x10n, size: 0x10n },
  { iova: 0x20_0010n, size: page },
];

export const mapSpace: Maker = (its) => {
  const call = on(its, 'iommufd');
  const ioas = objectOf(its, call.fd, 'ioas', its.a >> 3);
  const fresh = { iova: pick([0n, 0x4000n, 0x10000n], its.c), size: pick([4n, 1n, 3n], its.a) * page };
  const choice = its.c % 4;
  const { iova, size } =
    choice === 0
      ? pick(odd, its.b)
      : choice === 1
        ? around(areasOf(its, call.fd, ioas), its.b, its.a)
        : fresh;
  const inside = its.b % 7 === 0 ? 0x10n : 0n;
  const { vaddr, memory } = behind(its, size);
  return {
    op: 'iommufd.ioas_map',
    ...call,
    flags: pick([7, 7, 7, 5, 3, 6, 4, 1], its.c >> 4),
    ...{ ioas, vaddr: vaddr + inside, length: size, iova, memory },
  };
};

export const unmapSpace: Maker = (its) => {
  const call = on(its, 'iommufd');
  const ioas = objectOf(its, call.fd, 'ioas', its.a >> 3);
  const { iova, size } = around(areasOf(its, call.fd, ioas), its.b, its.c);
  return { op: 'iommufd.ioas_unmap', ...call, ioas, iova, length: size };
};

const copySpace: Maker = (its) => {
  const call = on(its, 'iommufd');
  const [src, dst] = [objectOf(its, call.fd, 'ioas', its.a >> 3), objectOf(its, call.fd, 'ioas', its.b >> 3)];
  const { iova: srcIova, size: length } = around(areasOf(its, call.fd, src), its.b, its.c);
  const free = pick([0x40_0000n, 0x50_0010n, 0xfee0_0000n, 2n ** 48n, top - page], its.c >> 4);
  const dstIova = its.a % 2 === 0 ? free : around(areasOf(its, call.fd, dst), its.c, its.b).iova;
  return {
    op: 'iommufd.ioas_copy',
    ...call,
    flags: pick([7, 7, 5, 3, 6, 4], its.c),
    dst,
    src,
    length,
    dstIova,
    srcIova,
  };
};

export const attach: Maker = (its) => {
  const fd = pick(surely(its, 'device'), its.a);
  const file = its.state.files[its.state.descriptors.find(({ pid }) => pid === its.pid)?.files[fd - 3] ?? -1];
  const place = file?.kind === 'device' ? file.iommufd : null;
  const objects = (place === null ? null : its.state.iommufds[place])?.objects ?? [];
  const ids = objects.flatMap((object, index) => (object === null ? [] : [index + 1]));
  return { op: 'device.attach_ioas', pid: its.pid, fd, target: pick([...ids, ...ids, 99], its.b), flags: 0 };
};

export const onDevice = (its: Context) => ({
  pid: its.pid,
  fd: pick(surely(its, 'device'), its.a),
});

const options: Maker = (its) => {
  const call = on(its, 'iommufd');
  const option = pick([1, 1, 0], its.b);
  const object = option === 0 ? 0 : objectOf(its, call.fd, 'ioas', its.a);
  return {
    op: 'iommufd.option',
    ...call,
    option,
    operation: pick([0, 1], its.c),
    object,
    value: pick([0n, 1n], its.c >> 3),
  };
};

/** As where the iommufd stands for a container. */
export const compat: Maker = (its) => {
  const call = on(its, 'iommufd');
  const id = iommufdOf(its.state, call)?.compat ?? 0;
  const { iova, size } = around(areasOf(its, call.fd, id), its.b, its.c);
  if (its.a % 3 === 0) return { op: 'iommufd.unmap_dma', ...call, flags: pick([0, 0, 2], its.c), iova, size };
  return {
    op: 'iommufd.map_dma',
    ...call,
    flags: pick([3, 3, 1, 0], its.c),
    ...behind(its, size),
    iova,
    size,
  } satisfies Op;
};

export const addressSpaces: readonly Maker[] = [
  ...[
    mapSpace,
    mapSpace,
    mapSpace,
    mapSpace,
    unmapSpace,
    copySpace,
    copySpace,
    attach,
    attach,
    attach,
    compat,
    compat,
  ],
  options,
  hand('iommufd'),
  hand('device'),
  (its) => ({ op: 'iommufd.ioas_alloc', ...on(its, 'iommufd'), flags: 0 }),
  (its) => ({ op: 'device.detach_ioas', ...onDevice(its), flags: 0 }),
  (its) => {
    const call = on(its, 'iommufd');
    return {
      op: 'iommufd.destroy',
      ...call,
      id: objectOf(its, call.fd, pick(['ioas', 'hwpt', 'device'], its.b), its.a),
    };
  },
  (its) => {
    const call = on(its, 'iommufd');
    return {
      op: 'iommufd.vfio_ioas',
      ...call,
      operation: pick([0, 1, 2], its.b),
      ioas: objectOf(its, call.fd, 'ioas', its.a),
    };
  },
  (its) => ({ op: 'iommufd.set_iommu', ...on(its, 'iommufd'), type: pick([1, 3, 8], its.c) }),
];
