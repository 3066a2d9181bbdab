import { isUnknown, type Snapshot } from '../machine/snapshot.ts';

/** The kernels that the model knows; everything in which they differ is a field below, never a test of a version. */
export type ProfileId = 'seed' | '6.1' | '6.12';

export type PerProfile<T> = Readonly<Record<ProfileId, T>>;

/** How a part of the kernel was built: into the image, as a module, or not at all. */
export type Built = 'y' | 'm' | 'n';

/** Build options (Kconfig symbols without their `CONFIG_`). */
interface Build {
  readonly vfio: Built;
  readonly vfioPci: Built;
  readonly type1: Built;
  /** Module irqbypass; `n` also where nobody says how it was built: it is then no part of the model. */
  readonly irqBypass: Built;
  /** Legacy groups and containers: always there before 6.2, where the symbols did not exist. */
  readonly group: boolean;
  readonly container: boolean;
  readonly noiommu: boolean;
  readonly iommufd: boolean;
  readonly cdev: boolean;
}

/** What a kernel version does, as data. */
interface KernelFacts {
  readonly id: ProfileId;
  /** The source that was read. */
  readonly source: string;
  /** Name of the parameter of module vfio that allows groups without an IOMMU. */
  readonly noiommuParameter: string;
  /** A device without a group gets a fake one: always, or only where no IOMMU sits on the bus at all. */
  readonly fakeGroup: 'no-group' | 'no-iommu-on-bus';
  /** When a group's devices are judged: once at the claim (owner_cnt), or by a walk at every use. */
  readonly viability: 'claim' | 'walk';
  /** What container_users counts beside the container itself. */
  readonly containerUsers: 'device-fds' | 'open-devices';
  /** The noiommu driver sits in the list of IOMMU drivers, so a container without groups asks it too. */
  readonly noiommuListed: boolean;
  /** CHECK_EXTENSION(8) answers what the parameter says now. */
  readonly extensionAsksParameter: boolean;
  /** `vfio-pci`: the name may carry options after a space; otherwise it must be equal. */
  readonly nameTakesOptions: boolean;
  /** `/sys/bus/pci/devices/BDF/vfio-dev/vfioX` exists. */
  readonly vfioDev: boolean;
  /** First letters that a boolean parameter reads as Y and as N, and whether `on` and `off` are words to it. */
  readonly booleans: { readonly yes: string; readonly no: string; readonly onOff: boolean };
  /** Modules of the VFIO family and what each needs loaded before it. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** Bytes of struct vfio_device_info that the kernel knows. */
  readonly deviceInfoSize: number;
  /** MSI-X vectors may be added while the interrupt is enabled, so IRQ_INFO lacks NORESIZE. */
  readonly dynamicMsix: boolean;
  /** Firmware 1:1 mappings (RMRR) refuse the claim; earlier kernels refuse SET_IOMMU. */
  readonly reservedAt: 'set-container' | 'set-iommu';
  /** Extensions that the type1 driver answers 1 to before it is set, and those that it answers only once set. */
  readonly type1Extensions: { readonly always: readonly number[]; readonly onceSet: readonly number[] };
  /** Flags that MAP_DMA and UNMAP_DMA know. */
  readonly mapFlags: number;
  readonly unmapFlags: number;
  /** DEVICE_FEATURE and DEVICE_IOEVENTFD exist. */
  readonly deviceFeatures: boolean;
}

/** A kernel version together with how it was built. */
export interface Profile extends KernelFacts {
  readonly build: Build;
}

/** A fact that the snapshot does not tell, and the reading that the model goes on with. */
export interface Assumption {
  /** Path into the snapshot: `/kernel/options/VFIO_NOIOMMU`. */
  readonly fact: string;
  readonly taken: string;
  readonly unknown: string;
}

