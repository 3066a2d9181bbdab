import { type ProfileId, profileIds, profiles } from '../../src/model/profiles.ts';

/**
 * Guards that the kernel has and nobody can miss: where one applies another applies too and answers the same, or nothing
 * that a caller can do leads there. Each entry is checked on every input, and must be needed.
 */
export const implied: Readonly<
  Record<string, { readonly by?: string; readonly why: string; readonly kernels?: readonly ProfileId[] }>
> = {
  'device.sysfs_reset.text': { by: 'device.sysfs_reset.number', why: 'what is no number is not 1' },
  'device.set_irqs.index': {
    by: 'device.set_irqs.range',
    why: 'a kind of interrupt that does not exist has no vectors',
  },
  'device.read.empty': { by: 'device.read.bounds', why: 'what has no size ends where it begins' },
  'device.write.empty': { by: 'device.write.bounds', why: 'what has no size ends where it begins' },
  'device.mmap.region': { by: 'device.mmap.no-bar', why: 'a region that does not exist is no BAR' },
  'device.mmap.no-bar': { by: 'device.mmap.unmappable', why: 'what is no BAR is no BAR that can be mapped' },
  'device.hot_reset.none': {
    by: 'device.hot_reset.not-held',
    why: 'no groups hold nothing, not even the device itself',
    kernels: ['6.1'],
  },
  'iommufd.ioas_map.length': {
    by: 'iommufd.ioas_map.alignment',
    why: 'a length of 0, or one that ends in the last page, fits no alignment',
  },
  'iommufd.map_dma.length': {
    by: 'iommufd.map_dma.alignment',
    why: 'a length of 0, or one that ends in the last page, fits no alignment',
  },
  'iommufd.hwpt_get_dirty_bitmap.page-size': {
    by: 'iommufd.hwpt_get_dirty_bitmap.bits',
    why: 'no range begins and ends between bits that stand for nothing',
  },
  'group.get_device_fd.no-container': {
    by: 'group.get_device_fd.no-iommu',
    why: 'where there is no container there is no IOMMU driver of it',
  },
  'group.set_container.mixing': {
    why: 'to these kernels a group is fake when its bus has no IOMMU, and all devices of the model are on one bus',
    kernels: profileIds.filter((id) => profiles[id].viability === 'walk'),
  },
};
