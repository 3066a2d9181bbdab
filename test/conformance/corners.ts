/** Scripts about containers, groups and what an open device is asked. */
import { barOf } from '../../src/model/bars.ts';
import type { Op } from '../../src/model/op.ts';
import type { Context, Maker } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import {
  about,
  eventfd,
  getDevice,
  groupOf,
  hardwareAt,
  join,
  last,
  methods,
  open,
  opened,
  openGroup,
  page,
  pass,
  root,
  type Script,
  scanty,
  setIommu,
  translated,
  untranslated,
  user,
} from './script.ts';

const any = (its: Context) => [...translated(its), ...untranslated(its)];

const mapping = { iova: 0n, size: 4n * page } as const;

function map(flags: number, pid: number = root): Maker {
  return (its) => ({
    op: 'container.map_dma',
    pid,
    fd: last(its, 'container', pid),
    flags,
    vaddr: its.regions.writable,
    memory: 'writable',
    ...mapping,
  });
}

const unaddress: Maker = (its) => ({
  op: 'container.unmap_dma',
  pid: root,
  fd: last(its, 'container'),
  flags: 4,
  ...mapping,
});

const dirty = (flags: number): Maker => {
  return (its) => ({
    op: 'container.dirty_pages',
    pid: root,
    fd: last(its, 'container'),
    flags,
    ...mapping,
    pgsize: page,
    bitmapSize: 8n,
    bitmap: 'read-only',
  });
};

/** Of a second group, what a container with mappings of the first is asked. */
const joined = (before: readonly Maker[]): Script =>
  about(translated, (device, its) => {
    const other = translated(its).find((each) => groupOf(its, each) !== groupOf(its, device));
    return other === undefined
      ? []
      : [...opened(its, device), ...before, openGroup(other), join('container')];
  });

const unsafe = (text: string): Maker => {
  return () => ({
    op: 'parameter.write',
    pid: root,
    module: 'vfio_iommu_type1',
    parameter: 'allow_unsafe_interrupts',
    text,
  });
};

/** Mostly given, for without it a machine whose IOMMU does not isolate interrupts opens nothing. */
export function unsafeInterrupts(module: string): Maker {
  return (its) => ({
    op: 'parameter.write',
    pid: root,
    module,
    parameter: 'allow_unsafe_interrupts',
    text: pick(['Y', 'Y', 'Y', 'N'], its.a),
  });
}

const containers: readonly Script[] = [
  about(translated, (device, its) => [...opened(its, device), map(3), dirty(1), dirty(4), dirty(4)]),
  about(translated, (device, its) => [
    ...opened(its, device),
    ...[map(3), unaddress, pass('container', scanty), map(4, scanty)],
  ]),
  joined([map(3), unaddress]),
  (its) => [unsafe('Y'), ...joined([map(3), unsafe('N')])(its)],
  about(any, (device, its) => [...opened(its, device), getDevice('x'.repeat(5000))]),
];

const begun = (device: string): readonly Maker[] => [open('/dev/vfio/vfio'), openGroup(device)];

/** What root leaves to a user without CAP_SYS_RAWIO. */
const rawio: readonly Script[] = [
  about(untranslated, (device) => [
    ...begun(device),
    ...[pass('container', user), pass('group', user), join('container', user)],
  ]),
  about(untranslated, (device) => [
    ...begun(device),
    ...[join('container'), pass('container', user), setIommu(8, user)],
  ]),
  about(untranslated, (device) => [
    ...begun(device),
    ...[join('container'), setIommu(8), pass('group', user), getDevice(device, user)],
  ]),
];

const hotInfo: Maker = (its) => ({
  op: 'device.hot_reset_info',
  pid: root,
  fd: last(its, 'device'),
  argsz: 1024,
});

const hotReset: Maker = (its) => ({
  op: 'device.hot_reset',
  pid: root,
  fd: last(its, 'device'),
  flags: 0,
  groups: [last(its, 'group')],
});

const withoutWays = (its: Context) =>
  any(its).filter((device) => hardwareAt(its, device)?.rootBus === true && groupOf(its, device));

const feature = (flags: number): Maker => {
  return (its) => ({
    op: 'device.feature',
    pid: root,
    fd: last(its, 'device'),
    flags,
    token: '',
    eventfd: -1,
  });
};

const neighbour = (device: string, its: Context) =>
  untranslated(its).find((other) => other !== device && other.slice(0, -1) === device.slice(0, -1));

const resets: readonly Script[] = [
  about(withoutWays, (device, its) => [...opened(its, device), hotInfo, hotReset]),
  // The other function of the bus is left without a driver, and so without a group.
  about(untranslated, (device, its) => {
    const other = neighbour(device, its);
    if (other === undefined) return [];
    const leave: Maker = () => ({ op: 'driver.unbind', pid: root, driver: 'vfio-pci', device: other });
    return [leave, ...opened(its, device), hotInfo];
  }),
  about(
    (its) => any(its).filter((device) => hardwareAt(its, device)?.sriov !== true),
    (device, its) => [
      methods(device, 'default'),
      ...opened(its, device),
      methods(device, '\n'),
      (now) => ({ op: 'device.reset', pid: root, fd: last(now, 'device') }),
    ],
  ),
  about(any, (device, its) => [
    ...opened(its, device),
    feature(0x2_0003),
    feature(0x2_0003),
    feature(0x2_0005),
  ]),
];

