import fc from 'fast-check';
import { nodePaths } from '../../../src/model/nodes.ts';
import type { Op } from '../../../src/model/op.ts';
import type { OpenFile, State, World } from '../../../src/model/state.ts';
import { dirtyPages, mapDma, pick, type Regions, unmapDma } from './random-mappings.ts';

export type { Regions };

/**
 * Random operations that make sense often enough: most descriptors that they name are open, most names exist. An
 * operation is drawn as numbers and is made concrete by the state in which it is done, so that shrinking keeps it valid.
 */
export interface Draw {
  readonly kind: number;
  readonly pid: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export const draws = fc.array(
  fc.record({ kind: fc.nat(99), pid: fc.nat(9), a: fc.nat(9999), b: fc.nat(9999), c: fc.nat(9999) }),
  { minLength: 1, maxLength: 100, size: 'max' },
);

/** A physical function of igb with room for two virtual ones. */
export const physical = '0000:00:07.0';

const [nic, left] = ['0000:00:04.0', '0000:00:05.0'] as const;

/** Ways to begin, so that random operations meet open devices often: nothing, a real group's, one without an IOMMU. */
export function beginning(draw: number, pid: number): readonly Op[] {
  const use = (group: string, type: number, name: string): readonly Op[] => [
    { op: 'open', pid, path: '/dev/vfio/vfio' },
    { op: 'open', pid, path: `/dev/vfio/${group}` },
    { op: 'group.set_container', pid, fd: 4, container: 3 },
    { op: 'container.set_iommu', pid, fd: 3, type },
    { op: 'group.get_device_fd', pid, fd: 4, name },
  ];
  const noiommu: readonly Op[] = [
    { op: 'parameter.write', pid, module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' },
    { op: 'driver.unbind', pid, driver: 'e1000e', device: nic },
    { op: 'override.write', pid, device: nic, text: 'vfio-pci' },
    { op: 'driver.bind', pid, driver: 'vfio-pci', device: nic },
    ...use('noiommu-0', 8, nic),
  ];
  return pick([[], use('7', 1, left), use('7', 3, left), noiommu], draw);
}

/** What operations on files of sysfs may name: on a live machine not every function, or it would be lost. */
export interface Cast {
  readonly devices: readonly string[];
  readonly drivers: readonly string[];
}

export function operation(
  draw: Draw,
  world: World,
  state: State,
  pids: readonly number[],
  regions: Regions,
  cast: Cast = { devices: [...world.devices.keys()], drivers: ['e1000e'] },
): Op {
  const pid = pids[draw.pid < 8 ? 0 : 1 + (draw.a % (pids.length - 1))] ?? 0;
  const makers = draw.kind < 30 ? sysfs : files;
  return pick(makers, draw.kind)({ ...draw, pid, world, state, regions, pids, cast });
}

type Context = Omit<Draw, 'pid'> & {
  readonly pid: number;
  readonly pids: readonly number[];
  readonly world: World;
  readonly state: State;
  readonly regions: Regions;
  readonly cast: Cast;
};
type Maker = (its: Context) => Op;

const addresses = ({ cast }: Context) => [...cast.devices, '0000:ff:1f.7', 'nonsense'];
const drivers = ({ cast }: Context) => ['vfio-pci', 'vfio-pci', ...cast.drivers, 'pci-stub', 'nothing'];
const modules = ['vfio_pci', 'vfio-pci', 'vfio', 'vfio_iommu_type1', 'nothing'];

const sysfs: readonly Maker[] = [
  ({ pid, a }) => ({ op: 'module.load', pid, module: pick(modules, a) }),
  ({ pid, a }) => ({ op: 'module.unload', pid, module: pick(modules, a) }),
  ({ pid, a }) => ({
    op: 'parameter.write',
    pid,
    module: 'vfio',
    parameter: 'enable_unsafe_noiommu_mode',
    text: pick(['Y', 'N', '1', 'on', 'of', 'maybe'], a),
  }),
  ({ pid, a, b }) => ({
    op: 'parameter.write',
    pid,
    module: pick(['vfio_iommu_type1', 'vfio_pci'], b),
    parameter: pick(['allow_unsafe_interrupts', 'dma_entry_limit', 'enable_sriov', 'missing'], a),
    text: pick(['Y', 'N', '1\n', '0x2', '65535', '99999999999', '010', '\n'], a + 1),
  }),
  (its) => ({
    op: 'override.write',
    pid: its.pid,
    device: pick(addresses(its), its.a),
    text: pick(drivers(its), its.b),
  }),
  (its) => ({ op: 'override.write', pid: its.pid, device: pick(addresses(its), its.a), text: '' }),
  (its) => ({
    op: 'driver.bind',
    pid: its.pid,
    driver: pick(drivers(its), its.b),
    device: pick(addresses(its), its.a),
  }),
  (its) => ({ op: 'driver.bind', pid: its.pid, driver: 'vfio-pci', device: pick(addresses(its), its.a) }),
  (its) => ({
    op: 'driver.unbind',
    pid: its.pid,
    driver: pick(drivers(its), its.b),
    device: pick(addresses(its), its.a),
  }),
  (its) => ({ op: 'drivers.probe', pid: its.pid, device: pick(addresses(its), its.a) }),
  (its) => ({
    op: pick(['driver.new_id', 'driver.remove_id'] as const, its.c),
    pid: its.pid,
    driver: pick(drivers(its), its.b),
    text: pick(['8086 10d3', '8086 1572', '8086', '10ec 8139\n', '8086 10d3 8086 0 0 0 1'], its.a),
  }),
  ({ pid, a }) => ({ op: 'bus.autoprobe', pid, text: pick(['0', '1\n', 'off'], a) }),
  (its) => ({
    op: 'bus.rescan',
    pid: its.pid,
    text: pick(['1', '0', 'x', '1'], its.b),
    ...(its.c % 3 === 0 ? { device: pick(addresses(its), its.a) } : {}),
  }),
  (its) => ({
    op: pick(['device.remove', 'device.enable', 'device.sysfs_reset'] as const, its.c),
    pid: its.pid,
    device: pick(addresses(its), its.a),
    text: pick(['1', '1\n', '0', 'x', '0x2'], its.b),
  }),
  (its) => ({
    op: 'device.reset_method',
    pid: its.pid,
    device: pick(addresses(its), its.a),
    text: pick(['\n', 'flr', 'default', 'bus flr', 'no', 'flr '.repeat(8)], its.b),
  }),
  ({ pid, a }) => ({
    op: 'device.sriov_numvfs',
    pid,
    device: physical,
    text: pick(['0', '1', '2', '3', 'x'], a),
  }),
  ({ pid, a }) => ({
    op: 'device.sriov_autoprobe',
    pid,
    device: physical,
    text: pick(['0', '1', 'off', 'x'], a),
  }),
  ({ pid, a, b }) => ({
    op: pick(['driver.unbind', 'driver.bind'] as const, b),
    pid,
    device: physical,
    driver: pick(['igb', 'igb', 'vfio-pci'], a),
  }),
  ({ pid, a, b, state }) => ({
    op: 'iommu_group.type',
    pid,
    group: pick([...state.iommuGroups.map(({ id }) => id), 99], a),
    text: pick(['DMA', 'DMA-FQ\n', 'identity', 'auto', 'dma'], b),
  }),
  ({ pid, a, b, state }) => ({
    op: 'node.own',
    pid,
    path: pick([...nodePaths(state), '/dev/vfio/missing'], a),
    uid: pick([0, 1000], b),
    gid: pick([0, 1000], b + 1),
    mode: pick([0o600, 0o660, 0o666], b),
  }),
];

const paths = ({ state }: Context) => [
  ...nodePaths(state),
  ...nodePaths(state),
  '/dev/null',
  '/dev/vfio/missing',
];

/** Descriptors of the process, those of a kind of file three times out of four; else any, open or not. */
function descriptors({ state, pid, a, b }: Context, kind?: OpenFile['kind']): readonly number[] {
  const files = state.descriptors.find((table) => table.pid === pid)?.files ?? [];
  const open = files.flatMap((file, place) =>
    file === -1 ? [] : [{ fd: place + 3, file: state.files[file] }],
  );
  const wanted = open.filter(({ file }) => file?.kind === kind).map(({ fd }) => fd);
  if (wanted.length > 0 && (a + b) % 4 !== 0) return wanted;
  return [...open.map(({ fd }) => fd), files.length + 3, -1];
}

const argsizes = [
  ...Array<undefined>(14).fill(undefined),
  null,
  0,
  7,
  8,
  15,
  16,
  19,
  20,
  23,
  24,
  31,
  32,
  47,
  48,
  64,
  116,
];

function call(
  its: Context,
  size: number,
  kind: OpenFile['kind'],
): { pid: number; fd: number; argsz?: number | null } {
  const fd = pick(descriptors(its, kind), its.a);
  const argsz = pick(argsizes, its.c);
  return { pid: its.pid, fd, argsz: argsz === undefined ? size : argsz };
}

const files: readonly Maker[] = [
  (its) => ({ op: 'open', pid: its.pid, path: pick(paths(its), its.a) }),
  (its) => ({ op: 'open', pid: its.pid, path: pick(paths(its), its.b) }),
  (its) => ({ op: 'close', pid: its.pid, fd: pick(descriptors(its), its.a) }),
  (its) => ({
    op: 'descriptor.pass',
    pid: its.pid,
    fd: pick(descriptors(its), its.a),
    to: pick(its.pids, its.b),
  }),
  (its) => ({
    op: 'file.call',
    pid: its.pid,
    fd: pick(descriptors(its, 'device'), its.a),
    call: pick(['read', 'write', 'mmap', 'lseek'] as const, its.b),
  }),
  (its) => ({ op: 'container.api_version', pid: its.pid, fd: pick(descriptors(its, 'container'), its.a) }),
  (its) => ({
    op: 'container.check_extension',
    pid: its.pid,
    fd: pick(descriptors(its, 'container'), its.a),
    extension: pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2 ** 32 + 1], its.b),
  }),
  (its) => ({
    op: 'container.set_iommu',
    pid: its.pid,
    fd: pick(descriptors(its, 'container'), its.a),
    type: pick([1, 1, 3, 3, 8, 8, 6, 9, 0], its.b),
  }),
  (its) => ({ op: 'container.get_info', ...call(its, 4096, 'container') }),
  (its) => mapDma(call(its, 32, 'container'), its),
  (its) => unmapDma(call(its, 48, 'container'), its),
  (its) => dirtyPages(call(its, 48, 'container'), its),
  (its) => ({ op: 'group.get_status', ...call(its, 8, 'group') }),
  setContainer,
  setContainer,
  (its) => ({ op: 'group.unset_container', pid: its.pid, fd: pick(descriptors(its, 'group'), its.a) }),
  getDeviceFd,
  getDeviceFd,
  (its) => ({ op: 'device.get_info', ...call(its, 24, 'device') }),
  (its) => ({ op: 'device.region_info', ...call(its, 32, 'device'), index: its.c % 11 }),
  (its) => ({ op: 'device.irq_info', ...call(its, 16, 'device'), index: its.c % 7 }),
  (its) => ({ op: 'device.reset', pid: its.pid, fd: pick(descriptors(its, 'device'), its.a) }),
  (its) => ({ op: 'eventfd', pid: its.pid }),
  setIrqs,
  setIrqs,
  setIrqs,
  ioeventfd,
  feature,
  access,
  access,
  access,
  (its) => ({
    op: 'device.mmap',
    pid: its.pid,
    fd: pick(descriptors(its, 'device'), its.a),
    offset: offsetOf(its) & ~pick([0xfffn, 0xfffn, 0n], its.b),
    length: pick([4096, 4096, 1, 131072, 0, 262144], its.c),
    shared: its.b % 4 > 0,
  }),
  (its) => ({ op: 'device.hot_reset_info', ...call(its, 1024, 'device') }),
  (its) => ({
    op: 'device.hot_reset',
    pid: its.pid,
    fd: pick(descriptors(its, 'device'), its.a),
    flags: pick([0, 0, 0, 1], its.b),
    groups: [descriptors(its, 'group'), descriptors(its), []][its.c % 3]?.slice(0, 1 + (its.b % 3)) ?? [],
  }),
  (its) => ({
    op: 'ioctl',
    ...call(its, 16, 'device'),
    request: pick([0x3b6e, 0x3b73, 0x3b75, 0x1234, 0xdead], its.b),
  }),
];

