/** Random operations on page tables, aimed at what iommufd's self-test nests, tracks and refuses. */
import { iommufdOf } from '../../src/model/files.ts';
import type { IommufdObject } from '../../src/model/iommufd-state.ts';
import type { Op } from '../../src/model/op.ts';
import type { State } from '../../src/model/state.ts';
import { ROOT } from '../../src/model/world.ts';
import type { Lot } from '../conformance/lot.ts';
import { low } from '../src/model/selftest-session.ts';

interface Drawing {
  readonly lot: Lot;
  readonly state: State;
  /** Descriptor of the iommufd, those of its devices, and those of its queues of page faults. */
  readonly fd: number;
  readonly devices: readonly number[];
  readonly queues: readonly number[];
}

type Maker = (its: Drawing) => Op;
type Kinds = readonly [IommufdObject['kind'], ...IommufdObject['kind'][]];

const page = 0x800n;
const highest = 2n ** 64n - 1n;
const memory = 0x7f00_0000_0000n;

/** An id of one of some kinds; now and then one of any object, or of none. */
function id({ lot, state, fd }: Drawing, ...kinds: Kinds): number {
  const objects = iommufdOf(state, { pid: ROOT, fd })?.objects ?? [];
  const wanted = lot.of(kinds);
  const its = objects.flatMap((object, place) => (object?.kind === wanted ? [place + 1] : []));
  if (its.length === 0 || lot.number(20) === 0) return lot.number(objects.length + 2);
  return its[lot.number(its.length)] ?? 0;
}

/** Now and then a structure that is too short, or longer than the kernel knows it, or nowhere. */
function framing({ lot }: Drawing): { argsz?: number | null; tail?: true } {
  const roll = lot.number(24);
  if (roll === 0) return { argsz: lot.of([null, 8, 23, 24, 26, 28, 31, 32, 36, 38, 40, 42, 44, 47]) };
  return roll === 1 ? { tail: true } : {};
}

const on = ({ fd }: Drawing) => ({ pid: ROOT, fd });

function place({ lot }: Drawing): bigint {
  const usual = low + BigInt(lot.number(16)) * page;
  return lot.number(8) > 0
    ? usual
    : lot.of([0n, low - page, usual + 0x400n, 0x7fff_f800n, 0x8000_0000n, highest]);
}

function length({ lot }: Drawing): bigint {
  return lot.of([page, page, 2n * page, 2n * page, 4n * page, 8n * page, 16n * page, 0x400n, 0n]);
}

const table: Maker = (its) => {
  const { lot } = its;
  const given = lot.number(10) === 0 ? { dataType: lot.of([0, 1, 0xdead]), dataLength: lot.of([0, 4]) } : {};
  return {
    ...{ op: 'iommufd.hwpt_alloc', ...on(its), ...framing(its), flags: lot.of([0, 1, 1, 2, 3, 3, 3, 4, 8]) },
    ...{ deviceId: id(its, 'device'), target: id(its, 'ioas'), dataType: 0, dataLength: 0 },
    ...given,
  };
};

const nested: Maker = (its) => {
  const { lot } = its;
  return {
    ...{ op: 'iommufd.hwpt_alloc', ...on(its), ...framing(its), flags: lot.of([0, 0, 0, 4, 4, 4, 1]) },
    ...{ deviceId: id(its, 'device'), target: id(its, 'hwpt', 'hwpt', 'hwpt', 'nested') },
    ...{
      dataType: lot.of([0xdead, 0xdead, 0xdead, 0xdead, 1, 0]),
      dataLength: lot.of([4, 4, 4, 4, 3, 5, 0]),
    },
    ...(lot.number(12) === 0 ? {} : { behind: 'readable' as const }),
    faultId: id(its, 'fault-queue'),
    ...(lot.number(40) === 0 ? { reserved: 1 } : {}),
  };
};

const attach: Maker = (its) => {
  const fd = its.devices[its.lot.number(its.devices.length)] ?? -1;
  if (its.lot.number(6) === 0) return { op: 'device.detach_ioas', pid: ROOT, fd, flags: 0 };
  const target = id(its, 'ioas', 'hwpt', 'hwpt', 'nested', 'nested', 'fault-queue');
  return { op: 'device.attach_ioas', pid: ROOT, fd, target, flags: 0 };
};

const destroy: Maker = (its) => ({
  ...{ op: 'iommufd.destroy', ...on(its), ...framing(its) },
  id: id(its, 'hwpt', 'hwpt', 'nested', 'nested', 'fault-queue', its.lot.of(['device', 'hwpt', 'ioas'])),
});

const map: Maker = (its) => {
  const { lot } = its;
  const offset = lot.of([0n, 0n, page, 0x1000n, 0x2800n, 0x400n]);
  const kind = lot.number(10) > 0 ? 'writable' : lot.of(['read-only', 'untouched', 'none'] as const);
  return {
    ...{ op: 'iommufd.ioas_map', ...on(its), ...framing(its), flags: lot.of([7, 7, 7, 7, 5, 6]) },
    ...{ ioas: id(its, 'ioas'), iova: place(its), length: length(its), vaddr: memory + offset, memory: kind },
  };
};

