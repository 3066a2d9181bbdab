import type { Op } from '../../../src/model/op.ts';
import { cdevs, type IommufdSession } from './iommufd-session.ts';
import { bare, pair, sibling, single, user } from './machine.ts';
import { group, type Provocation } from './provocation.ts';
import { fake } from './vector.ts';

const highest = 2n ** 64n - 1n;
const msi = 0xfee00000n;
const onGroup8 = {
  iommu: {
    units: ['dmar0'],
    interruptRemapping: true,
    groups: [group(8, 'msi', '0xfee00000', '0xfeefffff')],
  },
};

const dma = { flags: 3, vaddr: 0x7f0000000000n, iova: 0n, size: 0x1000n, memory: 'writable' } as const;

/** VFIO's own requests on an iommufd that stands for a container; `act` gets it with an address space for VFIO. */
function standing(act: (s: IommufdSession, i: number, g: number) => unknown): Provocation {
  return cdevs((s) => {
    const { g, i } = s.standsIn();
    act(s, i, g);
  }, onGroup8);
}

function mapped(over: Partial<Extract<Op, { op: 'iommufd.map_dma' }>>): Provocation {
  return standing((s, fd, g) => {
    s.device(g, single);
    s.ask('iommufd.map_dma', { fd, ...dma, ...over });
  });
}

function unmapped(over: Partial<Extract<Op, { op: 'iommufd.unmap_dma' }>>): Provocation {
  return standing((s, fd) => {
    s.ask('iommufd.set_iommu', { fd, type: 1 });
    s.ask('iommufd.map_dma', { fd, ...dma, size: 0x2000n });
    s.ask('iommufd.unmap_dma', { fd, flags: 0, iova: 0n, size: 0x1000n, ...over });
  });
}

