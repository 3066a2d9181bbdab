import { describe, expect, test } from 'vitest';
import { withObject } from '../../../src/model/iommufd.ts';
import type { IommufdObject } from '../../../src/model/iommufd-state.ts';
import { Keys } from '../../../src/model/key.ts';
import { laws } from '../../../src/model/laws.ts';
import { profilesSince } from '../../../src/model/profiles.ts';
import { undoOf } from '../../../src/model/undo.ts';
import { ROOT } from '../../../src/model/world.ts';
import { nestingWay } from './iommufd-shapes.ts';
import { low, mock, SelftestSession } from './selftest-session.ts';
import { selftestVectors } from './vectors-selftest.ts';

/** Those that the lab asks the self-test of iommufd on 6.12; the series after it is taken to have changed none. */
test.each(
  profilesSince('6.12').flatMap((profile) =>
    selftestVectors.map((vector) => [profile, vector.id, vector.sequence, vector] as const),
  ),
)('Linux %s, %s: %s', (profile, _id, _sequence, { run, expected }) => {
  expect(run(new SelftestSession(profile))).toEqual(expected);
});

/** A device of id 1 at a nested table of id 5, whose parent has id 3 and whose faults go to the queue of id 4. */
function faulting(): { s: SelftestSession; i: number } {
  const s = new SelftestSession();
  const { d, i } = s.parented();
  s.call({ op: 'iommufd.fault_queue_alloc', pid: ROOT, fd: i, flags: 0 });
  s.nested(i, { flags: 4, faultId: 4 });
  s.attach(d, 5);
  return { s, i };
}

describe('P44, that nothing goes which something else needs, with a nested table', () => {
  const { s } = faulting();
  const law = laws.find(({ id }) => id === 'P44');
  const [context] = s.state.iommufds;
  const of = (id: number) => context?.objects[id - 1] ?? null;
  const holds = (id: number, object: IommufdObject | null) =>
    law?.onState?.(s.world, { ...s.state, iommufds: [context ? withObject(context, id, object) : null] });

  test('holds of a device, its nested table, the parent and the queue of that', () => {
    expect(holds(5, of(5))).toBe(true);
  });

  test.each<[string, number, (was: IommufdObject | null) => IommufdObject | null]>([
    ['its parent', 3, () => null],
    ['a parent that others may be nested in', 3, (was) => was && ({ ...was, nestParent: false } as never)],
    ['a parent that was made by hand', 3, (was) => was && ({ ...was, automatic: true } as never)],
    ['its queue', 4, () => null],
    ['itself, which a device is attached to', 5, () => null],
  ])('is broken without %s', (_, id, changed) => {
    expect(holds(id, changed(of(id)))).toBe(false);
  });
});

describe('the way back', () => {
  test('from a nested table that is destroyed makes one of the same parent and queue', () => {
    const { s, i } = faulting();
    s.nested(i);
    const before = s.state;
    const made = undoOf(s.world, before, { op: 'iommufd.destroy', pid: ROOT, fd: i, id: 6 });
    expect(made).toMatchObject({ op: 'iommufd.hwpt_alloc', target: 3, flags: 0, behind: 'readable' });
  });

  test('from one that is made destroys it', () => {
    const { s, i } = faulting();
    const nested = {
      flags: 0,
      deviceId: 1,
      target: 3,
      dataType: 0xdead,
      dataLength: 4,
      behind: 'readable',
    } as const;
    const undone = undoOf(s.world, s.state, { op: 'iommufd.hwpt_alloc', pid: ROOT, fd: i, ...nested });
    expect(undone).toEqual({ op: 'iommufd.destroy', pid: ROOT, fd: i, id: 6 });
  });
});

test('states that differ in what is tracked, marked or nested are not taken for one', () => {
  const { s, i } = faulting();
  const third = Number(s.hwpt(i, { flags: 3 }));
  s.ioasMap(i, 2, low);
  const all = new Keys();
  const keys = [all.of(s.state)];
  const then = (act: () => unknown) => {
    act();
    keys.push(all.of(s.state));
  };
  then(() => s.track(i, third, 1));
  then(() => s.wrote(i, third, low));
  then(() => s.wrote(i, third, low + 0x800n));
  then(() => s.nested(i, { target: third }));
  expect(new Set(keys).size).toBe(keys.length);
});

test('the way that arbitrary operations follow to nested page tables leads there', () => {
  const s = new SelftestSession();
  s.take(mock);
  const refused = nestingWay.filter((op) => typeof s.call(op) === 'string');
  expect(refused).toEqual([]);
});
