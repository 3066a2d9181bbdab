import type { ProfileId } from '../../../src/model/profiles.ts';
import { cdevs } from './iommufd-session.ts';
import { nobody, pair, sibling, single } from './machine.ts';
import { type Provocation, pid, since } from './provocation.ts';
import {
  opened,
  openedByHost,
  pf,
  physical,
  put,
  shared,
  token,
  vf,
  withIgb,
  withSriov,
} from './provocations-bus.ts';
import type { Session } from './session.ts';

/** Calls that meet a module whose unloading waits for an open device. */

export function unload(s: Session, module: string, ...also: readonly string[]): number | string {
  return s.call({ op: 'module.unload', pid, module, ...(also.length > 0 ? { also } : {}) });
}

/** A virtual function is with vfio-pci and open, and the driver of its physical one goes. */
export function hostGoes(profile: ProfileId): Session {
  const s = withSriov(profile);
  openedByHost(s);
  unload(s, 'igb');
  return s;
}

const variant = 'mlx5-vfio-pci';

/** A physical function is with vfio-pci, which goes, and its virtual one is open with a driver of another module. */
export function variantHolds(profile: ProfileId): { s: Session; pfGroup: number } {
  const s = withSriov(profile, [physical], {
    drivers: ['igb', 'pci-stub', 'vfio-pci', variant],
    modules: { ...withIgb(), mlx5_vfio_pci: { parameters: {} } },
  });
  shared(s);
  s.unbind(vf, 'vfio-pci');
  s.override(vf, variant);
  s.bind(vf, variant);
  const pfGroup = opened(s, pf);
  s.close(Number(s.device(pfGroup, `${pf} vf_token=${token}`)));
  s.device(opened(s, vf), `${vf} vf_token=${token}`);
  unload(s, 'vfio_pci');
  return { s, pfGroup };
}

export const unloads: Readonly<Record<string, Provocation>> = {
  'module.unload.going': (profile) => {
    const s = hostGoes(profile);
    unload(s, 'igb');
    return s;
  },
  'module.load.going': since('6.1', (profile) => {
    const s = hostGoes(profile);
    s.call({ op: 'module.load', pid, module: 'igb' });
    return s;
  }),
  'group.get_device_fd.going': since('6.1', (profile) => {
    const { s, pfGroup } = variantHolds(profile);
    put(s, 'device.reset_method', pf, '\n');
    s.device(pfGroup, `${pf} vf_token=${token}`);
    return s;
  }),
  'device.bind_iommufd.going': cdevs((s) => {
    s.take(single);
    const d = s.cdev();
    unload(s, 'vfio_pci');
    s.bindIommufd(d, s.iommufd());
  }),
};

/** Beside the module that goes something else is wrong, which the kernel would see before or after. */
export const unloadWrongs: readonly Provocation[] = [
  cdevs((s) => {
    for (const device of [single, sibling]) s.take(device);
    s.unbind(pair);
    s.cdev(sibling);
    const g = s.open('8');
    s.setContainer(g, s.open('vfio'));
    unload(s, 'vfio_pci');
    // No IOMMU driver, which 6.12 asks for when it has the module.
    s.device(g, single);
  }),
  cdevs((s) => {
    s.take(sibling);
    const d = s.cdev(sibling);
    unload(s, 'vfio_pci');
    // A host's driver has the other device of the group.
    s.bindIommufd(d, s.iommufd());
  }),
  (profile) => {
    const s = hostGoes(profile);
    unload(s, 'igb', 'vfio');
    s.call({ op: 'module.load', pid, module: 'igb', parameters: ['x=1'] });
    s.call({ op: 'module.load', pid: nobody.pid, module: 'igb' });
    return s;
  },
];