/** A BAR that is memory and does not hold the MSI-X table. */
function memoryOf(its: Context, device: string): number | undefined {
  const hardware = hardwareAt(its, device);
  const bars = hardware?.bars.filter(
    ({ kind, index, size }) => kind === 'memory' && size >= 4096 && index !== hardware.msixTable?.bar,
  );
  return bars?.find(({ index }) => barOf(hardware as NonNullable<typeof hardware>, index)?.start !== 0n)
    ?.index;
}

const remembering = (its: Context) => any(its).filter((device) => memoryOf(its, device) !== undefined);

const onMemory = (steps: (offset: bigint, device: string, its: Context) => readonly Maker[]): Script =>
  about(remembering, (device, its) => [
    ...opened(its, device),
    ...steps(BigInt(memoryOf(its, device) ?? 0) << 40n, device, its),
  ]);

const ioeventfd = (offset: bigint, data: bigint): Maker => {
  return (its) => ({
    op: 'device.ioeventfd',
    pid: root,
    fd: last(its, 'device'),
    flags: 4,
    offset,
    data,
    eventfd: last(its, 'eventfd'),
  });
};

/** The register that says whether memory is decoded (PCI_COMMAND, in region 7). */
const command = (7n << 40n) + 4n;

type Access = (fd: number) => Op;

const onFile = (access: Access): Maker => {
  return (its) => access(last(its, 'device'));
};

const regions: readonly Script[] = [
  onMemory((offset) => [eventfd, ioeventfd(offset, 1n), ioeventfd(offset, 1n), ioeventfd(offset, 2n)]),
  // Each with a signal of its own would need as many descriptors.
  (its) =>
    its.b % 3 > 0
      ? []
      : onMemory((offset) => [
          eventfd,
          ...Array.from({ length: 1100 }, (_, place) => ioeventfd(offset, BigInt(place))),
        ])(its),
  onMemory((offset) => [
    onFile((fd) => ({ op: 'device.mmap', pid: root, fd, offset, length: 2 ** 47, shared: true })),
  ]),
  onMemory((offset) => [
    onFile((fd) => ({ op: 'device.write', pid: root, fd, offset: command, bytes: [0, 0] })),
    onFile((fd) => ({ op: 'device.read', pid: root, fd, offset, count: 4 })),
    onFile((fd) => ({ op: 'device.write', pid: root, fd, offset, bytes: [0, 0, 0, 0] })),
    onFile((fd) => ({ op: 'file.call', pid: root, fd, call: 'read' })),
    onFile((fd) => ({ op: 'file.call', pid: root, fd, call: 'write' })),
  ]),
];

const irqs = (flags: number, index: number, start: number, count: number): Maker => {
  return (its) => ({
    op: 'device.set_irqs',
    pid: root,
    fd: last(its, 'device'),
    ...{ flags, index, start, count },
    data: Array.from({ length: count }, () => last(its, 'eventfd')),
  });
};

const [intx, msi, msix] = [0, 1, 2];
const [trigger, maskBy, unmaskBy] = [0x24, 0x0c, 0x14];

const interrupts: readonly Script[] = [
  about(
    (its) => any(its).filter((device) => (hardwareAt(its, device)?.interruptPin ?? 0) > 0),
    (device, its) => [
      ...opened(its, device),
      eventfd,
      ...[irqs(trigger, intx, 0, 1), irqs(maskBy, intx, 0, 1)],
      ...[irqs(unmaskBy, intx, 0, 1), eventfd, irqs(unmaskBy, intx, 0, 1), irqs(trigger, msix, 0, 1)],
    ],
  ),
  about(
    (its) => any(its).filter((device) => (hardwareAt(its, device)?.msiVectors ?? 0) > 1),
    (device, its) => [...opened(its, device), eventfd, irqs(trigger, msi, 0, 1), irqs(trigger, msi, 1, 1)],
  ),
];

/** What only kernels with iommufd know a device to be asked. */
const strange: Script = about(
  (its) => (its.world.profile.build.iommufd === 'n' ? any(its) : []),
  (device, its) => [
    ...opened(its, device),
    onFile((fd) => ({ op: 'device.attach_ioas', pid: root, fd, target: 1, flags: 0 })),
    onFile((fd) => ({ op: 'device.detach_ioas', pid: root, fd, flags: 0 })),
  ],
);

export const corners: readonly Script[] = [
  ...containers,
  ...rawio,
  ...resets,
  ...regions,
  ...interrupts,
  strange,
];
