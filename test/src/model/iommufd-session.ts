import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import { type ProfileId, profiles } from '../../../src/model/profiles.ts';
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

export class IommufdSession extends Session {
  constructor(
    profile: ProfileId = '6.12',
    over: Partial<Snapshot> = {},
    functions: readonly PciFunction[] = machine,
  ) {
    const snapshot = snapshotOf(functions, { ...withIommufd, ...over });
    super(profile, worldFrom(snapshot, { profile, processes: [user, nobody, tight] }));
  }

  iommufd(pid = ROOT): number {
    return Number(this.call({ op: 'open', pid, path: iommu }));
  }

  /** A descriptor of a device's cdev. */
  cdev(device = single, pid = ROOT): number {
    const index = this.world.devices.get(device)?.index ?? -1;
    const path = `devices/vfio${this.state.devices[index]?.vfio?.index}`;
    return this.open(path, pid);
  }

  bindIommufd(fd: number, iommufd: number, over: { argsz?: number | null; flags?: number } = {}): unknown {
    const out = this.out({ op: 'device.bind_iommufd', pid: ROOT, fd, iommufd, flags: 0, ...over });
    return typeof out === 'string' ? out : out['out_devid'];
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
    const session = new IommufdSession(profile, over, functions);
    act(session);
    return session;
  };
}
