import type { Memory, Op } from '../../../src/model/op.ts';

/** Random calls on a container's mappings. */

/** Where the processes of the test have memory mapped. */
export interface Regions {
  readonly writable: bigint;
  /** Writable too, but nobody ever writes there. */
  readonly untouched: bigint;
  readonly readOnly: bigint;
  /** Bytes of each. */
  readonly size: bigint;
}

/** The numbers of which a call is made, and where it finds memory. */
interface Drawn {
  readonly b: number;
  readonly c: number;
  readonly regions: Regions;
}

/** On which descriptor, and by whom. */
interface On {
  readonly pid: number;
  readonly fd: number;
  readonly argsz?: number | null;
}

export function pick<T>(list: readonly T[], number: number): T {
  if (list.length === 0) throw new Error('nothing to pick from');
  return list[number % list.length] as T;
}

/** Memory of the process, or none. */
export function memoryOf({ regions, b }: Drawn): readonly [vaddr: bigint, memory: Memory] {
  const places: readonly [bigint, Memory][] = [
    [regions.writable, 'writable'],
    [regions.writable, 'writable'],
    [regions.untouched, 'untouched'],
    [regions.readOnly, 'read-only'],
    [0x1000n, 'none'],
  ];
  return pick(places, b);
}

export function mapDma(on: On, its: Drawn): Extract<Op, { op: 'container.map_dma' }> {
  const [vaddr, memory] = memoryOf(its);
  return {
    op: 'container.map_dma',
    ...on,
    flags: memory === 'untouched' ? 1 : pick([3, 3, 3, 3, 1, 2, 0, 4, 8], its.c >> 8),
    vaddr,
    iova: pick([0n, 0x1000n, 0x4000n, 0x8000n, 0x10n, 0xfee00000n, 1n << 40n, 0xfffffffffffff000n], its.c),
    size: pick([0x1000n, 0x1000n, 0x1000n, 0x2000n, 0n, 100n], its.c >> 4),
    memory,
  };
}

export function unmapDma(on: On, its: Drawn): Extract<Op, { op: 'container.unmap_dma' }> {
  return {
    op: 'container.unmap_dma',
    ...on,
    flags: pick([0, 0, 0, 1, 2, 4, 8], its.c >> 8),
    ...range(its),
    ...bitmap(its),
  };
}

export function dirtyPages(on: On, its: Drawn): Op {
  return {
    op: 'container.dirty_pages',
    ...on,
    flags: pick([1, 1, 2, 4, 4, 4, 4, 0, 3, 8], its.c >> 8),
    ...range(its),
    ...bitmap(its),
  };
}

function range(its: Drawn): { iova: bigint; size: bigint } {
  return {
    iova: pick([0n, 0x1000n, 0x4000n, 0x10n, 0xfffffffffffff000n], its.c),
    size: pick([0x1000n, 0x2000n, 0n, 0x10000n], its.c >> 4),
  };
}

function bitmap(its: Drawn) {
  const kinds = ['writable', 'writable', 'read-only', 'none', 'kernel', 'unreadable'] as const;
  return {
    pgsize: pick([0x1000n, 0x1000n, 0x1000n, 0x2000n, 0n], its.b),
    bitmapSize: pick([8n, 8n, 4096n, 0n, 2n ** 29n, 2n ** 64n - 1n], its.b >> 2),
    bitmap: pick(kinds, its.b >> 4),
  };
}
