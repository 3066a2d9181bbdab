import fc from 'fast-check';
import type { Op, OpKind } from '../../../src/model/op.ts';
import { ROOT } from '../../../src/model/world.ts';
import { single } from './machine.ts';

type Shape = fc.Arbitrary<Record<string, unknown>>;

/** Mostly what an operation takes, so that more than its first test is met. */
export const mostlyZero = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  fc.constantFrom(1, -1, Number.NaN),
);

interface Lots {
  readonly fd: fc.Arbitrary<number>;
  readonly argsz: fc.Arbitrary<number | null | undefined>;
  readonly anyNumber: fc.Arbitrary<number>;
  readonly anyWord: fc.Arbitrary<bigint>;
}

function sometimes(argsz: Lots['argsz']): Lots['argsz'] {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, argsz);
}

/** Hostile arguments of iommufd's requests, among sensible ones. */
export function iommufdShapes(lots: Lots): {
  readonly [Kind in Extract<OpKind, `iommufd.${string}`>]: Shape;
} {
  const { fd, argsz, anyNumber, anyWord } = lots;
  const id = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }) }, anyNumber);
  const size = sometimes(argsz);
  const tail = fc.constantFrom(undefined, undefined, undefined, true, false);
  const framing = { fd, argsz: size, tail };
  const reserved = fc.option(mostlyZero, { nil: undefined });
  const flags = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(3, 6, 7, 5) }, anyNumber);
  const memory = fc.constantFrom('writable', 'read-only', 'none');
  const words = { vaddr: anyWord, length: anyWord, iova: anyWord };
  const mapping = { reserved, flags, ioas: id, ...words, memory };
  return {
    'iommufd.destroy': fc.record({ ...framing, id }),
    'iommufd.ioas_alloc': fc.record({ ...framing, flags: mostlyZero }),
    'iommufd.ioas_iova_ranges': fc.record({ ...framing, reserved, ioas: id, room: anyNumber }),
    'iommufd.ioas_allow_iovas': fc.record({
      ...framing,
      reserved,
      ioas: id,
      ranges: fc.array(anyWord, { maxLength: 5 }),
    }),
    'iommufd.ioas_map': fc.record({ ...framing, ...mapping }),
    'iommufd.ioas_copy': fc.record({
      ...framing,
      flags,
      dst: id,
      src: id,
      length: anyWord,
      dstIova: anyWord,
      srcIova: anyWord,
    }),
    'iommufd.ioas_unmap': fc.record({ ...framing, ioas: id, iova: anyWord, length: anyWord }),
    'iommufd.option': fc.record({
      ...framing,
      reserved,
      option: id,
      operation: id,
      object: id,
      value: anyWord,
    }),
    'iommufd.vfio_ioas': fc.record({ ...framing, reserved, operation: id, ioas: id }),
    'iommufd.noiommu_get_pa': fc.record({
      ...framing,
      reserved,
      flags: mostlyZero,
      ioas: id,
      iova: anyWord,
      length: anyWord,
    }),
    ...tableShapes({ framing, reserved, id }, lots),
    ...compatShapes(lots),
  };
}

/** Page tables and what belongs to them. */
function tableShapes(
  {
    framing,
    reserved,
    id,
  }: {
    readonly framing: Readonly<Record<string, fc.Arbitrary<unknown>>>;
    readonly reserved: fc.Arbitrary<unknown>;
    readonly id: fc.Arbitrary<unknown>;
  },
  { anyNumber, anyWord }: Lots,
): {
  readonly [Kind in
    | Extract<OpKind, `iommufd.hwpt_${string}`>
    | 'iommufd.get_hw_info'
    | 'iommufd.fault_queue_alloc']: Shape;
} {
  return {
    'iommufd.hwpt_alloc': fc.record({
      ...framing,
      reserved,
      flags: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 0, 1, 2, 4) }, anyNumber),
      deviceId: id,
      target: id,
      dataType: fc.oneof(mostlyZero, fc.constant(0xdead)),
      dataLength: fc.oneof(mostlyZero, fc.constant(4)),
      behind: fc.constantFrom(undefined, 'readable'),
      faultId: fc.option(id, { nil: undefined }),
    }),
    'iommufd.get_hw_info': fc.record({
      ...framing,
      reserved,
      flags: mostlyZero,
      deviceId: id,
      length: anyNumber,
      buffer: fc.constantFrom('writable', 'none'),
    }),
    'iommufd.hwpt_set_dirty_tracking': fc.record({ ...framing, hwpt: id, flags: mostlyZero }),
    'iommufd.hwpt_get_dirty_bitmap': fc.record({
      ...framing,
      reserved,
      hwpt: id,
      flags: mostlyZero,
      iova: fc.oneof(anyWord, fc.constant(0x100_0000n)),
      length: fc.oneof(anyWord, fc.constant(0x8000n)),
      pageSize: fc.oneof(anyWord, fc.constant(0x800n)),
    }),
    'iommufd.hwpt_invalidate': fc.record({
      ...framing,
      reserved,
      hwpt: id,
      array: fc.boolean(),
      entryLength: fc.oneof(fc.constant(8), anyNumber),
      entries: fc.oneof(fc.constant(2), anyNumber),
      dataType: fc.option(fc.oneof(fc.constant(0xdead_beef), anyNumber), { nil: undefined }),
      content: fc.option(fc.array(anyNumber, { maxLength: 4 }), { nil: undefined }),
    }),
    'iommufd.fault_queue_alloc': fc.record({ ...framing, flags: mostlyZero }),
  };
}

