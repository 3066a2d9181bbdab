import type { Op } from '../../../src/model/op.ts';
import { bare, functionAt, machine, pair, sibling, single, user } from './machine.ts';
import {
  alone,
  before,
  device,
  group,
  later,
  noIommu,
  on,
  type Provocation,
  pid,
  plain,
  reserved,
  secondGroup,
  since,
  write,
} from './provocation.ts';
import type { Session } from './session.ts';
import { fake, fakeInContainer, realInContainer } from './vector.ts';

export const groups: Readonly<Record<string, Provocation>> = {
  'group.get_status.fault': grouped((s, fd) => s.call({ op: 'group.get_status', pid, fd, argsz: null })),
  'group.get_status.argsz': grouped((s, fd) => s.call({ op: 'group.get_status', pid, fd, argsz: 7 })),
  'group.get_status.revoked': later((s) => revoked(s, (g) => s.status(g))),
  'group.set_container.fault': grouped((s, fd) =>
    s.call({ op: 'group.set_container', pid, fd, container: 3, argsz: null }),
  ),
  'group.set_container.negative': before(
    '6.1',
    grouped((s, fd) => s.setContainer(fd, -1)),
  ),
  'group.set_container.descriptor': grouped((s, fd) => s.setContainer(fd, 99)),
  'group.set_container.again': plain((s) => {
    const { c, g } = realInContainer(s);
    s.setContainer(g, c);
  }),
  'group.set_container.revoked': later((s) => revoked(s, (g) => s.setContainer(g, s.open('vfio')))),
  'group.set_container.no-container': grouped((s, fd) => s.setContainer(fd, fd)),
  'group.set_container.rawio': on(
    alone,
    (s) => {
      fake(s);
      s.setContainer(s.pass(s.open('noiommu-0')), s.open('vfio', user.pid), user.pid);
    },
    noIommu,
  ),
  'group.set_container.mixing': later((s) => {
    const { c } = fakeInContainer(s);
    s.take(single);
    s.setContainer(s.open('8'), c);
  }),
  'group.set_container.not-viable': later((s) => {
    s.take(pair);
    s.setContainer(s.open('7'), s.open('vfio'));
  }),
  'group.set_container.firmware': (profile) =>
    on(
      machine,
      (s) => {
        s.take(pair);
        s.unbind(sibling);
        const c = s.open('vfio');
        s.setContainer(s.open('7'), c);
        s.setIommu(c, 3);
        s.take(single);
        s.setContainer(s.open('8'), c);
      },
      reserved,
    )(profile),
  'group.set_container.invalid-vaddr': later((s) => {
    const { c, g } = secondGroup(s);
    s.map(c, 0n, 4096n);
    s.unmap(c, 0n, 4096n, { flags: 4 });
    s.setContainer(g, c);
  }),
  'group.set_container.conflict': since(
    '6.1',
    on(
      machine,
      (s) => {
        const { c, g } = secondGroup(s);
        s.map(c, 0x7f000000n, 4096n);
        s.setContainer(g, c);
      },
      {
        iommu: {
          units: ['dmar0'],
          interruptRemapping: true,
          groups: [group(7, 'reserved', '0x7f000000', '0x7fffffff')],
        },
      },
    ),
  ),
  'group.set_container.interrupts': on(
    machine,
    (s) => {
      write(s, 'vfio_iommu_type1', 'allow_unsafe_interrupts', 'Y');
      const { c, g } = secondGroup(s);
      write(s, 'vfio_iommu_type1', 'allow_unsafe_interrupts', 'N');
      s.setContainer(g, c);
    },
    { iommu: { units: ['dmar0'], interruptRemapping: false, groups: [] } },
  ),
  'group.unset_container.none': grouped((s, fd) => s.unsetContainer(fd)),
  'group.unset_container.busy': plain((s) => {
    const { g } = realInContainer(s, 3);
    s.device(g, single);
    s.unsetContainer(g);
  }),
  'group.get_device_fd.fault': grouped((s, fd) =>
    s.call({ op: 'group.get_device_fd', pid, fd, name: '', argsz: null }),
  ),
  'group.get_device_fd.endless': grouped((s, fd) => s.device(fd, 'x'.repeat(4096))),
  'group.get_device_fd.options': later((s) => s.device(realInContainer(s, 3).g, `${single} foo`)),
  'group.get_device_fd.name': plain((s) => s.device(realInContainer(s, 3).g, 'nope')),
  'group.get_device_fd.descriptors': on(machine, (s) => {
    const { g } = realInContainer(s, 3);
    s.pass(g);
    full(s);
    s.device(3, single, user.pid);
  }),
  'group.get_device_fd.no-container': grouped((s, fd) => s.device(fd, single)),
  'group.get_device_fd.no-iommu': plain((s) => s.device(realInContainer(s).g, single)),
  'group.get_device_fd.rawio': on(
    alone,
    (s) => {
      const { c, g } = fakeInContainer(s);
      s.setIommu(c, 8);
      s.device(s.pass(g), bare, user.pid);
    },
    noIommu,
  ),
  'group.get_device_fd.not-viable': before(
    '6.1',
    plain((s) => {
      s.take(pair);
      const c = s.open('vfio');
      const g = s.open('7');
      s.setContainer(g, c);
      s.setIommu(c, 1);
      s.device(g, pair);
    }),
  ),
};

