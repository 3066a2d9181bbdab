/** Guards that no machine of the lab can meet, each with what it would take. One that a recorded run meets fails the suite. */

interface Unmet {
  /** Ids of guards. */
  readonly guards: readonly string[];
  /** Kernels of which it holds; left out: all of the lab. */
  readonly kernel?: '6.1' | '6.12';
  readonly why: string;
}

export const unmet: readonly Unmet[] = [
  {
    guards: ['process.missing', 'descriptor.pass.receiver'],
    why: 'no kernel asks that: it is the model that names processes',
  },
  {
    guards: ['kvm.create_vm.descriptors', 'kvm.create_device.descriptors'],
    why: 'who may have no further descriptor cannot open /proc/self/mem either, by which arguments are put into memory',
  },
  {
    guards: ['device.bind_iommufd.firmware', 'group.get_device_fd.firmware', 'group.set_container.firmware'],
    kernel: '6.12',
    why: 'the emulated firmware reserves no memory for a device (no RMRR in its DMAR table)',
  },
  {
    guards: ['container.set_iommu.firmware', 'group.set_container.firmware'],
    kernel: '6.1',
    why: 'the emulated firmware reserves no memory for a device (no RMRR in its DMAR table)',
  },
  {
    guards: ['group.set_container.conflict'],
    why: 'all groups of a machine are behind the one IOMMU that is emulated, which lets each map the same addresses',
  },
  {
    guards: ['driver.bind.incoherent'],
    why: 'Linux takes every Intel IOMMU to keep DMA coherent with the caches (drivers/iommu/intel/iommu.c:intel_iommu_capable)',
  },
  {
    guards: ['driver.bind.denylisted'],
    why: 'the emulator has no QAT, DSA or IAA device',
  },
  {
    guards: ['container.dirty_pages.too-large', 'container.map_dma.too-large'],
    why: 'eight tebibytes of memory would have to be pinned first, and only mediated devices have nothing pinned',
  },
  {
    guards: ['device.sriov_numvfs.room'],
    why: 'the one physical function that is emulated has its virtual ones on its own bus, where there is room for them',
  },
  {
    guards: ['device.hot_reset.link'],
    why: 'no snapshot tells of a link that does not come back, and those of the lab are such that do',
  },
  {
    guards: ['open.no-module'],
    why: 'the lab has VFIO in modules, and the node goes with them',
  },
  {
    guards: ['module.load.leaving'],
    why: "of the drivers that may match only VFIO's own are modules in the lab's kernels, and a device that leaves one of these keeps it loaded",
  },
  {
    guards: ['module.unload.held', 'module.unload.going', 'module.load.going', 'group.get_device_fd.going'],
    kernel: '6.1',
    why: "an open device keeps VFIO's modules in use, and a driver of the host that has virtual functions is no module of the lab's 6.1",
  },
  {
    guards: ['driver.bind.virtual-functions'],
    kernel: '6.1',
    why: "virtual functions that outlast their driver are those of a driver of the host, and the lab's 6.1 has none that makes any",
  },
  {
    guards: ['device.bind_iommufd.unknown'],
    kernel: '6.12',
    why: "the lab's 6.12 is built with device cdevs",
  },
];

/** Guard and reason, of a kernel. */
export function reasonsOf(kernel: string, table: readonly Unmet[] = unmet): ReadonlyMap<string, string> {
  const those = table.filter((entry) => entry.kernel === undefined || entry.kernel === kernel);
  return new Map(those.flatMap(({ guards, why }) => guards.map((id) => [id, why] as const)));
}

/** What is wrong with a kernel's table, in words: a guard that was met, that the kernel has not, or that has no reason. */
export function faultsOf(
  kernel: string,
  all: readonly string[],
  met: readonly string[],
  table: readonly Unmet[] = unmet,
): readonly string[] {
  const reasons = reasonsOf(kernel, table);
  return [
    ...[...reasons.keys()]
      .filter((id) => met.includes(id))
      .map((id) => `${id} was met: it has no reason any more`),
    ...[...reasons.keys()].filter((id) => !all.includes(id)).map((id) => `${kernel} has no guard ${id}`),
    ...all
      .filter((id) => !met.includes(id) && !reasons.has(id))
      .map((id) => `${id} was not met, and has no reason`),
  ];
}
