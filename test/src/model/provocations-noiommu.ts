import type { Op } from '../../../src/model/op.ts';
import { cdevs, type IommufdSession } from './iommufd-session.ts';
import { bare, single, snapshotOf, user } from './machine.ts';
import { type Provocation, since } from './provocation.ts';

/** Devices without an IOMMU, where they have a cdev. */

type GetPa = Extract<Op, { op: 'iommufd.noiommu_get_pa' }>;

const highest = 2n ** 64n - 1n;

/** One that is bound, and its iommufd. */
function withoutIommu(act: (s: IommufdSession, d: number, i: number) => unknown): Provocation {
  return since(
    'noiommu-cdev',
    cdevs((s) => {
      s.parameter('Y');
      const { d, i } = s.bound(bare);
      act(s, d, i);
    }),
  );
}

function getPa(s: IommufdSession, i: number, over: Partial<GetPa> = {}, pid?: number): unknown {
  const asked = { fd: i, flags: 0, ioas: 2, iova: 0n, length: 1n, ...over };
  return s.ask('iommufd.noiommu_get_pa', asked, pid);
}

/** On an address space of id 2 with a page of memory at 0. */
function asked(over: Partial<GetPa>): Provocation {
  return withoutIommu((s, d, i) => {
    s.attach(d, s.alloc(i));
    s.ioasMap(i, 2, 0n);
    getPa(s, i, over);
  });
}

const { kernel } = snapshotOf();
const options = { ...kernel.options, IOMMUFD: 'y', VFIO_DEVICE_CDEV: 'y', IOMMUFD_NOIOMMU: 'n' } as const;

export const noiommuCdevs: Readonly<Record<string, Provocation>> = {
  'open.rawio-device': withoutIommu((s) => s.tryOpen('devices/noiommu-vfio0', user.pid)),
  'device.attach_ioas.foreign': withoutIommu((s, d, i) => {
    const table = s.attach(d, s.alloc(i));
    s.take(single);
    const other = s.cdev(single);
    s.bindIommufd(other, i);
    s.attach(other, Number(table));
  }),
  'iommufd.noiommu_get_pa.unknown': cdevs((s) => getPa(s, s.iommufd()), { kernel: { ...kernel, options } }),
  'iommufd.noiommu_get_pa.fault': asked({ argsz: null }),
  'iommufd.noiommu_get_pa.argsz': asked({ argsz: 39 }),
  'iommufd.noiommu_get_pa.tail': asked({ tail: true }),
  'iommufd.noiommu_get_pa.rawio': withoutIommu((s, _d, i) => getPa(s, s.pass(i), {}, user.pid)),
  'iommufd.noiommu_get_pa.unsupported': asked({ reserved: 1 }),
  'iommufd.noiommu_get_pa.length': asked({ length: 0n }),
  'iommufd.noiommu_get_pa.overflow': asked({ iova: highest }),
  'iommufd.noiommu_get_pa.unmapped': asked({ iova: 0x1000n }),
  'iommufd.noiommu_get_pa.translated': withoutIommu((s, _d, i) => {
    s.ioasMap(i, s.alloc(i), 0n);
    getPa(s, i);
  }),
};
