import { ROOT } from '../../../src/model/world.ts';
import { bare, pair, sibling, single } from './machine.ts';
import { descriptor, fake, number } from './vector.ts';
import type { IommufdVector } from './vectors-cdev.ts';

const highest = 2n ** 64n - 1n;
const dma = { flags: 3, vaddr: 0x7f0000000000n, iova: 0n, size: 0x2000n, memory: 'writable' } as const;

/** Address spaces of iommufd, and what attached devices make of them. */
export const ioasVectors: readonly IommufdVector[] = [
  {
    id: 'I1',
    sequence: 'ids are the lowest free ones from 1, for all kinds of objects',
    run: (s) => {
      const { d, i } = s.bound();
      const [a, b] = [s.alloc(i), s.alloc(i)];
      s.ask('iommufd.destroy', { fd: i, id: a });
      return [a, b, s.attach(d, b), s.alloc(i), s.ask('iommufd.destroy', { fd: i, id: 9 })];
    },
    expected: [2, 3, 2, 4, 'ENOENT'],
  },
  {
    id: 'I2',
    sequence:
      'DESTROY of a device, of a page table, of an address space in use: EBUSY; after DETACH the table is gone',
    run: (s) => {
      const { d, i, ioas } = s.attached();
      const destroy = (id: number) => s.ask('iommufd.destroy', { fd: i, id });
      const busy = [1, ioas, 3].map(destroy);
      return [busy, s.detach(d), s.detach(d), destroy(3), destroy(ioas), destroy(1)];
    },
    expected: [['EBUSY', 'EBUSY', 'EBUSY'], 0, 0, 'ENOENT', 0, 'EBUSY'],
  },
  {
    id: 'I3',
    sequence:
      'IOAS_MAP without a device takes any address and length; with one whole pages, and memory that is there',
    run: (s) => {
      const { d, i } = s.bound();
      const ioas = s.alloc(i);
      const free = s.ioasMap(i, ioas, 3n, { vaddr: 0x7f0000000005n, length: 7n, memory: 'none' });
      s.ioasUnmap(i, ioas, 0n, highest);
      s.attach(d, ioas);
      return [
        free,
        s.ioasMap(i, ioas, 0n, { length: 7n }),
        s.ioasMap(i, ioas, 3n),
        s.ioasMap(i, ioas, 0n, { vaddr: 0x7f0000000005n }),
        s.ioasMap(i, ioas, 0n, { memory: 'none' }),
        s.ioasMap(i, ioas, 0n, { memory: 'read-only' }),
        s.ioasMap(i, ioas, 0n, { memory: 'read-only', flags: 5 }),
        s.ioasMap(i, ioas, 0n),
      ];
    },
    expected: [3n, 'EINVAL', 'EINVAL', 'EINVAL', 'EFAULT', 'EFAULT', 0n, 'EEXIST'],
  },
  {
    id: 'I4',
    sequence: 'the order of IOAS_MAP’s tests',
    run: (s) => {
      const i = s.iommufd();
      const bad = { flags: 8, length: 0n, vaddr: highest };
      return [
        s.ioasMap(i, 9, highest, bad),
        s.ioasMap(i, 9, highest, { ...bad, flags: 1 }),
        s.ioasMap(i, 9, 0n, { ...bad, flags: 1 }),
        s.ioasMap(i, 9, 0n, { ...bad, flags: 7 }),
        s.ioasMap(i, s.alloc(i), 0n, { ...bad, flags: 7 }),
        s.ioasMap(i, 1, 0n, { flags: 7, vaddr: highest }),
      ];
    },
    expected: ['EOPNOTSUPP', 'EOVERFLOW', 'EINVAL', 'ENOENT', 'EINVAL', 'EOVERFLOW'],
  },
  {
    id: 'I5',
    hugePages: true,
    sequence: 'an address that the kernel chooses is never 0, and as aligned as the memory',
    run: (s) => {
      const i = s.iommufd();
      const ioas = s.alloc(i);
      const choose = (over: object) => s.ioasMap(i, ioas, 0n, { flags: 6, ...over });
      return [
        choose({ vaddr: 0x7f0000001000n }),
        choose({ vaddr: 0x7f0000004000n, length: 0x4000n }),
        choose({ vaddr: 0x7f0000200000n, length: 0x200000n }),
        choose({ vaddr: 0x7f0000001004n, length: 4n }),
      ];
    },
    expected: [0x1000n, 0x4000n, 0x200000n, 0x2004n],
  },
  {
    id: 'I6',
    sequence: 'IOAS_UNMAP: part of a mapping ENOENT, nothing ENOENT, (0, highest) everything even when empty',
    run: (s) => {
      const i = s.iommufd();
      const ioas = s.alloc(i);
      s.ioasMap(i, ioas, 0n);
      s.ioasMap(i, ioas, 0x1000n, { length: 0x2000n });
      return [
        s.ioasUnmap(i, ioas, 0x1000n, 0x1000n),
        s.ioasUnmap(i, ioas, 0x8000n, 0x1000n),
        s.ioasUnmap(i, ioas, 0n, 0n),
        s.ioasUnmap(i, ioas, 1n, highest),
        s.ioasUnmap(i, ioas, 0n, highest),
        s.ioasUnmap(i, ioas, 0n, highest),
      ];
    },
    expected: ['ENOENT', 'ENOENT', 'EINVAL', 'EOVERFLOW', 0x3000n, 0n],
  },
  {
    id: 'I7',
    sequence: 'IOAS_UNMAP that ends in the middle of a mapping: ENOENT, and the one before is gone',
    run: (s) => {
      const i = s.iommufd();
      const ioas = s.alloc(i);
      s.ioasMap(i, ioas, 0n);
      s.ioasMap(i, ioas, 0x1000n, { length: 0x2000n });
      return [s.ioasUnmap(i, ioas, 0n, 0x2000n), s.ioasUnmap(i, ioas, 0n, highest)];
    },
    expected: ['ENOENT', 0x2000n],
  },
  {
    id: 'I8',
    sequence:
      'an attach: EADDRINUSE for a mapping in the MSI window or a part of a page, EFAULT for memory that is not there',
    run: (s) => {
      const { d, i } = s.bound();
      const attach = (iova: bigint, over: object = {}) => {
        const ioas = s.alloc(i);
        s.ioasMap(i, ioas, iova, over);
        return s.attach(d, ioas);
      };
      return [
        attach(0xfee00000n),
        attach(0n, { length: 5n }),
        attach(0n, { memory: 'none' }),
        attach(2n ** 50n),
        attach(0n),
      ];
    },
    expected: ['EADDRINUSE', 'EADDRINUSE', 'EFAULT', 'EADDRINUSE', 7],
  },
  {
    id: 'I9',
    sequence: 'ATTACH again moves the device, and its group with it; a sibling goes nowhere else',
    run: (s) => {
      s.take(sibling);
      const { d, i } = s.attached(pair);
      const other = s.cdev(sibling);
      s.bindIommufd(other, i);
      const second = s.alloc(i);
      const refused = s.attach(other, second);
      const joined = s.attach(other, 2);
      return [refused, joined, s.attach(d, second), s.attach(d, 2)];
    },
    expected: ['EINVAL', 3, 6, 3],
  },
  {
    id: 'I10',
    sequence: 'ATTACH: ENOENT for no object, EINVAL for a device; by the id of a page table it joins',
    run: (s) => {
      s.take(sibling);
      const { i } = s.attached(pair);
      const other = s.cdev(sibling);
      s.bindIommufd(other, i);
      return [s.attach(other, 9), s.attach(other, 1), s.attach(other, 3)];
    },
    expected: ['ENOENT', 'EINVAL', 3],
  },
  {
    id: 'I11',
    sequence: 'IOVA_RANGES: one range, then two with a device; too little room EMSGSIZE',
    run: (s) => {
      const { d, i } = s.bound();
      const ioas = s.alloc(i);
      const ranges = (room: number) =>
        s.out({ op: 'iommufd.ioas_iova_ranges', pid: ROOT, fd: i, ioas, room });
      const before = ranges(1);
      s.attach(d, ioas);
      return [before, ranges(1), ranges(2)];
    },
    expected: [
      { num_iovas: 1, out_iova_alignment: 1n, start0: 0n, last0: 2n ** 64n - 1n },
      'EMSGSIZE',
      {
        num_iovas: 2,
        out_iova_alignment: 4096n,
        ...{ start0: 0n, last0: 0xfedfffffn, start1: 0xfef00000n, last1: 2n ** 48n - 1n },
      },
    ],
  },
  {
    id: 'I12',
    sequence:
      'ALLOW_IOVAS: empty or overlapping EINVAL; what is promised no device may reserve, and conversely',
    run: (s) => {
      const { d, i } = s.bound();
      const ioas = s.alloc(i);
      const asked = [
        s.allow(i, ioas, 5n, 5n),
        s.allow(i, ioas, 0n, 9n, 9n, 12n),
        s.allow(i, ioas, 0xfee00000n, 0xfee00fffn),
      ];
      const attached = s.attach(d, ioas);
      s.allow(i, ioas, 0x1000n, 0x1fffn);
      return [...asked, attached, s.attach(d, ioas), s.allow(i, ioas, 0xfee00000n, 0xfee00fffn)];
    },
    expected: ['EINVAL', 'EINVAL', 0, 'EADDRINUSE', 3, 'EADDRINUSE'],
  },
  {
    id: 'I13',
    sequence: 'IOAS_COPY: a gap ENOENT, read-only memory EPERM, otherwise both have it',
    run: (s) => {
      const i = s.iommufd();
      s.alloc(i);
      s.alloc(i);
      s.ioasMap(i, 1, 0n);
      s.ioasMap(i, 1, 0x1000n, { flags: 5, vaddr: 0x7f0000100000n });
      return [
        s.ioasCopy(i, { length: 0x3000n }),
        s.ioasCopy(i, { length: 0x2000n }),
        s.ioasCopy(i, { length: 0x1000n, dstIova: 0x5000n }),
        s.ioasUnmap(i, 1, 0n, highest),
        s.ioasUnmap(i, 2, 0n, highest),
      ];
    },
    expected: ['ENOENT', 'EPERM', 0x5000n, 0x2000n, 0x1000n],
  },
  {
    id: 'I14',
    sequence:
      'OPTION: how pages are charged while there are no objects; HUGE_PAGES not with a device and a mapping',
    run: (s) => {
      const i = s.iommufd();
      const first = [s.option(i, 0, 1, 0), s.option(i, 0, 0, 0, 1n), s.option(i, 0, 1, 0)];
      const ioas = s.alloc(i);
      return [
        ...first,
        s.option(i, 0, 0, 0, 0n),
        s.option(i, 1, 0, ioas, 0n),
        s.option(i, 1, 1, ioas),
        s.option(i, 7, 1, 0),
      ];
    },
    expected: [0n, 1n, 1n, 'EBUSY', 0n, 0n, 'EOPNOTSUPP'],
  },
];

