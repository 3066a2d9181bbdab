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
} from './provocation.ts';
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
};
