import { describe, expect, test } from 'vitest';
import { laws } from '../../../src/model/laws.ts';
import type { Op } from '../../../src/model/op.ts';
import { asking, asksInstead } from '../../../src/model/ops.ts';
import { type ProfileId, profilesSince } from '../../../src/model/profiles.ts';
import { stepAsking } from '../../../src/model/step.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { machine, snapshotOf, user } from './machine.ts';
import { group, secondGroup } from './provocation.ts';
import { Session } from './session.ts';
import { realInContainer, tracking } from './vector.ts';

type Map = Extract<Op, { op: 'container.map_dma' }>;

function mapping(fd: number, iova: bigint, size: bigint, over: Partial<Map> = {}): Map {
  const memory = { vaddr: 0x7f0000000000n, memory: 'writable' } as const;
  return { op: 'container.map_dma', pid: ROOT, fd, flags: 3, iova, size, ...memory, ...over };
}

describe('GET_INFO', () => {
  const told = { flags: 3, iova_pgsizes: 0x40201000n };
  const chain = {
    ...told,
    ...{ cap_offset: 24, pgsize_bitmap: 4096n, max_dirty_bitmap_size: 0x10000000n, avail: 65535 },
    ...{ nr_iovas: 2, start0: 0n, end0: 0xfedfffffn, start1: 0xfef00000n, end1: (1n << 48n) - 1n },
  };
  const sizes: readonly [ProfileId, number][] = [
    ['6.1', 116],
    ['6.12', 120],
  ];
  test.each(sizes)('%s: the chain, and where argsz has no room for it its size', (profile, needed) => {
    const s = new Session(profile);
    const { c } = realInContainer(s, 3);
    expect(s.info(c)).toEqual(chain);
    expect(s.info(c, needed)).toEqual(chain);
    expect(s.info(c, needed - 1)).toEqual({ ...told, argsz: needed, cap_offset: 0 });
    expect(s.info(c, 19)).toEqual({ ...told, argsz: needed });
    expect([s.info(c, 15), s.info(c, null)]).toEqual(['EINVAL', 'EFAULT']);
  });

  test('4.5 tells page sizes, and those as the drivers then told them', () => {
    const s = new Session('4.5');
    expect(s.info(realInContainer(s, 3).c)).toEqual({ flags: 1, iova_pgsizes: 0xfffffffffffff000n });
  });

  test('what is left of the limit is told', () => {
    const s = new Session('6.12');
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 4096n);
    expect(s.info(c)).toMatchObject({ avail: 65534 });
  });
});

describe.each(profilesSince('6.1'))('mappings in %s', (profile) => {
  test('a new address comes with its owner, who is charged', () => {
    const s = new Session(profile);
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 0x4000n);
    expect(s.unmap(c, 0n, 0x4000n, { flags: 4 })).toBe(0x4000n);
    expect(s.map(s.pass(c), 0n, 0x4000n, { flags: 4, pid: user.pid })).toBe(0);
    expect(s.state.locked).toEqual([{ pid: user.pid, pages: 4 }]);
    expect(s.unmap(c, 0n, 0n, { flags: 2 })).toBe(0x4000n);
    expect(s.state.locked).toEqual([]);
  });

  test('memory that nobody wrote to is charged for reading since 6.12', () => {
    const s = new Session(profile);
    const { c } = realInContainer(s, 3);
    const over = { pid: user.pid, flags: 1, memory: 'untouched' } as const;
    const fd = s.pass(c);
    expect(s.map(fd, 0n, 0x20000n, over)).toBe(profile === '6.1' ? 0 : 'ENOMEM');
    expect(s.map(fd, 0x40000n, 0x20000n, { ...over, flags: 3 })).toBe('ENOMEM');
  });

  test('a range up to 2^64 reaches nothing, and ALL everything', () => {
    const s = new Session(profile);
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 0x1000n);
    s.map(c, 0x100000000n, 0x2000n);
    expect(s.unmap(c, 0x100000000n, 2n ** 64n - 0x100000000n)).toBe(0n);
    expect(s.unmap(c, 0n, 0n, { flags: 2 })).toBe(0x3000n);
  });

  test('the bitmap is written where there are mappings, and only looked at then', () => {
    const s = new Session(profile);
    const c = tracking(s);
    const bitmap = { pgsize: 4096n, bitmapSize: 8n, size: 0x2000n } as const;
    expect(s.dirty(c, 4, { ...bitmap, bitmap: 'none' })).toBe(0);
    s.map(c, 0n, 0x2000n);
    expect(s.dirty(c, 4, { ...bitmap, bitmap: 'none' })).toBe('EFAULT');
    expect(s.dirty(c, 4, { ...bitmap, bitmap: 'writable' })).toBe(0);
    const range = { flags: 1, pgsize: 4096n, bitmapSize: 8n } as const;
    expect(s.unmap(c, 0n, 0x2000n, { ...range, bitmap: 'writable' })).toBe(0x2000n);
    expect([s.dirty(c, 1), s.dirty(c, 2), s.dirty(c, 2)]).toEqual([0, 0, 0]);
  });
});

