import { describe, expect, test } from 'vitest';
import type { Op } from '../../../src/model/op.ts';
import type { State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { restored, undoOf } from '../../../src/model/undo.ts';
import { lastingOf, show, touched } from '../../../src/model/view.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import {
  bare,
  bareToo,
  bridge,
  functionAt,
  nobody,
  pair,
  sibling,
  snapshotOf,
  testWorld,
} from './machine.ts';

const pid = ROOT;

/** Runs operations that must all succeed. */
function run(world: World, state: State, ...ops: readonly Op[]): State {
  return ops.reduce((now, op) => {
    const { result, state: next } = step(world, now, op);
    expect(result, JSON.stringify(op)).toMatchObject({ ok: true });
    return next;
  }, state);
}

function noiommu(text: string): Op {
  return { op: 'parameter.write', pid, module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text };
}

function toVfio(device: string): readonly Op[] {
  return [
    { op: 'driver.unbind', pid, driver: 'e1000e', device },
    { op: 'override.write', pid, device, text: 'vfio-pci' },
    { op: 'driver.bind', pid, driver: 'vfio-pci', device },
  ];
}

describe('a device without an IOMMU group', () => {
  test('is refused while the parameter is N, and gets a fake group, a node and taint when it is Y', () => {
    const { world, state } = testWorld();
    const ready = run(world, state, ...toVfio(bare).slice(0, 2));
    const bind: Op = { op: 'driver.bind', pid, driver: 'vfio-pci', device: bare };
    expect(step(world, ready, bind).result).toEqual({
      ok: false,
      errno: 'EINVAL',
      guard: 'driver.bind.no-group',
    });
    const bound = run(world, ready, noiommu('Y'), bind);
    const seen = (path: string): string | null => show(world, bound, path);
    expect(seen(`/sys/bus/pci/devices/${bare}/driver`)).toBe('vfio-pci');
    expect(seen(`/sys/bus/pci/devices/${bare}/iommu_group`)).toBe('0');
    expect(seen('/sys/kernel/iommu_groups/0/name')).toBe('vfio-noiommu');
    expect(seen('/sys/kernel/iommu_groups/0/type')).toBe('unknown');
    expect(seen('/dev/vfio/noiommu-0')).toBe('600 0:0');
    expect(seen('/sys/class/vfio/noiommu-0')).toBe('directory');
    expect(seen('/proc/sys/kernel/tainted')).toBe('64');
  });

  test('takes the lowest free group id, and gives it back when it is unbound', () => {
    const { world, state } = testWorld();
    const both = run(world, state, noiommu('Y'), ...toVfio(bare), ...toVfio(bareToo));
    expect(show(world, both, `/sys/bus/pci/devices/${bareToo}/iommu_group`)).toBe('1');
    const one = run(world, both, { op: 'driver.unbind', pid, driver: 'vfio-pci', device: bare });
    expect(show(world, one, '/dev/vfio/noiommu-0')).toBeNull();
    expect(show(world, one, '/sys/kernel/iommu_groups/0')).toBeNull();
    expect(show(world, one, '/proc/sys/kernel/tainted')).toBe('64');
    const again = run(world, one, { op: 'driver.bind', pid, driver: 'vfio-pci', device: bare });
    expect(show(world, again, `/sys/bus/pci/devices/${bare}/iommu_group`)).toBe('0');
  });

  test('names what it touches and what lasts', () => {
    const { world, state } = testWorld();
    const ready = run(world, state, noiommu('Y'), ...toVfio(bare).slice(0, 2));
    const bind: Op = { op: 'driver.bind', pid, driver: 'vfio-pci', device: bare };
    expect(touched(world, ready, bind)).toEqual([
      '/dev/vfio/noiommu-0',
      '/proc/sys/kernel/tainted',
      `/sys/bus/pci/devices/${bare}/driver`,
      `/sys/bus/pci/devices/${bare}/iommu_group`,
      `/sys/bus/pci/devices/${bare}/vfio-dev/vfio0`,
      '/sys/class/vfio/noiommu-0',
      '/sys/kernel/iommu_groups/0',
      '/sys/kernel/iommu_groups/0/name',
      '/sys/kernel/iommu_groups/0/type',
    ]);
    expect(lastingOf(world, ready, bind)[0]).toMatch(/tainted \(64/);
  });
});

describe('undo', () => {
  test('of every step of a way leads back', () => {
    const { world, state } = testWorld();
    const way: readonly Op[] = [
      noiommu('Y'),
      ...toVfio(bare),
      ...toVfio(pair),
      { op: 'node.own', pid, path: '/dev/vfio/noiommu-0', uid: 1000, gid: 1000, mode: 0o660 },
      { op: 'node.own', pid, path: '/dev/vfio/7', uid: 1000, gid: 0xffffffff, mode: 0o600 },
    ];
    const undos: Op[] = [];
    let now = state;
    for (const op of way) {
      const undo = undoOf(world, now, op);
      if ('none' in undo) throw new Error(undo.none);
      undos.unshift(undo);
      now = run(world, now, op);
    }
    const back = run(world, now, ...undos);
    expect(restored(state, back)).toBe(true);
    expect(back.taint).toBe(64);
  });

  test('of loading vfio-pci unloads exactly what was loaded', () => {
    const { world, state } = testWorld(
      '6.1',
      snapshotOf(undefined, { modules: { e1000e: { parameters: {} } }, drivers: ['e1000e'], nodes: [] }),
    );
    const load: Op = { op: 'module.load', pid, module: 'vfio-pci' };
    expect(undoOf(world, state, load)).toEqual({
      op: 'module.unload',
      pid,
      module: 'vfio_pci',
      also: ['vfio_pci_core', 'vfio_virqfd', 'vfio_iommu_type1', 'vfio'],
    });
    const now = run(world, state, load);
    expect(show(world, now, '/sys/module/vfio/parameters/enable_unsafe_noiommu_mode')).toBe('N');
    expect(show(world, now, '/dev/vfio/vfio')).toBe('666 0:0');
    expect(show(world, now, '/sys/bus/pci/drivers/vfio-pci')).toBe('directory');
  });

  test('of loading it unloads irqbypass too, where the machine tells that it is a module', () => {
    const bare = snapshotOf(undefined, {
      modules: { e1000e: { parameters: {} } },
      drivers: ['e1000e'],
      nodes: [],
    });
    const options = { ...bare.kernel.options, IRQ_BYPASS_MANAGER: 'm' } as const;
    const { world, state } = testWorld('6.12', { ...bare, kernel: { ...bare.kernel, options } });
    const load: Op = { op: 'module.load', pid, module: 'vfio_pci' };
    expect(show(world, run(world, state, load), '/sys/module/irqbypass')).toBe('directory');
    expect(undoOf(world, state, load)).toHaveProperty('also', expect.arrayContaining(['irqbypass']));
  });

  test('of loading it again takes along what followed a module that had stayed', () => {
    const { world, state } = testWorld(
      '6.12',
      snapshotOf(undefined, { modules: { e1000e: { parameters: {} } }, drivers: ['e1000e'], nodes: [] }),
    );
    const load: Op = { op: 'module.load', pid, module: 'vfio_pci' };
    const unload = (module: string): Op => ({ op: 'module.unload', pid, module });
    const loaded = run(world, state, load);
    // A module that is there asks for nothing, so what followed vfio stays away until modprobe has something to do.
    const without = run(world, loaded, unload('vfio_iommu_type1'), load);
    expect(show(world, without, '/sys/module/vfio_iommu_type1')).toBeNull();
    const again = run(world, without, unload('vfio_pci'), load);
    expect(show(world, again, '/sys/module/vfio_iommu_type1')).toBe('directory');
  });

  test('is not offered where the model shows that it would not restore', () => {
    const { world, state } = testWorld();
    const owned = run(world, state, ...toVfio(pair), {
      op: 'node.own',
      pid,
      path: '/dev/vfio/7',
      uid: 1000,
      gid: 1000,
      mode: 0o660,
    });
    expect(
      undoOf(world, owned, { op: 'driver.unbind', pid, driver: 'vfio-pci', device: pair }),
    ).toHaveProperty('none');
  });
});

describe('the driver core', () => {
  const { world, state } = testWorld();
  const cases: readonly [string, Op, string, string][] = [
    [
      'a driver that is not there',
      { op: 'driver.bind', pid, driver: 'nvme', device: pair },
      'ENOENT',
      'driver.bind.driver',
    ],
    [
      'a driver that does not match',
      { op: 'driver.bind', pid, driver: 'vfio-pci', device: pair },
      'ENODEV',
      'driver.bind.unmatched',
    ],
    [
      'a device that is bound',
      { op: 'driver.bind', pid, driver: 'e1000e', device: pair },
      'EBUSY',
      'driver.bind.bound',
    ],
    [
      'a device that is not there',
      { op: 'driver.bind', pid, driver: 'e1000e', device: '0000:ff:00.0' },
      'ENODEV',
      'driver.bind.device',
    ],
    [
      'somebody else',
      { op: 'driver.bind', pid: nobody.pid, driver: 'e1000e', device: pair },
      'EACCES',
      'driver.bind.permission',
    ],
    [
      "another driver's device",
      { op: 'driver.unbind', pid, driver: 'vfio-pci', device: pair },
      'ENODEV',
      'driver.unbind.not-bound',
    ],
    ['a text that is no boolean', noiommu('maybe'), 'EINVAL', 'parameter.write.text'],
    [
      'a parameter of a prototype',
      { op: 'parameter.write', pid, module: 'vfio', parameter: 'constructor', text: 'Y' },
      'ENOENT',
      'parameter.write.missing',
    ],
  ];
  test.each(cases)('refuses %s', (_name, op, errno, guard) => {
    expect(step(world, state, op)).toEqual({ state, result: { ok: false, errno, guard } });
  });

  test('refuses a bridge to vfio-pci', () => {
    const ready = run(
      world,
      state,
      { op: 'driver.unbind', pid, driver: 'pcieport', device: bridge },
      { op: 'override.write', pid, device: bridge, text: 'vfio-pci' },
    );
    const bind: Op = { op: 'driver.bind', pid, driver: 'vfio-pci', device: bridge };
    expect(step(world, ready, bind).result).toMatchObject({ errno: 'EINVAL', guard: 'driver.bind.bridge' });
    const probe: Op = { op: 'drivers.probe', pid, device: bridge };
    expect(step(world, ready, probe)).toMatchObject({ result: { ok: true }, state: ready });
  });

  test('binds by drivers_probe what the override names', () => {
    const ready = run(world, state, ...toVfio(sibling).slice(0, 2));
    const bound = run(world, ready, { op: 'drivers.probe', pid, device: sibling });
    expect(show(world, bound, `/sys/bus/pci/devices/${sibling}/driver`)).toBe('vfio-pci');
    expect(show(world, bound, '/dev/vfio/7')).toBe('600 0:0');
  });
});

describe('a world from a snapshot', () => {
  test('starts with the groups, nodes and owners that the snapshot shows', () => {
    const snapshot = snapshotOf(
      [
        functionAt(pair, { iommuGroup: 7, driver: 'vfio-pci', driverOverride: 'vfio-pci' }),
        functionAt(bare, { iommuGroup: 3, driver: 'vfio-pci', driverOverride: 'vfio-pci' }),
      ],
      {
        nodes: [
          { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
          { path: '/dev/vfio/7', uid: 1000, gid: 1001, mode: 0o660 },
          { path: '/dev/vfio/noiommu-3', uid: 0, gid: 0, mode: 0o600 },
        ],
      },
    );
    const { world, state } = worldFrom({ ...snapshot, kernel: { ...snapshot.kernel, taint: 64 } });
    expect(show(world, state, '/dev/vfio/7')).toBe('660 1000:1001');
    expect(show(world, state, '/dev/vfio/noiommu-3')).toBe('600 0:0');
    expect(show(world, state, '/sys/kernel/iommu_groups/3/name')).toBe('vfio-noiommu');
    expect(world.devices.get(bare)?.group).toBeNull();
    const free = run(world, state, { op: 'driver.unbind', pid, driver: 'vfio-pci', device: bare });
    expect(show(world, free, '/sys/kernel/iommu_groups/3')).toBeNull();
  });

  test('is the same whether devices are bound in the snapshot or one after another', () => {
    const override = { driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
    const before = [
      functionAt(pair, { iommuGroup: 7 }),
      functionAt(sibling, { iommuGroup: 7 }),
      functionAt(bare),
    ];
    const bound = before.map((pci) => ({ ...pci, ...override }));
    const fake = { ...bound[2], address: bare, iommuGroup: 0 };
    const nodes = ['vfio/vfio', 'vfio/7', 'vfio/noiommu-0', 'kvm'].map((name) => ({
      path: `/dev/${name}`,
      uid: 0,
      gid: 0,
      mode: name === 'vfio/vfio' || name === 'kvm' ? 0o666 : 0o600,
    }));
    const { world, state } = testWorld('6.12', snapshotOf(before));
    const way = [noiommu('Y'), ...toVfio(pair), ...toVfio(sibling), ...toVfio(bare), noiommu('N')];
    const booted = testWorld(
      '6.12',
      snapshotOf([...bound.slice(0, 2), functionAt(bare, fake)], { nodes }),
    ).state;
    expect({ ...booted, taint: 64 }).toEqual(run(world, state, ...way));
  });

  test('writes down every unknown that it reads in some way', () => {
    const unknown = { unknown: 'the report does not say' };
    const snapshot = snapshotOf([functionAt(pair, { driver: unknown, driverOverride: unknown })]);
    const { world } = worldFrom({
      ...snapshot,
      kernel: {
        ...snapshot.kernel,
        release: unknown,
        options: { ...snapshot.kernel.options, VFIO_NOIOMMU: unknown },
      },
    });
    expect(world.assumed.map(({ fact, taken }) => `${fact} ${taken}`)).toEqual([
      '/kernel/release 6.12',
      '/kernel/options/VFIO_NOIOMMU y',
      `/functions/${pair}/driver none`,
      `/functions/${pair}/driverOverride none`,
    ]);
  });
});

/** As two functions of pci-testdev on one bus did on real kernels 6.1 and 6.12, of which the first has its bus alone. */
test.each(['6.1', '6.12'] as const)(
  'a function comes back to a bus with others without a way to be reset: %s',
  (profile) => {
    const functions = [
      functionAt(pair, { iommuGroup: 7, resetMethods: ['bus'], driver: null }),
      functionAt(sibling, { iommuGroup: 7, resetMethods: [], driver: null }),
    ];
    const { world, state } = testWorld(profile, snapshotOf(functions));
    const reset: readonly Op[] = [
      { op: 'device.reset_method', pid, device: pair, text: 'bus' },
      { op: 'device.sysfs_reset', pid, device: pair, text: '1' },
    ];
    const file = `/sys/bus/pci/devices/${pair}/reset_method`;
    expect(show(world, state, file)).toBe('bus');
    const back = run(
      world,
      state,
      { op: 'device.remove', pid, device: pair, text: '1' },
      { op: 'bus.rescan', pid, text: '1' },
    );
    expect(show(world, back, file)).toBeNull();
    for (const op of reset)
      expect(step(world, back, op).result).toMatchObject({ ok: false, errno: 'ENOENT' });
  },
);
