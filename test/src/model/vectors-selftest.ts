import { ROOT } from '../../../src/model/world.ts';
import { low, mock, other, twin } from './selftest-session.ts';
import { descriptor, number } from './vector.ts';
import { dirtyVectors, type SelftestVector } from './vectors-selftest-dirty.ts';

const page = 0x800n;

/** Page tables where an IOMMU nests them and tells dirty pages: the lab asks iommufd's self-test. */
export const selftestVectors: readonly SelftestVector[] = [
  ...dirtyVectors,
  {
    id: 'M1',
    sequence: 'GET_HW_INFO of the self-test: its type, eight bytes, dirty pages where it tells them',
    run: (s) => {
      const { i } = s.bound(mock);
      const { id } = s.further(other, i);
      const info = (deviceId: number, over: object = {}) =>
        s.out({
          ...{
            op: 'iommufd.get_hw_info',
            pid: ROOT,
            fd: i,
            flags: 0,
            deviceId,
            length: 8,
            buffer: 'writable',
          },
          ...over,
        });
      return [info(1), info(id), info(1, { length: 3 }), info(1, { length: 9, buffer: 'none' }), info(9)];
    },
    expected: [
      { data_len: 8, out_data_type: 0xfeed_beef, out_capabilities: 1n },
      { data_len: 8, out_data_type: 0xfeed_beef, out_capabilities: 0n },
      { data_len: 8, out_data_type: 0xfeed_beef, out_capabilities: 1n },
      ...['EFAULT', 'ENOENT'],
    ],
  },
  {
    id: 'M2',
    sequence:
      'HWPT_ALLOC with each flag: what nests and what tracks, of a device that does both and of one that does not',
    run: (s) => {
      const { i } = s.bound(mock);
      s.alloc(i);
      const { id } = s.further(other, i);
      const flags = [0, 1, 2, 3, 4, 5, 8];
      return [
        flags.map((each) => s.hwpt(i, { flags: each })),
        flags.map((each) => s.hwpt(i, { flags: each, deviceId: id })),
        s.hwpt(i, { dataType: 0xdead, dataLength: 4, behind: 'readable' }),
      ];
    },
    expected: [
      [4, 5, 6, 7, 'EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP'],
      [8, 9, 'EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP'],
      'EOPNOTSUPP',
    ],
  },
  {
    id: 'M3',
    sequence: 'the order of HWPT_ALLOC’s tests of a nested table',
    run: (s) => {
      const { i } = s.parented();
      const plain = Number(s.hwpt(i));
      const bad = { flags: 3, target: plain, dataType: 0xbeef, dataLength: 3, faultId: 9, behind: undefined };
      const steps = [
        { reserved: 1, deviceId: 9, dataLength: 0 },
        { deviceId: 9, dataLength: 0 },
        { deviceId: 9 },
        { target: 9 },
        { target: 1 },
        {},
        { flags: 5 },
        { flags: 4 },
        { flags: 4, target: 3 },
        { flags: 4, target: 3, dataType: 0xdead },
        { flags: 4, target: 3, dataType: 0xdead, dataLength: 5 },
        { flags: 4, target: 3, dataType: 0xdead, dataLength: 4 },
        { flags: 4, target: 3, dataType: 0xdead, dataLength: 4, behind: 'readable' },
        { flags: 0, target: 3, dataType: 0xdead, dataLength: 4, behind: 'readable' },
      ] as const;
      const asked = steps.map((over) => {
        const { behind: _behind, ...rest } = { ...bad, ...over };
        return s.hwpt(i, 'behind' in over ? { ...rest, behind: over.behind } : rest);
      });
      return [asked, s.hwpt(i, { target: 3 }), s.nested(i, { target: 5 })];
    },
    expected: [
      [
        ...['EOPNOTSUPP', 'EINVAL', 'ENOENT', 'EINVAL', 'EINVAL', 'EOPNOTSUPP', 'EOPNOTSUPP', 'EINVAL'],
        ...['EOPNOTSUPP', 'EINVAL', 'EINVAL', 'EFAULT', 'ENOENT', 5],
      ],
      ...['EOPNOTSUPP', 'EINVAL'],
    ],
  },
  {
    id: 'M4',
    sequence: 'a nested table keeps its parent, and a device the nested table: DESTROY from the inside out',
    run: (s) => {
      const { d, i } = s.parented();
      const made = [s.nested(i), s.nested(i), s.attach(d, 4)];
      const busy = [2, 3, 4].map((id) => s.destroy(i, id));
      const free = s.destroy(i, 5);
      s.detach(d);
      return [made, busy, free, s.destroy(i, 3), [4, 3, 2].map((id) => s.destroy(i, id)), s.destroy(i, 4)];
    },
    expected: [[4, 5, 4], ['EBUSY', 'EBUSY', 'EBUSY'], 0, 'EBUSY', [0, 0, 0], 'ENOENT'],
  },
  {
    id: 'M5',
    sequence:
      'attach to a nested table, to its parent, to the address space and back: what an attach made goes',
    run: (s) => {
      const { d, i } = s.parented();
      const nested = s.nested(i);
      const moved = [4, 3, 2, 4].map((target) => s.attach(d, target));
      const gone = s.destroy(i, 5);
      const again = s.attach(d, 2);
      return [nested, moved, gone, again, s.nested(i, { target: 5 }), s.attach(d, 9), s.attach(d, 1)];
    },
    expected: [4, [4, 3, 5, 4], 'ENOENT', 5, 'EINVAL', 'ENOENT', 'EINVAL'],
  },
  {
    id: 'M6',
    sequence: 'two devices share tables, nested and not; each goes its own way',
    run: (s) => {
      const { d, i } = s.parented();
      const { d: e, id } = s.further(twin, i);
      const nested = s.nested(i, { deviceId: id });
      const shared = [s.attach(d, 5), s.attach(e, 5), s.destroy(i, 5)];
      const apart = [s.attach(d, 2), s.attach(e, 2), s.attach(e, 3)];
      s.close(d);
      return [nested, shared, apart, s.destroy(i, 6), s.destroy(i, 5), s.destroy(i, 3)];
    },
    expected: [5, [5, 5, 'EBUSY'], [6, 6, 3], 'ENOENT', 0, 'EBUSY'],
  },
  {
    id: 'M7',
    sequence:
      'HWPT_INVALIDATE: the order of its tests, and of those of its entries; what was handled by then',
    run: (s) => {
      const { i } = s.parented();
      s.nested(i);
      const ask = (over: object, hwpt = 4) => s.invalidate(i, hwpt, over);
      const wrong = { entryLength: 7, dataType: 0xdad_beef };
      return [
        [ask({ ...wrong, reserved: 1 }), ask({ ...wrong, array: false }, 3), ask({}, 3), ask({}, 9)],
        [ask(wrong), ask({ entries: 0, dataType: 1 }), ask({ entryLength: 7 }), ask({ entryLength: 9 })],
        [ask({}), ask({ entries: 0 }), ask({ entries: 0, array: false }), ask({ entries: 512 })],
        [ask({ content: [2] }), ask({ content: [0, 4] }), ask({ content: [1, 4] }), ask({ content: [1, 3] })],
        ask({ content: [0, 1, 0, 3, 4, 9], entries: 3 }),
        ask({ content: [0, 1, 0, 4, 4], entries: 3 }),
        ask({ content: [1, 0, 0, 2], entries: 2 }),
      ];
    },
    expected: [
      ['EOPNOTSUPP', 'EINVAL', 'ENOENT', 'ENOENT'],
      ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'],
      [1, 0, 0, 512],
      ['EOPNOTSUPP', 'EINVAL', 'EINVAL', 1],
      ...['EOPNOTSUPP', 'EINVAL', 2],
    ],
  },
  {
    id: 'M8',
    sequence: 'entries that are not in memory: EFAULT',
    run: (s) => {
      const { i } = s.parented();
      s.nested(i);
      const nothing = { entryLength: 8, entries: 1, array: true, dataType: 0xdead_beef };
      const ask = (over: object) => s.ask('iommufd.hwpt_invalidate', { ...nothing, ...over, fd: i, hwpt: 4 });
      return [ask({}), ask({ entries: 0 }), ask({ entryLength: 4 })];
    },
    expected: ['EFAULT', 0, 'EINVAL'],
  },
  {
    id: 'M15',
    sequence:
      'what a table translates, and pages of half the usual size: an address space that has one, and one that does not fit',
    run: (s) => {
      const { i } = s.parented();
      const ranges = s.out({ op: 'iommufd.ioas_iova_ranges', pid: ROOT, fd: i, ioas: 2, room: 4 });
      const half = { length: page, vaddr: 0x7f0000000800n };
      const mapped = [
        s.ioasMap(i, 2, low, { length: page }),
        s.ioasMap(i, 2, low + page, half),
        s.ioasMap(i, 2, low + 2n * page, { length: 0x400n }),
        s.ioasMap(i, 2, low + 2n * page, { ...half, vaddr: 0x7f0000000400n }),
        s.ioasMap(i, 2, low + 0x1400n, half),
        s.ioasMap(i, 2, low - page, half),
        s.ioasMap(i, 2, 0x8000_0000n, half),
        s.ioasMap(i, 2, 0x7fff_f800n, half),
      ];
      return [ranges, mapped];
    },
    expected: [
      { num_iovas: 1, out_iova_alignment: 0x800n, start0: low, last0: 0x7fff_ffffn },
      [low, low + page, 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 0x7fff_f800n],
    ],
  },
  {
    id: 'M16',
    sequence:
      'a table for what was mapped before: its pages, its addresses, its memory; and for a space of whole pages',
    run: (s) => {
      const { d, i } = s.bound(mock);
      const make = (iova: bigint, over: object = {}) => {
        const target = s.alloc(i);
        s.ioasMap(i, target, iova, over);
        return [s.hwpt(i, { target, flags: 3 }), s.attach(d, target)];
      };
      const made = [
        make(low, { length: 5n }),
        make(low, { length: page, vaddr: 0x7f0000000400n }),
        make(low - page, { length: page }),
        make(0x8000_0000n),
        make(low, { memory: 'none' }),
        make(low, { length: page, vaddr: 0x7f0000000800n }),
      ];
      const whole = s.alloc(i);
      s.option(i, 1, 0, whole, 0n);
      const small = [s.hwpt(i, { target: whole }), s.ioasMap(i, whole, low, { length: page })];
      return [made, small, s.option(i, 1, 0, whole, 1n), s.ioasMap(i, whole, low, { length: page })];
    },
    expected: [
      [
        ['EADDRINUSE', 'EADDRINUSE'],
        ['EADDRINUSE', 'EADDRINUSE'],
        ['EADDRINUSE', 'EADDRINUSE'],
        ['EADDRINUSE', 'EADDRINUSE'],
        ['EFAULT', 'EFAULT'],
        [8, 9],
      ],
      [11, 'EINVAL'],
      ...[1n, low],
    ],
  },
  {
    id: 'M17',
    sequence: 'a table that tracks is for no device that cannot; one that is nested in it is',
    run: (s) => {
      const { d, i } = s.parented(3);
      const { d: e, id } = s.further(other, i);
      const nested = s.nested(i, { deviceId: id });
      const refused = [s.attach(e, 3), s.attach(d, 3)];
      const attached = [s.attach(e, 2), s.attach(e, 3), s.attach(e, 5)];
      return [nested, refused, attached, s.track(i, 5, 1), s.bitmap(i, 5), s.invalidate(i, 3)];
    },
    expected: [5, ['EINVAL', 3], [6, 'EINVAL', 5], 'ENOENT', 'ENOENT', 'ENOENT'],
  },
  {
    id: 'M18',
    sequence: 'faults of a nested table go to a queue, which stays while the table does',
    run: (s) => {
      const { d, i } = s.parented();
      const queue = Number(s.call({ op: 'iommufd.fault_queue_alloc', pid: ROOT, fd: i, flags: 0 }));
      const made = [
        s.nested(i, { flags: 4, faultId: 4 }),
        s.nested(i, { flags: 4, faultId: 3 }),
        s.nested(i),
      ];
      const moved = [s.attach(d, 5), s.attach(d, 6), s.attach(d, 5), s.attach(d, 3), s.attach(d, 5)];
      const open = s.destroy(i, 4);
      s.close(queue);
      const held = s.destroy(i, 4);
      s.detach(d);
      return [descriptor(queue), made, moved, open, held, s.destroy(i, 5), s.destroy(i, 4)];
    },
    expected: [number, [5, 'ENOENT', 6], [5, 6, 5, 3, 5], 'EBUSY', 'EBUSY', 0, 0],
  },
  {
    id: 'M19',
    sequence:
      'a device behind a nested table reaches what its parent has: nothing is unmapped from under it, nor reserved',
    run: (s) => {
      const { d, i } = s.parented(3);
      s.nested(i);
      s.attach(d, 4);
      const mapped = [s.ioasMap(i, 2, low), s.ioasMap(i, 2, 0n), s.allow(i, 2, 0n, low)];
      s.track(i, 3, 1);
      s.wrote(i, 3, low);
      return [mapped, s.bitmap(i, 3), s.ioasUnmap(i, 2, low, 0x1000n), s.bitmap(i, 3), s.destroy(i, 2)];
    },
    expected: [[low, 'EINVAL', 'EADDRINUSE'], '1', 0x1000n, '0', 'EBUSY'],
  },
];