function grouped(act: (session: Session, group: number) => unknown): Provocation {
  return plain((s) => {
    s.take(single);
    act(s, s.open('8'));
  });
}

function revoked(s: Session, act: (group: number) => unknown): void {
  s.take(single);
  const g = s.open('8');
  s.unbind(single, 'vfio-pci');
  act(g);
}

/** Takes every descriptor that the user may still have. */
function full(s: Session): void {
  const op: Op = { op: 'open', pid: user.pid, path: '/dev/null' };
  while (s.call(op) !== 'EMFILE');
}

export const devices: Readonly<Record<string, Provocation>> = {
  'device.get_info.fault': opened((s, fd) => s.call({ op: 'device.get_info', pid, fd, argsz: null })),
  'device.get_info.argsz': opened((s, fd) => s.call({ op: 'device.get_info', pid, fd, argsz: 15 })),
  'device.region_info.fault': opened((s, fd) =>
    s.call({ op: 'device.region_info', pid, fd, index: 0, argsz: null }),
  ),
  'device.region_info.argsz': opened((s, fd) =>
    s.call({ op: 'device.region_info', pid, fd, index: 0, argsz: 31 }),
  ),
  'device.region_info.index': opened((s, fd) => s.call({ op: 'device.region_info', pid, fd, index: 9 })),
  'device.irq_info.fault': opened((s, fd) =>
    s.call({ op: 'device.irq_info', pid, fd, index: 0, argsz: null }),
  ),
  'device.irq_info.argsz': opened((s, fd) => s.call({ op: 'device.irq_info', pid, fd, index: 0, argsz: 15 })),
  'device.irq_info.index': opened((s, fd) => s.call({ op: 'device.irq_info', pid, fd, index: 5 })),
  'device.irq_info.error': on(
    [
      functionAt(single, {
        iommuGroup: 8,
        capabilities: { express: false, msiVectors: 0, msixVectors: 0, interruptPin: 1, configSize: 256 },
      }),
    ],
    (s) => s.call({ op: 'device.irq_info', pid, fd: device(s), index: 3 }),
  ),
  'device.reset.none': on([functionAt(single, { iommuGroup: 8, resetMethods: [] })], (s) =>
    s.call({ op: 'device.reset', pid, fd: device(s) }),
  ),
  'device.reset.methods': since(
    '6.1',
    opened((s, fd) => {
      s.call({ op: 'device.reset_method', pid, device: single, text: '\n' });
      s.call({ op: 'device.reset', pid, fd });
    }),
  ),
  'ioctl.descriptor': plain((s) => s.ioctl(9, 0x3b64)),
  'ioctl.container-unset': plain((s) => s.ioctl(s.open('vfio'), 0x1234)),
  'ioctl.kvm': inKvm((s, fd) => s.ioctl(fd, 0x3b64)),
  'ioctl.another': plain((s) => s.call({ op: 'ioctl', pid: user.pid, fd: s.pass(s.vm()), request: 0x3b64 })),
  'ioctl.unknown': opened((s, fd) => s.ioctl(fd, 0x1234)),
};

