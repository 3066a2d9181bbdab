import { expect, test } from 'vitest';
import type { PciFunction } from '../../../src/machine/snapshot.ts';
import { explore } from '../../../src/model/explore/explore.ts';
import type { Section } from '../../../src/model/explore/learned.ts';
import { Keys } from '../../../src/model/key.ts';
import { laws } from '../../../src/model/laws.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Outcome } from '../../../src/model/outcome.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import { same } from '../../../src/model/same.ts';
import type { State } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { ROOT } from '../../../src/model/world.ts';
import { alphabet, type Bounded, type Bounds, boundedWorld, withGuest } from './bounded.ts';
import { bare, functionAt, pair, sibling, user } from './machine.ts';
import { openings, sharedWorld } from './passed-virtual.ts';

// The explorer asks the model once of all states that differ in nothing that the answer read. That it saw every read is
// held here: each answer that it gives, of every transition of a world, is the one of the model itself.

const inGroup7 = functionAt(pair, { iommuGroup: 7 });
const besideIt = functionAt(sibling, { iommuGroup: 7 });
const groupless = functionAt(bare);
const bounds: Bounds = {
  containers: 1,
  groupFiles: 1,
  deviceFiles: 1,
  others: [user.pid],
  passes: true,
  maps: true,
  negative: true,
  guests: 'there',
};

const text = (op: Op) =>
  JSON.stringify(op, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));

/** Walks a world; the transitions of which something is not as the model says, and how many there are. */
function compare({ world, initial }: Bounded, moves: readonly Section[], asked: typeof laws) {
  const wrong: string[] = [];
  let told = 0;
  let from: State | null = null;
  let expected: string[] = [];
  let heard: string[] = [];
  const listener = (before: State, op: Op, { result, state }: Outcome): boolean => {
    if (before !== from) {
      if (expected.join() !== heard.sort().join()) wrong.push(`moves: ${heard}, not ${expected}`);
      expected = moves
        .flat()
        .flatMap((part) => part(world, before).map(text))
        .sort();
      heard = [];
      from = before;
    }
    told += 1;
    heard.push(text(op));
    const outcome = step(world, before, op);
    if (!same(outcome.result, result)) wrong.push(`${text(op)}: ${JSON.stringify(result)}`);
    if (!same(outcome.state, state)) wrong.push(`${text(op)}: another state`);
    for (const { id, profiles, onState, onStep } of asked) {
      if (!profiles.includes(world.profile.id)) continue;
      const still = outcome.state === before;
      if ((!still && onState?.(world, state) === false) || onStep?.(world, before, op, outcome) === false)
        wrong.push(`${text(op)}: ${id} is broken`);
    }
    return wrong.length < 5;
  };
  const { transitions, complete, broken } = explore({
    world,
    initial,
    alphabet: moves,
    laws: asked,
    listener,
  });
  return { wrong, told, transitions, complete, broken };
}

/** How many states and transitions there are, by the model alone: every step is made, and a state is what its key says. */
function count({ world, initial }: Bounded, sections: readonly Section[]) {
  const keys = new Keys();
  const seen = new Set([keys.of(initial)]);
  const states = [initial];
  let transitions = 0;
  for (const state of states) {
    for (const op of sections.flat().flatMap((part) => part(world, state))) {
      transitions += 1;
      const after = step(world, state, op).state;
      const key = keys.of(after);
      if (!seen.has(key)) states.push(after);
      seen.add(key);
    }
  }
  return { states: states.length, transitions };
}

const worlds: readonly [ProfileId, string, readonly PciFunction[]][] = [
  ['seed', 'a device without a group', [groupless]],
  ['4.5', 'a device without a group', [groupless]],
  ['6.1', 'two devices of a group', [inGroup7, besideIt]],
  ['6.12', 'a device with a group and one without', [inGroup7, groupless]],
  ['noiommu-cdev', 'a device without a group', [groupless]],
];

test.each(worlds)('%s: %s', { timeout: 120_000 }, (profile, _name, functions) => {
  const real = functions.some(({ iommuGroup }) => iommuGroup !== null);
  const bounded = withGuest(boundedWorld(profile, functions, real));
  const sections = alphabet({ ...bounds, passes: functions.length === 1 }, bounded.world);
  const { wrong, told, transitions, complete, broken } = compare(bounded, sections, laws);
  expect(wrong).toEqual([]);
  // Without anybody who listens and without laws it walks in another order, and by rows.
  const explored = explore({ ...bounded, alphabet: sections, laws: [] });
  const counted = count(bounded, sections);
  expect({ states: explored.states, transitions: explored.transitions }).toEqual(counted);
  expect(transitions).toBe(counted.transitions);
  expect([complete, broken, told]).toEqual([true, null, transitions]);
  expect(told).toBeGreaterThan(1_000);
});

test('6.12: containers, iommufd and cdevs of a device that is shared', { timeout: 120_000 }, () => {
  const shared = sharedWorld('6.12');
  const { wrong, told, transitions, complete } = compare(shared, [[openings]], []);
  expect(wrong).toEqual([]);
  expect(transitions).toBe(count(shared, [[openings]]).transitions);
  expect([complete, told]).toEqual([true, transitions]);
  expect(told).toBeGreaterThan(1_000);
});

/** The registers of a device that ROOT has open: each is kept once it was written, beside those that were before. */
function registersWorld(profile: ProfileId): Bounded {
  const { world, initial } = boundedWorld(profile, [inGroup7], true);
  const pid = ROOT;
  const opened: readonly Op[] = [
    { op: 'driver.unbind', pid, driver: 'e1000e', device: inGroup7.address },
    { op: 'driver.bind', pid, driver: 'vfio-pci', device: inGroup7.address },
    { op: 'open', pid, path: '/dev/vfio/vfio' },
    { op: 'open', pid, path: '/dev/vfio/7' },
    { op: 'group.set_container', pid, fd: 4, container: 3 },
    { op: 'container.set_iommu', pid, fd: 3, type: 1 },
    { op: 'group.get_device_fd', pid, fd: 4, name: inGroup7.address },
  ];
  let state = initial;
  for (const op of opened) {
    const { result, state: after } = step(world, state, op);
    if (!result.ok) throw new Error(`${text(op)}: ${JSON.stringify(result)}`);
    state = after;
  }
  return { world, initial: state };
}

/** Bytes of the first BAR and the interrupt line. */
function registers(): Op[] {
  const offsets = [0x10, 0x11, 0x3c].map((place) => (7n << 40n) + BigInt(place));
  return offsets.flatMap((offset) => [
    ...[0, 255].map((byte): Op => ({ op: 'device.write', pid: ROOT, fd: 5, offset, bytes: [byte] })),
    { op: 'device.read', pid: ROOT, fd: 5, offset, count: 1 },
  ]);
}

test('6.12: which registers were written is a part of what the answer read', () => {
  const written = registersWorld('6.12');
  const { wrong, told, transitions, complete } = compare(written, [[registers]], []);
  expect(wrong).toEqual([]);
  // Each of three bytes was never written, or is one of two.
  expect(count(written, [[registers]])).toEqual({ states: 27, transitions });
  expect([complete, told]).toEqual([true, 27 * 9]);
});