export const compat: Readonly<Record<string, Provocation>> = {
  'iommufd.check_extension.no-ioas': cdevs((s) =>
    s.ask('iommufd.check_extension', { fd: s.iommufd(), extension: 4 }),
  ),
  'iommufd.set_iommu.rawio': cdevs((s) => {
    const { i } = noiommu(s);
    s.ask('iommufd.set_iommu', { fd: s.pass(i), type: 8 }, user.pid);
  }),
  'iommufd.set_iommu.type': standing((s, fd) => s.ask('iommufd.set_iommu', { fd, type: 6 })),
  'iommufd.set_iommu.no-ioas': cdevs((s) => s.ask('iommufd.set_iommu', { fd: s.iommufd(), type: 1 })),
  'iommufd.set_iommu.mapped': standing((s, fd, g) => {
    s.device(g, single);
    s.ask('iommufd.map_dma', { fd, ...dma });
    s.ask('iommufd.set_iommu', { fd, type: 1 });
  }),
  'iommufd.set_iommu.alignment': standing((s, fd) => {
    s.ask('iommufd.map_dma', { fd, ...dma, size: 1n });
    s.ask('iommufd.set_iommu', { fd, type: 1 });
  }),
  'iommufd.get_info.fault': standing((s, fd) => s.ask('iommufd.get_info', { fd, argsz: null })),
  'iommufd.get_info.argsz': standing((s, fd) => s.ask('iommufd.get_info', { fd, argsz: 15 })),
  'iommufd.get_info.no-ioas': cdevs((s) => s.ask('iommufd.get_info', { fd: s.iommufd() })),
  'iommufd.map_dma.fault': mapped({ argsz: null }),
  'iommufd.map_dma.argsz': mapped({ argsz: 31 }),
  'iommufd.map_dma.flags': mapped({ flags: 4 }),
  'iommufd.map_dma.no-ioas': cdevs((s) => s.ask('iommufd.map_dma', { fd: s.iommufd(), ...dma })),
  'iommufd.map_dma.length': mapped({ size: 0n }),
  'iommufd.map_dma.address': mapped({ vaddr: highest }),
  'iommufd.map_dma.alignment': mapped({ size: 1n }),
  'iommufd.map_dma.iova': mapped({ iova: 1n }),
  'iommufd.map_dma.wrap': mapped({ iova: highest - 0xfffn, size: 0x2000n }),
  'iommufd.map_dma.reserved': mapped({ iova: msi }),
  'iommufd.map_dma.overlap': standing((s, fd) => {
    s.ask('iommufd.map_dma', { fd, ...dma });
    s.ask('iommufd.map_dma', { fd, ...dma });
  }),
  'iommufd.map_dma.within-page': mapped({ vaddr: 0x7f0000000001n }),
  'iommufd.map_dma.memory': mapped({ memory: 'none' }),
  'iommufd.map_dma.access': mapped({ flags: 0 }),
  'iommufd.map_dma.memlock': standing((s, i, g) => {
    s.device(g, single);
    s.ask('iommufd.map_dma', { fd: s.pass(i), ...dma, size: 0x100000n }, user.pid);
  }),
  'iommufd.unmap_dma.fault': unmapped({ argsz: null }),
  'iommufd.unmap_dma.argsz': unmapped({ argsz: 23 }),
  'iommufd.unmap_dma.flags': unmapped({ flags: 1 }),
  'iommufd.unmap_dma.no-ioas': cdevs((s) =>
    s.ask('iommufd.unmap_dma', { fd: s.iommufd(), flags: 0, iova: 0n, size: 1n }),
  ),
  'iommufd.unmap_dma.all-range': unmapped({ flags: 2 }),
  'iommufd.unmap_dma.misaligned': unmapped({ size: 5n }),
  'iommufd.unmap_dma.length': unmapped({ size: 0n }),
  'iommufd.unmap_dma.wrap': unmapped({ iova: highest - 0xfffn, size: 0x2000n }),
  'iommufd.unmap_dma.partial': standing((s, fd) => {
    s.ask('iommufd.map_dma', { fd, ...dma });
    s.ask('iommufd.unmap_dma', { fd, flags: 0, iova: 0n, size: 1n });
  }),
  'group.set_container.translated': cdevs((s) => {
    const { i } = s.standsIn();
    fake(s);
    s.setContainer(s.open('noiommu-0'), i);
  }),
  'group.set_container.untranslated': cdevs((s) => {
    const { i } = noiommu(s);
    s.take(single);
    s.setContainer(s.open('8'), i);
  }),
  'group.get_device_fd.untranslated': cdevs((s) => {
    const { g, i } = noiommu(s);
    s.ask('iommufd.vfio_ioas', { fd: i, operation: 1, ioas: s.alloc(i) });
    s.device(g, bare);
  }),
  'group.get_device_fd.interrupts': cdevs((s) => s.device(s.standsIn().g, single), {
    iommu: { units: ['dmar0'], interruptRemapping: false, groups: [] },
  }),
  'group.get_device_fd.owned': cdevs((s) => s.device(s.standsIn(pair, '7').g, pair)),
  'group.get_device_fd.firmware': cdevs((s) => s.device(s.standsIn().g, single), {
    iommu: {
      units: ['dmar0'],
      interruptRemapping: true,
      groups: [group(8, 'direct', '0x7f000000', '0x7fffffff')],
    },
  }),
  'group.get_device_fd.no-ioas': standing((s, fd, g) => {
    s.ask('iommufd.vfio_ioas', { fd, operation: 2, ioas: 0 });
    s.device(g, single);
  }),
  'group.get_device_fd.elsewhere': cdevs((s) => {
    const { g, i } = s.standsIn(pair, '7');
    s.unbind(sibling);
    s.override(sibling);
    s.bind(sibling);
    s.device(g, pair);
    s.ask('iommufd.vfio_ioas', { fd: i, operation: 1, ioas: s.alloc(i) });
    s.device(g, sibling);
  }),
  'group.get_device_fd.reserved': early({ iova: msi }),
  'group.get_device_fd.alignment': early({ size: 1n }),
  'group.get_device_fd.aperture': early({ iova: 2n ** 60n }),
  'group.get_device_fd.memory': early({ memory: 'none' }),
  'group.get_device_fd.access': early({ flags: 0 }),
  'group.get_device_fd.memlock': standing((s, i, g) => {
    s.ask('iommufd.map_dma', { fd: s.pass(i), ...dma, size: 0x100000n }, user.pid);
    s.device(g, single);
  }),
};

/** A mapping that is made before the first device is there to say that it cannot be. */
function early(over: Partial<Extract<Op, { op: 'iommufd.map_dma' }>>): Provocation {
  return standing((s, fd, g) => {
    s.ask('iommufd.map_dma', { fd, ...dma, ...over });
    s.device(g, single);
  });
}

function noiommu(s: IommufdSession): { g: number; i: number } {
  fake(s);
  const [g, i] = [s.open('noiommu-0'), s.iommufd()];
  s.setContainer(g, i);
  return { g, i };
}
