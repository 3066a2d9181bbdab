import type { Op } from '../../../src/model/op.ts';
import { cdevs, type IommufdSession } from './iommufd-session.ts';
import { pair, sibling, single, user } from './machine.ts';
import { device, group, type Provocation, pid, plain } from './provocation.ts';

const highest = 2n ** 64n - 1n;

/** The three tests that every structure of iommufd's has first. */
export function framing(
  op: { readonly op: `iommufd.${string}`; readonly [argument: string]: unknown },
  size: number,
): { readonly [guard: string]: Provocation } {
  const asked = (over: object) =>
    cdevs((s) => s.call({ ...op, pid, fd: s.iommufd(), ...over } as unknown as Op));
  return {
    [`${op.op}.fault`]: asked({ argsz: null }),
    [`${op.op}.argsz`]: asked({ argsz: size - 1 }),
    [`${op.op}.tail`]: asked({ tail: true }),
  };
}

/** On an iommufd with an address space of id 1. */
function withIoas(act: (s: IommufdSession, i: number) => unknown): Provocation {
  return cdevs((s) => {
    const i = s.iommufd();
    s.alloc(i);
    act(s, i);
  });
}

const map = {
  op: 'iommufd.ioas_map',
  flags: 7,
  ioas: 1,
  vaddr: 0n,
  length: 1n,
  iova: 0n,
  memory: 'none',
} as const;
const copy = {
  op: 'iommufd.ioas_copy',
  flags: 7,
  dst: 1,
  src: 1,
  length: 1n,
  dstIova: 0n,
  srcIova: 0n,
} as const;
const msi = 0xfee00000n;
export const onGroup8 = {
  iommu: {
    units: ['dmar0'],
    interruptRemapping: true,
    groups: [group(8, 'msi', '0xfee00000', '0xfeefffff')],
  },
};

const objects: Readonly<Record<string, Provocation>> = {
  ...framing({ op: 'iommufd.ioas_alloc', flags: 0 }, 12),
  'iommufd.ioas_alloc.unsupported': cdevs((s) => s.ask('iommufd.ioas_alloc', { fd: s.iommufd(), flags: 1 })),
  ...framing({ op: 'iommufd.destroy', id: 1 }, 8),
  'iommufd.destroy.missing': withIoas((s, i) => s.ask('iommufd.destroy', { fd: i, id: 2 })),
  'iommufd.destroy.used': cdevs((s) => {
    const { i, ioas } = s.attached();
    s.ask('iommufd.destroy', { fd: i, id: ioas });
  }),
  ...framing({ op: 'iommufd.ioas_iova_ranges', ioas: 1, room: 1 }, 32),
  'iommufd.ioas_iova_ranges.unsupported': withIoas((s, fd) =>
    s.ask('iommufd.ioas_iova_ranges', { fd, ioas: 1, room: 1, reserved: 1 }),
  ),
  'iommufd.ioas_iova_ranges.missing': withIoas((s, fd) =>
    s.ask('iommufd.ioas_iova_ranges', { fd, ioas: 9, room: 1 }),
  ),
  'iommufd.ioas_iova_ranges.room': withIoas((s, fd) =>
    s.ask('iommufd.ioas_iova_ranges', { fd, ioas: 1, room: 0 }),
  ),
  ...framing({ op: 'iommufd.ioas_allow_iovas', ioas: 1, ranges: [] }, 24),
  'iommufd.ioas_allow_iovas.unsupported': withIoas((s, fd) =>
    s.ask('iommufd.ioas_allow_iovas', { fd, ioas: 1, ranges: [], reserved: 1 }),
  ),
  'iommufd.ioas_allow_iovas.missing': withIoas((s, i) => s.allow(i, 9)),
  'iommufd.ioas_allow_iovas.ranges': withIoas((s, i) => s.allow(i, 1, 5n, 5n)),
  'iommufd.ioas_allow_iovas.reserved': cdevs((s) => {
    const { i, ioas } = s.attached();
    s.allow(i, ioas, msi, msi + 0xfffn);
  }, onGroup8),
  ...framing({ op: 'iommufd.option', option: 0, operation: 1, object: 0, value: 0n }, 24),
  'iommufd.option.unsupported': withIoas((s, fd) =>
    s.ask('iommufd.option', { fd, option: 0, operation: 1, object: 0, value: 0n, reserved: 1 }),
  ),
  'iommufd.option.unknown': withIoas((s, i) => s.option(i, 2, 1, 0)),
  'iommufd.option.object': withIoas((s, i) => s.option(i, 0, 1, 1)),
  'iommufd.option.permission': cdevs((s) => {
    const fd = s.pass(s.iommufd());
    s.ask('iommufd.option', { fd, option: 0, operation: 0, object: 0, value: 1n }, user.pid);
  }),
  'iommufd.option.late': withIoas((s, i) => s.option(i, 0, 0, 0, 1n)),
  'iommufd.option.missing': withIoas((s, i) => s.option(i, 1, 1, 9)),
  'iommufd.option.operation': withIoas((s, i) => s.option(i, 1, 2, 1)),
  'iommufd.option.value': withIoas((s, i) => s.option(i, 1, 0, 1, 2n)),
  'iommufd.option.mapped': cdevs((s) => {
    const { i, ioas } = s.attached();
    s.ioasMap(i, ioas, 0n);
    s.option(i, 1, 0, ioas, 0n);
  }),
  'iommufd.option.alignment': withIoas((s, i) => {
    s.ioasMap(i, 1, 0n, { length: 1n });
    s.option(i, 1, 0, 1, 0n);
  }),
  ...framing({ op: 'iommufd.vfio_ioas', operation: 0, ioas: 1 }, 12),
  'iommufd.vfio_ioas.unsupported': withIoas((s, fd) =>
    s.ask('iommufd.vfio_ioas', { fd, operation: 0, ioas: 1, reserved: 1 }),
  ),
  'iommufd.vfio_ioas.none': withIoas((s, fd) => s.ask('iommufd.vfio_ioas', { fd, operation: 0, ioas: 0 })),
  'iommufd.vfio_ioas.missing': withIoas((s, fd) => s.ask('iommufd.vfio_ioas', { fd, operation: 1, ioas: 9 })),
  'iommufd.vfio_ioas.operation': withIoas((s, fd) =>
    s.ask('iommufd.vfio_ioas', { fd, operation: 3, ioas: 1 }),
  ),
};

