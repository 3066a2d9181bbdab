import type { IommuUnit } from '../../../src/machine/snapshot.ts';
import type { Op } from '../../../src/model/op.ts';
import { profiles } from '../../../src/model/profiles.ts';
import { intelUnit } from '../../machines.ts';
import { cdevs, IommufdSession, iommufdWorld } from './iommufd-session.ts';
import { functionAt, pair, sibling, single, user } from './machine.ts';
import { type Provocation, pid } from './provocation.ts';
import { framing, onGroup8 } from './provocations-iommufd.ts';
import { SelftestSession } from './selftest-session.ts';

/** Page tables of an iommufd, what its IOMMU can do, and page faults. */

type Alloc = Extract<Op, { op: 'iommufd.hwpt_alloc' }>;
type Info = Extract<Op, { op: 'iommufd.get_hw_info' }>;
type Bitmap = Extract<Op, { op: 'iommufd.hwpt_get_dirty_bitmap' }>;
type Invalidate = Extract<Op, { op: 'iommufd.hwpt_invalidate' }>;

const highest = 2n ** 64n - 1n;

/** With a device of id 1, an address space of id 2 and a page table of id 3. */
function tabled(act: (s: IommufdSession, i: number, d: number) => unknown): Provocation {
  return cdevs((s) => {
    const { d, i } = s.tabled();
    act(s, i, d);
  }, onGroup8);
}

/** A page table for an address space in which something was done before. */
function filled(act: (s: IommufdSession, i: number) => unknown): Provocation {
  return cdevs((s) => {
    const { i } = s.bound();
    s.alloc(i);
    act(s, i);
    s.hwpt(i);
  }, onGroup8);
}

const alloc = (over: Partial<Alloc>): Provocation => tabled((s, i) => s.hwpt(i, over));

const plainAlloc = { flags: 0, deviceId: 1, target: 2, dataType: 0, dataLength: 0 };

const allocation: Readonly<Record<string, Provocation>> = {
  ...framing({ op: 'iommufd.hwpt_alloc', ...plainAlloc }, 24),
  'iommufd.hwpt_alloc.tail': alloc({ tail: true }),
  'iommufd.hwpt_alloc.reserved': alloc({ reserved: 1 }),
  'iommufd.hwpt_alloc.data': alloc({ dataType: 1 }),
  'iommufd.hwpt_alloc.device': alloc({ deviceId: 2 }),
  'iommufd.hwpt_alloc.target': alloc({ target: 1 }),
  'iommufd.hwpt_alloc.nested': alloc({ target: 3 }),
  'iommufd.hwpt_alloc.parent': alloc({ target: 3, dataType: 1, dataLength: 24 }),
  'iommufd.hwpt_alloc.flags': alloc({ flags: 4 }),
  'iommufd.hwpt_alloc.dirty-tracking': alloc({ flags: 2 }),
  'iommufd.hwpt_alloc.nesting': alloc({ flags: 1 }),
  'iommufd.hwpt_alloc.driver-data': alloc({ dataType: 1, dataLength: 24 }),
  'iommufd.hwpt_alloc.alignment': filled((s, i) => s.ioasMap(i, 2, 0n, { length: 1n })),
  'iommufd.hwpt_alloc.aperture': filled((s, i) => s.ioasMap(i, 2, 2n ** 60n)),
  'iommufd.hwpt_alloc.memory': filled((s, i) => s.ioasMap(i, 2, 0n, { memory: 'none' })),
  'iommufd.hwpt_alloc.access': filled((s, i) => {
    s.ask('iommufd.vfio_ioas', { fd: i, operation: 1, ioas: 2 });
    const memory = { vaddr: 0x7f0000000000n, memory: 'writable' } as const;
    s.ask('iommufd.map_dma', { fd: i, flags: 0, iova: 0n, size: 0x1000n, ...memory });
  }),
  'iommufd.hwpt_alloc.memlock': filled((s, i) =>
    s.ioasMap(s.pass(i), 2, 0n, { pid: user.pid, length: 0x100000n }),
  ),
};

