import { expect, test } from 'vitest';
import { taintUser } from '../../../src/model/binding.ts';
import { logOf } from '../../../src/model/log.ts';
import type { Op } from '../../../src/model/op.ts';
import { step } from '../../../src/model/step.ts';
import { ueventsOf } from '../../../src/model/uevents.ts';
import { show } from '../../../src/model/view.ts';
import { ROOT } from '../../../src/model/world.ts';
import { IommufdSession, iommufdWorld } from './iommufd-session.ts';
import { bare, nobody, single, snapshotOf, user } from './machine.ts';
import { alone, noIommu } from './provocation.ts';

/** Devices without an IOMMU since the series of 2026: they have a cdev, and attach to address spaces of iommufd. */

const node = '/dev/vfio/devices/noiommu-vfio0';
const nodeOf = (s: IommufdSession, path = node) => show(s.world, s.state, path);

function session(): IommufdSession {
  return new IommufdSession('noiommu-cdev');
}

/** The device without an IOMMU with vfio-pci. */
function made(s = session()): IommufdSession {
  s.parameter('Y');
  s.take(bare);
  return s;
}

test('a device without an IOMMU has a cdev with a name of its own', () => {
  const s = made();
  expect(nodeOf(s)).toBe('600 0:0');
  expect(nodeOf(s, `/sys/bus/pci/devices/${bare}/vfio-dev/noiommu-vfio0`)).toBe('directory');
  expect(nodeOf(s, `/sys/bus/pci/devices/${bare}/vfio-dev/vfio0`)).toBeNull();
  expect(nodeOf(s, '/dev/vfio/devices/vfio0')).toBeNull();
  s.take(single);
  expect(nodeOf(s, '/dev/vfio/devices/vfio1')).toBe('600 0:0');
  s.unbind(bare, 'vfio-pci');
  expect(nodeOf(s)).toBeNull();
});

test('it has none where IOMMUFD_NOIOMMU is off, and the old name then', () => {
  const { kernel } = snapshotOf();
  const options = { ...kernel.options, IOMMUFD: 'y', VFIO_DEVICE_CDEV: 'y', IOMMUFD_NOIOMMU: 'n' } as const;
  const s = made(
    new IommufdSession('noiommu-cdev', iommufdWorld('noiommu-cdev', { kernel: { ...kernel, options } })),
  );
  expect(nodeOf(s)).toBeNull();
  expect(nodeOf(s, `/sys/bus/pci/devices/${bare}/vfio-dev/vfio0`)).toBe('directory');
});

test('registering it taints, and the log and udev are told so', () => {
  const { world, state } = iommufdWorld('noiommu-cdev');
  const allow: Op = {
    op: 'parameter.write',
    pid: ROOT,
    module: 'vfio',
    parameter: 'enable_unsafe_noiommu_mode',
    text: 'Y',
  };
  const ready = [
    allow,
    { op: 'driver.unbind', pid: ROOT, driver: 'e1000e', device: bare },
    { op: 'override.write', pid: ROOT, device: bare, text: 'vfio-pci' },
  ] as const;
  const before = ready.reduce((now, op) => step(world, now, op).state, state);
  const op: Op = { op: 'driver.bind', pid: ROOT, driver: 'vfio-pci', device: bare };
  const outcome = step(world, before, op);
  expect(outcome.state.taint).toBe(taintUser);
  expect(logOf(world, before, op, outcome, 'sh')).toEqual([
    `vfio-pci ${bare}: Adding to iommu group 0`,
    `vfio-pci ${bare}: Adding kernel taint for vfio-noiommu group on device`,
    `vfio-pci ${bare}: Adding kernel taint for vfio-noiommu cdev`,
  ]);
  expect(ueventsOf(world, before, op, outcome.state)).toContainEqual({
    action: 'add',
    subsystem: 'vfio-dev',
    name: 'noiommu-vfio0',
    node: 'vfio/devices/noiommu-vfio0',
  });
});

test('opening it asks for CAP_SYS_RAWIO, whoever owns the node', () => {
  const s = made();
  expect(s.tryOpen('devices/noiommu-vfio0', nobody.pid)).toBe('EACCES');
  s.call({ op: 'node.own', pid: ROOT, path: node, uid: nobody.uid, gid: 0, mode: 0o600 });
  expect(s.tryOpen('devices/noiommu-vfio0', nobody.pid)).toBe('EPERM');
  expect(s.tryOpen('devices/noiommu-vfio0')).toBe(3);
});

