import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import type { Op, OpKind } from '../../../src/model/op.ts';
import { type ProfileId, profiles } from '../../../src/model/profiles.ts';
import type { State, World } from '../../../src/model/state.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { machine, nobody, single, snapshotOf, user } from './machine.ts';
import { type Provocation, tight } from './provocation.ts';
import { Session } from './session.ts';

/** The model's test machine with a kernel that has iommufd and device cdevs, and hands on them. */

const { kernel, modules } = snapshotOf();
const parameters = { parameters: { allow_unsafe_interrupts: 'N' } };

const withIommufd: Partial<Snapshot> = {
  kernel: { ...kernel, options: { ...kernel.options, IOMMUFD: 'y', VFIO_DEVICE_CDEV: 'y' } },
  modules: { ...modules, iommufd: parameters },
};

const iommu = '/dev/iommu';

export function iommufdWorld(
  profile: ProfileId,
  over: Partial<Snapshot> = {},
  functions: readonly PciFunction[] = machine,
): { world: World; state: State } {
  const snapshot = snapshotOf(functions, { ...withIommufd, ...over });
  return worldFrom(snapshot, { profile, processes: [user, nobody, tight] });
}

export class IommufdSession extends Session {
  constructor(profile: ProfileId = '6.12', made = iommufdWorld(profile)) {
    super(profile, made);
  }

  iommufd(pid = ROOT): number {
    return Number(this.call({ op: 'open', pid, path: iommu }));
  }

  /** A descriptor of a device's cdev. */
  cdev(device = single, pid = ROOT): number {
    return this.open(`devices/${this.of(device)?.vfio?.name}`, pid);
  }

  bindIommufd(
    fd: number,
    iommufd: number,
    over: Partial<Extract<Op, { op: 'device.bind_iommufd' }>> = {},
  ): unknown {
    const out = this.out({ op: 'device.bind_iommufd', pid: ROOT, fd, iommufd, flags: 0, ...over });
    return typeof out === 'string' ? out : out['out_devid'];
  }

  /** Any request on a descriptor: the fields that come back, or the errno. */
  ask<Kind extends OpKind>(
    op: Kind,
    fields: Omit<Extract<Op, { op: Kind }>, 'op' | 'pid'>,
    pid = ROOT,
  ): unknown {
    const result = this.result({ op, pid, ...fields } as unknown as Op);
    if (!result.ok) return 'errno' in result ? result.errno : 'blocked';
    return result.out === undefined ? result.value : Object.values(result.out).at(0);
  }

  alloc(fd: number): number {
    return Number(this.ask('iommufd.ioas_alloc', { fd, flags: 0 }));
  }

  /** Writeable and readable memory at a fixed address, 0x1000 bytes of it, unless something else is said. */
  ioasMap(
    fd: number,
    ioas: number,
    iova: bigint,
    over: Partial<Extract<Op, { op: 'iommufd.ioas_map' }>> = {},
  ): unknown {
    const memory = { vaddr: 0x7f0000000000n, length: 0x1000n, memory: 'writable' } as const;
    const {
      pid = ROOT,
      op: _op,
      ...rest
    } = { flags: 7, ioas, iova, ...memory, ...over } as Extract<Op, { op: 'iommufd.ioas_map' }>;
    return this.ask('iommufd.ioas_map', { ...rest, fd }, pid);
  }

  ioasUnmap(fd: number, ioas: number, iova: bigint, length: bigint): unknown {
    return this.ask('iommufd.ioas_unmap', { fd, ioas, iova, length });
  }

  ioasCopy(fd: number, over: Partial<Extract<Op, { op: 'iommufd.ioas_copy' }>> = {}): unknown {
    const base = { flags: 7, dst: 2, src: 1, length: 0x1000n, dstIova: 0n, srcIova: 0n };
    return this.ask('iommufd.ioas_copy', { fd, ...base, ...over });
  }

  allow(fd: number, ioas: number, ...ranges: readonly bigint[]): unknown {
    return this.ask('iommufd.ioas_allow_iovas', { fd, ioas, ranges });
  }

  attach(fd: number, target: number): unknown {
    return this.ask('device.attach_ioas', { fd, target, flags: 0 });
  }

  detach(fd: number): unknown {
    return this.ask('device.detach_ioas', { fd, flags: 0 });
  }

  option(fd: number, option: number, operation: number, object: number, value = 0n): unknown {
    return this.ask('iommufd.option', { fd, option, operation, object, value });
  }

  /** A page table for the first device and the address space after it, unless something else is said; answers its id. */
  hwpt(fd: number, over: Partial<Extract<Op, { op: 'iommufd.hwpt_alloc' }>> = {}): unknown {
    const plain = { flags: 0, deviceId: 1, target: 2, dataType: 0, dataLength: 0 };
    return this.ask('iommufd.hwpt_alloc', { ...plain, ...over, fd });
  }

  /** A bound device with id 1, an address space with id 2, and a page table of it with id 3 that nobody is attached to. */
  tabled(device = single): { d: number; i: number } {
    const { d, i } = this.bound(device);
    this.alloc(i);
    this.hwpt(i);
    return { d, i };
  }

  destroy(fd: number, id: number): unknown {
    return this.ask('iommufd.destroy', { fd, id });
  }

  /** A bound device and a fresh address space that it is attached to. */
  attached(device = single): { d: number; i: number; ioas: number } {
    const { d, i } = this.bound(device);
    const ioas = this.alloc(i);
    this.attach(d, ioas);
    return { d, i, ioas };
  }

  /** The single-function real group with an iommufd for its container. */
  standsIn(device = single, node = '8'): { g: number; i: number } {
    this.take(device);
    const [g, i] = [this.open(node), this.iommufd()];
    this.setContainer(g, i);
    return { g, i };
  }

  /** A device, its host driver gone, open through its cdev and bound to a new iommufd. */
  bound(device = single): { d: number; i: number } {
    this.take(device);
    const d = this.cdev(device);
    const i = this.iommufd();
    this.bindIommufd(d, i);
    return { d, i };
  }
}

/** On the kernels that have iommufd. */
export function cdevs(
  act: (session: IommufdSession) => unknown,
  over: Partial<Snapshot> = {},
  functions: readonly PciFunction[] = machine,
): Provocation {
  return (profile) => {
    if (!profiles[profile].knowsIommufd) return null;
    const session = new IommufdSession(profile, iommufdWorld(profile, over, functions));
    act(session);
    return session;
  };
}
