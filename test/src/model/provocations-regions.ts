import { at, eventfd, hotReset, mmap, read, tell, write } from './device-calls.ts';
import { cdevs } from './iommufd-session.ts';
import { functionAt, pair, sibling, single } from './machine.ts';
import { before, device, later, noIommu, on, type Provocation, pid, plain, since } from './provocation.ts';
import type { Session } from './session.ts';
import { fake, realInContainer } from './vector.ts';

const rom = 6;
const config = 7;
const vga = 8;
const negative = -1n;
const romBar = { index: 6, start: '0xf0000000', size: 65536, kind: 'rom', prefetchable: false } as const;

/** The same of reads and of writes. */
const accesses: readonly (readonly [string, (s: Session, fd: number, offset: bigint) => unknown])[] = [
  ['device.read', (s, fd, offset) => read(s, fd, offset, 4)],
  ['device.write', (s, fd, offset) => write(s, fd, offset, 1, 2, 3, 4)],
];

export const regions: Readonly<Record<string, Provocation>> = {
  ...Object.fromEntries(
    accesses.flatMap(([name, access]) =>
      Object.entries({
        offset: opened((s, fd) => access(s, fd, negative)),
        descriptor: plain((s) => access(s, 99, 0n)),
        position: plain((s) => access(s, eventfd(s), 0n)),
        'no-data': plain((s) => access(s, s.open('vfio'), 0n)),
        region: opened((s, fd) => access(s, fd, at(9, 0))),
        'config-bounds': opened((s, fd) => access(s, fd, at(config, 0xffd))),
        vga: opened((s, fd) => access(s, fd, at(vga, 0xa0000))),
        empty: opened((s, fd) => access(s, fd, at(1, 0))),
        bounds: opened((s, fd) => access(s, fd, at(0, 0x20000))),
        memory: since(
          '6.1',
          opened((s, fd) => {
            write(s, fd, at(config, 4), 0);
            access(s, fd, 0n);
          }),
        ),
      }).map(([id, provoke]): [string, Provocation] => [`${name}.${id}`, provoke]),
    ),
  ),
  'device.write.rom': on([functionAt(single, { iommuGroup: 8, bars: [romBar] })], (s) =>
    write(s, device(s), at(rom, 0), 1),
  ),
  'file.call.memory': later((s) => {
    const fd = device(s);
    write(s, fd, at(config, 4), 0);
    s.call({ op: 'file.call', pid, fd, call: 'read' });
  }),
  ...Object.fromEntries(
    accesses.map(([name, access]): [string, Provocation] => [
      `${name}.not-bound`,
      cdevs((s) => {
        s.take(single);
        access(s, s.cdev(), 0n);
      }),
    ]),
  ),
  'device.mmap.not-bound': cdevs((s) => {
    s.take(single);
    mmap(s, s.cdev(), 0n);
  }),
  'device.mmap.alignment': opened((s, fd) => mmap(s, fd, 1n)),
  'device.mmap.descriptor': plain((s) => mmap(s, 99, 0n)),
  'device.mmap.length': opened((s, fd) => mmap(s, fd, 0n, { length: 0 })),
  'device.mmap.size': opened((s, fd) => mmap(s, fd, 0n, { length: 2 ** 47 })),
  'device.mmap.container': plain((s) => mmap(s, s.open('vfio'), 0n)),
  'device.mmap.file': plain((s) => mmap(s, eventfd(s), 0n)),
  'device.mmap.region': later((s) => mmap(s, device(s), at(9, 0))),
  'device.mmap.private': opened((s, fd) => mmap(s, fd, 0n, { shared: false })),
  'device.mmap.no-bar': opened((s, fd) => mmap(s, fd, at(config, 0))),
  'device.mmap.unmappable': opened((s, fd) => mmap(s, fd, at(2, 0))),
  'device.mmap.bounds': opened((s, fd) => mmap(s, fd, 0n, { length: 0x21000 })),
  'device.mmap.msix': before(
    '6.1',
    opened((s, fd) => {
      tell(s, single, { msixTable: { bar: 0, start: 0x1000, end: 0x1050 } });
      mmap(s, fd, 0x1000n);
    }),
  ),
};

const rootPort = '0000:00:02.0';

/** A device on the root bus, open. */
function onRootBus(act: (session: Session, device: number) => unknown): Provocation {
  return on([functionAt(rootPort, { iommuGroup: 8 })], (s) => {
    s.take(rootPort);
    const c = s.open('vfio');
    const g = s.open('8');
    s.setContainer(g, c);
    s.setIommu(c, 3);
    act(s, Number(s.device(g, rootPort)));
  });
}