test('it is bound and attached, and its group is closed meanwhile', () => {
  const s = made();
  const { d, i } = s.bound(bare);
  expect(s.tryOpen('noiommu-0')).toBe('EBUSY');
  const ioas = s.alloc(i);
  const table = s.attach(d, ioas);
  expect(table).toBe(3);
  expect(s.ask('iommufd.destroy', { fd: i, id: ioas })).toBe('EBUSY');
  expect(s.detach(d)).toBe(0);
  expect(s.attach(d, 3)).toBe('ENOENT');
  s.close(d);
  expect(s.tryOpen('noiommu-0')).not.toBe('EBUSY');
});

test('neither insecure interrupts nor an owner of the group stop it: there is none of either', () => {
  const s = made(new IommufdSession('noiommu-cdev', iommufdWorld('noiommu-cdev', noIommu, alone)));
  expect(s.bound(bare)).toEqual({ d: 3, i: 4 });
  expect(s.state.iommuGroups.find(({ fake }) => fake)).toMatchObject({ ownerCount: 0, iommufd: null });
});

test('beside a device behind an IOMMU it gets a page table of its own, which takes every address', () => {
  const s = made();
  const { d, i } = s.bound(bare);
  const ioas = s.alloc(i);
  expect(s.ioasMap(i, ioas, 0xfee00000n)).toBe(0xfee00000n);
  expect(s.ioasMap(i, ioas, 1n << 60n)).toBe(1n << 60n);
  const software = s.attach(d, ioas);
  s.take(single);
  const other = s.cdev(single);
  s.bindIommufd(other, i);
  // What the IOMMU reserves and does not translate is mapped there.
  expect(s.attach(other, ioas)).toBe('EADDRINUSE');
  s.ioasUnmap(i, ioas, 0xfee00000n, 0x1000n);
  s.ioasUnmap(i, ioas, 1n << 60n, 0x1000n);
  const real = s.attach(other, ioas);
  expect(real).not.toBe(software);
  expect(s.attach(other, Number(software))).toBe('EINVAL');
  expect(s.ioasMap(i, ioas, 1n << 60n)).toBe('EINVAL');
});

test('memory that is mapped for it is pinned, once for both page tables', () => {
  const s = made();
  const d = s.cdev(bare);
  const i = s.iommufd();
  s.bindIommufd(d, i);
  const ioas = s.alloc(i);
  s.attach(d, ioas);
  expect(s.ioasMap(i, ioas, 0n, { memory: 'none' })).toBe('EFAULT');
  const iUser = s.pass(i);
  // As much as the limit of the user has.
  const length = BigInt(user.memlock ?? 0);
  const map = { length, pid: user.pid };
  expect(s.ioasMap(iUser, ioas, 0n, { ...map, length: length + 0x1000n })).toBe('ENOMEM');
  expect(s.ioasMap(iUser, ioas, 0n, map)).toBe(0n);
  s.take(single);
  const other = s.cdev(single);
  s.bindIommufd(other, i);
  expect(s.attach(other, ioas)).toBe(5);
});

test('a physical address is told of what is mapped for a device without an IOMMU', () => {
  const s = made();
  const { d, i } = s.bound(bare);
  const ioas = s.alloc(i);
  s.ioasMap(i, ioas, 0n);
  const get = (iova: bigint, length = 0x1000n) =>
    s.ask('iommufd.noiommu_get_pa', { fd: i, flags: 0, ioas, iova, length });
  expect(get(0n)).toBe('EOPNOTSUPP');
  s.attach(d, ioas);
  expect([get(0n), get(0xfffn, 1n << 40n), get(0x1000n), get(0n, 0n)]).toEqual([0, 0, 'ENOENT', 'EINVAL']);
  // The page table that came first is the one that is read.
  s.take(single);
  const other = s.cdev(single);
  s.bindIommufd(other, i);
  s.attach(other, ioas);
  expect(get(0n)).toBe(0);
  s.detach(d);
  expect(get(0n)).toBe('EOPNOTSUPP');
  s.attach(d, ioas);
  expect(get(0n)).toBe('EOPNOTSUPP');
  s.detach(other);
  expect(get(0n)).toBe(0);
});

test('it opens by its group as before, and is then no object of the iommufd', () => {
  const s = made();
  const g = s.open('noiommu-0');
  const i = s.iommufd();
  expect(s.setContainer(g, i)).toBe(0);
  expect(s.device(g, bare)).toBe(5);
  expect(s.ask('iommufd.destroy', { fd: i, id: 1 })).toBe('ENOENT');
});

test('through its cdev a reset of its bus is told by ids', () => {
  const s = made();
  const { d } = s.bound(bare);
  const info = s.out({ op: 'device.hot_reset_info', pid: ROOT, fd: d });
  // What the machine has on that bus: this function alone, which is the object 1 of the iommufd.
  expect(info).toEqual({ count: 1, flags: 3, devices: `1@${bare}` });
  expect(s.call({ op: 'device.hot_reset', pid: ROOT, fd: d, flags: 0, groups: [] })).toBe(0);
});