const info = (over: Partial<Info>): Provocation =>
  tabled((s, fd) => {
    const asked = { fd, flags: 0, deviceId: 1, length: 24, buffer: 'writable', ...over } as const;
    s.ask('iommufd.get_hw_info', asked);
  });

const information: Readonly<Record<string, Provocation>> = {
  ...framing({ op: 'iommufd.get_hw_info', flags: 0, deviceId: 1, length: 0, buffer: 'none' }, 32),
  'iommufd.get_hw_info.tail': info({ tail: true }),
  'iommufd.get_hw_info.unsupported': info({ flags: 1 }),
  'iommufd.get_hw_info.device': info({ deviceId: 3 }),
  'iommufd.get_hw_info.buffer': info({ buffer: 'none' }),
};

const tracking = (hwpt: number, flags: number): Provocation =>
  tabled((s, fd) => s.ask('iommufd.hwpt_set_dirty_tracking', { fd, hwpt, flags }));

const wholeBitmap = { hwpt: 3, flags: 0, iova: 0n, length: 0x4000n, pageSize: 0x1000n };

const bitmap = (over: Partial<Bitmap>): Provocation =>
  tabled((s, fd) => s.ask('iommufd.hwpt_get_dirty_bitmap', { ...wholeBitmap, ...over, fd }));

const dirtyPages: Readonly<Record<string, Provocation>> = {
  ...framing({ op: 'iommufd.hwpt_set_dirty_tracking', hwpt: 3, flags: 1 }, 16),
  'iommufd.hwpt_set_dirty_tracking.unsupported': tracking(3, 2),
  'iommufd.hwpt_set_dirty_tracking.missing': tracking(2, 1),
  'iommufd.hwpt_set_dirty_tracking.untracked': tracking(3, 1),
  ...framing({ op: 'iommufd.hwpt_get_dirty_bitmap', ...wholeBitmap }, 48),
  'iommufd.hwpt_get_dirty_bitmap.unsupported': bitmap({ flags: 2 }),
  'iommufd.hwpt_get_dirty_bitmap.missing': bitmap({ hwpt: 2 }),
  'iommufd.hwpt_get_dirty_bitmap.length': bitmap({ length: 0n }),
  'iommufd.hwpt_get_dirty_bitmap.overflow': bitmap({ iova: highest }),
  'iommufd.hwpt_get_dirty_bitmap.alignment': bitmap({ iova: 0x10n, pageSize: 1n }),
  'iommufd.hwpt_get_dirty_bitmap.page-size': bitmap({ pageSize: 0n }),
  'iommufd.hwpt_get_dirty_bitmap.bits': bitmap({ pageSize: 0x8000n }),
  'iommufd.hwpt_get_dirty_bitmap.untracked': bitmap({}),
};

const oneEntry = { hwpt: 3, array: true, entryLength: 24, entries: 1 };

const invalidate = (over: Partial<Invalidate>): Provocation =>
  tabled((s, fd) => s.ask('iommufd.hwpt_invalidate', { ...oneEntry, ...over, fd }));

const invalidation: Readonly<Record<string, Provocation>> = {
  ...framing({ op: 'iommufd.hwpt_invalidate', ...oneEntry }, 32),
  'iommufd.hwpt_invalidate.unsupported': invalidate({ reserved: 1 }),
  'iommufd.hwpt_invalidate.entries': invalidate({ array: false }),
  'iommufd.hwpt_invalidate.missing': invalidate({}),
};

/** With IOMMUs that nest page tables: a device of id 1, and a page table of id 3 that others may be nested in. */
function parented(act: (s: SelftestSession, i: number, d: number) => unknown): Provocation {
  return (profile) => {
    if (!profiles[profile].knowsIommufd) return null;
    const s = new SelftestSession(profile);
    const { d, i } = s.parented();
    act(s, i, d);
    return s;
  };
}