function setContainer(its: Context): Op {
  const { pid } = its;
  const fd = pick(descriptors(its, 'group'), its.a);
  return { op: 'group.set_container', pid, fd, container: pick(descriptors(its, 'container'), its.b) };
}

function getDeviceFd(its: Context): Op {
  const names = [...its.cast.devices, ...its.cast.devices, 'nope', '0000:00:04.0 x=1', ''];
  return {
    op: 'group.get_device_fd',
    pid: its.pid,
    fd: pick(descriptors(its, 'group'), its.a),
    name: pick(names, its.b),
  };
}

/** An eventfd mostly, at times another file or nothing that is open. */
function signal(its: Context, number: number): number {
  return pick([...descriptors(its, 'eventfd'), -1, ...descriptors(its, 'eventfd')], number);
}

function setIrqs(its: Context): Op {
  const { b, c } = its;
  const count = pick([1, 1, 1, 0, 2], b >> 3);
  const room = pick(argsizes, c);
  const fd = pick(descriptors(its, 'device'), its.a);
  return {
    op: 'device.set_irqs',
    pid: its.pid,
    fd,
    ...(room === undefined ? {} : { argsz: room }),
    flags: pick([36, 36, 36, 33, 34, 20, 12, 17, 9, 40, 4, 100], b),
    index: pick([0, 1, 2, 3, 4, 0, 1, 2, 5], c),
    start: pick([0, 0, 0, 1, 7], c >> 4),
    count,
    data: Array.from({ length: count }, (_, place) => signal(its, c + place)),
  };
}

