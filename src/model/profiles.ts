/** A kernel version and its build options, as data. */
export interface Profile {
  readonly id: 'seed' | '6.1' | '6.12';
  readonly noiommu: boolean;
  readonly iommufd: boolean;
}