const nested = (over: Partial<Alloc>): Provocation => parented((s, i) => s.nested(i, over));

const entry = (over: Partial<Invalidate>): Provocation =>
  parented((s, i) => {
    s.nested(i);
    s.invalidate(i, 4, over);
  });

const nesting: Readonly<Record<string, Provocation>> = {
  'iommufd.hwpt_alloc.nested-data': nested({ dataType: 1 }),
  'iommufd.hwpt_alloc.nested-length': nested({ dataLength: 5 }),
  'iommufd.hwpt_alloc.nested-fault': parented((s, i) =>
    s.hwpt(i, { target: 3, dataType: 0xdead, dataLength: 4 }),
  ),
  'iommufd.hwpt_alloc.queue': nested({ flags: 4, faultId: 3 }),
  'iommufd.hwpt_invalidate.type': entry({ dataType: 1 }),
  'iommufd.hwpt_invalidate.entry-length': entry({ entryLength: 9 }),
  'iommufd.hwpt_invalidate.entry-fault': parented((s, i) => {
    s.nested(i);
    const nothing = { array: true, entryLength: 8, entries: 1, dataType: 0xdead_beef };
    s.ask('iommufd.hwpt_invalidate', { ...nothing, fd: i, hwpt: 4 });
  }),
  'iommufd.hwpt_invalidate.entry-flags': entry({ content: [2] }),
  'iommufd.hwpt_invalidate.entry-index': entry({ content: [0, 4] }),
};

const faults: Readonly<Record<string, Provocation>> = {
  ...framing({ op: 'iommufd.fault_queue_alloc', flags: 0 }, 16),
  'iommufd.fault_queue_alloc.unsupported': tabled((s, fd) =>
    s.ask('iommufd.fault_queue_alloc', { fd, flags: 1 }),
  ),
  'iommufd.fault_queue_alloc.descriptors': (profile) => {
    if (!profiles[profile].knowsIommufd) return null;
    const { world, state } = iommufdWorld(profile);
    // Room for one descriptor, which is the one that it asks on.
    const scant = { ...user, pid: 400, nofile: 4 };
    const processes = new Map([...world.processes, [scant.pid, scant]]);
    const s = new IommufdSession(profile, { world: { ...world, processes }, state });
    const fd = s.iommufd();
    s.call({ op: 'iommufd.fault_queue_alloc', pid: scant.pid, fd: s.pass(fd, scant.pid), flags: 0 });
    return s;
  },
  'file.call.faults': cdevs((s) => {
    const fd = s.call({ op: 'iommufd.fault_queue_alloc', pid, fd: s.iommufd(), flags: 0 });
    s.call({ op: 'file.call', pid, fd: Number(fd), call: 'read' });
  }),
};

/** The unit of an integrated display, as client machines have it: without snoop control. */
const narrow: IommuUnit = { ...intelUnit, name: 'dmar1', snoopControl: false };

const behind = (address: string, iommuGroup: number, iommuUnit: string) =>
  functionAt(address, { iommuGroup, iommuUnit });

export const pageTables: Readonly<Record<string, Provocation>> = {
  ...allocation,
  ...information,
  ...dirtyPages,
  ...invalidation,
  ...nesting,
  ...faults,
  'device.attach_ioas.unit': cdevs(
    (s) => {
      s.take(sibling);
      const { i } = s.tabled(single);
      s.take(pair);
      const other = s.cdev(pair);
      s.bindIommufd(other, i);
      s.attach(other, 3);
    },
    {
      iommu: {
        ...{ units: ['dmar0', 'dmar1'], interruptRemapping: true, groups: [] },
        translation: [intelUnit, narrow],
      },
    },
    [behind(pair, 7, 'dmar1'), behind(sibling, 7, 'dmar1'), behind(single, 8, 'dmar0')],
  ),
};