function ioeventfd(its: Context): Op {
  const { b, c } = its;
  return {
    op: 'device.ioeventfd',
    ...call(its, 32, 'device'),
    flags: pick([4, 4, 1, 8, 3, 16], b),
    offset: pick([0n, 0n, 16n, 0x1fffdn, 1n << 40n, 7n << 40n], b >> 3),
    data: pick([0n, 1n], c),
    eventfd: signal(its, b),
  };
}

function feature(its: Context): Op {
  const { a, b } = its;
  return {
    op: 'device.feature',
    ...call(its, 24, 'device'),
    flags: pick([0x20003, 0x20004, 0x20005, 0x20000, 0x40003, 0x10003, 0x30003, 0x20064, 3, 0x80000], b),
    token: pick(['8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00', ''], a),
    eventfd: signal(its, a),
  };
}

/** Often where something is: in a BAR, in configuration space, or just around an end. */
function offsetOf({ b, c }: Context): bigint {
  const region = BigInt(pick([0, 0, 7, 7, 7, 7, 1, 6, 8, 9], b));
  return (
    (region << 40n) + BigInt(pick([0, 4, 0x10, 0x14, 0x3c, 2, 0x1000, 0xffe, 0x1fffe, 0x20000, 0x30], c))
  );
}

function access(its: Context): Op {
  const { a, b, c, pid } = its;
  const fd = pick(descriptors(its, a % 8 === 0 ? undefined : 'device'), a);
  const offset = (a + c) % 50 === 0 ? -1n : offsetOf(its);
  const count = pick([4, 1, 2, 4, 8, 0, 3], b >> 4);
  if (c % 2 === 0) return { op: 'device.read', pid, fd, offset, count };
  const fill = pick([0, 2, 0xff, 6], c >> 1);
  return { op: 'device.write', pid, fd, offset, bytes: Array.from({ length: count }, () => fill) };
}
