import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/model/op.ts';
import type { Sequence } from './sequence.ts';
import { shrink } from './shrink.ts';

const steps = (...ops: readonly Op[]): Sequence => ops.map((op, id) => ({ id, op, from: {} }));
const when = (test: (candidate: Sequence) => boolean) => (candidate: Sequence) =>
  Promise.resolve(test(candidate));

describe('a sequence that differs', () => {
  it('is made as short as it can be', async () => {
    const op = { op: 'eventfd', pid: 1 } as const;
    const sequence: Sequence = Array.from({ length: 23 }, (_, id) => ({ id, op, from: {} }));
    const guilty = (candidate: Sequence) => [4, 17].every((id) => candidate.some((each) => each.id === id));
    expect((await shrink(sequence, when(guilty))).map(({ id }) => id)).toEqual([4, 17]);
  });

  it('has the simplest arguments that it can have', async () => {
    const irqs: Op = {
      ...{ op: 'device.set_irqs', pid: 4, fd: 7, argsz: 116, flags: 36, index: 2, start: 7 },
      ...{ count: 3, data: [5, -1, 6] },
    };
    const map: Op = {
      ...{ op: 'iommufd.ioas_map', pid: 1, fd: 3, argsz: 40, tail: true, flags: 15, ioas: 4 },
      ...{ vaddr: 0x5000n, length: 0x10000n, iova: 1n << 48n, memory: 'writable', reserved: 1 },
    };
    const guilty = (candidate: Sequence) =>
      candidate.some(({ op }) => op.op === 'device.set_irqs' && (op.flags & 4) !== 0 && op.count > 0) &&
      candidate.some(({ op }) => op.op === 'iommufd.ioas_map' && op.length > 0x1000n && op.ioas > 2);
    const found = await shrink(steps(irqs, { op: 'eventfd', pid: 1 }, map), when(guilty));
    expect(found.map(({ op }) => op)).toEqual([
      { op: 'device.set_irqs', pid: 1, fd: 7, flags: 4, index: 0, start: 0, count: 1, data: [5] },
      {
        ...{ op: 'iommufd.ioas_map', pid: 1, fd: 3, flags: 0, ioas: 4 },
        ...{ vaddr: 0x5000n, length: 0x10000n, iova: 0n, memory: 'writable' },
      },
    ]);
  });

  it('keeps descriptors of earlier steps, and drops what needs an argument that is gone', async () => {
    const sequence: Sequence = [
      { id: 0, op: { op: 'eventfd', pid: 1 }, from: {} },
      { id: 1, op: { op: 'eventfd', pid: 1 }, from: {} },
      {
        ...{ id: 2, from: { 'data.0': 0, 'data.1': 1, fd: 0 } },
        op: { op: 'device.set_irqs', pid: 1, fd: 3, flags: 36, index: 1, start: 0, count: 2, data: [3, 4] },
      },
    ];
    const guilty = (candidate: Sequence) =>
      candidate.some(({ id, from }) => id === 2 && from['fd'] === 0 && from['data.0'] === 0) &&
      candidate.some(({ id }) => id === 0);
    const found = await shrink(sequence, when(guilty));
    expect(found.map(({ id, from }) => [id, from])).toEqual([
      [0, {}],
      [2, { 'data.0': 0, fd: 0 }],
    ]);
  });
});
