/**
 * What a run of sequences can be about. Ordinary sequences try everything and so come seldom to what takes three right
 * steps and then a wrong argument; those of a theme begin with the right steps, and draw most of their operations from
 * a few that are aimed at the tests which the kernel makes there.
 */
import type { Op } from '../../src/model/op.ts';
import { call, descriptors, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { operation } from '../runtime/kernel/random-operations.ts';
import { type Actor, actors, regions } from './cast.ts';
import { corners, unsafeInterrupts } from './corners.ts';
import { driverCorners, waitingCorners } from './corners-drivers.ts';
import { iommufdCorners } from './corners-iommufd.ts';
import { driver, type Script } from './script.ts';
import { allowVirtual, enableVirtual, functions } from './themes-functions.ts';
import { createDevice, createVm, guestFiles, openKvm } from './themes-guests.ts';
import { holding, meanwhile, resettable } from './themes-leaving.ts';
import { addressSpaces, typeOne } from './themes-mappings.ts';
import { pageTables } from './themes-pagetables.ts';
import { openFunctions, removals } from './themes-removing.ts';
import { mayGive, settings } from './themes-settings.ts';
import { openCdev, takeAnew, unloadingCorners, unloads } from './themes-unloading.ts';

/** How a prelude opens a device: by container and group, with an iommufd in the container's place, by its own node. */
export type Way = 'container' | 'compat' | 'cdev';

export interface Theme {
  readonly name: string;
  readonly about: string;
  /** One of them opens the device; those that need iommufd are left out where there is none. */
  readonly ways: readonly Way[];
  /** Whether a device that is opened by its own node is attached before; left out: now and then. */
  readonly attaches?: false;
  /** Devices stay with the drivers that they have. */
  readonly binds?: false;
  /** Made before anything is opened, as root. */
  readonly before?: readonly Maker[];
  /** One of them is made when the devices are open, as far as the machine has anything for it. */
  readonly scripts?: readonly Script[];
  /** Calls that have begun and wait do not end a sequence. */
  readonly goesOn?: true;
  /** Who acts, where it matters; the numbers are those of all sequences. */
  readonly actors?: readonly [Actor, ...Actor[]];
  readonly makers: readonly Maker[];
}

const eventfd: Maker = ({ pid }) => ({ op: 'eventfd', pid });

/** An eventfd of the process, another file, or none. */
function signal(its: Parameters<Maker>[0], number: number): number {
  const all = surely(its, 'eventfd');
  return pick([...all, ...all, ...all, -1, -2], number);
}

const onDevice = (its: Parameters<Maker>[0]) => ({
  pid: its.pid,
  fd: pick(descriptors({ ...its, b: its.b | 1 }, 'device'), its.a),
});

/** Kind, action and data that belong together, with vectors around the ends of what a device has. */
const setIrqs: Maker = (its) => {
  const { a, b, c } = its;
  const index = pick([0, 0, 1, 1, 2, 2, 3, 4], a >> 2);
  const count = pick([0, 1, 1, 1, 2, 3, 4, 33, 2049, 0xffff_ffff], b);
  const held = Math.min(count, 64);
  return {
    op: 'device.set_irqs',
    ...onDevice(its),
    ...(c % 11 === 0 ? { argsz: pick([null, 19, 20, 21, 23, 24], c) } : {}),
    flags: pick([0x24, 0x24, 0x24, 0x24, 0x21, 0x22, 0x09, 0x0a, 0x11, 0x12, 0x14, 0x0c], c >> 3),
    index,
    start: pick([0, 0, 0, 0, 1, 2, 4, 2048, 0xffff_fffe], b >> 5),
    count,
    data: Array.from({ length: held }, (_, place) => signal(its, c + place)),
  };
};

const ioeventfd: Maker = (its) => ({
  op: 'device.ioeventfd',
  ...onDevice(its),
  ...(its.c % 9 === 0 ? { argsz: pick([null, 31, 32], its.c) } : {}),
  flags: pick([1, 2, 4, 4, 4, 8, 3, 16, 0], its.b),
  offset: (BigInt(pick([0, 0, 1, 1, 4, 6], its.a)) << 40n) + BigInt(pick([0, 4, 8, 0x1000, 0xfff], its.c)),
  data: BigInt(pick([0, 1], its.b >> 5)),
  eventfd: pick([signal(its, its.c), signal(its, its.c), -1, -1, -2], its.b >> 3),
});

const interruptInfo: Maker = (its) => ({
  op: 'device.irq_info',
  ...call(its, 16, 'device'),
  index: its.c % 6,
});

const interrupts: Theme = {
  name: 'interrupts',
  about:
    'SET_IRQS and IOEVENTFD with every kind, action and range, eventfds that are none, and short structures',
  ways: ['container', 'compat', 'cdev'],
  before: [eventfd, eventfd],
  makers: [setIrqs, setIrqs, setIrqs, setIrqs, ioeventfd, ioeventfd, interruptInfo, eventfd],
};

/** Of the groups and devices that the process holds all, some, or what is neither. */
const hotReset: Maker = (its) => {
  const groups = surely(its, 'group');
  const devices = surely(its, 'device');
  const proofs = [groups, groups, groups.slice(0, 1), devices, [], [-1], [...groups, ...groups]];
  return {
    op: 'device.hot_reset',
    ...onDevice(its),
    ...(its.c % 7 === 0 ? { argsz: pick([null, 11, 12, 15], its.c) } : {}),
    flags: pick([0, 0, 0, 0, 0, 1], its.b),
    groups: pick(proofs, its.c >> 2),
  };
};

const resets: Theme = {
  name: 'resets',
  about: 'RESET, hot resets and what proves that the caller may, reset methods, low power, tokens',
  ways: ['container', 'container', 'compat', 'cdev'],
  makers: [
    hotReset,
    hotReset,
    hotReset,
    (its) => ({
      op: 'device.hot_reset_info',
      ...onDevice(its),
      argsz: pick([null, 11, 12, 24, 36, 1024], its.c),
    }),
    (its) => ({ op: 'device.reset', ...onDevice(its) }),
    (its) => ({
      op: 'device.reset_method',
      pid: its.pid,
      device: pick(its.cast.devices, its.a),
      text: pick(['\n', 'flr', 'pm', 'bus', 'flr bus', 'default', 'nothing', ''], its.b),
    }),
    (its) => ({
      op: 'device.sysfs_reset',
      pid: its.pid,
      device: pick(its.cast.devices, its.a),
      text: pick(['1', '0', 'x'], its.b),
    }),
    (its) => ({
      op: 'device.feature',
      ...onDevice(its),
      ...(its.c % 9 === 0 ? { argsz: pick([null, 7, 8, 16], its.c) } : {}),
      flags: pick([0x20003, 0x20004, 0x20005, 0x40003, 0x40004, 0x20000, 0x10003, 0x60003], its.b),
      token: '8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00',
      eventfd: signal(its, its.a),
    }),
    (its) => ({ op: 'group.unset_container', pid: its.pid, fd: pick(descriptors(its, 'group'), its.a) }),
    (its) => ({ op: 'close', pid: its.pid, fd: pick(descriptors(its, 'group'), its.a) }),
    eventfd,
  ],
};

const aimless = actors.map(({ pid }) => pid);

/** Any operation, with a pointer that leads nowhere or a structure cut short. */
const cut: Maker = (its) => {
  const op = operation({ ...its, pid: 0 }, its.world, its.state, aimless, regions, its.cast);
  const takes = 'argsz' in op || /^group\.(set_container|get_device_fd)$/.test(op.op);
  if (!takes) return op;
  const structured = !/^group\.(set_container|get_device_fd)$/.test(op.op);
  return {
    ...op,
    argsz: structured && its.c % 3 === 0 ? pick([4, 8, 11, 12, 16, 24, 28, 40], its.c >> 2) : null,
  } as Op;
};

const pointers: Theme = {
  name: 'pointers',
  about: 'every request with a pointer that leads nowhere, or a structure that is cut short',
  ways: ['container', 'compat', 'cdev'],
  before: [eventfd],
  makers: [cut],
};

const scant = actors.map((actor, place) => (place === 0 ? actor : { ...actor, nofile: 7 }));

const limits: Theme = {
  name: 'limits',
  about:
    'processes that may have seven descriptors: opens, eventfds, passed descriptors and devices beyond them',
  ways: ['container', 'compat', 'cdev'],
  actors: scant as [Actor, ...Actor[]],
  makers: [
    (its) => ({
      op: 'open',
      pid: pick([2, 3, 4], its.a),
      path: pick(['/dev/null', '/dev/vfio/vfio', '/dev/iommu'], its.b),
    }),
    (its) => ({ op: 'eventfd', pid: pick([2, 3, 4], its.a) }),
    (its) => ({
      op: 'descriptor.pass',
      pid: 1,
      fd: pick(
        descriptors({ ...its, pid: 1 }, pick(['group', 'device', 'container', 'iommufd'], its.b)),
        its.a,
      ),
      to: pick([2, 3, 4], its.c),
    }),
    (its) => ({
      op: 'group.get_device_fd',
      pid: pick([2, 3, 4], its.c),
      fd: pick(descriptors({ ...its, pid: pick([2, 3, 4], its.c) }, 'group'), its.a),
      name: pick(its.cast.devices, its.b),
    }),
    (its) => ({ op: 'close', pid: pick([2, 3, 4], its.c), fd: pick([3, 4, 5, 6, 7], its.a) }),
  ],
};

const mappings: Theme = {
  name: 'mappings',
  about:
    'mappings of a container around each other, bitmaps of dirty pages, addresses taken back, limits of entries and of memory',
  ways: ['container'],
  before: [
    (its) => ({
      op: 'parameter.write',
      pid: its.pid,
      module: 'vfio_iommu_type1',
      parameter: 'dma_entry_limit',
      text: pick(['2', '3', '65535'], its.a),
    }),
  ],
  makers: typeOne,
};

const spaces: Theme = {
  name: 'spaces',
  about:
    "address spaces of an iommufd that get mappings before a device is attached to them, copies, and VFIO's own requests on them",
  ways: ['cdev', 'cdev', 'compat'],
  attaches: false,
  makers: addressSpaces,
};

const pagetables: Theme = {
  name: 'pagetables',
  about:
    'page tables of an iommufd that are made, attached, shared and destroyed by their own ids, what the IOMMU tells of itself, dirty pages, and queues of page faults',
  ways: ['cdev', 'cdev', 'cdev', 'compat'],
  attaches: false,
  makers: pageTables,
};

const virtual: Theme = {
  name: 'virtual',
  about:
    'a physical function of VFIO and its virtual ones: how many, who probes them, tokens, drivers that come and go',
  ways: ['container'],
  before: [allowVirtual, enableVirtual],
  makers: functions,
};

const unbinding: Theme = {
  name: 'unbinding',
  about:
    'unbinds that wait for open devices, and what others do meanwhile: opens, resets, binds, closes, until the last one ends them',
  ways: ['container', 'container', 'compat', 'cdev'],
  goesOn: true,
  before: [resettable, eventfd],
  makers: meanwhile,
};

const removing: Theme = {
  name: 'removing',
  about:
    'devices and virtual functions that are taken away while they are open, and what others do meanwhile: opens, removals, scans, closes, until the last one ends them',
  ways: ['container', 'container', 'container', 'cdev'],
  goesOn: true,
  before: [openFunctions, allowVirtual, enableVirtual, ...Array<Maker>(12).fill(openFunctions), eventfd],
  makers: removals,
};

const guests: Theme = {
  name: 'guests',
  about:
    'virtual machines that are told of groups and devices, and what stays open when descriptors of either are closed, passed or another process’s',
  ways: ['container', 'container', 'compat', 'cdev'],
  goesOn: true,
  before: [openKvm, createVm, createDevice],
  makers: guestFiles,
};

/** The fourth process may have four descriptors of its own. */
const crowded = actors.map((actor) => (actor.pid === driver ? { ...actor, nofile: 7 } : actor));

const cornersTheme: Theme = {
  name: 'corners',
  about:
    'ways that lead to one test of the kernel each, which others hardly meet: who may not what root has opened, memory that nobody may lock, what is asked twice, what is too large, drivers beside a user’s',
  ways: [],
  actors: crowded as unknown as [Actor, ...Actor[]],
  before: [unsafeInterrupts('vfio_iommu_type1'), unsafeInterrupts('iommufd')],
  scripts: [...corners, ...iommufdCorners, ...driverCorners],
  makers: [(its) => operation({ ...its, pid: 0 }, its.world, its.state, aimless, regions, its.cast)],
};

const waits: Theme = {
  name: 'waits',
  about:
    'devices that leave, or lose their virtual functions, while somebody has yet to open or to bind them, who then does',
  ways: [],
  goesOn: true,
  scripts: waitingCorners,
  makers: holding,
};

const settingsTheme: Theme = {
  name: 'settings',
  about:
    'configuration files and their directories, modules that are loaded with parameters, parameters, overrides that are too long, owners and modes of nodes',
  ways: [],
  binds: false,
  actors: mayGive,
  makers: settings,
};

const unloading: Theme = {
  name: 'unloading',
  about:
    'the module of a driver that is unloaded while a device of it is open, and what others do meanwhile: unloads, loads, opens, binds, closes, until the last one ends it',
  ways: [],
  goesOn: true,
  before: [takeAnew, takeAnew, takeAnew, takeAnew, openCdev],
  scripts: unloadingCorners,
  makers: [...unloads, ...holding, ...holding],
};

export const themes: Readonly<Record<string, Theme>> = Object.fromEntries(
  [
    ...[mappings, spaces, interrupts, resets, pointers, limits, virtual, unbinding, pagetables, removing],
    ...[guests, cornersTheme, settingsTheme, waits, unloading],
  ].map((theme) => [theme.name, theme]),
);

/** Throws for a name that no theme has. */
export function themeNamed(name: string): Theme {
  const theme = themes[name];
  if (theme === undefined) throw new Error(`no theme ${name}: ${Object.keys(themes).join(', ')}`);
  return theme;
}
