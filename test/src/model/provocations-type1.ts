import type { Op } from '../../../src/model/op.ts';
import { user } from './machine.ts';
import { alone, before, later, noIommu, on, type Provocation, plain, write } from './provocation.ts';
import type { Session } from './session.ts';
import { fakeInContainer, realInContainer, tracking } from './vector.ts';

/** The calls of a container with type1, on a container whose guards they meet. */
export const type1: Readonly<Record<string, Provocation>> = {
  ...beforeType1('get_info', (s, fd) => s.info(fd)),
  ...beforeType1('map_dma', (s, fd) => s.map(fd, 0n, 4096n)),
  ...beforeType1('unmap_dma', (s, fd) => s.unmap(fd, 0n, 4096n)),
  ...beforeType1('dirty_pages', (s, fd) => s.dirty(fd, 1)),
  'container.get_info.fault': mapping((s, c) => s.info(c, null)),
  'container.get_info.argsz': mapping((s, c) => s.info(c, 15)),
  'container.map_dma.fault': mapping((s, c) => s.map(c, 0n, 4096n, { argsz: null })),
  'container.map_dma.argsz': mapping((s, c) => s.map(c, 0n, 4096n, { argsz: 31 })),
  'container.map_dma.flags': mapping((s, c) => s.map(c, 0n, 4096n, { flags: 8 })),
  'container.map_dma.alignment': mapping((s, c) => s.map(c, 1n, 4096n)),
  'container.map_dma.wrap': mapping((s, c) => s.map(c, 2n ** 64n - 4096n, 8192n)),
  'container.map_dma.no-mapping': later((s) => s.map(realInContainer(s, 3).c, 0n, 4096n, { flags: 4 })),
  'container.map_dma.still-valid': later((s) => {
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 4096n);
    s.map(c, 0n, 4096n, { flags: 4 });
  }),
  'container.map_dma.new-owner': later((s) => {
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 2n ** 20n);
    s.unmap(c, 0n, 2n ** 20n, { flags: 4 });
    s.map(s.pass(c), 0n, 2n ** 20n, { flags: 4, pid: user.pid });
  }),
  'container.map_dma.overlap': mapping((s, c) => {
    s.map(c, 0n, 4096n);
    s.map(c, 0n, 4096n);
  }),
  'container.map_dma.entries': later((s) => {
    const { c } = realInContainer(s);
    write(s, 'vfio_iommu_type1', 'dma_entry_limit', '0');
    s.setIommu(c, 3);
    s.map(c, 0n, 4096n);
  }),
  'container.map_dma.range': later((s) => s.map(realInContainer(s, 3).c, 2n ** 60n, 4096n)),
  'container.map_dma.width': before(
    '6.1',
    mapping((s, c) => s.map(c, 2n ** 60n, 4096n)),
  ),
  'container.map_dma.memory': mapping((s, c) => s.map(c, 0n, 4096n, { memory: 'read-only' })),
  'container.map_dma.memlock': mapping((s, c) => s.map(s.pass(c), 0n, 2n ** 20n, { pid: user.pid })),
  'container.map_dma.too-large': later((s) => s.map(tracking(s), 2n ** 43n, 2n ** 43n)),
  'container.unmap_dma.fault': mapping((s, c) => s.unmap(c, 0n, 4096n, { argsz: null })),
  'container.unmap_dma.argsz': mapping((s, c) => s.unmap(c, 0n, 4096n, { argsz: 23 })),
  'container.unmap_dma.flags': mapping((s, c) => s.unmap(c, 0n, 4096n, { flags: 8 })),
  ...bitmaps('unmap_dma', (s, fd, over) => s.unmap(fd, 0n, 4096n, { ...whole, flags: 1, ...over })),
  'container.unmap_dma.not-tracked': later((s) =>
    s.unmap(realInContainer(s, 3).c, 0n, 4096n, { ...whole, flags: 1 }),
  ),
  'container.unmap_dma.alignment': mapping((s, c) => s.unmap(c, 1n, 4096n)),
  'container.unmap_dma.all-range': later((s) => s.unmap(realInContainer(s, 3).c, 0n, 4096n, { flags: 2 })),
  'container.unmap_dma.wrap': later((s) => s.unmap(realInContainer(s, 3).c, 2n ** 64n - 4096n, 8192n)),
  'container.unmap_dma.bisects': mapping((s, c) => {
    s.map(c, 0n, 8192n);
    s.unmap(c, 0n, 4096n);
  }),
  'container.unmap_dma.invalidated': later((s) => {
    const { c } = realInContainer(s, 3);
    s.map(c, 0n, 4096n);
    s.unmap(c, 0n, 4096n, { flags: 4 });
    s.unmap(c, 0n, 4096n, { flags: 4 });
  }),
  'container.dirty_pages.unknown': before(
    '6.1',
    mapping((s, c) => s.dirty(c, 1)),
  ),
  'container.dirty_pages.first-version': later((s) => s.dirty(realInContainer(s, 1).c, 1)),
  'container.dirty_pages.fault': later((s) => s.dirty(tracking(s), 1, { argsz: null })),
  'container.dirty_pages.argsz': later((s) => s.dirty(tracking(s), 1, { argsz: 7 })),
  'container.dirty_pages.flags': later((s) => s.dirty(tracking(s), 3)),
  'container.dirty_pages.too-large': later((s) => {
    const { c } = realInContainer(s, 3);
    s.map(c, 2n ** 43n, 2n ** 43n);
    s.dirty(c, 1);
  }),
  ...bitmaps('dirty_pages', (s, fd, over) => s.dirty(fd, 4, { ...whole, size: 4096n, ...over })),
  'container.dirty_pages.wrap': asked({ iova: 2n ** 64n - 4096n, size: 4096n }),
  'container.dirty_pages.page-size': asked({ size: 4096n, pgsize: 2n ** 11n }),
  'container.dirty_pages.alignment': asked({ size: 4096n, iova: 1n }),
  'container.dirty_pages.off': later((s) => s.dirty(realInContainer(s, 3).c, 4, { ...whole, size: 4096n })),
  'container.dirty_pages.bisects': later((s) => {
    const c = tracking(s);
    s.map(c, 0n, 8192n);
    s.dirty(c, 4, { ...whole, size: 4096n });
  }),
};