test('4.5 maps what nothing forbids, and what the IOMMU is too narrow for is a fault', () => {
  const s = new Session('4.5');
  const { c } = realInContainer(s, 3);
  expect([s.map(c, 0xfee00000n, 4096n), s.map(c, 2n ** 50n, 4096n)]).toEqual([0, 'EFAULT']);
});

/** A kernel without the guard makes the step, and the law sees it. */
const defects: readonly [string, string, (s: Session) => Op, boolean?][] = [
  [
    'P17',
    'container.map_dma.overlap',
    (s) => {
      const { c } = realInContainer(s, 3);
      s.map(c, 0n, 8192n);
      return mapping(c, 4096n, 4096n);
    },
  ],
  ['P18', 'container.map_dma.alignment', (s) => mapping(realInContainer(s, 3).c, 1n, 4096n)],
  [
    'P19',
    'container.map_dma.entries',
    (s) => {
      const { c } = realInContainer(s);
      const parameter = { module: 'vfio_iommu_type1', parameter: 'dma_entry_limit', text: '0' };
      s.call({ op: 'parameter.write', pid: ROOT, ...parameter });
      s.setIommu(c, 3);
      return mapping(c, 0n, 4096n);
    },
  ],
  ['P20', 'container.map_dma.range', (s) => mapping(realInContainer(s, 3).c, 0xfee00000n, 4096n)],
  [
    'P20',
    'group.set_container.conflict',
    (s) => {
      const { c, g } = secondGroup(s);
      s.map(c, 0x7f000000n, 4096n);
      return { op: 'group.set_container', pid: ROOT, fd: g, container: c };
    },
  ],
  [
    'P21',
    'container.map_dma.memlock',
    (s) => mapping(s.pass(realInContainer(s, 3).c), 0n, 0x20000n, { pid: user.pid }),
  ],
  [
    'P22',
    'container.unmap_dma.bisects',
    (s) => {
      const { c } = realInContainer(s, 3);
      s.map(c, 0n, 8192n);
      return { op: 'container.unmap_dma', pid: ROOT, fd: c, flags: 0, iova: 0n, size: 4096n };
    },
  ],
  [
    'P23',
    'container.set_iommu.interrupts',
    (s) => ({ op: 'container.set_iommu', pid: ROOT, fd: realInContainer(s).c, type: 3 }),
    false,
  ],
];

test.each(defects)('%s: without %s it breaks', (id, guard, prepare, isolated = true) => {
  const iommu = {
    units: ['dmar0'],
    interruptRemapping: isolated,
    groups: [group(7, 'reserved', '0x7f000000', '0x7fffffff'), group(8, 'msi', '0xfee00000', '0xfeefffff')],
  };
  const made = worldFrom(snapshotOf(machine, { iommu }), { profile: '6.12', processes: [user] });
  const s = new Session('6.12', made);
  const op = prepare(s);
  const law = laws.find((other) => other.id === id);
  const holds = (without: readonly string[]) => {
    const asked = asking['6.12'];
    const left = asked[op.op].guards.filter((each) => !without.includes(each.id));
    const outcome = stepAsking(asksInstead(asked, { [op.op]: left }), s.world, s.state, op);
    expect(outcome.result.ok).toBe(without.length > 0);
    const onStep = law?.onStep?.(s.world, s.state, op, outcome) ?? true;
    return onStep && (law?.onState?.(s.world, outcome.state) ?? true);
  };
  expect([holds([]), holds([guard])]).toEqual([true, false]);
});
