/** Scripts about what an iommufd is asked: mappings that are made before anything needs them, and who pays for them. */
import type { Memory } from '../../src/model/op.ts';
import type { Context, Maker } from '../runtime/kernel/random-context.ts';
import {
  about,
  attach,
  besides,
  bound,
  driver,
  getDevice,
  ids,
  join,
  last,
  newSpace,
  open,
  openGroup,
  page,
  pass,
  root,
  type Script,
  scanty,
  translated,
  untranslated,
  user,
} from './script.ts';

const context = open('/dev/iommu');

/** A script about one device of several, where there is an iommufd. */
function on(
  devices: (its: Context) => readonly string[],
  steps: (device: string, its: Context) => readonly Maker[],
): Script {
  return about((its) => (its.world.profile.build.iommufd === 'n' ? [] : devices(its)), steps);
}

interface Mapped {
  readonly iova?: bigint;
  readonly length?: bigint;
  readonly vaddr?: bigint;
  readonly memory?: Memory;
  readonly pid?: number;
  readonly ioas?: number;
  readonly fixed?: boolean;
}

/** Four pages, more than the second process may lock. */
function map(its: Mapped = {}): Maker {
  const { pid = root, memory = 'writable', ioas = 0, fixed = true } = its;
  return (now) => ({
    op: 'iommufd.ioas_map',
    pid,
    fd: last(now, 'iommufd', pid),
    flags: fixed ? 7 : 6,
    ioas: ids(now, 'ioas', pid)[ioas] ?? 99,
    vaddr: its.vaddr ?? now.regions.writable,
    length: its.length ?? 4n * page,
    iova: its.iova ?? 0n,
    memory,
  });
}

/** As for a container. */
function mapDma(its: Mapped & { readonly flags?: number; readonly within?: bigint } = {}): Maker {
  const { pid = root, memory = 'writable', flags = 3, within = 0n } = its;
  return (now) => ({
    op: 'iommufd.map_dma',
    pid,
    fd: last(now, 'iommufd', pid),
    flags,
    vaddr: (its.vaddr ?? now.regions.writable) + within,
    iova: its.iova ?? 0n,
    size: its.length ?? 4n * page,
    memory,
  });
}

const table: Maker = (its) => ({
  op: 'iommufd.hwpt_alloc',
  pid: root,
  fd: last(its, 'iommufd'),
  flags: 0,
  deviceId: ids(its, 'device')[0] ?? 99,
  target: ids(its, 'ioas')[0] ?? 99,
  dataType: 0,
  dataLength: 0,
});

const forVfio = (place: number): Maker => {
  return (its) => ({
    op: 'iommufd.vfio_ioas',
    pid: root,
    fd: last(its, 'iommufd'),
    operation: 1,
    ioas: ids(its, 'ioas')[place] ?? 99,
  });
};

/** What an attach and a page table are both asked, of a mapping that is there already. */
const early: readonly (readonly Maker[])[] = [
  [pass('iommufd', scanty), map({ pid: scanty })],
  [map({ memory: 'none', vaddr: page })],
  [map({ iova: 2n ** 57n, length: page })],
  [forVfio(0), mapDma({ flags: 0 })],
];

/** Once a device is there, and before. */
const attached: readonly Script[] = early.map((mappings) =>
  on(translated, (device) => [context, newSpace, ...mappings, ...bound(device), table, attach(0)]),
);

/** The same where the iommufd stands for a container. */
const compatible: readonly Script[] = [
  [pass('iommufd', scanty), mapDma({ pid: scanty })],
  [mapDma({ memory: 'none', vaddr: page })],
  [mapDma({ flags: 0 })],
].map((mappings) =>
  on(translated, (device) => [context, openGroup(device), join('iommufd'), ...mappings, getDevice(device)]),
);

/** Two devices of a group, each to an address space of its own. */
const apart: readonly Script[] = [
  on(translated, (device, its) => {
    const other = besides(its, device);
    if (other === undefined) return [];
    return [context, newSpace, newSpace, ...bound(device), attach(0), ...bound(other), attach(1)];
  }),
  on(translated, (device, its) => {
    const other = besides(its, device);
    if (other === undefined) return [];
    const first = [context, openGroup(device), join('iommufd'), getDevice(device)];
    return [...first, newSpace, forVfio(1), getDevice(other)];
  }),
];

