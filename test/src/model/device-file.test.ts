import { describe, expect, test } from 'vitest';
import { laws } from '../../../src/model/laws.ts';
import type { Op } from '../../../src/model/op.ts';
import { asking, asksInstead } from '../../../src/model/ops.ts';
import { profileIds, profilesSince } from '../../../src/model/profiles.ts';
import type { State } from '../../../src/model/state.ts';
import { stepAsking } from '../../../src/model/step.ts';
import { at, eventfd, feature, hotReset, ioeventfd, irqs, mmap, read, tell, write } from './device-calls.ts';
import { IommufdSession } from './iommufd-session.ts';
import { functionAt, pair, sibling, single, snapshotOf, testWorld } from './machine.ts';
import { device, pid } from './provocation.ts';
import { Session } from './session.ts';
import { realInContainer } from './vector.ts';

/** What an open device keeps, and what it shows of itself. */

const config = 7;

function withBars(bars: Parameters<typeof functionAt>[1] = {}): { s: Session; fd: number } {
  const s = new Session(
    '6.12',
    testWorld('6.12', snapshotOf([functionAt(single, { iommuGroup: 8, ...bars })])),
  );
  return { s, fd: device(s) };
}

describe('configuration space', () => {
  test('shows the IDs and the interrupt pin, which nobody changes', () => {
    const { s, fd } = withBars();
    expect(write(s, fd, at(config, 0), 1, 2, 3, 4)).toBe(4);
    expect(read(s, fd, at(config, 0), 4)).toBe('8680d310');
    write(s, fd, at(config, 0x3d), 4);
    expect(read(s, fd, at(config, 0x3d))).toBe('01');
  });

  test('keeps the interrupt line as it was written, and does not know it before', () => {
    const { s, fd } = withBars();
    expect(read(s, fd, at(config, 0x3c))).toBe(1);
    write(s, fd, at(config, 0x3c), 11);
    expect(read(s, fd, at(config, 0x3c))).toBe('0b');
  });

  test('sizes BARs: memory, ports, none', () => {
    const bars = [
      { index: 0, start: '0xf0000000', size: 131072, kind: 'memory', prefetchable: false },
      { index: 1, start: '0xf0100000', size: 4096, kind: 'memory', prefetchable: true },
      { index: 2, start: '0xe000', size: 32, kind: 'io', prefetchable: false },
    ] as const;
    const { s, fd } = withBars({ bars });
    expect(read(s, fd, at(config, 0x10), 4)).toBe('000000f0');
    write(s, fd, at(config, 0x10), ...Array.from({ length: 24 }, () => 0xff));
    expect(read(s, fd, at(config, 0x10), 4)).toBe('0000feff');
    expect(read(s, fd, at(config, 0x18), 4)).toBe('e1ffffff');
    expect(read(s, fd, at(config, 0x1c), 12)).toBe('00'.repeat(12));
    write(s, fd, at(config, 0x12), 0x12, 0x34);
    expect(read(s, fd, at(config, 0x10), 4)).toBe('00001234');
  });

  test('sizes a BAR of 64 bits in both words, and does not guess the width of a low one', () => {
    const high = {
      index: 0,
      start: '0x380000000000',
      size: 2 ** 34,
      kind: 'memory',
      prefetchable: true,
    } as const;
    const low = { index: 2, start: '0xf0000000', size: 4096, kind: 'memory', prefetchable: false } as const;
    const { s, fd } = withBars({ bars: [high, low] });
    expect(read(s, fd, at(config, 0x10), 8)).toBe('0c00000000380000');
    write(s, fd, at(config, 0x10), ...Array.from({ length: 8 }, () => 0xff));
    expect(read(s, fd, at(config, 0x10), 8)).toBe('0c000000fcffffff');
    expect(read(s, fd, at(config, 0x18))).toBe(1);
    expect(read(s, fd, at(config, 0x19), 3)).toBe('0000f0');
    expect(read(s, fd, at(config, 0x1c))).toBe(1);
  });

  test('lets MSI be enabled by SET_IRQS alone', () => {
    const { s, fd } = withBars();
    tell(s, single, { msi: { at: 0x50, flags: 0x80 } });
    write(s, fd, at(config, 0x52), 0xf1);
    expect(read(s, fd, at(config, 0x52))).toBe('80');
    irqs(s, fd, { index: 1 });
    write(s, fd, at(config, 0x52), 0xf1);
    expect(read(s, fd, at(config, 0x52))).toBe('81');
  });
});