/** A bitmap for one range of up to 64 pages. */
const whole = { pgsize: 4096n, bitmapSize: 8n, bitmap: 'writable' } as const;

type Over = Partial<Omit<Extract<Op, { op: 'container.dirty_pages' }>, 'op'>>;

/** GET_BITMAP of a container that tracks. */
function asked(over: Over): Provocation {
  return later((s) => s.dirty(tracking(s), 4, { ...whole, ...over }));
}

/** What both calls with a bitmap ask of it. */
function bitmaps(
  name: string,
  act: (session: Session, container: number, over: Over) => unknown,
): Readonly<Record<string, Provocation>> {
  const refused = (guard: string, over: Over, mapped = false): [string, Provocation] => [
    `container.${name}.bitmap-${guard}`,
    later((s) => {
      const c = tracking(s);
      if (mapped) s.map(c, 0n, 4096n);
      act(s, c, over);
    }),
  ];
  return Object.fromEntries([
    refused('argsz', { argsz: 47 }),
    refused('fault', { bitmap: 'unreadable' }),
    refused('address', { bitmap: 'kernel' }),
    refused('size', { bitmapSize: 7n }),
    refused('write', { bitmap: 'read-only' }, true),
  ]);
}

function beforeType1(
  name: string,
  act: (session: Session, container: number) => unknown,
): Readonly<Record<string, Provocation>> {
  return {
    [`container.${name}.no-iommu`]: plain((s) => act(s, s.open('vfio'))),
    [`container.${name}.noiommu`]: on(
      alone,
      (s) => {
        const { c } = fakeInContainer(s);
        s.setIommu(c, 8);
        act(s, c);
      },
      noIommu,
    ),
  };
}

function mapping(act: (session: Session, container: number) => unknown): Provocation {
  return plain((s) => act(s, realInContainer(s, 3).c));
}
