import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guardOf, guardsOf } from '../../../src/model/guards.ts';
import { laws } from '../../../src/model/laws.ts';
import type { Op } from '../../../src/model/op.ts';
import { rules } from '../../../src/model/ops.ts';
import { profileIds, profiles, profilesSince } from '../../../src/model/profiles.ts';
import type { State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { undoOf } from '../../../src/model/undo.ts';
import { lastingOf, show, touched } from '../../../src/model/view.ts';
import { ROOT } from '../../../src/model/world.ts';
import { iommufdWorld } from './iommufd-session.ts';
import { iommufdShapes, iommufdWays, mostlyZero, nestingWay } from './iommufd-shapes.ts';
import { bare, bridge, machine, nobody, pair, sibling, single, testWorld, user } from './machine.ts';
import { selftestWorld } from './selftest-session.ts';

/** Arguments that a caller may come with, hostile ones among the sensible. */
const anyNumber = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 10 }) },
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -0,
    0.5,
    2 ** 32,
    2 ** 53,
    -(2 ** 31),
    Number.MAX_VALUE,
  ),
);
const anyWord = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0n, 0x1000n, 0x2000n, 0x3000n, 0xfee00000n) },
  fc.constantFrom(-1n, 1n, 2n ** 64n - 1n, 2n ** 64n - 0x1000n, 2n ** 63n, 2n ** 80n),
);
const anyOffset = fc.oneof(
  fc.constantFrom(0n, 4n, 16n, 0x1000n, 0x1fffcn).map((place) => place),
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0n, 4n, 0x10n, 0x3cn, 0xfffn))
    .map(([index, place]) => (BigInt(index) << 40n) + place),
  anyWord,
);
const anyName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...machine.map(({ address }) => address)) },
  fc.constantFrom('', 'nope', '__proto__', 'constructor', `${pair} `, `${pair} vf_token=x`, 'x'.repeat(5000)),
);
const anyModule = fc.constantFrom(
  'vfio',
  'vfio-pci',
  'vfio_iommu_type1',
  'e1000e',
  'vfio_pci_core',
  '__proto__',
  '',
  'nope',
);
const anyDriver = fc.constantFrom('vfio-pci', 'e1000e', 'pcieport', 'pci-stub', '__proto__', 'nope');
const anyText = fc.constantFrom(
  'Y',
  'N',
  '',
  '\n',
  'on',
  'vfio-pci',
  'e1000e',
  '99999999999',
  '7',
  'x'.repeat(4095),
  '\0',
);
const anyCount = fc.constantFrom(
  '0',
  '1',
  '2',
  '1\n',
  '0x1',
  '010',
  '+1',
  '-1',
  '',
  '\n',
  '65536',
  '9'.repeat(50),
  '0x',
  '1\0x',
  'yes',
  `0x${'0'.repeat(80)}1`,
);
const anyIds = fc.constantFrom(
  '8086 10d3',
  '8086 1572',
  '10ec 8139',
  '10ec 8139 8086 1 20000 ff0000 0',
  '10ec 8139 8086 1 20000 ff0000 1',
  'ffffffff ffffffff',
  '1',
  '',
  ' 0x8086\t0x1\n',
  'z z',
  '99999999999999999999 1',
  '8086:10d3',
);
const anyPath = fc.constantFrom(
  '/dev/vfio/vfio',
  '/dev/vfio/7',
  '/dev/vfio/8',
  '/dev/vfio/noiommu-0',
  '/dev/vfio/noiommu-1',
  '/dev/iommu',
  '/dev/vfio/devices/vfio0',
  '/dev/vfio/devices/noiommu-vfio1',
  '/dev/vfio/devices/vfio9',
  '/dev/null',
  '/dev/vfio/',
  '',
  '/dev/vfio/__proto__',
);
const anyConfiguration = fc.constantFrom(
  '/etc/modprobe.d/vfioplan.conf',
  '/etc/modprobe.d',
  '/etc/modprobe.d/',
  '/etc/modprobe.d/..',
  '/etc/systemd/system/vpp.service.d',
  '/etc/systemd/system/vpp.service.d/60-vfioplan.conf',
  '/etc',
  '/etc/__proto__',
  '/etc/__proto__/constructor',
  '__proto__',
  '/',
  '',
  '/etc/shadow',
  '/etc/modprobe.d/x\0y',
  'x'.repeat(5000),
);
const argsz = fc.option(
  fc.constantFrom<number | null>(null, 0, 8, 16, 20, 24, 32, 48, 116, 120, Number.NaN, -1),
  {
    nil: undefined,
  },
);