test.each(['seed', ...profilesSince('4.5')] as const)('%s: who asks whether memory is decoded', (profile) => {
  const s = new Session(profile);
  const fd = device(s);
  write(s, fd, at(config, 4), 1);
  const asks = profilesSince('6.1').includes(profile);
  expect(read(s, fd, 0n, 4)).toBe(asks ? 'EIO' : 4);
  expect(read(s, fd, at(2, 0), 4)).toBe(4);
  expect(mmap(s, fd, 0n)).toBe(0);
});

test('a virtual function has no bit for memory', () => {
  const { s, fd } = withBars({ physicalFunction: pair });
  write(s, fd, at(config, 4), 0);
  expect(read(s, fd, 0n, 4)).toBe(4);
  expect(read(s, fd, at(config, 0x3d))).toBe('00');
});

test('an access ends with its BAR; the MSI-X table is hidden', () => {
  const { s, fd } = withBars();
  expect(read(s, fd, at(0, 0x1fffc), 100)).toBe(4);
  tell(s, single, { msixTable: { bar: 0, start: 0x1000, end: 0x1050 } });
  expect(read(s, fd, at(0, 0x1040), 4)).toBe('ffffffff');
  write(s, fd, at(config, 4), 0);
  expect(read(s, fd, at(0, 0x1040), 4)).toBe('ffffffff');
  expect(read(s, fd, at(0, 0x104e), 4)).toBe('EIO');
});

test('what a device keeps ends with its last descriptor', () => {
  const s = new Session('6.1');
  const { g } = realInContainer(s, 3);
  const [one, two] = [Number(s.device(g, single)), Number(s.device(g, single))];
  irqs(s, one, { index: 2 });
  feature(s, one);
  ioeventfd(s, one);
  write(s, one, at(config, 4), 0);
  s.close(one);
  expect([irqs(s, two), read(s, two, 0n), feature(s, two)]).toEqual(['EINVAL', 'EIO', 'EINVAL']);
  s.close(two);
  const again = Number(s.device(g, single));
  expect([irqs(s, again), read(s, again, 0n), feature(s, again)]).toEqual([0, 1, 0]);
});

test('who is in low power with a wake-up is woken by the next call, unless nothing is suspended', () => {
  const withWakeup = (PM?: 'n') => {
    const { kernel } = snapshotOf();
    const options = { ...kernel.options, ...(PM === undefined ? {} : { PM }) };
    const s = new Session(
      '6.12',
      testWorld('6.12', snapshotOf(undefined, { kernel: { ...kernel, options } })),
    );
    const fd = device(s);
    const signal = eventfd(s);
    const sleep = () => feature(s, fd, { flags: 0x20004, eventfd: signal });
    return [sleep(), sleep(), feature(s, fd, { flags: 0x20005 }), feature(s, fd)];
  };
  expect(withWakeup()).toEqual([0, 0, 0, 0]);
  expect(withWakeup('n')).toEqual([0, 'EINVAL', 0, 0]);
});

test('closing an eventfd ends its unmasking, but not an interrupt or a write', () => {
  const s = new Session('6.12');
  const fd = device(s);
  const its = eventfd(s);
  irqs(s, fd, { data: [its] });
  expect(irqs(s, fd, { flags: 20, data: [its] })).toBe(0);
  ioeventfd(s, fd, { eventfd: its });
  expect(irqs(s, fd, { flags: 20 })).toBe('EBUSY');
  s.close(its);
  expect(irqs(s, fd, { flags: 20 })).toBe(0);
  expect(irqs(s, fd, { flags: 33 })).toBe(0);
  expect([ioeventfd(s, fd), ioeventfd(s, fd, { eventfd: -1 }), ioeventfd(s, fd)]).toEqual(['EEXIST', 0, 0]);
});

test('MSI without interrupt remapping gives one vector, and says how many there are', () => {
  const capabilities = { express: true, msiVectors: 8, msixVectors: 0, interruptPin: 1, configSize: 4096 };
  const { s, fd } = withBars({ capabilities });
  const four = { index: 1, count: 4, data: [-1, -1, -1, -1] };
  s.world = { ...s.world, interruptRemapping: false };
  expect([irqs(s, fd, four), irqs(s, fd, { index: 1, flags: 33, count: 0 })]).toEqual([1, 'EINVAL']);
  s.world = { ...s.world, interruptRemapping: true };
  expect([irqs(s, fd, four), irqs(s, fd, { index: 1, flags: 33, count: 0 })]).toEqual([0, 0]);
});

