import { isUnknown, type Snapshot } from '../machine/snapshot.ts';

/**
 * The kernels that the model knows, oldest first; everything in which they differ is a field below, never a test of a
 * version.
 */
export const profileIds = ['seed', '4.5', '6.1', '6.12', 'noiommu-cdev'] as const;

export type ProfileId = (typeof profileIds)[number];

/** By kernel. One that is left out does as the one before it, so a table names the kernels that changed something. */
export type PerProfile<T> = Readonly<Partial<Record<ProfileId, T>> & { seed: T }>;

/** What a table says of one kernel. */
export function inProfile<T>(table: PerProfile<T>, id: ProfileId): T {
  for (let place = profileIds.indexOf(id); place > 0; place -= 1) {
    const own = table[profileIds[place] ?? 'seed'];
    if (own !== undefined) return own;
  }
  return table.seed;
}

/** The kernels from one on. */
export function profilesSince(first: ProfileId): readonly ProfileId[] {
  return profileIds.slice(profileIds.indexOf(first));
}

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
  readonly iommufd: Built;
  readonly cdev: boolean;
  /** IOMMUFD_NOIOMMU: devices without an IOMMU have a cdev, and attach to address spaces of iommufd. */
  readonly noiommuCdev: boolean;
}

/** What a kernel version does, as data. */
interface KernelFacts {
  readonly id: ProfileId;
  /** The source that was read. */
  readonly source: string;
  /** iommufd exists, and with it the choice to leave groups and containers out (VFIO_GROUP, VFIO_CONTAINER). */
  readonly knowsIommufd: boolean;
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
  /** A device that goes away says that it leaves its real group (iommu_release_device used iommu_group_remove_device). */
  readonly logsLeaving: boolean;
  /** A device that is told to leave while it is open is taken off its group's list, with its vfio-dev, at once (6.6). */
  readonly unlistsLeaving: boolean;
  /** A write to `sriov_numvfs` takes the lock of its device (4.13), and that of the bus (stable trees of 2025). */
  readonly numvfsLocks: boolean;
  /** Firmware 1:1 mappings (RMRR) refuse the claim; earlier kernels refuse SET_IOMMU. */
  readonly reservedAt: 'set-container' | 'set-iommu';
  /** Extensions that the type1 driver answers 1 to before it is set, and those that it answers only once set; 4 is the IOMMU's to say. */
  readonly type1Extensions: { readonly always: readonly number[]; readonly onceSet: readonly number[] };
  /** The chain of capabilities behind VFIO_IOMMU_GET_INFO: none, one after the other, or each at a multiple of 8. */
  readonly iommuCapabilities: 'none' | 'packed' | 'aligned';
  /** iova_pgsizes is the hardware's; before, IOMMU drivers took every power of two for granted. */
  readonly tellsPageSizes: boolean;
  /** Memory that nobody wrote to is pinned as the shared zero page for reading, and nobody is charged for that. */
  readonly pinsZeroPage: boolean;
  /** The function that pins, as the log names it. */
  readonly pinningFunction: string;
  /** Flags that MAP_DMA and UNMAP_DMA know. */
  readonly mapFlags: number;
  readonly unmapFlags: number;
  /** The taint for a group without an IOMMU comes before the group has a node, or after. */
  readonly taints: 'before-node' | 'after-node';
  /** The VFIO device of KVM takes devices beside groups (KVM_DEV_VFIO_FILE). */
  readonly kvmTakesDevices: boolean;
  /** BIND_IOMMUFD takes the token of a physical function, and asks for it (86624ba3b522, 6.17). */
  readonly bindTakesToken: boolean;
  /** How the log says that a driver did not take a device: the driver's name first, or the device's. */
  readonly probeFailure: 'driver-first' | 'device-first';
  /** INTx of controllers that cannot mask it is hidden from users. */
  readonly hidesBrokenIntx: boolean;
  /** The MSI-X table may be mapped with its BAR, and REGION_INFO says so. */
  readonly msixMappable: boolean;
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

const seed: Profile = {
  id: 'seed',
  source: 'the patch "vfio: Include No-IOMMU mode" as mailed on 2015-10-28, on v4.3',
  knowsIommufd: false,
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
  logsLeaving: true,
  unlistsLeaving: false,
  numvfsLocks: false,
  reservedAt: 'set-iommu',
  type1Extensions: { always: [1, 3, 6], onceSet: [] },
  iommuCapabilities: 'none',
  tellsPageSizes: false,
  pinsZeroPage: true,
  pinningFunction: 'vfio_pin_pages',
  mapFlags: 3,
  unmapFlags: 0,
  hidesBrokenIntx: false,
  msixMappable: false,
  probeFailure: 'driver-first',
  kvmTakesDevices: false,
  bindTakesToken: false,
  taints: 'before-node',
  build: {
    vfio: 'm',
    vfioPci: 'm',
    type1: 'm',
    irqBypass: 'n',
    group: true,
    container: true,
    noiommu: true,
    iommufd: 'n',
    cdev: false,
    noiommuCdev: false,
  },
};

/** The merged patch: the parameter has its name, and the noiommu driver stands in the list of drivers (03a76b60f8ba). */
const v4_5: Profile = {
  ...seed,
  id: '4.5',
  source: 'Linux 4.5 (commit 03a76b60f8ba)',
  noiommuParameter: 'enable_unsafe_noiommu_mode',
  noiommuListed: true,
  extensionAsksParameter: true,
  // v4.4 gave vfio-pci its irq bypass producer (6d7425f109d2).
  modules: {
    vfio: [],
    vfio_iommu_type1: ['vfio'],
    vfio_virqfd: [],
    irqbypass: [],
    vfio_pci: ['vfio', 'vfio_virqfd', 'irqbypass'],
  },
};

const v6_1: Profile = {
  ...v4_5,
  id: '6.1',
  source: 'Linux 6.1.192',
  fakeGroup: 'no-group',
  viability: 'claim',
  taints: 'after-node',
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
  type1Extensions: { always: [1, 3, 6, 9], onceSet: [10] },
  iommuCapabilities: 'packed',
  tellsPageSizes: true,
  pinningFunction: 'vfio_pin_pages_remote',
  mapFlags: 7,
  unmapFlags: 7,
  hidesBrokenIntx: true,
  msixMappable: true,
  numvfsLocks: true,
};

const v6_12: Profile = {
  ...v6_1,
  id: '6.12',
  source: 'Linux 6.12.117',
  knowsIommufd: true,
  containerUsers: 'open-devices',
  modules: {
    iommufd: [],
    vfio: ['iommufd'],
    vfio_iommu_type1: ['vfio'],
    irqbypass: [],
    vfio_pci_core: ['vfio', 'irqbypass'],
    vfio_pci: ['vfio_pci_core'],
  },
  deviceInfoSize: 24,
  iommuCapabilities: 'aligned',
  pinsZeroPage: false,
  dynamicMsix: true,
  logsLeaving: false,
  unlistsLeaving: true,
  reservedAt: 'set-container',
  probeFailure: 'device-first',
  kvmTakesDevices: true,
};

/** The series of 2026 that gives devices without an IOMMU a cdev; no release carried it when it was read. */
const noiommuCdev: Profile = {
  ...v6_12,
  id: 'noiommu-cdev',
  source: 'the series "Allow binding to a noiommu device" (commit 2c6cf6ab1564), July 2026',
  bindTakesToken: true,
  build: { ...v6_12.build, noiommuCdev: true },
};

/** Each kernel as somebody would build it for all of VFIO's legacy paths; `profileFor` puts a machine's options in. */
export const profiles: Readonly<Record<ProfileId, Profile>> = {
  seed,
  '4.5': v4_5,
  '6.1': v6_1,
  '6.12': v6_12,
  'noiommu-cdev': noiommuCdev,
};

type Options = Snapshot['kernel']['options'];

/** Options that a snapshot may leave out. */
type Untold = 'IRQ_BYPASS_MANAGER' | 'IOMMUFD_NOIOMMU' | 'TRANSPARENT_HUGEPAGE' | 'PM';

/**
 * The profile nearest to a machine's kernel release, with its build options. A release before 4.4 is the seed's, before
 * 5.19 (which began to claim groups) that of 4.5, before 6.2 that of 6.1, everything later that of 6.12, but for kernels
 * with the option that the series of 2026 brings. What the snapshot does not tell stands in `assumed`.
 */
export function profileFor(
  snapshot: Snapshot,
  id?: ProfileId,
): { readonly profile: Profile; readonly assumed: readonly Assumption[] } {
  const assumed: Assumption[] = [];
  const chosen = id ?? idFor(snapshot, assumed);
  const facts = profiles[chosen];
  const option = (name: Exclude<keyof Options, Untold>, taken: Built): Built => {
    const told = snapshot.kernel.options[name];
    if (!isUnknown(told)) return told;
    assumed.push({ fact: `/kernel/options/${name}`, taken, unknown: told.unknown });
    return taken;
  };
  const irqBypass = snapshot.kernel.options.IRQ_BYPASS_MANAGER;
  const legacy = !facts.knowsIommufd;
  const build: Build = {
    vfio: option('VFIO', 'm'),
    vfioPci: option('VFIO_PCI', 'm'),
    type1: option('VFIO_IOMMU_TYPE1', 'm'),
    irqBypass: irqBypass === undefined || isUnknown(irqBypass) ? 'n' : irqBypass,
    group: legacy || option('VFIO_GROUP', 'y') !== 'n',
    container: legacy || option('VFIO_CONTAINER', 'y') !== 'n',
    noiommu: option('VFIO_NOIOMMU', 'y') !== 'n',
    iommufd: legacy ? 'n' : option('IOMMUFD', 'n'),
    cdev: !legacy && option('VFIO_DEVICE_CDEV', 'n') !== 'n',
    noiommuCdev: chosen === 'noiommu-cdev' && snapshot.kernel.options.IOMMUFD_NOIOMMU !== 'n',
  };
  // VFIO_NOIOMMU selects it where there are cdevs (drivers/vfio/Kconfig).
  const noiommuCdev = build.noiommuCdev && build.cdev && build.noiommu;
  return { profile: { ...facts, build: { ...build, noiommuCdev } }, assumed };
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
  if (version < 5019) return '4.5';
  if (version < 6002) return '6.1';
  const series = snapshot.kernel.options.IOMMUFD_NOIOMMU;
  return series === undefined || isUnknown(series) || series === 'n' ? '6.12' : 'noiommu-cdev';
}