const pid = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(ROOT, ROOT, user.pid, nobody.pid) }, anyNumber);
const fd = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 3, max: 7 }) }, anyNumber);

/** struct vfio_bitmap, as it is or left out. */
const bitmap = {
  pgsize: fc.option(fc.oneof(fc.constant(0x1000n), anyWord), { nil: undefined }),
  bitmapSize: fc.option(fc.oneof(fc.constantFrom(8n, 64n, 2n ** 28n), anyWord), { nil: undefined }),
  bitmap: fc.option(fc.constantFrom('writable', 'read-only', 'none', 'kernel', 'unreadable'), {
    nil: undefined,
  }),
};

const shapes: { readonly [Kind in Op['op']]: fc.Arbitrary<Record<string, unknown>> } = {
  'module.load': fc.record({
    module: anyModule,
    parameters: fc.option(
      fc.array(
        fc.constantFrom('ids=8086:10d3,x,8086:1572', 'enable_sriov', 'enable_sriov=x', '--', '', '"=', 'ids'),
        { maxLength: 3 },
      ),
      { nil: undefined },
    ),
  }),
  'module.unload': fc.record({ module: anyModule, also: fc.array(anyModule, { maxLength: 2 }) }),
  'parameter.write': fc.record({
    module: anyModule,
    parameter: fc.constantFrom('enable_unsafe_noiommu_mode', 'dma_entry_limit', '__proto__', ''),
    text: anyText,
  }),
  'override.write': fc.record({ device: anyName, text: anyText }),
  'driver.bind': fc.record({ driver: anyDriver, device: anyName }),
  'driver.unbind': fc.record({ driver: anyDriver, device: anyName }),
  'drivers.probe': fc.record({ device: anyName }),
  'node.own': fc.record({ path: anyPath, uid: anyNumber, gid: anyNumber, mode: anyNumber }),
  'config.write': fc.record({ path: anyConfiguration, text: anyText }),
  'config.remove': fc.record({ path: anyConfiguration }),
  'config.make_directory': fc.record({ path: anyConfiguration }),
  'config.remove_directory': fc.record({ path: anyConfiguration }),
  'driver.new_id': fc.record({ driver: anyDriver, text: anyIds }),
  'driver.remove_id': fc.record({ driver: anyDriver, text: anyIds }),
  'bus.autoprobe': fc.record({ text: anyCount }),
  'bus.rescan': fc.record({ device: fc.option(anyName, { nil: undefined }), text: anyCount }),
  'device.remove': fc.record({ device: anyName, text: anyCount }),
  'device.enable': fc.record({ device: anyName, text: anyCount }),
  'device.sysfs_reset': fc.record({ device: anyName, text: anyCount }),
  'device.reset_method': fc.record({
    device: anyName,
    text: fc.constantFrom('\n', '', 'flr', 'bus flr', 'default\n', 'no', 'pm', '  flr\n', 'flr '.repeat(8)),
  }),
  'device.sriov_numvfs': fc.record({ device: anyName, text: anyCount }),
  'device.sriov_autoprobe': fc.record({ device: anyName, text: anyText }),
  'iommu_group.type': fc.record({
    group: anyNumber,
    text: fc.constantFrom('DMA', 'DMA-FQ\n', 'identity', 'auto', 'dma', '', 'DMA\n\n'),
  }),
  open: fc.record({ path: anyPath }),
  close: fc.record({ fd }),
  'descriptor.pass': fc.record({ fd, to: pid }),
  'file.call': fc.record({ fd, call: fc.constantFrom('read', 'write', 'mmap', 'lseek') }),
  eventfd: fc.record({}),
  'container.api_version': fc.record({ fd }),
  'container.check_extension': fc.record({ fd, extension: anyNumber }),
  'container.set_iommu': fc.record({ fd, type: anyNumber }),
  'container.map_dma': fc.record({
    fd,
    flags: anyNumber,
    vaddr: anyWord,
    iova: anyWord,
    size: anyWord,
    memory: fc.constantFrom('writable', 'untouched', 'read-only', 'none'),
    argsz,
  }),
  'container.get_info': fc.record({ fd, argsz }),
  'container.unmap_dma': fc.record({ fd, flags: anyNumber, iova: anyWord, size: anyWord, argsz, ...bitmap }),
  'container.dirty_pages': fc.record({
    fd,
    flags: anyNumber,
    iova: anyWord,
    size: anyWord,
    argsz,
    ...bitmap,
  }),
  'group.get_status': fc.record({ fd, argsz }),
  'group.set_container': fc.record({ fd, container: fd, argsz }),
  'group.unset_container': fc.record({ fd }),
  'group.get_device_fd': fc.record({ fd, name: anyName, argsz }),
  'device.bind_iommufd': fc.record({
    fd,
    iommufd: fd,
    flags: mostlyZero,
    token: fc.option(fc.constantFrom('', '8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00', 'x'), { nil: undefined }),
    tail: fc.option(fc.boolean(), { nil: undefined }),
    argsz,
  }),
  'device.attach_ioas': fc.record({ fd, target: anyNumber, flags: mostlyZero, argsz }),
  'device.detach_ioas': fc.record({ fd, flags: mostlyZero, argsz }),
  ...iommufdShapes({ fd, argsz, anyNumber, anyWord }),
  'device.get_info': fc.record({ fd, argsz }),
  'device.region_info': fc.record({ fd, index: anyNumber, argsz }),
  'device.irq_info': fc.record({ fd, index: anyNumber, argsz }),
  'device.reset': fc.record({ fd }),
  'kvm.create_vm': fc.record({ fd }),
  'kvm.create_device': fc.record({ fd, argsz }),
  'kvm.add_group': fc.record({ fd, file: fd, argsz }),
  'kvm.del_group': fc.record({ fd, file: fd, argsz }),
  'device.set_irqs': fc.record({
    fd,
    flags: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(33, 34, 36, 36, 20, 12, 17, 9) }, anyNumber),
    index: anyNumber,
    start: anyNumber,
    count: anyNumber,
    data: fc.array(anyNumber, { maxLength: 4 }),
    argsz,
  }),
  'device.read': fc.record({ fd, offset: anyOffset, count: anyNumber }),
  'device.write': fc.record({ fd, offset: anyOffset, bytes: fc.array(anyNumber, { maxLength: 6 }) }),
  'device.mmap': fc.record({
    fd,
    offset: anyOffset,
    length: fc.oneof(fc.constantFrom(4096, 131072), anyNumber),
    shared: fc.boolean(),
  }),
  'device.hot_reset_info': fc.record({ fd, argsz }),
  'device.hot_reset': fc.record({ fd, flags: anyNumber, groups: fc.array(fd, { maxLength: 3 }), argsz }),
  'device.ioeventfd': fc.record({ fd, flags: anyNumber, offset: anyWord, data: anyWord, eventfd: fd, argsz }),
  'device.feature': fc.record({
    fd,
    flags: fc.oneof(
      fc.constantFrom(0x20003, 0x20004, 0x20005, 0x20000, 0x40001, 0x10000, 0x70000),
      anyNumber,
    ),
    token: fc.constantFrom('', '8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00', '__proto__'),
    eventfd: fd,
    argsz,
  }),
  ioctl: fc.record({
    fd,
    request: fc.oneof(fc.integer({ min: 0x3b63, max: 0x3b79 }), anyNumber),
    argsz,
  }),
};