test('MSI-X grows on 6.12 and is refused beyond its vectors on 6.1', () => {
  const answers = (['6.1', '6.12'] as const).map((profile) => {
    const s = new Session(profile);
    const fd = device(s);
    irqs(s, fd, { index: 2 });
    return [irqs(s, fd, { index: 2, start: 4 }), irqs(s, fd, { index: 2, start: 4, data: [-1] })];
  });
  expect(answers).toEqual([
    ['EINVAL', 'EINVAL'],
    [0, 0],
  ]);
});

test('a block of no vectors that begins beyond the first is refused on 6.1, and enables MSI-X on 6.12', () => {
  const answers = (['seed', '6.1', '6.12'] as const).map((profile) => {
    const s = new Session(profile);
    const fd = device(s);
    const block = { index: 2, start: 1, count: 0, data: [] };
    return [irqs(s, fd, block), irqs(s, fd, { index: 2, flags: 33, count: 0 })];
  });
  // What is not enabled cannot be disabled.
  expect(answers).toEqual([
    [0, 0],
    ['EINVAL', 'EINVAL'],
    [0, 0],
  ]);
});

describe('hot reset', () => {
  test('names functions in the order in which they came to their bus', () => {
    const s = new Session('6.12');
    for (const address of [pair, sibling]) s.unbind(address);
    s.call({ op: 'device.remove', pid, device: pair, text: '1' });
    s.call({ op: 'bus.rescan', pid, text: '1' });
    for (const address of [pair, sibling]) s.take(address);
    const c = s.open('vfio');
    const g = s.open('7');
    s.setContainer(g, c);
    s.setIommu(c, 3);
    const info = s.out({ op: 'device.hot_reset_info', pid, fd: Number(s.device(g, pair)) });
    expect(info).toMatchObject({ devices: `7@${sibling} 7@${pair}` });
  });

  test('names all functions of the bus, and wants all their groups', () => {
    const s = new Session('6.12');
    s.take(pair);
    s.take(sibling);
    const c = s.open('vfio');
    const g = s.open('7');
    s.setContainer(g, c);
    s.setIommu(c, 3);
    const fd = Number(s.device(g, pair));
    const info = s.out({ op: 'device.hot_reset_info', pid, fd });
    expect(info).toEqual({ flags: 0, count: 2, devices: `7@${pair} 7@${sibling}` });
    expect(hotReset(s, fd, { groups: [g] })).toBe(0);
    s.unbind(sibling, 'vfio-pci');
    expect(hotReset(s, fd, { groups: [g] })).toBe('EINVAL');
  });

  test('does not reach what was removed', () => {
    const s = new Session('6.12');
    s.take(pair);
    const c = s.open('vfio');
    const g = s.open('7');
    s.unbind(sibling);
    s.setContainer(g, c);
    s.setIommu(c, 3);
    const fd = Number(s.device(g, pair));
    expect(hotReset(s, fd, { groups: [g] })).toBe('EINVAL');
    s.call({ op: 'device.remove', pid, device: sibling, text: '1' });
    expect(s.out({ op: 'device.hot_reset_info', pid, fd })).toMatchObject({ count: 1 });
    expect(hotReset(s, fd, { groups: [g] })).toBe(0);
    expect(hotReset(s, fd, { groups: [g, g] })).toBe('EINVAL');
  });

  test('reaches behind the bridges of the bus', () => {
    const below = ['pci0000:00', '01.0'];
    const functions = [
      functionAt(single, { iommuGroup: 8, slot: [...below, '00.0'] }),
      functionAt('0000:02:01.0', { iommuGroup: 9, headerType: 1, slot: [...below, '01.0'] }),
      functionAt('0000:03:00.0', { iommuGroup: 9, slot: [...below, '01.0', '00.0'] }),
      functionAt('0000:05:00.0', { iommuGroup: 10, slot: ['pci0000:00', '02.0', '00.0'] }),
    ];
    const s = new Session('6.12', testWorld('6.12', snapshotOf(functions)));
    const info = s.out({ op: 'device.hot_reset_info', pid, fd: device(s) });
    expect(info).toMatchObject({ count: 3 });
  });

  test('through a cdev tells ids, and asks for no groups', () => {
    const s = new IommufdSession('6.12');
    const { d } = s.bound();
    const out = s.out({ op: 'device.hot_reset_info', pid, fd: d });
    expect(out).toEqual({ flags: 3, count: 1, devices: `1@${single}` });
    expect(hotReset(s, d)).toBe(0);
    expect(hotReset(s, d, { groups: [d] })).toBe('EINVAL');
  });
});

