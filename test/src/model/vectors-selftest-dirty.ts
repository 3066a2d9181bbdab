import { low, type SelftestSession } from './selftest-session.ts';

export interface SelftestVector {
  readonly id: string;
  readonly sequence: string;
  readonly run: (session: SelftestSession) => readonly unknown[];
  readonly expected: readonly unknown[];
}

const page = 0x800n;

/** Eight pages of the IOMMU at the lowest address, in a table of id 3 that tracks what is written there; tracking has begun. */
function tracked(s: SelftestSession): { d: number; i: number } {
  const { d, i } = s.parented(3);
  s.ioasMap(i, 2, low, { length: 8n * page });
  s.track(i, 3, 1);
  return { d, i };
}

/** What devices wrote to, as page tables of the self-test tell it. */
export const dirtyVectors: readonly SelftestVector[] = [
  {
    id: 'M9',
    sequence: 'dirty pages are tracked where the table was made for it, told once, or left with NO_CLEAR',
    run: (s) => {
      const { i } = s.parented(3);
      s.ioasMap(i, 2, low, { length: 8n * page });
      const plain = Number(s.hwpt(i));
      const before = s.bitmap(i, 3);
      s.wrote(i, 3, low);
      const began = [s.track(i, plain, 1), s.track(i, 3, 2), s.track(i, 3, 1), s.bitmap(i, 3)];
      s.wrote(i, 3, low, low + 3n * page, low + 7n * page);
      const told = [
        s.bitmap(i, 3, { flags: 1 }),
        s.bitmap(i, 3, { flags: 1 }),
        s.bitmap(i, 3),
        s.bitmap(i, 3),
      ];
      return [before, began, told, s.bitmap(i, plain)];
    },
    expected: ['0', ['EOPNOTSUPP', 'EOPNOTSUPP', 0, '0'], ['89', '89', '89', '0'], 'EOPNOTSUPP'],
  },
  {
    id: 'M10',
    sequence: 'tracking ends: nothing is told; it begins anew: what was marked before is forgotten',
    run: (s) => {
      const { i } = tracked(s);
      s.wrote(i, 3, low, low + page);
      const off = [s.track(i, 3, 0), s.bitmap(i, 3), s.track(i, 3, 0)];
      s.wrote(i, 3, low + 2n * page);
      const on = [s.track(i, 3, 1), s.bitmap(i, 3)];
      s.wrote(i, 3, low + page);
      return [off, on, s.bitmap(i, 3, { flags: 1 }), s.track(i, 3, 1), s.bitmap(i, 3)];
    },
    expected: [[0, '0', 0], [0, '0'], '2', 0, '0'],
  },
  {
    id: 'M11',
    sequence: 'the range of a bitmap: the order of its tests, with pages of half the usual size',
    run: (s) => {
      const { i } = tracked(s);
      const ask = (over: object, hwpt = 3) => s.bitmap(i, hwpt, over);
      const bad = { length: 0n, iova: low + 0x400n, pageSize: 0n };
      return [
        [ask({ ...bad, flags: 2 }), ask({ ...bad, reserved: 1 }), ask(bad, 9), ask(bad, 2), ask(bad)],
        [ask({ ...bad, length: 2n ** 64n - 1n }), ask({ ...bad, length: page }), ask({ pageSize: 0n })],
        [ask({ iova: low + page, pageSize: 0x1000n }), ask({ length: 3n * page, pageSize: 0x1000n })],
        [ask({ length: 0x400n }), ask({ iova: low + page, length: page }), ask({ iova: 0n })],
      ];
    },
    expected: [
      ['EOPNOTSUPP', 'EOPNOTSUPP', 'ENOENT', 'ENOENT', 'EINVAL'],
      ['EOVERFLOW', 'EINVAL', 'EINVAL'],
      ['EINVAL', 'EINVAL'],
      ['EINVAL', '0', '0'],
    ],
  },
  {
    id: 'M12',
    sequence: 'bits that stand for more bytes than a page has, for fewer, and for what is no power of two',
    run: (s) => {
      const { i } = tracked(s);
      s.wrote(i, 3, low + page, low + 2n * page, low + 7n * page);
      const ask = (pageSize: bigint, over: object = {}) => s.bitmap(i, 3, { pageSize, flags: 1, ...over });
      return [ask(0x1000n), ask(0x4000n), ask(0x400n), ask(1n, { length: 2n * page }).length, ask(0x1800n)];
    },
    expected: ['b', '1', 'c03c', 1024, '86'],
  },
  {
    id: 'M13',
    sequence: 'a bitmap ends where nothing is mapped; what is unmapped takes its marks along',
    run: (s) => {
      const { i } = tracked(s);
      s.ioasMap(i, 2, low + 8n * page, { length: 2n * page, vaddr: 0x7f0000010000n });
      s.ioasMap(i, 2, low + 12n * page, { length: 4n * page, vaddr: 0x7f0000018000n });
      s.wrote(i, 3, low + 7n * page, low + 9n * page, low + 10n * page, low + 12n * page);
      const whole = s.bitmap(i, 3, { flags: 1 });
      const from = [8n, 9n, 10n, 12n].map((at) =>
        s.bitmap(i, 3, { iova: low + at * page, length: 4n * page, flags: 1 }),
      );
      s.ioasUnmap(i, 2, low + 8n * page, 2n * page);
      const without = s.bitmap(i, 3, { flags: 1 });
      s.ioasMap(i, 2, low + 8n * page, { length: 4n * page, vaddr: 0x7f0000010000n });
      return [whole, from, without, s.bitmap(i, 3), s.bitmap(i, 3)];
    },
    expected: ['280', ['2', '1', '0', '1'], '80', '1080', '0'],
  },
  {
    id: 'M14',
    sequence: 'each table of an address space has marks of its own, and so has the space of a copy',
    run: (s) => {
      const { i } = tracked(s);
      const second = Number(s.hwpt(i, { flags: 2 }));
      const space = s.alloc(i);
      const third = Number(s.hwpt(i, { flags: 2, target: space }));
      s.ioasCopy(i, { dst: space, src: 2, length: 4n * page, dstIova: low, srcIova: low + 4n * page });
      const began = [s.track(i, second, 1), s.track(i, third, 1)];
      s.wrote(i, 3, low);
      s.wrote(i, second, low + page);
      s.wrote(i, third, low + 2n * page, low + 4n * page);
      return [began, [3, second, third].map((id) => s.bitmap(i, id))];
    },
    expected: [
      [0, 0],
      ['1', '2', '4'],
    ],
  },
];