const anyOp: fc.Arbitrary<Op> = fc.oneof(
  ...Object.entries(shapes).map(([op, shape]) =>
    fc
      .record({ op: fc.constant(op), pid, rest: shape })
      .map((made): Op => ({ ...definedOnly(made.rest), op: made.op, pid: made.pid }) as unknown as Op),
  ),
);

function definedOnly(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A way that leads somewhere, so that the arbitrary operations meet open files. */
const prelude: readonly Op[] = [
  { op: 'parameter.write', pid: ROOT, module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' },
  { op: 'parameter.write', pid: ROOT, module: 'vfio', parameter: 'enable_unsafe_noiommu_support', text: 'Y' },
  ...[single, bare, pair, sibling].flatMap((device): Op[] => [
    { op: 'driver.unbind', pid: ROOT, driver: 'e1000e', device },
    { op: 'override.write', pid: ROOT, device, text: 'vfio-pci' },
    { op: 'driver.bind', pid: ROOT, driver: 'vfio-pci', device },
  ]),
  { op: 'override.write', pid: ROOT, device: bridge, text: 'vfio-pci' },
  { op: 'open', pid: ROOT, path: '/dev/vfio/vfio' },
  { op: 'open', pid: ROOT, path: '/dev/vfio/8' },
  { op: 'group.set_container', pid: ROOT, fd: 4, container: 3 },
  { op: 'container.set_iommu', pid: ROOT, fd: 3, type: 1 },
  { op: 'group.get_device_fd', pid: ROOT, fd: 4, name: single },
];

const seed = 20_151_028;

/** Kernels with the way that leads somewhere there, and those with iommufd with further ones. */
const ways = [
  ...profileIds.map((profile) => [profile, 'a container', testWorld(profile), prelude] as const),
  ...profilesSince('6.12').flatMap((profile) =>
    Object.entries(iommufdWays).map(
      ([name, way]) => [profile, name, iommufdWorld(profile), [...prelude.slice(0, 14), ...way]] as const,
    ),
  ),
  ['6.12', 'nested page tables', selftestWorld('6.12'), [...prelude.slice(0, 14), ...nestingWay]] as const,
];

test.each(ways)(
  '%s, %s: no operation throws, and no refusal changes anything',
  (profile, _name, made, way) => {
    const { world, state } = made;
    const kept = laws.filter(({ profiles: keepers }) => keepers.includes(profile));
    const known = guardsOf(world.profile);
    fc.assert(
      fc.property(fc.nat(way.length), fc.array(anyOp, { minLength: 1, maxLength: 25 }), (length, ops) => {
        let now = state;
        for (const op of [...way.slice(0, length), ...ops]) {
          const { result, state: next } = step(world, now, op);
          if (!result.ok) {
            if (known.get(result.guard)?.leaves === undefined) expect(next).toBe(now);
            expect(guardOf(world.profile, result.guard).citation).not.toBe('');
          }
          for (const law of kept) {
            const holds = law.onStep?.(world, now, op, { result, state: next }) ?? true;
            if (!holds || law.onState?.(world, next) === false) throw new Error(`${law.id} is broken`);
          }
          now = next;
        }
      }),
      { seed, numRuns: 500 },
    );
  },
);

const undoWays = ways.filter(([profile]) => profile === '6.12');

test.each(undoWays)('%s, %s: an undo that is offered restores', (_profile, _name, { world, state }, way) => {
  fc.assert(
    fc.property(fc.nat(way.length), fc.array(anyOp, { minLength: 1, maxLength: 6 }), (length, ops) => {
      let now = state;
      for (const op of [...way.slice(0, length), ...ops]) {
        const undo = undoOf(world, now, op);
        const after = step(world, now, op).state;
        const paths = touched(world, now, op);
        lastingOf(world, now, op);
        if (!('none' in undo)) expectShownAgain(world, now, step(world, after, undo).state, paths);
        now = after;
      }
    }),
    { seed, numRuns: 150 },
  );
});

function expectShownAgain(world: World, before: State, restored: State, paths: readonly string[]): void {
  for (const path of paths) {
    // Taint stays; X of vfioX may be another number.
    if (path === '/proc/sys/kernel/tainted' || path.includes('/vfio-dev/') || path.includes('/vfio/devices/'))
      continue;
    expect(show(world, restored, path), path).toBe(show(world, before, path));
  }
}

test('every operation has a shape here and a rule there', () => {
  expect(Object.keys(shapes).sort()).toEqual(Object.keys(rules).sort());
});

test('every guard has words and a citation of a kernel file and function', () => {
  for (const profile of Object.values(profiles)) {
    for (const [id, guard] of guardsOf(profile)) {
      expect(guard.words, id).toMatch(/^\S.{10,}[^.]$/);
      expect(guardOf(profile, id).citation, id).toMatch(
        /[a-z0-9-]+\.c(:[A-Za-z_]|$)|^the model:|^fs\/|^kmod:/,
      );
    }
  }
});