/** An iommufd in the place of a container. */
export const compatVectors: readonly IommufdVector[] = [
  {
    id: 'V1',
    sequence:
      'SET_CONTAINER makes an address space; STATUS 3; again EINVAL; UNSET 0, even with the device open',
    run: (s) => {
      const { g, i } = s.standsIn();
      const before = [
        s.ask('iommufd.vfio_ioas', { fd: i, operation: 0, ioas: 0 }),
        s.status(g),
        s.setContainer(g, i),
      ];
      const d = s.device(g, single);
      return [...before, descriptor(d), s.unsetContainer(g), s.status(g), s.unsetContainer(g)];
    },
    expected: [1, 3, 'EINVAL', number, 0, 0, 'EINVAL'],
  },
  {
    id: 'V2',
    sequence:
      'after close(group) with the device open: the group opens again, and gives the open device again',
    run: (s) => {
      const { g, i } = s.standsIn();
      s.device(g, single);
      s.close(g);
      const again = s.tryOpen('8');
      return [
        descriptor(again),
        s.setContainer(Number(again), i),
        descriptor(s.device(Number(again), single)),
      ];
    },
    expected: [number, 0, number],
  },
  {
    id: 'V3',
    sequence:
      'CHECK_EXTENSION: 1, 3, 9 and 8 whatever the parameter says; 4 ENODEV without an address space; 6, 10 are 0',
    run: (s) => {
      const i = s.iommufd();
      return [1, 3, 9, 8, 4, 6, 10].map((extension) => s.extension(i, extension));
    },
    expected: [1, 1, 1, 1, 'ENODEV', 0, 0],
  },
  {
    id: 'V4',
    sequence: 'SET_IOMMU: no group ENODEV; 1 and 3 again and again; 6, 8, 9 EINVAL',
    run: (s) => {
      const alone = s.setIommu(s.iommufd(), 3);
      const { i } = s.standsIn();
      return [alone, ...[3, 3, 1, 6, 8, 9].map((type) => s.setIommu(i, type))];
    },
    expected: ['ENODEV', 0, 0, 0, 'EINVAL', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'V5',
    sequence: 'MAP_DMA with flags 0: 0 before a device is there, which then is EINVAL; EINVAL after',
    run: (s) => {
      const { g, i } = s.standsIn();
      const early = s.map(i, 0n, 4096n, { flags: 0 });
      const refused = s.device(g, single);
      s.unmap(i, 0n, 4096n);
      return [early, refused, descriptor(s.device(g, single)), s.map(i, 0n, 4096n, { flags: 0 })];
    },
    expected: [0, 'EINVAL', number, 'EINVAL'],
  },
  {
    id: 'V6',
    sequence: 'UNMAP_DMA: type1v2 part of a mapping ENOENT, nothing 0; type 1 cuts it',
    run: (s) => {
      const { i } = s.standsIn();
      s.ask('iommufd.map_dma', { fd: i, ...dma });
      const whole = [s.unmap(i, 0n, 0x1000n), s.unmap(i, 0x8000n, 0x1000n)];
      s.setIommu(i, 1);
      return [...whole, s.unmap(i, 0n, 0x1000n), s.unmap(i, 0n, 0n, { flags: 2 })];
    },
    expected: ['ENOENT', 0n, 0x1000n, 0x1000n],
  },
  {
    id: 'V7',
    sequence:
      'a group without an IOMMU: RAWIO only at the device; SET_IOMMU 8; MAP_DMA ENODEV; a real group EINVAL',
    run: (s) => {
      fake(s);
      const [g, i] = [s.open('noiommu-0'), s.iommufd()];
      const set = s.setContainer(g, i);
      const types = [8, 1].map((type) => s.setIommu(i, type));
      s.take(single);
      const real = s.setContainer(s.open('8'), i);
      return [set, s.extension(i, 1), ...types, s.map(i, 0n, 4096n), real, descriptor(s.device(g, bare))];
    },
    expected: [0, 0, 0, 'EINVAL', 'ENODEV', 'EINVAL', number],
  },
  {
    id: 'V8',
    sequence: 'GET_INFO: sizes of pages before and with a device',
    run: (s) => {
      const { g, i } = s.standsIn();
      const info = (argsz?: number) =>
        s.out({ op: 'iommufd.get_info', pid: ROOT, fd: i, ...(argsz === undefined ? {} : { argsz }) });
      const before = info();
      s.device(g, single);
      return [before, info(88), info(24)];
    },
    expected: [
      {
        argsz: 72,
        flags: 3,
        iova_pgsizes: 0xfffffffffffff000n,
        cap_offset: 24,
        ...{ avail: 0xffff_ffff, nr_iovas: 1, start0: 0n, end0: 2n ** 64n - 1n },
      },
      {
        flags: 3,
        iova_pgsizes: 0x40201000n,
        cap_offset: 24,
        ...{
          avail: 0xffff_ffff,
          nr_iovas: 2,
          start0: 0n,
          end0: 0xfedfffffn,
          start1: 0xfef00000n,
          end1: 2n ** 48n - 1n,
        },
      },
      { argsz: 88, flags: 3, iova_pgsizes: 0x40201000n, cap_offset: 0 },
    ],
  },
  {
    id: 'V9',
    sequence: 'a sibling with a host driver: SET_CONTAINER 0, STATUS 3, and the device EPERM',
    run: (s) => {
      const { g } = s.standsIn(pair, '7');
      return [s.status(g), s.device(g, pair), s.unbind(sibling), descriptor(s.device(g, pair))];
    },
    expected: [3, 'EPERM', sibling.length, number],
  },
];