const mapped: Op = {
  op: 'iommufd.ioas_map',
  pid: ROOT,
  fd: 3,
  flags: 7,
  ioas: 1,
  vaddr: 0x10000n,
  length: 0x2000n,
  iova: 0x1000n,
  memory: 'writable',
};

/** The same on a machine whose IOMMU nests page tables and tells dirty pages: a parent, one in it, and one that is tracked. */
export const nestingWay: readonly Op[] = [
  { op: 'open', pid: ROOT, path: '/dev/iommu' },
  { op: 'open', pid: ROOT, path: '/dev/vfio/devices/vfio0' },
  { op: 'device.bind_iommufd', pid: ROOT, fd: 4, iommufd: 3, flags: 0 },
  { op: 'iommufd.ioas_alloc', pid: ROOT, fd: 3, flags: 0 },
  { ...mapped, ioas: 2, iova: 0x100_0000n },
  ...[1, 2].map((flags): Op => table({ flags, target: 2 })),
  table({ target: 3, dataType: 0xdead, dataLength: 4, behind: 'readable' }),
  { op: 'iommufd.hwpt_set_dirty_tracking', pid: ROOT, fd: 3, hwpt: 4, flags: 1 },
  { op: 'device.attach_ioas', pid: ROOT, fd: 4, target: 4, flags: 0 },
];

function table(its: Partial<Extract<Op, { op: 'iommufd.hwpt_alloc' }>>): Op {
  const plain = { flags: 0, deviceId: 1, target: 2, dataType: 0, dataLength: 0 };
  return { op: 'iommufd.hwpt_alloc', pid: ROOT, fd: 3, ...plain, ...its };
}

/** Ways that lead somewhere on a kernel with iommufd, once devices are bound to vfio-pci; `single` is vfio0 then. */
export const iommufdWays: { readonly [name: string]: readonly Op[] } = {
  'a cdev': [
    { op: 'open', pid: ROOT, path: '/dev/iommu' },
    { op: 'open', pid: ROOT, path: '/dev/vfio/devices/vfio0' },
    { op: 'device.bind_iommufd', pid: ROOT, fd: 4, iommufd: 3, flags: 0 },
    { op: 'iommufd.ioas_alloc', pid: ROOT, fd: 3, flags: 0 },
    { op: 'iommufd.ioas_alloc', pid: ROOT, fd: 3, flags: 0 },
    { ...mapped, ioas: 2 },
    { op: 'device.attach_ioas', pid: ROOT, fd: 4, target: 2, flags: 0 },
  ],
  'an iommufd for a container': [
    { op: 'open', pid: ROOT, path: '/dev/iommu' },
    { op: 'open', pid: ROOT, path: '/dev/vfio/8' },
    { op: 'group.set_container', pid: ROOT, fd: 4, container: 3 },
    { op: 'iommufd.set_iommu', pid: ROOT, fd: 3, type: 1 },
    mapped,
    { op: 'group.get_device_fd', pid: ROOT, fd: 4, name: single },
  ],
};

/** VFIO's own requests. */
function compatShapes({ fd, argsz, anyNumber, anyWord }: Lots): {
  readonly [Kind in
    | 'iommufd.api_version'
    | 'iommufd.check_extension'
    | 'iommufd.set_iommu'
    | 'iommufd.get_info'
    | 'iommufd.map_dma'
    | 'iommufd.unmap_dma']: Shape;
} {
  const dma = {
    fd,
    flags: fc.oneof(fc.constantFrom(0, 3, 3, 2), anyNumber),
    iova: anyWord,
    size: anyWord,
    argsz: sometimes(argsz),
  };
  const memory = fc.constantFrom('writable', 'read-only', 'none');
  return {
    'iommufd.api_version': fc.record({ fd }),
    'iommufd.check_extension': fc.record({ fd, extension: anyNumber }),
    'iommufd.set_iommu': fc.record({ fd, type: anyNumber }),
    'iommufd.get_info': fc.record({ fd, argsz }),
    'iommufd.map_dma': fc.record({ ...dma, vaddr: anyWord, memory }),
    'iommufd.unmap_dma': fc.record(dma),
  };
}