/** On an address space that a device is attached to. */
function attachedTo(act: (s: IommufdSession, i: number, ioas: number) => unknown): Provocation {
  return cdevs((s) => {
    const { i, ioas } = s.attached();
    act(s, i, ioas);
  }, onGroup8);
}

const mapping: Readonly<Record<string, Provocation>> = {
  ...framing(map, 40),
  'iommufd.ioas_map.unsupported': withIoas((s, i) => s.ioasMap(i, 1, 0n, { flags: 15 })),
  'iommufd.ioas_map.overflow': withIoas((s, i) => s.ioasMap(i, 1, highest)),
  'iommufd.ioas_map.no-access': withIoas((s, i) => s.ioasMap(i, 1, 0n, { flags: 1 })),
  'iommufd.ioas_map.missing': withIoas((s, i) => s.ioasMap(i, 9, 0n)),
  'iommufd.ioas_map.length': withIoas((s, i) => s.ioasMap(i, 1, 0n, { length: 0n })),
  'iommufd.ioas_map.address': withIoas((s, i) => s.ioasMap(i, 1, 0n, { vaddr: highest })),
  'iommufd.ioas_map.alignment': attachedTo((s, i, ioas) => s.ioasMap(i, ioas, 0n, { length: 1n })),
  'iommufd.ioas_map.size': withIoas((s, i) =>
    s.ioasMap(i, 1, 0n, { flags: 6, vaddr: 0n, length: 2n ** 63n }),
  ),
  'iommufd.ioas_map.offset': attachedTo((s, i, ioas) =>
    s.ioasMap(i, ioas, 0n, { flags: 6, vaddr: 0x7f0000000001n }),
  ),
  'iommufd.ioas_map.room': withIoas((s, i) => {
    s.allow(i, 1, 0x1000n, 0x1fffn);
    s.ioasMap(i, 1, 0n, { flags: 6, length: 0x2000n });
  }),
  'iommufd.ioas_map.iova': attachedTo((s, i, ioas) => s.ioasMap(i, ioas, 1n)),
  'iommufd.ioas_map.wrap': withIoas((s, i) => s.ioasMap(i, 1, highest - 1n)),
  'iommufd.ioas_map.reserved': attachedTo((s, i, ioas) => s.ioasMap(i, ioas, msi)),
  'iommufd.ioas_map.overlap': withIoas((s, i) => {
    s.ioasMap(i, 1, 0n);
    s.ioasMap(i, 1, 1n);
  }),
  'iommufd.ioas_map.within-page': attachedTo((s, i, ioas) =>
    s.ioasMap(i, ioas, 0n, { vaddr: 0x7f0000000001n }),
  ),
  'iommufd.ioas_map.memory': attachedTo((s, i, ioas) => s.ioasMap(i, ioas, 0n, { memory: 'read-only' })),
  'iommufd.ioas_map.memlock': attachedTo((s, i, ioas) =>
    s.ioasMap(s.pass(i), ioas, 0n, { pid: user.pid, length: 0x100000n }),
  ),
  ...framing(copy, 40),
  'iommufd.ioas_copy.unsupported': withIoas((s, i) => s.ioasCopy(i, { flags: 15 })),
  'iommufd.ioas_copy.overflow': withIoas((s, i) => s.ioasCopy(i, { length: highest })),
  'iommufd.ioas_copy.no-access': withIoas((s, i) => s.ioasCopy(i, { flags: 1 })),
  'iommufd.ioas_copy.no-source': withIoas((s, i) => s.ioasCopy(i, { src: 9 })),
  'iommufd.ioas_copy.length': withIoas((s, i) => s.ioasCopy(i, { length: 0n })),
  'iommufd.ioas_copy.source-wrap': withIoas((s, i) => s.ioasCopy(i, { srcIova: highest - 1n })),
  'iommufd.ioas_copy.unmapped': withIoas((s, i) => s.ioasCopy(i)),
  'iommufd.ioas_copy.missing': copying((s, i) => s.ioasCopy(i, { dst: 9 })),
  'iommufd.ioas_copy.alignment': copyingTo((s, i, dst) => s.ioasCopy(i, { dst, length: 1n })),
  'iommufd.ioas_copy.size': withIoas((s, i) => {
    s.ioasMap(i, 1, 0n, { vaddr: 0n, length: 2n ** 63n });
    s.ioasCopy(i, { flags: 6, dst: 1, length: 2n ** 63n });
  }),
  'iommufd.ioas_copy.offset': copyingTo((s, i, dst) => {
    s.ioasMap(i, 1, 0x8000n, { vaddr: 0x7f0000000001n });
    s.ioasCopy(i, { dst, flags: 6, srcIova: 0x8000n });
  }),
  'iommufd.ioas_copy.room': copying((s, i) => {
    s.allow(i, 2, 0x1000n, 0x1800n);
    s.ioasCopy(i, { flags: 6 });
  }),
  'iommufd.ioas_copy.iova': copyingTo((s, i, dst) => s.ioasCopy(i, { dst, dstIova: 1n })),
  'iommufd.ioas_copy.wrap': copying((s, i) => s.ioasCopy(i, { dstIova: highest - 1n })),
  'iommufd.ioas_copy.reserved': copyingTo((s, i, dst) => s.ioasCopy(i, { dst, dstIova: msi })),
  'iommufd.ioas_copy.overlap': copying((s, i) => {
    s.ioasCopy(i);
    s.ioasCopy(i);
  }),
  'iommufd.ioas_copy.read-only': copying((s, i) => {
    s.ioasMap(i, 1, 0x8000n, { flags: 5 });
    s.ioasCopy(i, { srcIova: 0x8000n });
  }),
  'iommufd.ioas_copy.within-page': copyingTo((s, i, dst) => {
    s.ioasMap(i, 1, 0x8000n, { vaddr: 0x7f0000000001n });
    s.ioasCopy(i, { dst, srcIova: 0x8000n });
  }),
  'iommufd.ioas_copy.memory': copyingTo((s, i, dst) => {
    s.ioasMap(i, 1, 0x8000n, { memory: 'none' });
    s.ioasCopy(i, { dst, srcIova: 0x8000n });
  }),
  'iommufd.ioas_copy.memlock': copyingTo((s, i, dst) => {
    s.ioasMap(s.pass(i), 1, 0x100000n, { pid: user.pid, length: 0x100000n });
    s.ioasCopy(i, { dst, srcIova: 0x100000n, length: 0x100000n });
  }),
  ...framing({ op: 'iommufd.ioas_unmap', ioas: 1, iova: 0n, length: 1n }, 24),
  'iommufd.ioas_unmap.missing': withIoas((s, i) => s.ioasUnmap(i, 9, 0n, 1n)),
  'iommufd.ioas_unmap.overflow': withIoas((s, i) => s.ioasUnmap(i, 1, 1n, highest)),
  'iommufd.ioas_unmap.length': withIoas((s, i) => s.ioasUnmap(i, 1, 0n, 0n)),
  'iommufd.ioas_unmap.wrap': withIoas((s, i) => s.ioasUnmap(i, 1, highest - 1n, 0x1000n)),
  'iommufd.ioas_unmap.partial': withIoas((s, i) => {
    s.ioasMap(i, 1, 0n);
    s.ioasMap(i, 1, 0x1000n, { length: 0x2000n });
    s.ioasUnmap(i, 1, 0n, 0x2000n);
  }),
  'iommufd.ioas_unmap.nothing': withIoas((s, i) => s.ioasUnmap(i, 1, 0n, 1n)),
};