function opened(act: (session: Session, device: number) => unknown): Provocation {
  return plain((s) => act(s, device(s)));
}

export const virtualMachines: Readonly<Record<string, Provocation>> = {
  'kvm.create_vm.descriptors': inKvm((s, fd) => {
    s.world = scarce(s);
    s.call({ op: 'kvm.create_vm', pid, fd });
  }),
  'kvm.create_device.another': plain((s) => {
    s.call({ op: 'kvm.create_device', pid: user.pid, fd: s.pass(s.vm()) });
  }),
  'kvm.create_device.fault': plain((s) => s.call({ op: 'kvm.create_device', pid, fd: s.vm(), argsz: null })),
  'kvm.create_device.again': plain((s) => {
    const vm = s.vm();
    s.kvm(vm);
    s.call({ op: 'kvm.create_device', pid, fd: vm });
  }),
  'kvm.create_device.descriptors': plain((s) => {
    const fd = s.vm();
    s.world = scarce(s);
    s.call({ op: 'kvm.create_device', pid, fd });
  }),
  'kvm.add_group.another': later((s) => {
    s.call({ op: 'kvm.add_group', pid: user.pid, fd: s.pass(s.kvm()), file: 9 });
  }),
  'kvm.add_group.fault': grouped((s, file) =>
    s.call({ op: 'kvm.add_group', pid, fd: s.kvm(), file, argsz: null }),
  ),
  'kvm.add_group.descriptor': plain((s) => s.kvmAdd(s.kvm(), 9)),
  'kvm.add_group.no-group': plain((s) => s.kvmAdd(s.kvm(), s.open('vfio'))),
  'kvm.add_group.no-container': before(
    '6.1',
    grouped((s, fd) => s.kvmAdd(s.kvm(), fd)),
  ),
  'kvm.add_group.noiommu': before(
    '6.1',
    on(alone, (s) => s.kvmAdd(s.kvm(), fakeInContainer(s).g), noIommu),
  ),
  'kvm.add_group.not-viable': before(
    '6.1',
    plain((s) => s.kvmAdd(s.kvm(), realInContainer(s).g)),
  ),
  'kvm.add_group.again': plain((s) => {
    const { g } = realInContainer(s, 1);
    const k = s.kvm();
    s.kvmAdd(k, g);
    s.kvmAdd(k, g);
  }),
  'kvm.del_group.another': later((s) => {
    s.call({ op: 'kvm.del_group', pid: user.pid, fd: s.pass(s.kvm()), file: 9 });
  }),
  'kvm.del_group.fault': grouped((s, file) =>
    s.call({ op: 'kvm.del_group', pid, fd: s.kvm(), file, argsz: null }),
  ),
  'kvm.del_group.descriptor': plain((s) => s.kvmDel(s.kvm(), 9)),
  'kvm.del_group.no-group': before(
    '6.1',
    plain((s) => s.kvmDel(s.kvm(), s.open('vfio'))),
  ),
  'kvm.del_group.no-container': before(
    '6.1',
    grouped((s, fd) => s.kvmDel(s.kvm(), fd)),
  ),
  'kvm.del_group.noiommu': before(
    '6.1',
    on(alone, (s) => s.kvmDel(s.kvm(), fakeInContainer(s).g), noIommu),
  ),
  'kvm.del_group.not-viable': before(
    '6.1',
    plain((s) => s.kvmDel(s.kvm(), realInContainer(s).g)),
  ),
  'kvm.del_group.none': plain((s) => s.kvmDel(s.kvm(), realInContainer(s, 1).g)),
};

function inKvm(act: (session: Session, fd: number) => unknown): Provocation {
  return plain((s) => act(s, Number(s.call({ op: 'open', pid, path: '/dev/kvm' }))));
}

/** The process has as many descriptors as it may. */
function scarce({ world, state }: Session): Session['world'] {
  const { files = [] } = state.descriptors.find((table) => table.pid === pid) ?? {};
  const process = world.processes.get(pid);
  if (process === undefined) throw new Error('no process');
  const processes = new Map(world.processes).set(pid, { ...process, nofile: files.length + 3 });
  return { ...world, processes };
}
