import { describe, expect, test } from 'vitest';
import { withObject } from '../../../src/model/iommufd.ts';
import type { IommufdObject } from '../../../src/model/iommufd-state.ts';
import { laws } from '../../../src/model/laws.ts';
import { undoOf } from '../../../src/model/undo.ts';
import { ROOT } from '../../../src/model/world.ts';
import { IommufdSession } from './iommufd-session.ts';
import { cdevVectors } from './vectors-cdev.ts';
import { compatVectors, ioasVectors } from './vectors-iommufd.ts';
import { pageTableVectors } from './vectors-pagetables.ts';

const vectors = [...cdevVectors, ...ioasVectors, ...pageTableVectors, ...compatVectors];

test.each(vectors.map((vector) => [vector.id, vector.sequence, vector] as const))(
  '%s: %s',
  (_id, _sequence, { run, expected }) => {
    expect(run(new IommufdSession())).toEqual(expected);
  },
);

describe('P44, that nothing goes which something else needs', () => {
  const s = new IommufdSession();
  const { d, i } = s.tabled();
  s.attach(d, 2);
  s.call({ op: 'iommufd.fault_queue_alloc', pid: ROOT, fd: i, flags: 0 });
  const law = laws.find(({ id }) => id === 'P44');
  const [context] = s.state.iommufds;
  const holds = (id: number, object: IommufdObject | null) =>
    law?.onState?.(s.world, {
      ...s.state,
      iommufds: [context ? withObject(context, id, object) : null],
    });
  const of = (id: number) => context?.objects[id - 1] ?? null;

  test('holds of a device at the table of an attach, a table beside it and a queue', () => {
    expect([1, 2, 3, 4, 5].map((id) => of(id)?.kind)).toEqual([
      'device',
      'ioas',
      'hwpt',
      'hwpt',
      'fault-queue',
    ]);
    expect(holds(1, of(1))).toBe(true);
  });

  test.each<[string, number, IommufdObject | null]>([
    ['its address space', 2, null],
    ['the table that nobody is attached to, which its address space knows', 3, null],
    ['the table that a device is attached to', 4, null],
    ['the device, which an attach made a table for', 1, null],
    ['the queue, of which a descriptor is open', 5, null],
  ])('is broken without %s', (_, id, object) => {
    expect(holds(id, object)).toBe(false);
  });
});

describe('the way back', () => {
  test('from an attach leads to the table that was made by hand, or to the address space of one that was not', () => {
    const s = new IommufdSession();
    const { d, i } = s.tabled();
    const attach = (target: number) =>
      ({ op: 'device.attach_ioas', pid: ROOT, fd: d, target, flags: 0 }) as const;
    expect(undoOf(s.world, s.state, attach(3))).toMatchObject({ op: 'device.detach_ioas' });
    s.attach(d, 3);
    expect(undoOf(s.world, s.state, attach(2))).toEqual(attach(3));
    s.hwpt(i);
    expect(undoOf(s.world, s.state, attach(4))).toEqual(attach(3));
    s.attach(d, 2);
    expect(undoOf(s.world, s.state, attach(3))).toEqual(attach(2));
    const detach = { op: 'device.detach_ioas', pid: ROOT, fd: d, flags: 0 } as const;
    expect(undoOf(s.world, s.state, detach)).toEqual(attach(2));
  });

  test('from a new page table is its DESTROY, and back again', () => {
    const s = new IommufdSession();
    const { i } = s.tabled();
    const made = { op: 'iommufd.hwpt_alloc', pid: ROOT, fd: i, flags: 0, deviceId: 1, target: 2 } as const;
    const op = { ...made, dataType: 0, dataLength: 0 };
    expect(undoOf(s.world, s.state, op)).toEqual({ op: 'iommufd.destroy', pid: ROOT, fd: i, id: 4 });
    expect(undoOf(s.world, s.state, { op: 'iommufd.destroy', pid: ROOT, fd: i, id: 3 })).toEqual(op);
  });

  test('from a queue of faults is not the close of its descriptor', () => {
    const s = new IommufdSession();
    const op = { op: 'iommufd.fault_queue_alloc', pid: ROOT, fd: s.iommufd(), flags: 0 } as const;
    expect(undoOf(s.world, s.state, op)).toHaveProperty('none');
  });
});