/** An iommufd serves groups with an IOMMU or those without, and who opens one of these needs CAP_SYS_RAWIO. */
const without: readonly Script[] = [
  on(untranslated, (device) => [
    ...[context, openGroup(device), join('iommufd'), pass('iommufd', user)],
    (its) => ({ op: 'iommufd.set_iommu', pid: user, fd: last(its, 'iommufd', user), type: 8 }),
  ]),
  on(untranslated, (device) => [
    ...[context, openGroup(device), join('iommufd'), newSpace, forVfio(0), getDevice(device)],
  ]),
  on(untranslated, (device) => [
    ...[context, openGroup(device), join('iommufd'), pass('group', user), getDevice(device, user)],
  ]),
  on(untranslated, (device, its) => {
    const [other] = translated(its);
    return other === undefined
      ? []
      : [context, openGroup(device), join('iommufd'), openGroup(other), join('iommufd')];
  }),
];

interface Copied {
  readonly length: bigint;
  readonly from?: bigint;
  /** Left out: wherever there is room. */
  readonly to?: bigint;
}

/** From the second address space to the first, which an IOMMU translates. */
function copy({ length, from = 0n, to }: Copied): Maker {
  return (its) => ({
    op: 'iommufd.ioas_copy',
    pid: root,
    fd: last(its, 'iommufd'),
    flags: to === undefined ? 6 : 7,
    dst: ids(its, 'ioas')[0] ?? 99,
    src: ids(its, 'ioas')[1] ?? 99,
    length,
    dstIova: to ?? 0n,
    srcIova: from,
  });
}

const into = 0x40_0000n;

const copies: readonly (readonly Maker[])[] = [
  [map({ ioas: 1, length: page + 0x10n }), copy({ length: page + 0x10n, to: into })],
  [
    map({ ioas: 1, length: 3n * page }),
    copy({ from: 0x10n, length: page }),
    copy({ from: 0x10n, length: page, to: into }),
  ],
  [
    map({ ioas: 1, length: 2n ** 62n, memory: 'none', vaddr: page }),
    copy({ length: 2n ** 62n }),
    copy({ length: page, to: into }),
  ],
  [map({ ioas: 1, length: 2n ** 63n, memory: 'none', vaddr: page }), copy({ length: 2n ** 63n })],
  [pass('iommufd', scanty), map({ ioas: 1, pid: scanty }), copy({ length: 4n * page, to: into })],
];

const copied: readonly Script[] = copies.map((steps) =>
  on(translated, (device) => [context, newSpace, newSpace, ...bound(device), attach(0), ...steps]),
);

const highest = 2n ** 64n - page;

const odd: readonly Script[] = [
  on(
    () => ['any'],
    () => [
      ...[context, newSpace, map({ vaddr: highest, length: 2n * page, memory: 'none' })],
      map({ vaddr: page, length: 2n ** 63n, memory: 'none', fixed: false }),
      forVfio(0),
      mapDma({ vaddr: highest, length: 2n * page, memory: 'none' }),
    ],
  ),
  on(translated, (device) => [
    ...[context, openGroup(device), join('iommufd'), getDevice(device), pass('iommufd', scanty)],
    ...[mapDma({ pid: scanty }), mapDma({ within: 0x10n })],
  ]),
  on(
    () => ['any'],
    () => [
      ...[context, pass('iommufd', driver)],
      (its) => ({
        ...{ op: 'iommufd.option', pid: driver, fd: last(its, 'iommufd', driver) },
        ...{ option: 0, operation: 0, object: 0, value: 1n },
      }),
    ],
  ),
  on(translated, (device) => [
    ...[context, newSpace, ...bound(device), attach(0)],
    (its) => ({
      ...{ op: 'iommufd.hwpt_get_dirty_bitmap', pid: root, fd: last(its, 'iommufd'), flags: 0 },
      ...{ hwpt: ids(its, 'hwpt')[0] ?? 99, iova: 0n, length: 0n, pageSize: page },
    }),
  ]),
  // The fourth process may have seven descriptors, of which it has four to open.
  on(
    () => ['any'],
    () => [
      ...[context, pass('iommufd', driver), ...Array<Maker>(4).fill(open('/dev/null', driver))],
      (its) => ({
        op: 'iommufd.fault_queue_alloc',
        pid: driver,
        fd: last(its, 'iommufd', driver),
        flags: 0,
      }),
    ],
  ),
];

export const iommufdCorners: readonly Script[] = [
  ...attached,
  ...compatible,
  ...apart,
  ...without,
  ...copied,
  ...odd,
];