/** `single` with a neighbour on its bus. */
function beside(
  over: Parameters<typeof functionAt>[1],
  act: (session: Session, device: number, group: number) => unknown,
): Provocation {
  return on([functionAt(single, { iommuGroup: 8 }), functionAt('0000:02:00.1', over)], (s) => {
    const { g } = realInContainer(s, 3);
    act(s, Number(s.device(g, single)), g);
  });
}

/** Both functions of a group with VFIO, one of them open. */
function inGroup(act: (session: Session, device: number, group: number) => unknown): Provocation {
  return plain((s) => {
    s.take(pair);
    s.take(sibling);
    const c = s.open('vfio');
    const g = s.open('7');
    s.setContainer(g, c);
    s.setIommu(c, 3);
    act(s, Number(s.device(g, pair)), g);
  });
}

/** Calls in which two things are wrong at once. */
export const resetWrongs: readonly Provocation[] = [
  before(
    '6.1',
    beside({}, (s, fd) => hotReset(s, fd)),
  ),
  onRootBus((s, fd) => hotReset(s, fd)),
  cdevs((s) => hotReset(s, s.bound().d, { groups: [99] })),
];

const info = (s: Session, fd: number, argsz?: number | null) =>
  s.call({ op: 'device.hot_reset_info', pid, fd, ...(argsz === undefined ? {} : { argsz }) });

export const resets: Readonly<Record<string, Provocation>> = {
  'device.hot_reset_info.fault': opened((s, fd) => info(s, fd, null)),
  'device.hot_reset_info.argsz': opened((s, fd) => info(s, fd, 11)),
  'device.hot_reset_info.domain': onRootBus((s, fd) => info(s, fd)),
  'device.hot_reset_info.room': opened((s, fd) => info(s, fd, 19)),
  'device.hot_reset_info.group': beside({}, (s, fd) => info(s, fd)),
  'device.hot_reset.fault': opened((s, fd) => hotReset(s, fd, { argsz: null })),
  'device.hot_reset.argsz': opened((s, fd) => hotReset(s, fd, { argsz: 11 })),
  'device.hot_reset.flags': opened((s, fd) => hotReset(s, fd, { flags: 1 })),
  'device.hot_reset.mode': since(
    '6.12',
    opened((s, fd) => hotReset(s, fd)),
  ),
  'device.hot_reset.domain': onRootBus((s, fd) => hotReset(s, fd, { groups: [fd] })),
  'device.hot_reset.none': before(
    '6.12',
    opened((s, fd) => hotReset(s, fd)),
  ),
  'device.hot_reset.many': inGroup((s, fd, g) => hotReset(s, fd, { groups: [g, g, g] })),
  'device.hot_reset.closed': opened((s, fd) => hotReset(s, fd, { groups: [99] })),
  'device.hot_reset.no-group': inGroup((s, fd, g) => hotReset(s, fd, { groups: [g, fd] })),
  'device.hot_reset.idle': before(
    '6.1',
    beside({ iommuGroup: 9 }, (s, fd, g) => {
      s.take('0000:02:00.1');
      hotReset(s, fd, { groups: [g, s.open('9')] });
    }),
  ),
  'device.hot_reset.noiommu': before(
    '6.1',
    on(
      [functionAt('0000:04:00.0')],
      (s) => {
        fake(s);
        const c = s.open('vfio');
        const g = s.open('noiommu-0');
        s.setContainer(g, c);
        s.setIommu(c, 8);
        hotReset(s, Number(s.device(g, '0000:04:00.0')), { groups: [g] });
      },
      noIommu,
    ),
  ),
  'device.hot_reset.not-vfio': since(
    '6.1',
    beside({ iommuGroup: 9, driver: null }, (s, fd, g) => hotReset(s, fd, { groups: [g] })),
  ),
  'device.hot_reset.not-held': since(
    '6.1',
    beside({ iommuGroup: 9 }, (s, fd, g) => {
      s.take('0000:02:00.1');
      hotReset(s, fd, { groups: [g] });
    }),
  ),
  'device.hot_reset.groupless': before(
    '6.1',
    beside({}, (s, fd, g) => hotReset(s, fd, { groups: [g] })),
  ),
  'device.hot_reset.outside': before(
    '6.1',
    beside({ iommuGroup: 9 }, (s, fd, g) => hotReset(s, fd, { groups: [g] })),
  ),
  'device.hot_reset.link': plain((s) => {
    const { g } = realInContainer(s, 3);
    const fd = Number(s.device(g, single));
    tell(s, single, { linkStaysDown: true });
    hotReset(s, fd, { groups: [g] });
  }),
};

function opened(act: (session: Session, device: number) => unknown): Provocation {
  return plain((s) => act(s, device(s)));
}