const copy: Maker = (its) => ({
  ...{ op: 'iommufd.ioas_copy', ...on(its), flags: its.lot.of([7, 7, 7, 5, 6]) },
  ...{ dst: id(its, 'ioas'), src: id(its, 'ioas'), length: length(its) },
  ...{ dstIova: place(its), srcIova: place(its) },
});

const unmap: Maker = (its) => {
  const whole = its.lot.number(8) === 0;
  const range = whole ? { iova: 0n, length: highest } : { iova: place(its), length: length(its) };
  return { op: 'iommufd.ioas_unmap', ...on(its), ...framing(its), ioas: id(its, 'ioas'), ...range };
};

const space: Maker = (its) => {
  const { lot } = its;
  const ioas = id(its, 'ioas');
  switch (lot.number(5)) {
    case 0:
      return { op: 'iommufd.ioas_alloc', ...on(its), flags: 0 };
    case 1: {
      const [operation, value] = [lot.of([0, 0, 1, 2]), lot.of([0n, 1n, 2n])];
      return { op: 'iommufd.option', ...on(its), option: 1, operation, object: ioas, value };
    }
    case 2: {
      const start = place(its);
      const ranges = lot.number(2) === 0 ? [] : [start, start + lot.of([0x7ffn, 0xfffn, 0n, 0x1000_0000n])];
      return { op: 'iommufd.ioas_allow_iovas', ...on(its), ioas, ranges };
    }
    default:
      return { op: 'iommufd.ioas_iova_ranges', ...on(its), ioas, room: lot.of([8, 8, 1, 0]) };
  }
};

const information: Maker = (its) => ({
  ...{ op: 'iommufd.get_hw_info', ...on(its), flags: its.lot.of([0, 0, 0, 1]) },
  ...{ deviceId: id(its, 'device'), length: its.lot.of([8, 0, 3, 64]) },
  buffer: its.lot.of(['writable', 'none']),
});

const track: Maker = (its) => ({
  ...{ op: 'iommufd.hwpt_set_dirty_tracking', ...on(its), ...framing(its) },
  ...{ hwpt: id(its, 'hwpt', 'hwpt', 'hwpt', 'nested'), flags: its.lot.of([1, 1, 1, 1, 0, 2]) },
});

const bitmap: Maker = (its) => {
  const { lot } = its;
  return {
    ...{ op: 'iommufd.hwpt_get_dirty_bitmap', ...on(its), ...framing(its), flags: lot.of([0, 1, 1, 2]) },
    ...{ hwpt: id(its, 'hwpt', 'hwpt', 'hwpt', 'nested'), iova: place(its), length: length(its) },
    pageSize: lot.of([page, page, page, 0x1000n, 0x400n, 0x4000n, 0x1800n, 1n, 0n]),
    ...(lot.number(40) === 0 ? { reserved: 1 } : {}),
  };
};

const invalidate: Maker = (its) => {
  const { lot } = its;
  const words = Array.from({ length: lot.number(7) }, () => lot.of([0, 0, 1, 1, 2, 3, 4]));
  return {
    ...{ op: 'iommufd.hwpt_invalidate', ...on(its), hwpt: id(its, 'nested', 'nested', 'nested', 'hwpt') },
    ...{ array: lot.number(12) > 0, entries: lot.of([0, 1, 2, 3, 3, 513, (1 << 19) + 1]) },
    ...{ entryLength: lot.of([8, 8, 8, 8, 7, 9, 0, 4096]), dataType: lot.of([0xdead_beef, 0xdead_beef, 1]) },
    ...(lot.number(10) > 0 ? { content: words } : {}),
    ...(lot.number(40) === 0 ? { reserved: 1 } : {}),
  };
};

const queue: Maker = (its) => {
  const fd = its.queues[its.lot.number(its.queues.length)];
  if (fd !== undefined && its.lot.number(2) === 0) return { op: 'close', pid: ROOT, fd };
  return { op: 'iommufd.fault_queue_alloc', ...on(its), ...framing(its), flags: its.lot.of([0, 0, 0, 1]) };
};

const makers: readonly (readonly [weight: number, Maker])[] = [
  [6, table],
  [8, nested],
  [8, attach],
  [5, destroy],
  [6, map],
  [2, copy],
  [3, unmap],
  [4, space],
  [1, information],
  [5, track],
  [6, bitmap],
  [6, invalidate],
  [3, queue],
];

const total = makers.reduce((sum, [weight]) => sum + weight, 0);

export function drawOperation(its: Drawing): Op {
  const objects = iommufdOf(its.state, on(its))?.objects ?? [];
  const spaces = objects.some((object) => object?.kind === 'ioas');
  if (!spaces && its.lot.number(2) === 0) return { op: 'iommufd.ioas_alloc', ...on(its), flags: 0 };
  let roll = its.lot.number(total);
  for (const [weight, make] of makers) {
    if (roll < weight) return make(its);
    roll -= weight;
  }
  return space(its);
}

/** Where a device may write: a page table, and pages of it. */
export function drawWrite(its: Drawing): { readonly hwpt: number; readonly iovas: readonly bigint[] } {
  const iovas = Array.from({ length: 1 + its.lot.number(4) }, () => low + BigInt(its.lot.number(20)) * page);
  return { hwpt: id(its, 'hwpt'), iovas };
}
