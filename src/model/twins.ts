import type { OpKind } from './op.ts';

/** VFIO's own requests have the same numbers and arguments on a container and on an iommufd that stands for one. */
export const twins: { readonly [Kind in OpKind]?: OpKind } = {
  'container.api_version': 'iommufd.api_version',
  'container.check_extension': 'iommufd.check_extension',
  'container.set_iommu': 'iommufd.set_iommu',
  'container.get_info': 'iommufd.get_info',
  'container.map_dma': 'iommufd.map_dma',
  'container.unmap_dma': 'iommufd.unmap_dma',
  'iommufd.api_version': 'container.api_version',
  'iommufd.check_extension': 'container.check_extension',
  'iommufd.set_iommu': 'container.set_iommu',
  'iommufd.get_info': 'container.get_info',
  'iommufd.map_dma': 'container.map_dma',
  'iommufd.unmap_dma': 'container.unmap_dma',
};
