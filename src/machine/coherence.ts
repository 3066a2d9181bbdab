import type { Fact, Snapshot } from './snapshot.ts';

/**
 * Whether DMA through the IOMMU is coherent with the caches (IOMMU_CAP_CACHE_COHERENCY), without which VFIO takes no
 * device that has an IOMMU. The drivers of every IOMMU of x86 say so (drivers/iommu/intel/iommu.c:intel_iommu_capable,
 * drivers/iommu/amd/iommu.c:amd_iommu_capable, drivers/iommu/virtio-iommu.c:viommu_capable); elsewhere it is the
 * firmware's word, and a snapshot without it does not know.
 */
export function coherenceOf({
  architecture,
  iommu,
}: Pick<Snapshot, 'architecture' | 'iommu'>): Fact<boolean> {
  if (iommu.coherent !== undefined) return iommu.coherent;
  if (architecture === 'x86_64' || architecture === 'i686') return true;
  return { unknown: 'the snapshot does not tell it, and not every IOMMU of this architecture is' };
}