test('a token that was set opens the virtual function, and guards the physical one while that is open', () => {
  const token = '8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00';
  const [physical, virtual] = [single, '0000:02:10.0'];
  const bound = { driver: 'vfio-pci', driverOverride: 'vfio-pci' };
  const functions = [
    functionAt(physical, { ...bound, iommuGroup: 8, sriov: { totalVfs: 4, numVfs: 1 } }),
    functionAt(virtual, { ...bound, iommuGroup: 9, physicalFunction: physical }),
  ];
  const s = new Session('6.12', testWorld('6.12', snapshotOf(functions)));
  const { c, g } = realInContainer(s, 3);
  const pf = Number(s.device(g, physical));
  const other = s.open('9');
  s.setContainer(other, c);
  expect(s.device(other, virtual)).toBe('EACCES');
  expect(s.device(other, `${virtual} vf_token=${token}`)).toBe('EACCES');
  expect(feature(s, pf, { flags: 0x20000, token })).toBe(0);
  expect(s.device(other, `${virtual} vf_token=${token.toUpperCase()}`)).toBeTypeOf('number');
  expect(s.device(g, physical)).toBe('EACCES');
  expect(s.device(g, `${physical} vf_token=${token}`)).toBeTypeOf('number');
});

describe('laws of what is inside a device are broken by a kernel that forgets', () => {
  const forgets: readonly (readonly [string, string, (s: Session) => Op])[] = [
    [
      'P27',
      'device.read.memory',
      (s) => {
        const fd = device(s);
        write(s, fd, at(config, 4), 0);
        return { op: 'device.read', pid, fd, offset: 0n, count: 4 };
      },
    ],
    [
      'P28',
      'device.ioeventfd.msix',
      (s) => {
        const fd = device(s);
        tell(s, single, { msixTable: { bar: 0, start: 0, end: 80 } });
        return { op: 'device.ioeventfd', pid, fd, flags: 4, offset: 8n, data: 0n, eventfd: eventfd(s) };
      },
    ],
    [
      'P32',
      'device.hot_reset.not-vfio',
      (s) => {
        const { g } = realInContainer(s, 3);
        const fd = Number(s.device(g, single));
        return { op: 'device.hot_reset', pid, fd, flags: 0, groups: [g] };
      },
    ],
    [
      'P32',
      'device.hot_reset.not-held',
      (s) => {
        const { g } = realInContainer(s, 3);
        s.take('0000:02:00.1');
        const fd = Number(s.device(g, single));
        return { op: 'device.hot_reset', pid, fd, flags: 0, groups: [g] };
      },
    ],
  ];

  test.each(forgets)('%s without %s', (id, guard, prepare) => {
    const functions = [functionAt(single, { iommuGroup: 8 }), functionAt('0000:02:00.1', { iommuGroup: 9 })];
    const s = new Session('6.12', testWorld('6.12', snapshotOf(functions)));
    const op = prepare(s);
    const law = laws.find((its) => its.id === id);
    const kept = (absent: readonly string[]): boolean => {
      const all = asking['6.12'];
      const guards = all[op.op].guards.filter((its) => !absent.includes(its.id));
      const outcome = stepAsking(asksInstead(all, { [op.op]: guards }), s.world, s.state, op);
      const state = law?.onState?.(s.world, outcome.state) ?? true;
      return state && (law?.onStep?.(s.world, s.state, op, outcome) ?? true);
    };
    expect([kept([]), kept([guard])]).toEqual([true, false]);
  });
});

/** What the simulated kernel relies on, which asks once for each device. */
describe.each(profileIds)('what a device is, in %s', (profile) => {
  const unread = new Proxy({} as State, {
    get: (_state, part) => {
      throw new Error(`${String(part)} of the state was read`);
    },
  });
  const file = { kind: 'device', refs: 1, groupFile: null, cdev: false, iommufd: null } as const;
  const world = testWorld(profile).world;

  test.each(['device.region_info', 'device.irq_info'] as const)('%s reads nothing that changes', (kind) => {
    const { guards, effect } = asking[profile][kind];
    const answers = world.hardware.flatMap((_hardware, place) =>
      [...Array(12).keys()].flatMap((index) =>
        [null, 0, 16, 32, 40].map((argsz) => {
          const op = { op: kind, pid, fd: 3, argsz, index };
          const its = { ...file, device: place };
          const guard = guards.find(({ applies }) => applies(world, unread, op, its));
          return guard?.id ?? effect(world, unread, op, its).value;
        }),
      ),
    );
    expect(new Set(answers)).toContain(0);
  });
});
