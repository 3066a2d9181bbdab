import { nodePaths } from '../../../src/model/nodes.ts';
import type { Op } from '../../../src/model/op.ts';
import { argsizes, type Context, call, descriptors, type Maker } from './random-context.ts';
import { dirtyPages, mapDma, pick, unmapDma } from './random-mappings.ts';

/** Random operations on containers, groups and devices, and on files of any kind. */
const paths = ({ state }: Context) => [
  ...nodePaths(state),
  ...nodePaths(state),
  '/dev/null',
  '/dev/vfio/missing',
];

export const general: readonly Maker[] = [
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
  (its) => ({ op: 'eventfd', pid: its.pid }),
  (its) => ({
    op: 'ioctl',
    ...call(its, 16, 'device'),
    request: pick([0x3b6e, 0x3b73, 0x3b75, 0x1234, 0xdead], its.b),
  }),
];

export const containers: readonly Maker[] = [
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
];

export const groups: readonly Maker[] = [
  (its) => ({ op: 'group.get_status', ...call(its, 8, 'group') }),
  setContainer,
  setContainer,
  (its) => ({ op: 'group.unset_container', pid: its.pid, fd: pick(descriptors(its, 'group'), its.a) }),
  getDeviceFd,
  getDeviceFd,
];

export const devices: readonly Maker[] = [
  (its) => ({ op: 'device.get_info', ...call(its, 24, 'device') }),
  (its) => ({ op: 'device.region_info', ...call(its, 32, 'device'), index: its.c % 11 }),
  (its) => ({ op: 'device.irq_info', ...call(its, 16, 'device'), index: its.c % 7 }),
  (its) => ({ op: 'device.reset', pid: its.pid, fd: pick(descriptors(its, 'device'), its.a) }),
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
  const room = c % 7 === 0 ? pick(argsizes, c) : undefined;
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