/** Two address spaces, the first of them with something at 0. */
function copying(act: (s: IommufdSession, i: number) => unknown): Provocation {
  return withIoas((s, i) => {
    s.alloc(i);
    s.ioasMap(i, 1, 0n);
    act(s, i);
  });
}

/** An address space of id 1 with something at 0, and another that a device is attached to. */
function copyingTo(act: (s: IommufdSession, i: number, dst: number) => unknown): Provocation {
  return cdevs((s) => {
    s.take(single);
    const [d, i] = [s.cdev(), s.iommufd()];
    s.alloc(i);
    s.ioasMap(i, 1, 0n);
    s.bindIommufd(d, i);
    const dst = s.alloc(i);
    s.attach(d, dst);
    act(s, i, dst);
  }, onGroup8);
}

const attaching: Readonly<Record<string, Provocation>> = {
  'device.attach_ioas.unknown': plain((s) =>
    s.call({ op: 'device.attach_ioas', pid, fd: device(s), target: 1, flags: 0 }),
  ),
  'device.attach_ioas.fault': cdevs((s) =>
    s.ask('device.attach_ioas', { fd: s.bound().d, target: 1, flags: 0, argsz: null }),
  ),
  'device.attach_ioas.argsz': cdevs((s) =>
    s.ask('device.attach_ioas', { fd: s.bound().d, target: 1, flags: 0, argsz: 11 }),
  ),
  'device.attach_ioas.flags': cdevs((s) =>
    s.ask('device.attach_ioas', { fd: s.bound().d, target: 1, flags: 1 }),
  ),
  'device.attach_ioas.missing': cdevs((s) => s.attach(s.bound().d, 9)),
  'device.attach_ioas.type': cdevs((s) => s.attach(s.bound().d, 1)),
  'device.attach_ioas.elsewhere': cdevs((s) => {
    s.take(sibling);
    const { i } = s.attached(pair);
    const other = s.cdev(sibling);
    s.bindIommufd(other, i);
    s.attach(other, s.alloc(i));
  }),
  'device.attach_ioas.reserved': before((s, i) => s.ioasMap(i, 2, msi)),
  'device.attach_ioas.alignment': before((s, i) => s.ioasMap(i, 2, 0n, { length: 1n })),
  'device.attach_ioas.aperture': before((s, i) => s.ioasMap(i, 2, 2n ** 60n)),
  'device.attach_ioas.memory': before((s, i) => s.ioasMap(i, 2, 0n, { memory: 'none' })),
  'device.attach_ioas.access': before((s, i) => {
    s.ask('iommufd.vfio_ioas', { fd: i, operation: 1, ioas: 2 });
    s.ask('iommufd.map_dma', {
      fd: i,
      flags: 0,
      vaddr: 0x7f0000000000n,
      iova: 0n,
      size: 0x1000n,
      memory: 'writable',
    });
  }),
  'device.attach_ioas.memlock': before((s, i) =>
    s.ioasMap(s.pass(i), 2, 0n, { pid: user.pid, length: 0x100000n }),
  ),
  'device.detach_ioas.unknown': plain((s) =>
    s.call({ op: 'device.detach_ioas', pid, fd: device(s), flags: 0 }),
  ),
  'device.detach_ioas.fault': cdevs((s) =>
    s.ask('device.detach_ioas', { fd: s.bound().d, flags: 0, argsz: null }),
  ),
  'device.detach_ioas.argsz': cdevs((s) =>
    s.ask('device.detach_ioas', { fd: s.bound().d, flags: 0, argsz: 7 }),
  ),
  'device.detach_ioas.flags': cdevs((s) => s.ask('device.detach_ioas', { fd: s.bound().d, flags: 1 })),
};

/** A bound device that is attached to an address space, of id 2, after something was done with that. */
function before(act: (s: IommufdSession, i: number) => unknown): Provocation {
  return cdevs((s) => {
    const { d, i } = s.bound();
    s.alloc(i);
    act(s, i);
    s.attach(d, 2);
  }, onGroup8);
}

export const iommufds: Readonly<Record<string, Provocation>> = {
  ...objects,
  ...mapping,
  ...attaching,
};
