import { ROOT } from '../../../src/model/world.ts';
import { pair, sibling } from './machine.ts';
import { descriptor, number } from './vector.ts';
import type { IommufdVector } from './vectors-cdev.ts';

const highest = 2n ** 64n - 1n;

/** Page tables of iommufd by their own ids, and what its other requests on them answer where an IOMMU does neither nest nor track. */
export const pageTableVectors: readonly IommufdVector[] = [
  {
    id: 'H1',
    sequence:
      'HWPT_ALLOC twice; an attach to the first; DESTROY of the address space, of the table in use EBUSY; after DETACH it stays until DESTROY',
    run: (s) => {
      const { d, i } = s.tabled();
      const second = s.hwpt(i);
      const attached = s.attach(d, 3);
      const busy = [2, 3].map((id) => s.destroy(i, id));
      s.detach(d);
      return [
        second,
        attached,
        busy,
        s.destroy(i, 2),
        [3, 4, 2].map((id) => s.destroy(i, id)),
        s.destroy(i, 3),
      ];
    },
    expected: [4, 3, ['EBUSY', 'EBUSY'], 'EBUSY', [0, 0, 0], 'ENOENT'],
  },
  {
    id: 'H2',
    sequence: 'an attach to the address space takes no table that was made by hand; its own goes with DETACH',
    run: (s) => {
      const { d, i } = s.tabled();
      const own = s.attach(d, 2);
      const moved = s.attach(d, 3);
      const gone = s.destroy(i, 4);
      return [own, moved, gone, s.attach(d, 2), s.destroy(i, 3)];
    },
    expected: [4, 3, 'ENOENT', 4, 0],
  },
  {
    id: 'H3',
    sequence: 'the devices of a group share a table: a second one goes to no other',
    run: (s) => {
      s.take(sibling);
      const { d, i } = s.tabled(pair);
      const other = s.cdev(sibling);
      const bound = s.bindIommufd(other, i);
      s.attach(d, 3);
      const fourth = s.hwpt(i, { deviceId: 4 });
      return [bound, fourth, s.attach(other, 5), s.attach(other, 2), s.attach(other, 3), s.attach(d, 5)];
    },
    expected: [4, 5, 'EINVAL', 'EINVAL', 3, 5],
  },
  {
    id: 'H4',
    sequence: 'the order of HWPT_ALLOC’s tests of its arguments',
    run: (s) => {
      const { i } = s.tabled();
      const bad = { reserved: 1, dataType: 1, deviceId: 9, target: 9, flags: 12 };
      return [
        s.hwpt(i, bad),
        s.hwpt(i, { ...bad, reserved: 0 }),
        s.hwpt(i, { ...bad, reserved: 0, dataLength: 1 }),
        s.hwpt(i, { ...bad, reserved: 0, dataLength: 1, deviceId: 1 }),
        s.hwpt(i, { target: 1 }),
        s.hwpt(i, { target: 3, flags: 1, dataType: 1, dataLength: 24 }),
        s.hwpt(i, { target: 3, flags: 4, dataType: 1, dataLength: 24 }),
        s.hwpt(i, { target: 3 }),
      ];
    },
    expected: ['EOPNOTSUPP', 'EINVAL', 'ENOENT', 'EINVAL', 'EINVAL', 'EOPNOTSUPP', 'EINVAL', 'EOPNOTSUPP'],
  },
  {
    id: 'H5',
    sequence: 'flags and data of a table of an address space: EOPNOTSUPP before what is mapped there',
    run: (s) => {
      const { i } = s.bound();
      s.alloc(i);
      s.ioasMap(i, 2, 0n, { length: 5n });
      const asked = [1, 2, 4, 8].map((flags) => s.hwpt(i, { flags }));
      return [asked, s.hwpt(i, { dataType: 1, dataLength: 24 }), s.hwpt(i)];
    },
    expected: [['EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP', 'EOPNOTSUPP'], 'EOPNOTSUPP', 'EADDRINUSE'],
  },
  {
    id: 'H6',
    sequence: 'a table pins what is mapped: memory that is not there EFAULT, an address too high EADDRINUSE',
    run: (s) => {
      const { i } = s.bound();
      const make = (iova: bigint, over: object = {}) => {
        const target = s.alloc(i);
        s.ioasMap(i, target, iova, over);
        return s.hwpt(i, { target });
      };
      return [make(0n, { memory: 'none' }), make(2n ** 50n), make(0xfee00000n), s.ioasMap(i, 4, 1n)];
    },
    expected: ['EFAULT', 'EADDRINUSE', 5, 'EINVAL'],
  },
  {
    id: 'H7',
    sequence:
      'a table without a device: whole pages, the end of what the IOMMU translates, and no window of interrupts yet',
    run: (s) => {
      const { i } = s.tabled();
      const ranges = s.out({ op: 'iommufd.ioas_iova_ranges', pid: ROOT, fd: i, ioas: 2, room: 4 });
      return [ranges, s.ioasMap(i, 2, 0xfee00000n), s.ioasMap(i, 2, 0x10n), s.option(i, 1, 0, 2, 0n)];
    },
    expected: [
      { num_iovas: 1, out_iova_alignment: 4096n, start0: 0n, last0: 2n ** 48n - 1n },
      0xfee00000n,
      'EINVAL',
      'EINVAL',
    ],
  },
  {
    id: 'H8',
    sequence:
      'GET_HW_INFO of an Intel IOMMU: type 1, 24 bytes whatever the room; nothing written is no fault',
    run: (s) => {
      const { i } = s.bound();
      const info = (over: object) =>
        s.out({
          op: 'iommufd.get_hw_info',
          ...{ pid: ROOT, fd: i, flags: 0, deviceId: 1, length: 24, buffer: 'writable' },
          ...over,
        });
      return [
        info({}),
        info({ length: 8 }),
        info({ length: 0, buffer: 'none' }),
        info({ length: 1, buffer: 'none' }),
        info({ deviceId: 2, flags: 1 }),
        info({ deviceId: 2 }),
      ];
    },
    expected: [
      { data_len: 24, out_data_type: 1, out_capabilities: 0n },
      { data_len: 24, out_data_type: 1, out_capabilities: 0n },
      { data_len: 24, out_data_type: 1, out_capabilities: 0n },
      ...['EFAULT', 'EOPNOTSUPP', 'ENOENT'],
    ],
  },
  {
    id: 'H9',
    sequence: 'dirty pages of a table that does not track them: the range is looked at before',
    run: (s) => {
      const { i } = s.tabled();
      const track = (hwpt: number, flags: number) =>
        s.ask('iommufd.hwpt_set_dirty_tracking', { fd: i, hwpt, flags });
      const plain = { fd: i, hwpt: 3, flags: 0, iova: 0n, length: 0x4000n, pageSize: 0x1000n };
      const get = (over: object) => s.ask('iommufd.hwpt_get_dirty_bitmap', { ...plain, ...over });
      const bad = { length: 0n, iova: highest, pageSize: 0n };
      return [
        [track(9, 2), track(9, 1), track(2, 1), track(3, 1), track(3, 0)],
        [get({ ...bad, flags: 2 }), get({ ...bad, hwpt: 2 }), get(bad), get({ ...bad, length: 2n })],
        [get({ iova: 8n, pageSize: 0n }), get({ pageSize: 0n }), get({ pageSize: 0x8000n }), get({})],
      ];
    },
    expected: [
      ['EOPNOTSUPP', 'ENOENT', 'ENOENT', 'EOPNOTSUPP', 'EOPNOTSUPP'],
      ['EOPNOTSUPP', 'ENOENT', 'EINVAL', 'EOVERFLOW'],
      ['EINVAL', 'EINVAL', 'EINVAL', 'EOPNOTSUPP'],
    ],
  },
  {
    id: 'H10',
    sequence: 'HWPT_INVALIDATE: entries are looked at before the id, which is of no nested table',
    run: (s) => {
      const { i } = s.tabled();
      const plain = { fd: i, hwpt: 3, array: true, entryLength: 24, entries: 1 };
      const ask = (over: object) => s.ask('iommufd.hwpt_invalidate', { ...plain, ...over });
      return [
        ask({ reserved: 1, array: false }),
        [{ array: false }, { entryLength: 0 }, { entryLength: 4097 }, { entries: (1 << 19) + 1 }].map(ask),
        ask({ entries: 1 << 19, entryLength: 4096 }),
        ask({ entries: 0, array: false, entryLength: 0 }),
      ];
    },
    expected: ['EOPNOTSUPP', ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'], 'ENOENT', 'ENOENT'],
  },
  {
    id: 'H11',
    sequence:
      'FAULT_QUEUE_ALLOC: the queue is in use while its descriptor is open, and keeps the iommufd; no page table is made of it',
    run: (s) => {
      const { d, i } = s.tabled();
      const queue = Number(s.call({ op: 'iommufd.fault_queue_alloc', pid: ROOT, fd: i, flags: 0 }));
      const busy = [s.destroy(i, 4), s.hwpt(i, { target: 4 }), s.attach(d, 4)];
      const calls = (['read', 'write', 'lseek', 'mmap'] as const).map((call) =>
        s.call({ op: 'file.call', pid: ROOT, fd: queue, call }),
      );
      s.close(queue);
      return [descriptor(queue), busy, calls, s.hwpt(i), s.destroy(i, 4), s.destroy(i, 4)];
    },
    expected: [
      number,
      ['EBUSY', 'EINVAL', 'EINVAL'],
      ['ESPIPE', 'ESPIPE', 'ESPIPE', 'ENODEV'],
      ...[5, 0, 'ENOENT'],
    ],
  },
];
