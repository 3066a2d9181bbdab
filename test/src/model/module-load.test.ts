import { describe, expect, test } from 'vitest';
import { logOf } from '../../../src/model/log.ts';
import { argumentsOf } from '../../../src/model/module-arguments.ts';
import type { Op } from '../../../src/model/op.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import { step } from '../../../src/model/step.ts';
import { ueventsOf } from '../../../src/model/uevents.ts';
import { undoOf } from '../../../src/model/undo.ts';
import { show } from '../../../src/model/view.ts';
import { ROOT } from '../../../src/model/world.ts';
import { bare, functionAt, pair, single, snapshotOf, testWorld } from './machine.ts';

const pid = ROOT;
const free = { driver: null, drivers: [] };

/** A machine without any module: two devices with groups, and a third of another model without one. */
function made(profile: ProfileId) {
  const functions = [
    functionAt(pair, { ...free, iommuGroup: 7 }),
    functionAt(single, { ...free, iommuGroup: 8, driverOverride: 'vfio-pci', device: '1572' }),
    functionAt(bare, { ...free, device: '37c8' }),
  ];
  return testWorld(profile, snapshotOf(functions, { modules: {}, drivers: [], nodes: [] }));
}

/** What modprobe answers, and what the kernel says and shows. */
function loaded(profile: ProfileId, module: string, ...parameters: readonly string[]) {
  const { world, state } = made(profile);
  const op: Op = { op: 'module.load', pid, module, parameters };
  const outcome = step(world, state, op);
  return {
    world,
    outcome,
    log: logOf(world, state, op, outcome, 'test'),
    uevents: ueventsOf(world, state, op, outcome.state).map(
      ({ action, subsystem, name }) => `${action} ${subsystem} ${name}`,
    ),
    undo: undoOf(world, state, op),
    shows: (path: string) => show(world, outcome.state, path),
    driver: (device: string) => show(world, outcome.state, `/sys/bus/pci/devices/${device}/driver`),
  };
}

const version = 'VFIO - User Level meta-driver version: 0.3';

describe.each(['6.1', '6.12'] as const)('Linux %s loads a module', (profile) => {
  test('with ids: each is added and offered once the driver is there, and what is none is skipped', () => {
    const { log, uevents, driver, outcome } = loaded(
      profile,
      'vfio-pci',
      'ids=8086:nope,,8086:10d3,10de:ffffffff',
    );
    expect(outcome.result).toMatchObject({ ok: true, value: 0 });
    expect([pair, single, bare].map(driver)).toEqual(['vfio-pci', 'vfio-pci', null]);
    expect(log).toEqual([
      version,
      'vfio_pci: invalid id string "8086:nope"',
      'vfio_pci: add [8086:10d3[ffffffff:ffffffff]] class 0x000000/00000000',
      'vfio_pci: add [10de:ffffffff[ffffffff:ffffffff]] class 0x000000/00000000',
    ]);
    // The device with an override has it from the start, the other one when its id comes.
    expect(uevents.filter((event) => event.includes('bind') || event.includes('drivers'))).toEqual([
      `bind pci ${single}`,
      'add drivers vfio-pci',
      `bind pci ${pair}`,
    ]);
  });

  test('with the mode without an IOMMU, and then one that its ids name without a group', () => {
    const noiommu = loaded(profile, 'vfio', 'enable-unsafe-noiommu-mode');
    expect(noiommu.shows('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode')).toBe('Y');
    expect(noiommu.shows('/sys/module/vfio_iommu_type1')).toBe('directory');
    const { world, outcome } = noiommu;
    const op: Op = {
      op: 'module.load',
      pid,
      module: 'vfio_pci',
      parameters: ['ids=8086:37c8', 'disable_denylist=1'],
    };
    const second = step(world, outcome.state, op);
    expect(show(world, second.state, `/dev/vfio/noiommu-0`)).toBe('600 0:0');
    expect(logOf(world, outcome.state, op, second, 'test')).toEqual([
      `vfio-pci ${bare}: Adding to iommu group 0`,
      `vfio-pci ${bare}: Adding kernel taint for vfio-noiommu group on device`,
      `vfio-pci ${bare}: device denylist disabled - allowing device 8086:37c8.`,
      'vfio_pci: add [8086:37c8[ffffffff:ffffffff]] class 0x000000/00000000',
      'vfio_pci: device denylist disabled.',
    ]);
    const write: Op = {
      op: 'parameter.write',
      pid,
      module: 'vfio_pci',
      parameter: 'disable_denylist',
      text: 'N',
    };
    expect(step(world, second.state, write).result).toMatchObject({ errno: 'EACCES' });
    expect(step(world, second.state, { ...write, parameter: 'ids' }).result).toMatchObject({
      errno: 'ENOENT',
    });
  });

  test('whatever names it does not know, and not with a value that it cannot read; what it needs stays', () => {
    const unknown = loaded(profile, 'vfio', 'enable_unsafe_noiommu_support=1', '--', 'more=1');
    expect(unknown.log).toEqual(["vfio: unknown parameter 'enable_unsafe_noiommu_support' ignored", version]);
    const wrong = loaded(profile, 'vfio_pci', 'enable_sriov=maybe', 'what');
    expect(wrong.outcome.result).toMatchObject({ errno: 'EINVAL', guard: 'module.load.invalid' });
    expect(wrong.log).toEqual([
      version,
      "vfio_pci: `maybe' invalid for parameter `enable_sriov'",
      "vfio_pci: unknown parameter 'what' ignored",
    ]);
    expect(
      ['vfio', 'vfio_iommu_type1', 'vfio_pci'].map((name) => wrong.shows(`/sys/module/${name}`)),
    ).toEqual(['directory', 'directory', null]);
    expect(
      loaded(profile, 'vfio_pci', 'enable_sriov=maybe', `ids=${'x'.repeat(1024)}`).outcome.result,
    ).toMatchObject({ errno: 'ENOSPC' });
  });

  test('and unloading it takes all back', () => {
    const { undo } = loaded(profile, 'vfio-pci', 'ids=8086:10d3', 'enable_sriov');
    expect(undo).toMatchObject({ op: 'module.unload', module: 'vfio_pci' });
  });

  test('that is there already as it is', () => {
    const { world, state } = testWorld(profile);
    const op: Op = {
      op: 'module.load',
      pid,
      module: 'vfio',
      parameters: ['enable_unsafe_noiommu_mode=maybe'],
    };
    expect(step(world, state, op)).toMatchObject({ result: { ok: true, value: 0 }, state });
  });
});

test('of the ids that a mailed kernel adds, wildcards are shown as 16 bits', () => {
  expect(loaded('seed', 'vfio_pci', 'ids=8086:10d3:1:2:20000:ff0000').log.at(-1)).toBe(
    'vfio_pci: add [8086:10d3[0001:0002]] class 0x020000/00ff0000',
  );
  expect(loaded('seed', 'vfio_pci', 'ids=8086:10d3').log.at(-1)).toContain('[ffff:ffff]');
});

test('arguments are split at spaces outside quotes', () => {
  expect(argumentsOf(['a=1 b', '"c=x y"', 'd="e f"', '=g', '--', 'h'])).toEqual([
    { name: 'a', text: '1' },
    { name: 'b', text: null },
    { name: 'c', text: 'x y' },
    { name: 'd', text: 'e f' },
    { name: '=g', text: null },
  ]);
});
