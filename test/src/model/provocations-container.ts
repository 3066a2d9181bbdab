import { functionAt, machine, nobody, single, snapshotOf, user } from './machine.ts';
import {
  alone,
  before,
  device,
  later,
  noIommu,
  on,
  type Provocation,
  pid,
  plain,
  reserved,
  tight,
  write,
} from './provocation.ts';
import type { Session } from './session.ts';
import { fake, fakeInContainer, realInContainer } from './vector.ts';

export const files: Readonly<Record<string, Provocation>> = {
  'open.descriptors': on([], (s) => s.tryOpen('vfio', tight.pid)),
  'open.missing': plain((s) => s.tryOpen('99')),
  'open.permission': plain((s) => {
    s.take(single);
    s.tryOpen('8', nobody.pid);
  }),
  'open.no-module': (profile) => {
    const { kernel } = snapshotOf();
    const options = { ...kernel.options, VFIO: 'n', VFIO_PCI: 'n', VFIO_IOMMU_TYPE1: 'n' } as const;
    const none = { kernel: { ...kernel, options }, modules: {}, drivers: ['e1000e'] };
    return on([], (s) => s.tryOpen('vfio'), none)(profile);
  },
  'open.rawio': on(
    alone,
    (s) => {
      fake(s);
      s.tryOpen('noiommu-0', user.pid);
    },
    noIommu,
  ),
  'open.busy': plain((s) => {
    s.take(single);
    s.open('8');
    s.tryOpen('8');
  }),
  'close.descriptor': plain((s) => s.close(9)),
  'descriptor.pass.descriptor': plain((s) => s.pass(9)),
  'descriptor.pass.receiver': plain((s) => s.pass(s.open('vfio'), 4711)),
  'descriptor.pass.descriptors': on([], (s) => s.pass(s.open('vfio'), tight.pid)),
  'file.call.descriptor': plain((s) => s.call({ op: 'file.call', pid, fd: 9, call: 'read' })),
  'file.call.lseek': plain((s) => s.call({ op: 'file.call', pid, fd: s.open('vfio'), call: 'lseek' })),
  'file.call.mmap': plain((s) => s.call({ op: 'file.call', pid, fd: s.open('vfio'), call: 'mmap' })),
  'file.call.mmap-group': plain((s) => {
    s.take(single);
    s.call({ op: 'file.call', pid, fd: s.open('8'), call: 'mmap' });
  }),
  'file.call.mmap-bar': on([functionAt(single, { iommuGroup: 8, bars: [] })], (s) =>
    s.call({ op: 'file.call', pid, fd: device(s), call: 'mmap' }),
  ),
  'file.call.no-data': plain((s) => s.call({ op: 'file.call', pid, fd: s.open('vfio'), call: 'read' })),
  'file.call.bar': on([functionAt(single, { iommuGroup: 8, bars: [] })], (s) =>
    s.call({ op: 'file.call', pid, fd: device(s), call: 'read' }),
  ),
};

export const container: Readonly<Record<string, Provocation>> = {
  'container.set_iommu.empty': plain((s) => s.setIommu(s.open('vfio'), 1)),
  'container.set_iommu.again': plain((s) => s.setIommu(realInContainer(s, 3).c, 3)),
  'container.set_iommu.unsupported': plain((s) => s.setIommu(realInContainer(s).c, 2)),
  'container.set_iommu.rawio': on(
    alone,
    (s) => s.setIommu(s.pass(fakeInContainer(s).c), 8, user.pid),
    noIommu,
  ),
  'container.set_iommu.no-type': later((s) => s.setIommu(realInContainer(s).c, 9)),
  'container.set_iommu.nesting': plain((s) => s.setIommu(realInContainer(s).c, 6)),
  'container.set_iommu.firmware': before(
    '6.12',
    on(machine, (s) => s.setIommu(realInContainer(s).c, 3), reserved),
  ),
  'container.set_iommu.interrupts': on(machine, (s) => s.setIommu(realInContainer(s).c, 3), {
    iommu: { units: ['dmar0'], interruptRemapping: false, groups: [] },
  }),
  'container.map_dma.no-iommu': plain((s) => s.map(s.open('vfio'), 0n, 4096n)),
  'container.map_dma.noiommu': on(alone, (s) => s.map(noiommuSet(s), 0n, 4096n), noIommu),
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
  'container.map_dma.range': mapping((s, c) => s.map(c, 2n ** 60n, 4096n)),
  'container.map_dma.memory': mapping((s, c) => s.map(c, 0n, 4096n, { memory: 'read-only' })),
  'container.map_dma.memlock': mapping((s, c) => s.map(s.pass(c), 0n, 2n ** 20n, { pid: user.pid })),
  'container.unmap_dma.no-iommu': plain((s) => s.unmap(s.open('vfio'), 0n, 4096n)),
  'container.unmap_dma.noiommu': on(alone, (s) => s.unmap(noiommuSet(s), 0n, 4096n), noIommu),
  'container.unmap_dma.fault': mapping((s, c) => s.unmap(c, 0n, 4096n, { argsz: null })),
  'container.unmap_dma.argsz': mapping((s, c) => s.unmap(c, 0n, 4096n, { argsz: 23 })),
  'container.unmap_dma.flags': mapping((s, c) => s.unmap(c, 0n, 4096n, { flags: 8 })),
  'container.unmap_dma.bitmap': later((s) => s.unmap(realInContainer(s, 3).c, 0n, 4096n, { flags: 1 })),
  'container.unmap_dma.alignment': mapping((s, c) => s.unmap(c, 1n, 4096n)),
  'container.unmap_dma.all-range': later((s) => s.unmap(realInContainer(s, 3).c, 0n, 4096n, { flags: 2 })),
  'container.unmap_dma.range': mapping((s, c) => s.unmap(c, 0n, 0n)),
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
};

function mapping(act: (session: Session, container: number) => unknown): Provocation {
  return plain((s) => act(s, realInContainer(s, 3).c));
}

function noiommuSet(s: Session): number {
  const { c } = fakeInContainer(s);
  s.setIommu(c, 8);
  return c;
}