/** Each kernel as somebody would build it for all of VFIO's legacy paths; `profileFor` puts a machine's options in. */
export const profiles: PerProfile<Profile> = {
  seed: {
    id: 'seed',
    source: 'the patch "vfio: Include No-IOMMU mode" as mailed on 2015-10-28, on v4.3',
    noiommuParameter: 'enable_unsafe_noiommu_support',
    fakeGroup: 'no-iommu-on-bus',
    viability: 'walk',
    containerUsers: 'device-fds',
    noiommuListed: false,
    extensionAsksParameter: false,
    nameTakesOptions: false,
    vfioDev: false,
    booleans: { yes: 'yY1', no: 'nN0', onOff: false },
    modules: { vfio: [], vfio_iommu_type1: ['vfio'], vfio_virqfd: [], vfio_pci: ['vfio', 'vfio_virqfd'] },
    deviceInfoSize: 16,
    dynamicMsix: false,
    reservedAt: 'set-iommu',
    type1Extensions: { always: [1, 3, 6], onceSet: [4] },
    mapFlags: 3,
    unmapFlags: 0,
    deviceFeatures: false,
    build: built({ iommufd: false, cdev: false }),
  },
  '6.1': {
    id: '6.1',
    source: 'Linux 6.1.192',
    noiommuParameter: 'enable_unsafe_noiommu_mode',
    fakeGroup: 'no-group',
    viability: 'claim',
    containerUsers: 'device-fds',
    noiommuListed: true,
    extensionAsksParameter: true,
    nameTakesOptions: true,
    vfioDev: true,
    booleans: { yes: 'yYtT1', no: 'nNfF0', onOff: true },
    modules: {
      vfio: [],
      vfio_iommu_type1: ['vfio'],
      vfio_virqfd: [],
      irqbypass: [],
      vfio_pci_core: ['vfio', 'vfio_virqfd', 'irqbypass'],
      vfio_pci: ['vfio_pci_core'],
    },
    deviceInfoSize: 20,
    dynamicMsix: false,
    reservedAt: 'set-iommu',
    type1Extensions: { always: [1, 3, 6, 9], onceSet: [4, 10] },
    mapFlags: 7,
    unmapFlags: 7,
    deviceFeatures: true,
    build: built({ iommufd: false, cdev: false }),
  },
  '6.12': {
    id: '6.12',
    source: 'Linux 6.12.117',
    noiommuParameter: 'enable_unsafe_noiommu_mode',
    fakeGroup: 'no-group',
    viability: 'claim',
    containerUsers: 'open-devices',
    noiommuListed: true,
    extensionAsksParameter: true,
    nameTakesOptions: true,
    vfioDev: true,
    booleans: { yes: 'yYtT1', no: 'nNfF0', onOff: true },
    modules: {
      vfio: [],
      vfio_iommu_type1: ['vfio'],
      irqbypass: [],
      vfio_pci_core: ['vfio', 'irqbypass'],
      vfio_pci: ['vfio_pci_core'],
    },
    deviceInfoSize: 24,
    dynamicMsix: true,
    reservedAt: 'set-container',
    type1Extensions: { always: [1, 3, 6, 9], onceSet: [4, 10] },
    mapFlags: 7,
    unmapFlags: 7,
    deviceFeatures: true,
    build: built({ iommufd: false, cdev: false }),
  },
};

type Options = Snapshot['kernel']['options'];

/**
 * The profile nearest to a machine's kernel release, with its build options. A release before 4.4 is the seed's, before
 * 6.2 that of 6.1, everything later that of 6.12. What the snapshot does not tell stands in `assumed`.
 */
export function profileFor(
  snapshot: Snapshot,
  id?: ProfileId,
): { readonly profile: Profile; readonly assumed: readonly Assumption[] } {
  const assumed: Assumption[] = [];
  const chosen = id ?? idFor(snapshot, assumed);
  const facts = profiles[chosen];
  const option = (name: Exclude<keyof Options, 'IRQ_BYPASS_MANAGER'>, taken: Built): Built => {
    const told = snapshot.kernel.options[name];
    if (!isUnknown(told)) return told;
    assumed.push({ fact: `/kernel/options/${name}`, taken, unknown: told.unknown });
    return taken;
  };
  const irqBypass = snapshot.kernel.options.IRQ_BYPASS_MANAGER;
  const legacy = chosen !== '6.12';
  const build: Build = {
    vfio: option('VFIO', 'm'),
    vfioPci: option('VFIO_PCI', 'm'),
    type1: option('VFIO_IOMMU_TYPE1', 'm'),
    irqBypass: irqBypass === undefined || isUnknown(irqBypass) ? 'n' : irqBypass,
    group: legacy || option('VFIO_GROUP', 'y') !== 'n',
    container: legacy || option('VFIO_CONTAINER', 'y') !== 'n',
    noiommu: option('VFIO_NOIOMMU', 'y') !== 'n',
    iommufd: !legacy && option('IOMMUFD', 'n') !== 'n',
    cdev: !legacy && option('VFIO_DEVICE_CDEV', 'n') !== 'n',
  };
  return { profile: { ...facts, build }, assumed };
}

function idFor(snapshot: Snapshot, assumed: Assumption[]): ProfileId {
  const release = snapshot.kernel.release;
  if (isUnknown(release)) {
    assumed.push({ fact: '/kernel/release', taken: '6.12', unknown: release.unknown });
    return '6.12';
  }
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === '') {
    assumed.push({
      fact: '/kernel/release',
      taken: '6.12',
      unknown: `"${release}" does not begin with a version`,
    });
    return '6.12';
  }
  const version = Number(major) * 1000 + Number(minor);
  if (version < 4004) return 'seed';
  return version < 6002 ? '6.1' : '6.12';
}

function built(options: Pick<Build, 'iommufd' | 'cdev'>): Build {
  const modules = { vfio: 'm', vfioPci: 'm', type1: 'm', irqBypass: 'n' } as const;
  return { ...modules, group: true, container: true, noiommu: true, ...options };
}
