import type { IommuUnit, Snapshot } from '../../../src/machine/snapshot.ts';
import { iommufdOf, placeOfIommufd } from '../../../src/model/files.ts';
import { withContext } from '../../../src/model/iommufd.ts';
import type { Op } from '../../../src/model/op.ts';
import { written } from '../../../src/model/ops/iommufd-hwpt-dirty.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { State, World } from '../../../src/model/state.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { IommufdSession } from './iommufd-session.ts';
import { functionAt, pair, single, snapshotOf, user } from './machine.ts';

/**
 * A machine whose IOMMUs are those of iommufd's self-test, which nest page tables and tell dirty pages; the lab has their
 * devices on a real kernel. `other` is behind one that tells no dirty pages (MOCK_FLAGS_DEVICE_NO_DIRTY).
 */
export const [mock, twin, other] = [single, pair, '0000:06:00.0'] as const;

const unit = (place: number, dirtyTracking: boolean): IommuUnit => ({
  name: `iommufd_selftest_iommu.${place}`,
  ...{ addressBits: 31, pageSizes: '0x800', snoopControl: false, dirtyTracking },
});

const [tracking, plain] = [unit(0, true), unit(1, false)];
/** Three functions in groups of their own, and a kernel with iommufd and device cdevs. */
export function selftestSnapshot(over: Partial<Snapshot> = {}): Snapshot {
  const { kernel, modules } = snapshotOf();
  const options = { IOMMUFD: 'y', VFIO_DEVICE_CDEV: 'y', TRANSPARENT_HUGEPAGE: 'n' } as const;
  return snapshotOf(
    [
      functionAt(mock, { iommuGroup: 8, iommuUnit: tracking.name }),
      functionAt(twin, { iommuGroup: 7, iommuUnit: tracking.name }),
      functionAt(other, { iommuGroup: 9, iommuUnit: plain.name }),
    ],
    {
      kernel: { ...kernel, options: { ...kernel.options, ...options } },
      modules: { ...modules, iommufd: { parameters: { allow_unsafe_interrupts: 'N' } } },
      iommu: {
        units: [tracking.name, plain.name],
        translation: [tracking, plain],
        interruptRemapping: true,
        groups: [7, 8, 9].map((id) => ({ id, type: 'blocked', reserved: [] })),
      },
      ...over,
    },
  );
}

export function selftestWorld(profile: ProfileId): { world: World; state: State } {
  return worldFrom(selftestSnapshot(), { profile, processes: [user] });
}

type Fields<Kind extends Op['op']> = Partial<Extract<Op, { op: Kind }>>;

/** What a page table that is nested in another one takes, and an entry of what is invalidated in it. */
const data = { dataType: 0xdead, dataLength: 4, behind: 'readable' } as const;
const entries = { array: true, entryLength: 8, entries: 1, dataType: 0xdead_beef, content: [] } as const;

export class SelftestSession extends IommufdSession {
  constructor(profile: ProfileId = '6.12', made = selftestWorld(profile)) {
    super(profile, made);
  }

  /** Another device, bound to the same iommufd; its id, and its descriptor. */
  further(device: string, iommufd: number): { d: number; id: number } {
    this.take(device);
    const d = this.cdev(device);
    return { d, id: Number(this.bindIommufd(d, iommufd)) };
  }

  /** A bound device with id 1, an address space with id 2, and a page table of it with id 3 in which others are nested. */
  parented(flags = 1, device: string = mock): { d: number; i: number } {
    const { d, i } = this.bound(device);
    this.alloc(i);
    this.hwpt(i, { flags });
    return { d, i };
  }

  nested(fd: number, over: Fields<'iommufd.hwpt_alloc'> = {}): unknown {
    return this.hwpt(fd, { target: 3, ...data, ...over });
  }

  invalidate(fd: number, hwpt: number, over: Fields<'iommufd.hwpt_invalidate'> = {}): unknown {
    return this.ask('iommufd.hwpt_invalidate', { ...entries, ...over, fd, hwpt });
  }

  track(fd: number, hwpt: number, flags: number): unknown {
    return this.ask('iommufd.hwpt_set_dirty_tracking', { fd, hwpt, flags });
  }

  /** The bits of 16 pages of the lowest addresses, in hexadecimal, unless something else is said; or the errno. */
  bitmap(fd: number, hwpt: number, over: Fields<'iommufd.hwpt_get_dirty_bitmap'> = {}): string {
    const range = { iova: low, length: 0x8000n, pageSize: 0x800n, flags: 0 };
    const out = this.out({
      op: 'iommufd.hwpt_get_dirty_bitmap',
      pid: ROOT,
      fd,
      hwpt,
      ...range,
      ...over,
    } as Op);
    return typeof out === 'string' ? out : ((out['bitmap'] as bigint | undefined) ?? 0n).toString(16);
  }

  /** Devices write there. */
  wrote(fd: number, hwpt: number, ...iovas: readonly bigint[]): void {
    for (const iova of iovas) this.write(fd, hwpt, iova);
  }

  protected write(fd: number, hwpt: number, iova: bigint): void {
    const on = { pid: ROOT, fd };
    const context = iommufdOf(this.state, on);
    if (context === null) throw new Error(`${fd} is no iommufd`);
    this.state = withContext(this.state, placeOfIommufd(this.state, on), written(context, hwpt, iova));
  }
}

/** The lowest address that a page table of the self-test translates. */
export const low = 0x100_0000n;
